"""Death by shear stress, while a cell flows: in proportion to what the stress exceeds a threshold by.

    blood.shear   slope max(0, stress - threshold)
"""
from typing import ClassVar

from metacascade.base.declare import COMPUTED, SETTING, Section, number, quantity
from metacascade.base.nodes import BEDS, LYMPH_NODE, VESSELS
from metacascade.mechanisms.terms import Rate, at, value

TABLE = "blood"
# [dyn/cm^2] at rest, RECALLED: arteries 15 (Regmi 2017), capillaries 10 to 20, veins 1 to 5; lymph next to nothing.
STRESS = dict.fromkeys(("tumor", *VESSELS, *BEDS), 15.0) | {"venous": 3.0, "portal": 3.0, LYMPH_NODE: 0.0}
ARTERIAL = STRESS["arterial"]
SAID = "stress [dyn/cm^2]: 15 in arteries and beds, 3 in veins and the portal vein, 0 in lymph"


class Shear(Section):
    """Keys of [blood]."""
    table: ClassVar[str] = TABLE

    shear_slope_cm2_per_dyn_h: float = quantity(
        "shear_slope", "cm^2/dyn/h", "cm^2/dyn/h", 0.0127, 0, 10, usual=(0.003, 0.03), source=(
            "Regmi 2017, breast lines in a circuit: 0.6/h at 60 dyn/cm^2 (over 90 % in 4 h), and 0.03/h at 15; the "
            "line through both"), status=COMPUTED,
        doc="Death hazard for each dyn/cm^2 of stress above shear_threshold.")
    shear_threshold_dyn_per_cm2: float = quantity(
        "shear_threshold", "dyn/cm^2", "dyn/cm^2", 12.6, 0, 1000, usual=(5, 15), source="as shear_slope",
        status=COMPUTED, doc="Shear stress that does no harm.")
    stress: float = number("stress", 1.0, 0, 100, usual=(0.5, 4), source="1 at rest; hard exercise 4 (Regmi 2017)",
                           status=SETTING, doc="Shear stress in all vessels, relative to rest.")


SECTION = Shear


def plan(config):
    """One rate, by node."""
    c = config.blood
    shear = Rate("blood.shear", value("blood.shear_slope", c.shear_slope_cm2_per_dyn_h),
                 doc=f"death by shear stress, while it flows; {SAID}")
    yield shear
    above = {node: max(0.0, c.stress * stress - c.shear_threshold_dyn_per_cm2) for node, stress in STRESS.items()}
    yield at(shear, above, "max(0, blood.stress * stress - blood.shear_threshold)")
