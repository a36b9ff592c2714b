"""Division and background death of the cells of the tumor.

    tissue.divide     ln 2 / T  P / (P + half) (1 - (1 - motile) emt)       and what crowding and others put on it
    tissue.apoptosis  mu
"""
import math
from typing import ClassVar

from metacascade.base.declare import ASSUMED, CONVENTION, RECALLED, Section, number, quantity, switch
from metacascade.mechanisms.sources import PHYSICELL
from metacascade.mechanisms.terms import DIVIDE, REMOVE, Rate, hill, state, value

TABLE = "growth"


class Growth(Section):
    """Division and background death of tumor cells."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Cells divide and die by apoptosis.")
    division_time_h: float = quantity("division_time", "h", "h", 24, 1, 8766, usual=(16, 700), source=(
        f"cultured lines 24 h, human tumors 120 h (Rew and Wilson 2000); {PHYSICELL} 23 h"), status=CONVENTION,
        doc="Doubling time of a well-fed cell without pressure: the division hazard is ln 2 / division_time.")
    death_per_h: float = quantity("death_rate", "1/day", "1/h", 0.05, 0, 24, usual=(0.005, 0.5), source=(
        "cell-loss factors of human carcinomas (Steel)"), status=RECALLED, doc="Hazard of apoptosis.")
    oxygen_half_mmHg: float = quantity("oxygen_half", "mmHg", "mmHg", 5, 0.001, 100, usual=(0.5, 20), source=(
        "no direct measurement"), status=ASSUMED,
        doc="Oxygen at which division is half as fast: a factor P / (P + oxygen_half).")
    motile: float = number("motile", 0.5, 0, 1, source=(
        "direction: cells that invade in mammary tumors are relatively nondividing (Wang 2007); size: with half, their "
        "share stays what it is (docs/model.md)"), status=ASSUMED, doc=(
            "Division of motile cells relative to that of others; 1: they divide alike."))


SECTION = Growth


def plan(config):
    """Two rates; oxygen and motility act on the first."""
    c = config.growth
    divide = Rate("tissue.divide", value("ln(2) / growth.division_time", math.log(2.0) / c.division_time_h),
                  action=DIVIDE, doc="the daughter lies anywhere in the voxel of the mother")
    yield divide
    yield hill(divide, "oxygen", half=value("growth.oxygen_half", c.oxygen_half_mmHg))
    if c.motile < 1.0:
        yield state(divide, "emt", lambda e: 1.0 - (1.0 - c.motile) * e, "(1 - (1 - growth.motile) * emt)")
    yield Rate("tissue.apoptosis", value("growth.death_rate", c.death_per_h), action=REMOVE, doc="background death")
