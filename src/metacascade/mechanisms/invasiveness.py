"""Invasiveness: a trait of clones that mutates, by which their motile cells are slower or faster.

    tissue.speed   x fold^(invasiveness - founder)

It acts on nothing but motion: whether a cell that invades also enters vessels is a matter of another trait
(`competence`), and of where it comes.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, switch
from metacascade.mechanisms.terms import heritable, trait

TABLE = "invasiveness"


class Invasiveness(Section):
    """Clones differ in the speed of their motile cells."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Clones differ in invasiveness.", default=False)
    fold: float = number("fold", 10.0, 1, 100, usual=(2, 30), source=(
        "lines of one origin differ several-fold in speed in collagen; no measurement of clones"), status=ASSUMED, doc=(
            "How many times as fast as one of invasiveness 0 a clone of invasiveness 1 is."))
    founder: float = number("founder", 0.4, 0, 1, source="between the ends", status=ASSUMED, doc=(
        "Of the clone that the tumor starts with, whose speed is migration.speed."))
    mutation: float = number("mutation", 1e-4, 0, 1, usual=(1e-7, 1e-2), source=(
        "a change by many genes: more often than resistance by one"), status=ASSUMED, doc=(
            "Chance that a division has a daughter in which it is changed."))
    step: float = number("step", 0.1, 0, 1, usual=(0.01, 0.5), source="no measurement", status=ASSUMED, doc=(
        "Size of a change, up or down."))


SECTION = Invasiveness


def plan(config):
    """A trait, and what it does to speed."""
    c = config.invasiveness
    yield heritable("invasiveness", c, doc="speed of motile cells, on a scale of equal ratios")
    yield trait("tissue.speed", "invasiveness", lambda x: c.fold ** (x - c.founder),
                "invasiveness.fold^(invasiveness - invasiveness.founder)")
