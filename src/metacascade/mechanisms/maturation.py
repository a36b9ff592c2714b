"""Vessels mature while blood flows through them, and the angiogenic factor loosens them again.

    dm/dt = (1 - m) vessel.mature - m vessel.loosen

What is new begins at 0, what is of the host at its own. Cells cross the wall of a mature vessel less (intravasation).
Loosening has a threshold: capillaries that grow where there is little or some of the factor are covered and tight, and
where there is more they are not (Ozawa 2004). So it goes with the fourth power, the steepest that rates have.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, quantity, switch
from metacascade.mechanisms.terms import Rate, hill, value

TABLE = "maturation"


class Maturation(Section):
    """The maturity of vessels in time."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Vessels mature, and are loosened by the angiogenic factor.", default=False)
    time_h: float = quantity("time", "day", "h", 7, 0.01, 3650, usual=(3, 21), source=(
        "no measurement; cover by pericytes comes days after vessels (Benjamin 1998, recalled)"), status=ASSUMED, doc=(
            "Time in which a perfused vessel matures."))
    loosening_per_h: float = quantity("loosening", "1/day", "1/h", 1, 0, 100, usual=(0.2, 5), source=(
        "no measurement; vessels widen and leak within a day of VEGF (Nagy 2007, recalled)"), status=ASSUMED, doc=(
            "Rate at which the angiogenic factor takes maturity away where it is plenty."))
    half: float = number("half", 0.2, 1e-6, 1e6, usual=(0.1, 0.3), source=(
        "no measurement; as of angiogenesis. Maturity in the core of V01 is 0.66 on day 12, 0.26 on day 20; pericytes "
        "cover 0.13 to 0.67 of the vessels of six cancers (Eberhard 2000, recalled)"), status=ASSUMED, doc=(
            "Angiogenic factor at which a vessel is loosened with half of that rate, in the unit of the field vegf."))


SECTION = Maturation


def plan(config):
    """Two rates."""
    c = config.maturation
    yield Rate("vessel.mature", value("1 / maturation.time", 1.0 / c.time_h),
               doc="of a perfused vessel: d maturity / dt = (1 - maturity) * vessel.mature - maturity * vessel.loosen")
    loosen = Rate("vessel.loosen", value("maturation.loosening", c.loosening_per_h), doc="as said at vessel.mature")
    yield loosen
    yield hill(loosen, "vegf", half=value("maturation.half", c.half), power=4)
