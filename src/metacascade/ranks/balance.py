"""Cutting the space-filling curve into regions of equal work."""
import numpy as np

LAST_KEY = np.uint64(2**63)     # above all keys of the curve
TILE_COST = 600       # work of a tile without cells (fields, tables), in cells; measured, see docs/scaling.md


def work(cells_per_tile):
    """Estimated work of each tile, in cells."""
    return np.asarray(cells_per_tile, np.int64) + TILE_COST


def cut(world, keys, weights):
    """Keys at which the curve is cut so that each rank gets the same work.

    Every rank holds some tiles (`keys`, any order) of integer work `weights`. Cut r is the smallest key
    with at least r / ranks of the total work before it, found by 64 halvings in which all ranks take part;
    no rank sees the tiles of another. For tiles that lie anywhere; see `cut_again`. Returns uint64 of shape
    (ranks + 1,).
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


def cut_again(world, keys, weights, total):
    """The same cuts, for ranks that each have a range of the curve already: one prefix sum, then one sum of all cuts.

    `total`: the work of all ranks. Tile i has the work between b and b + w along the curve; cut r is behind the tile
    with b < goal <= b + w, where goal is r / ranks of the whole: whoever has that tile tells all.
    """
    order = np.argsort(keys)
    end = np.cumsum(np.asarray(weights, np.int64)[order])
    mine = int(end[-1]) if len(end) else 0
    before = world.exscan(mine)
    cuts = np.zeros(world.size + 1, np.uint64)
    if mine:
        first, last = (((before + 1) * world.size - 1) // total + 1, ((before + mine + 1) * world.size - 1) // total)
        r = np.arange(max(first, 1), min(last, world.size - 1) + 1)
        behind = np.searchsorted(end, total * r // world.size - before)
        cuts[r] = np.asarray(keys)[order[behind]] + np.uint64(1)
    cuts = world.sum(cuts.view(np.int64)).view(np.uint64)
    cuts[-1] = LAST_KEY
    return cuts
