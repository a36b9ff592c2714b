"""Anoikis: death of a cell in the blood for want of attachment, while it flows: one that is arrested has none.

Neighbors are attachment (ASSUMED): of the cells of a cluster each has the hazard blood.anoikis (1 - adhesion).
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, RECALLED, Section, number, quantity
from metacascade.mechanisms.terms import Rate, value

TABLE = "blood"


class Anoikis(Section):
    """Keys of [blood]."""
    table: ClassVar[str] = TABLE

    anoikis_per_h: float = quantity("anoikis", "1/h", "1/h", 0.03, 0, 100, usual=(0.01, 0.1), source=(
        "epithelial lines in suspension, half-life 24 h"), status=RECALLED,
        doc="Death hazard of a sensitive cell without attachment.")
    anoikis_resistance: float = number("anoikis_resistance", 0.9, 0, 1, source="no measurement", status=ASSUMED, doc=(
        "R of the hazard of anoikis, anoikis (1 - R)."))


SECTION = Anoikis


def plan(config):
    """One rate, the same everywhere in the blood."""
    c = config.blood
    yield Rate("blood.anoikis", value("blood.anoikis * (1 - blood.anoikis_resistance)",
                                      c.anoikis_per_h * (1.0 - c.anoikis_resistance)),
               doc="death without attachment, while it flows; of a cell in a cluster times 1 - adhesion")
