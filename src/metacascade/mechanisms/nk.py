"""Killing by natural killer cells, in the beds: mostly of what is arrested there, and on the first day.

    hazard   blood.nk (1 - platelet_nk coat) exp(-t / nk_loss)      t since the cell entered the blood

In the lung of mice NK cells come upon a melanoma cell about every two hours; in the first 4 h half of these encounters
kill it, after a day nearly none, as it sheds the ligand (CD155) by which they know it: 68 % of NK cells react to one
first, 8 % after 24 h (Ichise 2022). That is with platelets on the cell. So of cells with the coat of the defaults the
hazard is 0.25/h on the mean of the first 4 h, and 8/68 of that at 24 h, which gives both numbers (COMPUTED): 1.5/h and
6.4 h. How many metastases this prevents, 10- to 100-fold in mice without NK cells, is no input.

Of a cluster of n cells they reach those at its surface, n min(1, 2 n^(-1/3)), which is all of up to eight: the share of
a ball of spheres within one diameter of its surface (COMPUTED; how they are packed is ASSUMED).
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, COMPUTED, Section, number, quantity
from metacascade.mechanisms.terms import Rate, at, value

TABLE = "blood"


class NK(Section):
    """Keys of [blood]."""
    table: ClassVar[str] = TABLE

    nk_per_h: float = quantity("nk", "1/h", "1/h", 1.5, 0, 100, usual=(0.1, 5), source=(
        "B16 in the lung of mice: 0.25/h in the first 4 h, with platelets (Ichise 2022); see mechanisms/nk.py"),
        status=COMPUTED, doc="Hazard of an uncoated arrested cell to be killed by NK cells in the lung, at first.")
    nk_loss_h: float = quantity("nk_loss", "h", "h", 6.4, 0.01, 87660, usual=(3, 24), source=(
        "the share of NK cells that react falls from 68 to 8 % in 24 h, with platelets (Ichise 2022)"), status=COMPUTED,
        doc="Time constant, from when a cell entered the blood, with which NK cells cease to see it.")
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
    yield Rate("blood.nk_loss", value("blood.nk_loss", config.blood.nk_loss_h), unit="h",
               doc="blood.nk times exp(-t / blood.nk_loss), t since it entered the blood; not in lymph")
