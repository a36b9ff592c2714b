"""Confinement: the matrix resists cells that are pushed into it, so they give way to where it has been degraded.

    tissue.confinement   crowding.pressure_max stress / stall  max(0, rise of matrix)      of a face of a voxel
    a cell is pushed over it with the hazard tissue.hop max(0, fall of pressure - tissue.confinement) / voxel^2

So it takes pressure to enter what is denser than where a cell is, and nothing else happens to it: matrix pushes nobody.
Where leading cells have degraded matrix (`proteolysis`), those behind are pushed after them, and the front of a tumor
sends out buds along their tracks. Nothing of that is put in: where no cell degrades matrix it is the same everywhere,
and no cell moves otherwise.

The unit of pressure is a strain (crowding), in which growth stops at crowding.pressure_max. The stress at which
it stops was measured, so a stress of the matrix is crowding.pressure_max times its share of that. A cavity in an
elastic solid of modulus E opens, without limit, at 5/6 E (Gent and Lindley 1959).
"""
from typing import ClassVar

from metacascade.base.declare import RECALLED, Section, quantity, switch
from metacascade.mechanisms.terms import Rate, rise, value

TABLE = "confinement"


class Confinement(Section):
    """The matrix resists cells that are pushed into it."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("The matrix resists cells that are pushed.", default=False)
    stress_kPa: float = quantity("stress", "kPa", "kPa", 4, 0, 1000, usual=(0.1, 10), source=(
        "5/6 of the modulus (Gent and Lindley 1959): by indentation 0.2 kPa of a normal gland, 1 of stroma at a tumor, "
        "4 of a tumor (Paszek 2005); by compression 3 of a normal breast, of tumors 3 to 6 times that (Samani 2007)"),
        status=RECALLED, doc="Stress by which the matrix of normal stroma resists.")
    stall_kPa: float = quantity("stall", "kPa", "kPa", 10, 0.01, 1000, usual=(6, 16), source=(
        "45-120 mmHg (Helmlinger 1997); 10 kPa (Montel 2011)"), status=RECALLED, doc=(
            "Stress at which growth stops, which is that of crowding.pressure_max."))


SECTION = Confinement


def plan(config):
    """One coefficient, by the matrix on both sides of a face."""
    c = config.confinement
    resistance = config.crowding.pressure_max * c.stress_kPa / c.stall_kPa
    text = "crowding.pressure_max * confinement.stress / confinement.stall"
    resists = Rate("tissue.confinement", value(text, resistance), unit="",
                   doc="pressure by which the matrix resists, where it rises from the voxel of a cell to the next; the "
                   "cell hops with the hazard tissue.hop * max(0, fall of pressure - tissue.confinement) / voxel^2")
    yield resists
    yield rise(resists, "matrix")
