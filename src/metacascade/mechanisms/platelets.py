"""Platelets coat a cell in the blood, and a share of NK killing and of shear is spared:

    coat   (1 - exp(-t / time)) exp(-t / fade)      t since it entered the blood
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, RECALLED, Section, number, quantity
from metacascade.mechanisms.terms import Rate, shielded, value

TABLE = "blood"


class Platelets(Section):
    """Keys of [blood]."""
    table: ClassVar[str] = TABLE

    platelet_time_h: float = quantity("platelet_time", "min", "h", 2, 0.01, 1440, usual=(0.5, 30), source=(
        "platelets bind within minutes (Laubli and Borsig)"), status=RECALLED,
        doc="Time constant with which the coat of platelets grows.")
    platelet_fade_h: float = quantity("platelet_fade", "h", "h", 12, 0.1, 87660, usual=(4, 48), source=(
        "microthrombi around arrested cells fade by about a day (Laubli and Borsig)"), status=RECALLED,
        doc="Time constant with which the coat of platelets fades.")
    platelet_nk: float = number("platelet_nk", 0.9, 0, 1, usual=(0.5, 1), source=(
        "Palumbo 2005 (direction; the effect vanishes without NK cells)"), status=ASSUMED,
        doc="Share of NK killing that a full coat prevents.")
    platelet_shear: float = number("platelet_shear", 0.5, 0, 1, usual=(0.2, 0.9), source="no measurement",
                                   status=ASSUMED, doc="Share of the death by shear that a full coat prevents.")


SECTION = Platelets


def plan(config):
    """The times of the coat, and what it spares."""
    c = config.blood
    yield Rate("blood.coat_time", value("blood.platelet_time", c.platelet_time_h), unit="h",
               doc="coat = (1 - exp(-t / blood.coat_time)) * exp(-t / blood.coat_fade), t since it entered the blood")
    yield Rate("blood.coat_fade", value("blood.platelet_fade", c.platelet_fade_h), unit="h",
               doc="with which the coat fades")
    yield Rate("blood.coat", value("1", 1.0), unit="", doc="share of the coat that there is; at most 1")
    yield shielded("blood.nk", value("blood.platelet_nk", c.platelet_nk))
    yield shielded("blood.shear", value("blood.platelet_shear", c.platelet_shear))
