"""Killing by natural killer cells, in the beds."""
from typing import ClassVar

from metacascade.base.declare import RECALLED, Section, quantity
from metacascade.mechanisms.terms import Rate, at, value

TABLE = "blood"


class NK(Section):
    """Keys of [blood]."""
    table: ClassVar[str] = TABLE

    nk_per_h: float = quantity("nk", "1/h", "1/h", 0.15, 0, 100, usual=(0.02, 0.5), source=(
        "loss of NK cells raises metastases of the lung 10-100 fold"), status=RECALLED,
        doc="Hazard of an uncoated arrested cell to be killed by NK cells in the lung.")


SECTION = NK


def plan(config):
    """One rate, by bed; none in the large vessels."""
    nk = Rate("blood.nk", value("blood.nk", config.blood.nk_per_h),
              doc="killing by natural killer cells, flowing or arrested")
    yield nk
    yield at(nk, {bed: organ.nk for bed, organ in config.organs.items()}, "organs.BED.nk", other=0.0)
