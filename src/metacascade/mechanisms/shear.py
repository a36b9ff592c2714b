"""Death by shear stress, while a cell flows."""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, quantity
from metacascade.mechanisms.terms import Rate, at, value

TABLE = "blood"
# Shear stress relative to that of arteries at rest (15 dyn/cm^2, Regmi 2017): capillaries bear about as much, veins a
# tenth of it or less, which is taken as none (ASSUMED).
STRESS = {"venous": 0.0, "portal": 0.0}


class Shear(Section):
    """Keys of [blood]."""
    table: ClassVar[str] = TABLE

    shear_per_h: float = quantity("shear", "1/h", "1/h", 0.03, 0, 100, usual=(0.005, 0.1), source=(
        "Regmi 2017: 0.6 at 60 dyn/cm^2; scaled down to rest, 15 dyn/cm^2"), status=ASSUMED,
        doc="Death hazard by shear stress at rest.")


SECTION = Shear


def plan(config):
    """One rate, by node."""
    shear = Rate("blood.shear", value("blood.shear", config.blood.shear_per_h),
                 doc="death by shear stress, while it flows")
    yield shear
    yield at(shear, STRESS, "stress (1 in arteries and beds, 0 in veins and the portal vein)")
