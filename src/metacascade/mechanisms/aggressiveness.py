"""Aggressiveness: a trait of clones that mutates, by which their cells respond to what draws them home.

    blood.homing   x aggressiveness / founder

Tumors draw cells that pass by IL-6 and IL-8, and the more aggressive variants of a line more than their parents (Kim
2009). The attraction of a bed, `colonization.attraction`, is that which the clone feels that the tumor starts with.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, switch
from metacascade.mechanisms.terms import heritable, trait

TABLE = "aggressiveness"


class Aggressiveness(Section):
    """Clones differ in how much they respond to IL-6 and IL-8."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Clones differ in their response to what draws cells to a tumor.", default=False)
    founder: float = number("founder", 0.2, 0.01, 1, source=(
        "with the default attraction the gain of the most aggressive is 21, the end of its usual range"),
        status=ASSUMED, doc="Of the clone that the tumor starts with, which feels all of colonization.attraction.")
    mutation: float = number("mutation", 1e-4, 0, 1, usual=(1e-7, 1e-2), source="as invasiveness", status=ASSUMED, doc=(
        "Chance that a division has a daughter in which it is changed."))
    step: float = number("step", 0.1, 0, 1, usual=(0.01, 0.5), source="no measurement", status=ASSUMED, doc=(
        "Size of a change, up or down."))


SECTION = Aggressiveness


def plan(config):
    """A trait, and what it does in the blood."""
    made = heritable("aggressiveness", config.aggressiveness, doc="response to IL-6 and IL-8")
    yield made
    founder = made.founder_byte / 255           # of cells, which are to feel all of the attraction
    yield trait("blood.homing", "aggressiveness", lambda a: a / founder, f"(aggressiveness / {founder:.9g})")
