"""Crowded cells press: pressure stops division, and pushes cells to where it is lower.

With f = cells / capacity - 1, taken over a fixed length, the pressure p (a strain: pressure over bulk modulus) solves

    p >= 0,  (1 - L^2 lap) p >= f,  one of the two an equality,    L^2 = mobility x relaxation

and each cell hops over a face from voxel i to j with the hazard mobility max(0, p_i - p_j) / h^2. In the bulk the
density is 1 + p + relaxation x (rate of expansion): relaxation is a bulk viscosity (Perthame and Vauchelet 2015). A
well-fed tumor grows to the depth lambda = sqrt(mobility pressure_max T / ln 2) under its surface, and its rim advances
by lambda ln 2 / T.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, integer, number, quantity, switch
from metacascade.mechanisms.fields import Pressure, whole_steps
from metacascade.mechanisms.terms import Rate, ramp, value

TABLE = "crowding"


class Crowding(Section):
    """Crowded cells press: pressure stops division and pushes cells outward."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Crowded cells press; off: nothing limits the cells of a voxel.")
    mobility_um2_per_h: float = quantity("mobility", "um^2/h", "um^2/h", 7220, 0, 1e6, usual=(1000, 20_000), source=(
        "so that a well-fed tumor grows to a depth of 250 um, sqrt(mobility pressure_max division_time / ln 2), which "
        "lets 50,000 cells grow 23-fold in six days; 100 um agrees with the growth of spheroids as well"),
        status=ASSUMED, doc="Flow of cells per gradient of pressure: a cell hops to the next voxel with the hazard "
        "mobility x fall of pressure / voxel^2.")
    pressure_max: float = number("pressure_max", 0.25, 0.01, 10, usual=(0.1, 0.5), source=(
        "homeostatic pressure of some kPa (Montel 2011) over a bulk modulus of 10-20 kPa (Alessandri 2013), recalled; "
        "at one depth of growth the result hardly depends on it"), status=ASSUMED, doc=(
            "Pressure, in excess of cells over capacity, at which division stops: a factor 1 - p / pressure_max."))
    relaxation_h: float = quantity("relaxation", "h", "h", 2, 0.01, 48, usual=(1, 4), source=(
        "no measurement; a bulk viscosity, small against the division time"), status=ASSUMED,
        doc="Time in which an excess of cells spreads; the step must not be longer.")
    smoothing_um: float = quantity("smoothing", "um", "um", 30, 0, 100, doc=(
        "Length over which the density of cells is taken, so that it does not depend on the voxel."))
    sweeps: int = integer("sweeps", 4, 1, 1000, doc=(
        "Red-black sweeps of the pressure per step; take 8 for voxels of 20 um and less."))
    every_s: int = quantity("every", "h", "s", 1, 1 / 3600, 24, doc=(
        "Time from one solution to the next, in whole steps: as many as fit, one at least."))
    initial_sweeps: int = integer("initial_sweeps", 100, 0, 100_000, doc="Sweeps before the first step.")


SECTION = Crowding


def plan(config):
    """The field, its hand on division, and the coefficient of the hops."""
    c = config.crowding
    mobility = value("crowding.mobility", c.mobility_um2_per_h)
    yield Pressure("pressure", mobility=mobility, relaxation=value("crowding.relaxation", c.relaxation_h),
                   smoothing=value("crowding.smoothing", c.smoothing_um), sweeps=c.sweeps,
                   start_sweeps=c.initial_sweeps, every=whole_steps(c.every_s, config), doc=(
                       "of crowded cells, in excess of cells over capacity; density is over [crowding.smoothing]"))
    yield ramp("tissue.divide", "pressure", zero=value("crowding.pressure_max", c.pressure_max), full=0)
    yield Rate("tissue.hop", mobility, unit="um^2/h",
               doc="a cell hops over a face with the hazard tissue.hop * max(0, fall of pressure) / voxel^2")
