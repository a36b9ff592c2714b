"""Oxygen: it diffuses from perfused vessels, and cells take it up (Michaelis and Menten).

Off: there is no such field, and oxygen limits nothing; for the same oxygen everywhere set uptake and wall to zero.
"""
from math import inf
from typing import ClassVar

from metacascade.base.columns import mean_over_cells
from metacascade.base.declare import ASSUMED, COMPUTED, CONVENTION, RECALLED, Section, integer, quantity, switch
from metacascade.mechanisms.fields import Diffusing, whole_steps
from metacascade.mechanisms.sources import PHYSICELL
from metacascade.mechanisms.terms import value

TABLE = "oxygen"


class Oxygen(Section):
    """Oxygen diffuses from the vessels and is consumed by the cells (Michaelis and Menten)."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Solve for oxygen; off: it is without limit everywhere.")
    diffusion_um2_per_h: float = quantity("diffusion", "um^2/s", "um^2/h", 1670, 0.01, 1e5, usual=(1350, 2000), source=(
        f"{PHYSICELL} 1e5 um^2/min; D alpha / alpha of Secomb gives 1355"), status=CONVENTION,
        doc="Diffusion coefficient in tissue.")
    uptake_mmHg_per_h: float = quantity("uptake", "mmHg/s", "mmHg/h", 16.1, 0, 1000, usual=(1.3, 16.2), source=(
        "M0 = 5e-4 cm^3 O2/cm^3/s (FaDu and R3230Ac 1998, secomb/GreensV4) / alpha = 3.1e-5 cm^3 O2/cm^3/mmHg"),
        status=COMPUTED, doc="Largest consumption of a voxel that is filled to capacity.")
    michaelis_mmHg: float = quantity("michaelis", "mmHg", "mmHg", 1, 0.001, 100, usual=(0.5, 5), source=(
        "secomb/GreensV4"), status=CONVENTION, doc="Oxygen at which consumption is half of the largest.")
    vessel_mmHg: float = quantity("vessel", "mmHg", "mmHg", 40, 0, 760, usual=(10, 100), source=(
        "venous to capillary blood; the reach of 82 um in planar tissue is quoted at 40 mmHg"), status=RECALLED,
        doc="Oxygen of the blood in perfused vessels.")
    stroma_mmHg: float = quantity("stroma", "mmHg", "mmHg", 40, 0, 760, usual=(10, 100), source=(
        "as in the vessels"), status=ASSUMED, doc="Oxygen of a tile when it is added.")
    wall_um_per_h: float = quantity("wall", "um/s", "um/h", 320, 0, 1e5, usual=(50, 1000), source=(
        "Sh D / (2 r) with Sherwood number 2.5 (Hellums 1996, recalled), D of this section, r = 6.5 um"),
        status=COMPUTED, doc="Oxygen permeability of the wall of a perfused vessel, blood side included.")
    sweeps: int = integer("sweeps", 6, 1, 1000, doc=(
        "Red-black over-relaxation sweeps per step: a fixed number, so that no result depends on the ranks."))
    every_s: int = quantity("every", "h", "s", 1, 1 / 3600, 24, doc=(
        "Time from one solution to the next, in whole steps: as many as fit, one at least."))
    initial_sweeps: int = integer("initial_sweeps", 200, 0, 100_000, doc="Sweeps before the first step.")


SECTION = Oxygen


def plan(config):
    """One field, and its mean over the cells."""
    c = config.oxygen
    yield Diffusing(
        "oxygen", "mmHg", diffusion=value("oxygen.diffusion", c.diffusion_um2_per_h),
        uptake=value("oxygen.uptake", c.uptake_mmHg_per_h), michaelis=value("oxygen.michaelis", c.michaelis_mmHg),
        vessel=value("oxygen.vessel", c.vessel_mmHg), wall=value("oxygen.wall", c.wall_um_per_h),
        start=value("oxygen.stroma", c.stroma_mmHg), sweeps=c.sweeps, start_sweeps=c.initial_sweeps, absent=inf,
        every=whole_steps(c.every_s, config),
        doc="partial pressure of oxygen; exchange is that of the walls of perfused vessels, of permeability "
            "[oxygen.wall]; a tile starts at [oxygen.stroma]")
    yield mean_over_cells("oxygen_mean", "mmHg", "oxygen where the cells in tissue are, their mean", "oxygen")
