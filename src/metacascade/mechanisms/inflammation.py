"""The inflamed bed: where surgery or radiation has treated, IL-6 and IL-8 draw cells that pass, until that has faded.

    blood.homing of a treated bed   + gain exp(-t / time) for each treatment, t since it; times aggressiveness / founder

What homing does is in `self_seeding`: the bed holds what passes, and lets it out of its vessels, more often. So what a
tumor does goes on where it was, and in organs that are named in `where`. Kim 2009 asks whether cells that come back
make tumors grow again in their old place; the sizes are not known, so it is off.

It is no factor, as homing is 0 in a bed that draws nothing: `model.circuit` adds the rate, by node, to that of homing.
The course of radiation counts from its first fraction and fades from its last. A bed without tumor cells gets no blood
by the flow of the tumor, which is that of living cells; the treated one has that of a mass `bed`.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, quantity, switch
from metacascade.mechanisms.terms import Rate, value

TABLE = "inflammation"
KIM = "a question of Kim 2009; no measurement"


class Inflammation(Section):
    """The bed that surgery or radiation leaves inflamed, and that draws cells which pass."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Treated beds draw cells.", default=False)
    gain: float = number("gain", 4.0, 0, 1000, usual=(1, 20), source="as of a tumor", status=ASSUMED, doc=(
        "What homing gains in a treated bed at first."))
    time_h: float = quantity("time", "day", "h", 60, 0.1, 36525, usual=(14, 365), source=KIM, status=ASSUMED, doc=(
        "Time constant with which that falls; steps of a quarter of the half-life."))
    bed_g: float = quantity("bed", "g", "g", 0.1, 0, 1000, usual=(0.001, 50), source="of the operation", status=ASSUMED,
                            doc="Mass of the treated bed of the tumor, perfused as tumor.perfusion says.")


SECTION = Inflammation


def plan(config):
    """A rate that is added to homing where there is a window on it."""
    yield Rate("blood.scar", value("inflammation.gain", config.inflammation.gain), unit="", doc=(
        "added to blood.homing in beds that surgery or radiation has treated, times exp(-t / inflammation.time)"))
