"""Moving tiles between ranks so that all have the same work. Changes no result."""
import numpy as np

from metacascade._kernels._layout import CELL
from metacascade.base.records import copy, joined
from metacascade.ranks.balance import cut_again, work
from metacascade.space.vasculature import KINDS

MOVE_COST = 5          # work of moving a cell to another rank, in updates of a cell; measured: 3 to 8


class Balance:
    """Looks now and then whether some ranks have more work than others, and moves tiles when that pays.

    It pays when all that ranks have lost by waiting for the busiest one since tiles were last moved is
    more than moving them costs (Menon, Jain, Zheng and Kale 2012, doi:10.1109/CLUSTER.2012.61): seldom for a
    slow drift, at once when a tumor begins on few ranks. Work is counted, not timed, so that it repeats.

    Parameters
    ----------
    threshold : float
        Nothing is done while the busiest rank exceeds the mean by less than this share. With 0 tiles are
        moved at every look, whether it pays or not.
    interval : int
        Steps between two looks.
    """

    def __init__(self, threshold, interval):
        self.threshold, self.interval = threshold, interval
        self.lost = 0.0            # work that could have been done while waiting [cells]

    def look(self, tissue):
        """Cut the curve anew if that pays; whether tiles were moved. Collective."""
        world, region = tissue.exchange.world, tissue.region
        if world.size == 1:
            return False
        weights = work(tissue.arena.n)
        mine = int(weights.sum())
        total, busiest = int(world.sum([mine])[0]), world.max(mine)
        mean = total / world.size
        if busiest <= (1.0 + self.threshold) * mean:
            return False
        self.lost += (busiest - mean) * self.interval
        cuts = cut_again(world, region.keys, weights, total)
        owner = np.searchsorted(cuts, region.keys, side="right") - 1
        going = np.flatnonzero(owner != world.rank)
        if self.threshold and self.lost < MOVE_COST * world.max(int(weights[going].sum())):
            return False
        self.lost = 0.0
        if world.max(len(going)) == 0:
            return False
        move(tissue, going, owner, cuts)
        return True


def move(tissue, going, owner, cuts):
    """Send the tiles in rows `going` to their owners, and own the range of `cuts`. Collective."""
    rank, vessels = tissue.exchange.world.rank, tissue.vasculature
    tiles, cells = pack(tissue, going)
    routed = tissue.exchange.route({
        "tiles": (tiles, owner[going]),
        "cells": (cells, np.repeat(owner[going], tissue.arena.n[going])),
        **(vessels.leaving(going, owner[going]) if vessels else {})})
    keep(tissue, np.flatnonzero(owner == rank), cuts)
    unpack(tissue, routed["tiles"], routed["cells"], {name: routed[name] for name in KINDS} if vessels else None)


def pack(tissue, rows):
    """Tiles and their cells, in the order of rows."""
    tiles = np.empty(len(rows), tissue.arrays.record())
    tiles["coords"] = tissue.region.coords[rows]
    for name, values in tissue.arrays.take(rows).items():
        tiles[name] = values
    cells = joined(np.empty(0, CELL), *(tissue.arena.block(row) for row in rows))
    return tiles, cells


def keep(tissue, rows, cuts):
    """Forget all tiles but these rows."""
    tissue.region.keep(rows, cuts)
    tissue.arrays.keep(rows)
    tissue.arena.keep(rows)
    if tissue.vasculature:
        tissue.vasculature.keep(rows)
    tissue.vessels, tissue.reachable = tissue.vessels.take(rows), tissue.reachable[rows]


def unpack(tissue, tiles, cells, vessels=None):
    """Add tiles with their cells, what there is of their voxels, and their vessels, if those live. Collective."""
    order = np.argsort(tissue.region.keys_of(tiles["coords"]))
    rows = tissue.add_tiles(tiles["coords"].copy(), tiles["counts"], vessels)
    tissue.arrays.put(rows, tiles[order])
    end = np.cumsum(tiles["counts"].sum(axis=1, dtype=np.int64))
    for row, i in zip(rows, order):
        n = tissue.arena.n[row]
        copy(tissue.arena.block(row), cells[end[i] - n:end[i]])
