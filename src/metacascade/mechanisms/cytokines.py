"""IL-6 and IL-8 in proportion to who makes them: what a bed draws goes with the cells in it (Kim 2009, direction).

    blood.homing of the tumor    x n / (n + half)                        n cells of the tumor
    blood.homing of an organ     + blood.cytokines n / (n + half_organ)    n cells of all lesions in it

So a tumor draws cells as it grows and lesions draw them too, each in its own bed; colonization.attraction is what the
bed of a large tumor does. In the tumor all vessels lie among its cells, so it saturates early: half is the ball in
whose middle a signal that spreads over l = 200 um, as [neutrophils] has IL-8, has half of its level in a wide tissue,
1 - (1 + R/l) exp(-R/l), R = 336 um, of 3e8 cells a gram. What passes an organ seldom passes its lesions, so these need
many more cells. It is no factor, as the cells change: `model.circuit` has them, as they were at the end of the last
step, and in steps of 2^(1/4), so that rates change seldom. Shares below a thousandth count as none.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, switch
from metacascade.mechanisms.terms import Rate, value

TABLE = "cytokines"


class Cytokines(Section):
    """The tumor and lesions draw cells that pass by as much IL-6 and IL-8 as their cells make."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("What draws cells goes with the cells that make it.", default=False)
    half: float = number("half", 50_000, 1, 1e13, usual=(1e4, 1e9), source=(
        "a ball of radius 0.34 mm: in its middle IL-8 that spreads over 200 um, assumed, is half of that in a wide "
        "tumor"),
        status=ASSUMED, doc="Cells of the tumor at which its bed draws half as much as colonization.attraction says.")
    lesions: float = number("lesions", 4.0, 0, 1000, usual=(1, 20), source="as of a tumor; no measurement",
                            status=ASSUMED, doc="What homing gains in an organ full of lesions; 0: none draws.")
    half_organ: float = number("half_organ", 1e9, 1, 1e13, usual=(1e6, 1e12), source="no measurement", status=ASSUMED,
                               doc="Cells of the lesions of an organ at which it draws half of that.")


SECTION = Cytokines


def plan(config):
    """What organs come to draw, and the cells at which that, and the homing to the tumor, are half of what they can."""
    c = config.cytokines
    yield Rate("blood.cytokines", value("cytokines.lesions", c.lesions), unit="", doc=(
        "added to blood.homing of an organ with n cells in its lesions, times n / (n + blood.cytokines_half_organ)"))
    yield Rate("blood.cytokines_half", value("cytokines.half", c.half), unit="cells",
               doc="blood.homing of a tumor of n cells is times n / (n + this)")
    yield Rate("blood.cytokines_half_organ", value("cytokines.half_organ", c.half_organ), unit="cells",
               doc="of the lesions of an organ, see blood.cytokines")
