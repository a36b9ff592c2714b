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


def of_lesions(simulation):
    """Cells of the lesions of this rank in each node; nothing where no rate of the blood goes with them."""
    sim = simulation
    return by_node(sim.lesions.records, len(sim.circuit.names)) if sim.circuit.shares else ()


def with_tumor(simulation, lesions) -> list:
    """Cells of the tumor and of lesions in each node, those of `lesions` over all ranks."""
    return [simulation.ledger.totals[simulation.lumped.column], *lesions[1:]]


def counted(simulation) -> list:
    """The same, with a sum over the ranks. Collective."""
    return with_tumor(simulation, simulation.world.sum(of_lesions(simulation)).tolist())


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
    found = [_share(rounded(int(n)), tumor if node == TUMOR else organ) for node, n in enumerate(cells)]
    return tuple(share if share >= LEAST else 0.0 for share in found)


def _share(n, half):
    return n / (n + half)
