"""Resistance to anoikis: a trait of clones that mutates, by which their cells outlive the loss of attachment.

    blood.anoikis   x (1 - anoikis_resistance)

It comes on top of the resistance that all cells have.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, switch
from metacascade.mechanisms.terms import heritable, trait

TABLE = "anoikis_resistance"


class AnoikisResistance(Section):
    """Clones differ in resistance to anoikis."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Clones differ in resistance to anoikis.", default=False)
    founder: float = number("founder", 0.0, 0, 1, source="what all cells have is blood.anoikis_resistance",
                            status=ASSUMED, doc="Of the clone that the tumor starts with: 1 is never killed.")
    mutation: float = number("mutation", 1e-4, 0, 1, usual=(1e-7, 1e-2), source="as invasiveness", status=ASSUMED, doc=(
        "Chance that a division has a daughter in which it is changed."))
    step: float = number("step", 0.2, 0, 1, usual=(0.01, 0.5), source="no measurement", status=ASSUMED, doc=(
        "Size of a change, up or down."))


SECTION = AnoikisResistance


def plan(config):
    """A trait, and what it does to death in the blood."""
    c = config.anoikis_resistance
    yield heritable("anoikis_resistance", c, doc="share of anoikis that cells are spared")
    yield trait("blood.anoikis", "anoikis_resistance", lambda x: 1.0 - x, "(1 - anoikis_resistance)")
