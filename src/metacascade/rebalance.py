"""Moving tiles between ranks so that all have the same work. Changes no result."""
import numpy as np

from metacascade._kernels._layout import CELL
from metacascade.balance import cut, imbalance, work
from metacascade.records import copy, joined

TILE = np.dtype([("coords", "i4", 3), ("counts", "u2", 512), ("oxygen", "f4", 512)])


def rebalance(tissue, threshold):
    """Cut the curve anew if the busiest rank exceeds the mean by `threshold`; whether it did. Collective."""
    world = tissue.exchange.world
    if world.size == 1 or imbalance(world, int(work(tissue.arena.n).sum())) <= threshold:
        return False
    region = tissue.region
    cuts = cut(world, region.keys, work(tissue.arena.n))
    if (cuts == region.cuts).all():
        return False
    owner = np.searchsorted(cuts, region.keys, side="right") - 1
    going = np.flatnonzero(owner != world.rank)
    tiles, cells = pack(tissue, going)
    routed = tissue.exchange.route({
        "tiles": (tiles, owner[going]),
        "cells": (cells, np.repeat(owner[going], tissue.arena.n[going]))})
    keep(tissue, np.flatnonzero(owner == world.rank), cuts)
    unpack(tissue, routed["tiles"], routed["cells"])
    return True


def pack(tissue, rows):
    """Tiles and their cells, in the order of rows."""
    tiles = np.empty(len(rows), TILE)
    tiles["coords"], tiles["counts"] = tissue.region.coords[rows], tissue.counts[rows]
    tiles["oxygen"] = tissue.oxygen.value[rows]
    cells = joined(np.empty(0, CELL), *(tissue.arena.block(row) for row in rows))
    return tiles, cells


def keep(tissue, rows, cuts):
    """Forget all tiles but these rows."""
    tissue.region.keep(rows, cuts)
    tissue.counts = tissue.counts[rows]
    tissue.oxygen.keep(rows)
    tissue.arena.keep(rows)
    tissue.vessels, tissue.reachable = tissue.vessels.take(rows), tissue.reachable[rows]


def unpack(tissue, tiles, cells):
    """Add tiles with their cells and oxygen. Collective."""
    order = np.argsort(tissue.region.keys_of(tiles["coords"]))
    rows = tissue.add_tiles(tiles["coords"].copy(), tiles["counts"])
    tissue.oxygen.value[rows] = tiles["oxygen"][order]
    end = np.cumsum(tiles["counts"].sum(axis=1, dtype=np.int64))
    for row, i in zip(rows, order):
        n = tissue.arena.n[row]
        copy(tissue.arena.block(row), cells[end[i] - n:end[i]])
