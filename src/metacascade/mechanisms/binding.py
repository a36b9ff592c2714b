"""Binding: a cell that flows through a bed takes hold of the endothelium, for as long as it is there, with a hazard.

    blood.bind   binding match (1 + blood.homing)

So a stay in a bed ends by going on, by binding or by death. What the cells bring to it is `ligand`.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, quantity
from metacascade.mechanisms.terms import Rate, at, value

TABLE = "blood"


class Binding(Section):
    """Keys of [blood]."""
    table: ClassVar[str] = TABLE

    binding_per_h: float = quantity("binding", "1/h", "1/h", 3, 0, 1000, usual=(0.3, 30), source=(
        "on monolayers of endothelium, and in flow chambers, half of the cells adhere in about a quarter of an hour"),
        status=ASSUMED, doc="Hazard to bind to the endothelium of a bed whose molecules match those of the cells.")


SECTION = Binding


def plan(config):
    """One rate, by bed."""
    bind = Rate("blood.bind", value("blood.binding", config.blood.binding_per_h),
                doc="binds to the wall of the bed that it flows through; times 1 + blood.homing")
    yield bind
    yield at(bind, {bed: organ.adhesion for bed, organ in config.organs.items()}, "organs.BED.adhesion", other=0.0)
