"""Starvation: glucose diffuses from perfused vessels, cells take it up, and die where there is too little of it.

    dG/dt = D lap G - uptake density G / (G + michaelis) + exchange (blood - G)
    tissue.starvation   hazard half^2 / (G^2 + half^2)

An example of a mechanism from outside of the package: a config names this file in [mechanisms] modules.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, RECALLED, Section, quantity, switch
from metacascade.mechanisms.fields import Diffusing
from metacascade.mechanisms.terms import REMOVE, Rate, fall, value

TABLE = "starvation"


class Starvation(Section):
    """Cells need glucose."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("There is glucose, and cells starve without.", default=False)
    hazard_per_h: float = quantity("hazard", "1/day", "1/h", 1, 0, 100, usual=(0.1, 3), source="no measurement",
                                   status=ASSUMED, doc="Death hazard without glucose.")
    half_mM: float = quantity("half", "mM", "mM", 0.2, 0.001, 100, usual=(0.05, 1), source="no measurement",
                              status=ASSUMED, doc="Glucose at which the hazard is half of that.")
    blood_mM: float = quantity("blood", "mM", "mM", 5, 0, 100, usual=(3, 10), source="fasting human plasma",
                               status=RECALLED, doc="Glucose in perfused vessels.")
    diffusion_um2_per_h: float = quantity("diffusion", "um^2/s", "um^2/h", 250, 1, 1e5, usual=(100, 600), source=(
        "glucose in spheroids"), status=RECALLED, doc="Diffusion coefficient in tissue.")
    uptake_mM_per_h: float = quantity("uptake", "mM/h", "mM/h", 30, 0, 1e4, usual=(3, 100), source="no measurement",
                                      status=ASSUMED, doc="Largest uptake of a voxel that is filled to capacity.")
    wall_um_per_h: float = quantity("wall", "um/s", "um/h", 5, 0, 1e5, usual=(0.1, 50), source="no measurement",
                                    status=ASSUMED, doc="Permeability of the wall of a perfused vessel.")


SECTION = Starvation


def plan(config):
    """A field and a way to die, with its own column in the results."""
    c = config.starvation
    yield Diffusing(
        "glucose", "mM", diffusion=value("starvation.diffusion", c.diffusion_um2_per_h),
        uptake=value("starvation.uptake", c.uptake_mM_per_h), michaelis=value("0.05", 0.05),
        vessel=value("starvation.blood", c.blood_mM), wall=value("starvation.wall", c.wall_um_per_h),
        start=value("starvation.blood", c.blood_mM), sweeps=4, start_sweeps=40, absent=5.0,
        doc="concentration of glucose")
    death = Rate("tissue.starvation", value("starvation.hazard", c.hazard_per_h), action=REMOVE, doc="without glucose")
    yield death
    yield fall(death, "glucose", half=value("starvation.half", c.half_mM), power=2)
