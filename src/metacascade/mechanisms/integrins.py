"""Integrins: the speed of a motile cell is greatest at one adhesiveness of its ground, and less on either side of it.

    tissue.speed   x basal + (1 - basal) 4 x / (1 + x)^2       x = integrin matrix / optimum

Where a cell sticks little it slips, where it sticks much it does not come loose again (DiMilla et al. 1991, theory;
1993, smooth muscle cells on fibronectin and collagen). The adhesiveness is that of cell and ground together: the level
of integrins, a trait of clones that mutates, times the density of matrix of the voxel, relative to that of normal
stroma. So clones of few integrins are fast in dense stroma and those of many where the matrix is degraded. The law
itself is ASSUMED: the simplest one that falls by the same ratio on both sides of its optimum. Adhesion to neighbors
is another state of the cell (`adhesion`).
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, RECALLED, Section, number, switch
from metacascade.mechanisms.terms import heritable, pair

TABLE = "integrins"


class Integrins(Section):
    """Speed depends on the matrix, biphasically, by the level of integrins of the clone."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Speed depends on integrins and matrix.", default=False)
    founder: float = number("founder", 0.4, 0, 1, source="between the ends", status=ASSUMED, doc=(
        "Level of the clone that the tumor starts with."))
    optimum: float = number("optimum", 0.2, 0.001, 10, usual=(0.05, 1), source=(
        "speed has its maximum at an intermediate density of ligand (DiMilla 1993)"), status=RECALLED, doc=(
            "Level times matrix at which cells are fastest; with the founder's level, half of normal stroma."))
    basal: float = number("basal", 0.1, 0, 1, usual=(0, 0.5), source="cells crawl on each other too", status=ASSUMED,
                          doc="Share of the speed that needs no matrix.")
    mutation: float = number("mutation", 1e-4, 0, 1, usual=(1e-7, 1e-2), source="as invasiveness", status=ASSUMED, doc=(
        "Chance that a division has a daughter of another level."))
    step: float = number("step", 0.1, 0, 1, usual=(0.01, 0.5), source="no measurement", status=ASSUMED, doc=(
        "Size of a change, up or down."))


SECTION = Integrins


def plan(config):
    """A trait, and the speed that it gives on a ground."""
    c = config.integrins

    def speed(level, matrix):
        x = level * matrix / c.optimum
        return c.basal + (1.0 - c.basal) * 4.0 * x / ((1.0 + x) * (1.0 + x))

    yield heritable("integrin", c, doc="level of integrins, by which a motile cell sticks to the matrix")
    yield pair("tissue.speed", "integrin", "matrix", speed,
               "(integrins.basal + (1 - integrins.basal) * 4 * (integrin * matrix / integrins.optimum) / "
               "(1 + integrin * matrix / integrins.optimum)^2)")
