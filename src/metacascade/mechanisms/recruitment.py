"""How cells of the host come into a tumor: a signal of its cells draws them through perfused vessels."""
from collections.abc import Iterator

from metacascade.mechanisms.fields import Diffusing
from metacascade.mechanisms.terms import ADMIT, SECRETE, Rate, Value, hill, value


def signal(name: str, section, diffusion: Value, decay: Value, every: int, doc: str) -> Iterator:
    """The field `name` that all cells of the tumor secrete alike; `section` is that of the mechanism."""
    yield Diffusing(name, "", diffusion=diffusion, start=0.0, decay=decay, sweeps=8, start_sweeps=400, coarse=4,
                    every=every, doc=doc)
    yield Rate(f"field.{name}.source", value(f"{section.table}.secretion", section.secretion_per_h), action=SECRETE,
               doc="by the cells of the tumor")


def drawn_in(name: str, section, by: str, every: int, sweeps: int, start_sweeps: int, steady_start=False) -> Iterator:
    """The density of the cells `name`, 1 is the largest, which come where the signal `by` is, and wander and die."""
    yield Diffusing(
        name, "", diffusion=value(f"{name}.motility", section.motility_um2_per_h), start=0.0, vessel=1.0,
        wall=value(f"{name}.recruitment", section.recruitment_um_per_h),
        decay=value(f"{name}.loss", section.loss_per_h), sweeps=sweeps, start_sweeps=start_sweeps,
        steady_start=steady_start, coarse=4, every=every,
        doc=f"density of {name}, relative to the largest; exchange is that of walls of permeability "
            f"[{name}.recruitment]")
    inflow = Rate(f"field.{name}.inflow", 1.0, unit="", action=ADMIT, doc="out of perfused vessels")
    yield inflow
    yield hill(inflow, by, half=value(f"{name}.half", section.half))
