"""Cells of the tumor and of lesions by node, and what share of the signals they make that beds can feel.

Counts are integers, summed over ranks, and are rounded up to powers of 2^(1/4), so that the rates of the blood seldom
change: the same on any number of ranks.
"""
import math

import numpy as np

from metacascade.model.physiology import TUMOR

ROOTS = 1.0, math.sqrt(math.sqrt(2.0)), math.sqrt(2.0), math.sqrt(2.0) * math.sqrt(math.sqrt(2.0))
LEAST = 1e-3               # smaller shares are none: few cells of a lesion come and go all the time


def by_node(lesions, nodes: int) -> np.ndarray:
    """Cells of some lesions in each node: int64."""
    cells = np.zeros(nodes, np.int64)
    np.add.at(cells, lesions["node"], lesions["n"].astype(np.int64))
    return cells


def of_lesions(circuit, lesions):
    """Cells of some lesions in each node; nothing where no rate of the blood goes with them."""
    return by_node(lesions, len(circuit.names)) if circuit.shares else ()


def with_tumor(cells, lesions) -> list:
    """Cells of the tumor and of lesions in each node."""
    return [cells, *lesions[1:]]


def counted(simulation) -> list:
    """The same of a simulation, over all ranks. Collective."""
    sim = simulation
    lesions = sim.world.sum(of_lesions(sim.circuit, sim.lesions.records)).tolist()
    return with_tumor(sim.ledger.totals[sim.lumped.column], lesions)


def rounded(cells: int) -> float:
    """The smallest power of 2^(1/4) that is no less than a count, 0 for none."""
    if cells < 1:
        return 0.0
    power = (cells**4 - 1).bit_length()         # the least k with 2^k >= cells^4
    return math.ldexp(ROOTS[power % 4], power // 4)


def shares(plan, cells) -> tuple:
    """n / (n + half) in each node, of the counts of cells there; nothing if what draws cells does not go with them.

    Without [cytokines] that of the tumor is 1, but a bed without a tumor in it, which treatment has left, is 0.
    """
    if plan.rate("blood.cytokines_half") is None:
        return (float(cells[TUMOR] > 0), *[0.0] * (len(cells) - 1)) if plan.rate("blood.scar") else ()
    tumor, organ = (plan.number(f"blood.cytokines_{name}") for name in ("half", "half_organ"))
    found = [n / (n + (tumor if node == TUMOR else organ)) for node, n in enumerate(map(rounded, map(int, cells)))]
    return tuple(share if share >= LEAST else 0.0 for share in found)
