"""How cells of the host come into a tumor: a signal of its cells draws them through perfused vessels."""
from collections.abc import Iterator

from metacascade.mechanisms.fields import SLOW_S, Diffusing, sweeps_over, whole_steps
from metacascade.mechanisms.terms import ADMIT, SECRETE, Rate, Value, hill, value


def signal(name: str, section, config, diffusion: Value, decay: Value, doc: str) -> Iterator:
    """The field `name` that all cells of the tumor secrete alike; `section` is that of the mechanism."""
    yield Diffusing(name, "", diffusion=diffusion, start=0.0, decay=decay, sweeps=sweeps_over(8, config),
                    start_sweeps=sweeps_over(400, config), coarse=4, every=whole_steps(SLOW_S, config), doc=doc)
    yield Rate(f"field.{name}.source", value(f"{section.table}.secretion", section.secretion_per_h), action=SECRETE,
               doc="by the cells of the tumor")


def drawn_in(name: str, section, config, by: str, sweeps: int, start_sweeps: int, steady_start=False) -> Iterator:
    """The density of the cells `name`, 1 is the largest, which come where the signal `by` is, and wander and die."""
    yield Diffusing(
        name, "", diffusion=value(f"{name}.motility", section.motility_um2_per_h), start=0.0, vessel=1.0,
        wall=value(f"{name}.recruitment", section.recruitment_um_per_h),
        decay=value(f"{name}.loss", section.loss_per_h), sweeps=sweeps_over(sweeps, config),
        start_sweeps=sweeps_over(start_sweeps, config), steady_start=steady_start, coarse=4,
        every=whole_steps(SLOW_S, config),
        doc=f"density of {name}, relative to the largest; exchange is that of walls of permeability "
            f"[{name}.recruitment]")
    inflow = Rate(f"field.{name}.inflow", 1.0, unit="", action=ADMIT, doc="out of perfused vessels")
    yield inflow
    yield hill(inflow, by, half=value(f"{name}.half", section.half))
