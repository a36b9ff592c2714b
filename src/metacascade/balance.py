"""Cutting the space-filling curve into regions of equal work."""
import numpy as np

from metacascade.domain import LAST_KEY

TILE_COST = 400       # work of a tile without cells (fields, tables), in cells; measured, see benchmarks


def work(cells_per_tile):
    """Estimated work of each tile, in cells."""
    return np.asarray(cells_per_tile, np.int64) + TILE_COST


def imbalance(world, mine):
    """Largest work of a rank over the mean, minus one."""
    total = int(world.sum([mine])[0])
    return world.max(int(mine)) * world.size / total - 1.0 if total else 0.0


def cut(world, keys, weights):
    """Keys at which the curve is cut so that each rank gets the same work.

    Every rank holds some tiles (`keys`, any order) of integer work `weights`. Cut r is the smallest key
    with at least r / ranks of the total work before it, found by 63 halvings in which all ranks take part;
    no rank sees the tiles of another. Returns uint64 of shape (ranks + 1,).
    """
    order = np.argsort(keys)
    keys = np.asarray(keys)[order]
    before = np.concatenate([[0], np.cumsum(np.asarray(weights, np.int64)[order])])
    total = int(world.sum(before[-1:])[0])
    goal = np.array([total * r // world.size for r in range(1, world.size)], np.int64)
    low = np.zeros(len(goal), np.uint64)
    high = np.full(len(goal), LAST_KEY)
    for _ in range(64 if len(goal) else 0):
        middle = low + (high - low) // np.uint64(2)
        enough = world.sum(before[np.searchsorted(keys, middle)]) >= goal
        high = np.where(enough, middle, high)
        low = np.where(enough, low, np.minimum(middle + np.uint64(1), high))
    return np.concatenate([[np.uint64(0)], high, [LAST_KEY]])
