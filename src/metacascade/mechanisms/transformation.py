"""Transformation: normal cells lodge in an organ, sleep, and may become malignant there later (Podsypanina 2008).

    lesion.transform   of a dormant lesion with the bit NORMAL; it loses the bit, and is clonogenic from then on

Normal cells are not clonogenic: they never begin to divide, nor do they in a vessel that holds them, or in a tumor.
Nothing in the model makes a cell normal; the bit is that of cells which come with it, of an injection with
bits = ["NORMAL"]. That oncogenes are switched on at some time is a [[therapy]] on lesion.transform with factor = 1 and
otherwise = 0.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, quantity, switch
from metacascade.mechanisms.terms import Bit, Rate, bit, value

TABLE = "transformation"
NORMAL = "NORMAL"


class Transformation(Section):
    """Normal cells that lodge in an organ may become malignant."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("There are normal cells, which may become malignant.", default=False)
    rate_per_h: float = quantity("rate", "1/day", "1/h", 1e-4, 0, 24, usual=(1e-7, 0.1), source=(
        "Podsypanina 2008 (Science 321:1841): untransformed mammary cells lay in the lungs of mice for months, and "
        "grew when oncogenes were switched on; direction"), status=ASSUMED, doc=(
            "Hazard of a dormant lesion of normal cells to become malignant."))


SECTION = Transformation


def plan(config):
    """A bit, what it keeps cells from, and the rate at which it is lost."""
    yield Bit(NORMAL, doc="a normal cell")
    for rate in ("lesion.clonogenic", "blood.divide", "tissue.divide"):
        yield bit(rate, NORMAL, value("0", 0.0))
    yield Rate("lesion.transform", value("transformation.rate", config.transformation.rate_per_h),
               doc="a dormant lesion of normal cells becomes malignant, and clonogenic")
