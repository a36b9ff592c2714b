"""Killing by natural killer cells, in the beds: mostly of what is arrested there.

Of a cluster of n cells they reach those at its surface, n min(1, 2 n^(-1/3)), which is all of up to eight: the share of
a ball of spheres within one diameter of its surface (COMPUTED; how they are packed is ASSUMED).
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, RECALLED, Section, number, quantity
from metacascade.mechanisms.terms import Rate, at, value

TABLE = "blood"


class NK(Section):
    """Keys of [blood]."""
    table: ClassVar[str] = TABLE

    nk_per_h: float = quantity("nk", "1/h", "1/h", 0.15, 0, 100, usual=(0.02, 0.5), source=(
        "loss of NK cells raises metastases of the lung 10-100 fold"), status=RECALLED,
        doc="Hazard of an uncoated arrested cell to be killed by NK cells in the lung.")
    nk_flowing: float = number("nk_flowing", 0.1, 0, 1, source="they act mostly on arrested cells; no measurement",
                               status=ASSUMED, doc="Hazard of a cell that flows, relative to that of an arrested one.")


SECTION = NK


def plan(config):
    """One rate, by bed; none in the large vessels."""
    nk = Rate("blood.nk", value("blood.nk", config.blood.nk_per_h),
              doc="killing by natural killer cells, once arrested; of each cell at the surface of a cluster")
    yield nk
    yield at(nk, {bed: organ.nk for bed, organ in config.organs.items()}, "organs.BED.nk", other=0.0)
    yield Rate("blood.nk_flowing", value("blood.nk_flowing", config.blood.nk_flowing), unit="",
               doc="of blood.nk, while it flows")
