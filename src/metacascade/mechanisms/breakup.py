"""Break-up: a cluster loses its cells one by one to the stress of the flow. The last of them goes on alone.

    blood.breakup   breakup stress / 15 dyn/cm^2        for each cell besides the leader
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, quantity
from metacascade.mechanisms.shear import ARTERIAL, SAID, STRESS
from metacascade.mechanisms.terms import Rate, at, value

TABLE = "blood"


class Breakup(Section):
    """Keys of [blood]."""
    table: ClassVar[str] = TABLE

    breakup_per_h: float = quantity("breakup", "1/h", "1/h", 0.05, 0, 100, usual=(0.005, 0.5), source="no measurement",
                                    status=ASSUMED, doc=(
        "Hazard of each cell but its leader to leave a cluster that flows in arteries."))


SECTION = Breakup


def plan(config):
    """One rate, by node."""
    c = config.blood
    split = Rate("blood.breakup", value("blood.breakup", c.breakup_per_h),
                 doc=f"leaves the cluster, while it flows; of each cell but the leader; {SAID}")
    yield split
    yield at(split, {node: c.stress * stress / ARTERIAL for node, stress in STRESS.items()},
             f"(blood.stress * stress / {ARTERIAL:g})")
