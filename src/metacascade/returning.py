"""Cells that come back to the tumor through the blood: where they lodge, and that they become tissue."""
import numpy as np

from metacascade._kernels._layout import CTC, MIGRANT, Draw, Flag, draws

LODGED = np.dtype([("ctc", CTC), ("place", "i8")])     # k-th place of all, then of the rank that it goes to
SPAN = np.dtype([("first", "i8"), ("rank", "i4")])      # places of a rank, up to those of the next


def places(tissue, ctcs, seed):
    """Draw a place for each CTC: (LODGED, rank), of CTCs of any rank. Collective.

    The places are the voxels within reach of a perfused vessel, in tiles that have cells (in all tiles, if there
    is none in those), tile after tile in curve order; each is equally likely. Which one is a matter of integers
    alone, the number of places before it, so it is the same on any number of ranks.
    """
    world = tissue.exchange.world
    if not int(world.sum([len(ctcs)])[0]):
        return np.empty(0, LODGED), np.empty(0, np.int64)
    mine = int(places_of_tiles(tissue).sum())
    total = int(world.sum([mine])[0])
    words = draws(seed, Draw.RETURN, np.ascontiguousarray(ctcs["id"]), np.zeros(len(ctcs), np.uint32))
    lodged = np.empty(len(ctcs), LODGED)
    lodged["ctc"] = ctcs
    lodged["place"] = [(int(a) | int(b) << 32) * total >> 64 for a, b, *_ in words]
    return _at_ranks(tissue.exchange, lodged, mine, total)


def _at_ranks(exchange, lodged, mine, total):
    """The k-th place of all -> the place of a rank, and that rank.

    No rank knows how many places each of the others has. Rank r keeps the list for the r-th part of all places: those
    who have some of them tell it, and whoever looks for one sends it there. Returns those that came here.
    """
    world = exchange.world
    before = world.exscan(mine)
    listed_at = np.arange(before * world.size // total, (before + mine - 1) * world.size // total + 1 if mine else 0)
    span = np.array([(before, world.rank)], SPAN)
    routed = exchange.route({"spans": (np.repeat(span, len(listed_at)), listed_at),
                             "lodged": (lodged, lodged["place"] * world.size // total)})
    spans, lodged = np.sort(routed["spans"], order="first"), routed["lodged"]
    found = spans[np.searchsorted(spans["first"], lodged["place"], side="right") - 1]
    lodged["place"] -= found["first"]
    return lodged, found["rank"]


def places_of_tiles(tissue):
    """Voxels within reach of a vessel in each tile that has cells; in each tile, if there is none in those."""
    beside_cells = tissue.reachable * (tissue.arena.n > 0)
    return beside_cells if int(tissue.exchange.world.sum([beside_cells.sum()])[0]) else tissue.reachable


def become_cells(tissue, lodged, seed):
    """The cells of CTCs that lodge here, as migrants that name the key of their tile. Collective."""
    if not int(tissue.exchange.world.sum([len(lodged)])[0]):
        return np.empty(0, MIGRANT)
    order = np.argsort(tissue.region.keys)
    before = np.concatenate([[0], np.cumsum(places_of_tiles(tissue)[order])])
    if len(lodged) == 0:
        return np.empty(0, MIGRANT)
    tile = np.searchsorted(before, lodged["place"], side="right") - 1
    rows = order[tile]
    voxels = [_nth_voxel(tissue, row, n) for row, n in zip(rows, lodged["place"] - before[tile])]
    ctcs = lodged["ctc"]
    index = np.repeat(np.arange(len(ctcs)), ctcs["n"])
    member = np.concatenate([np.arange(1, n + 1, dtype=np.uint32) for n in ctcs["n"]])
    words = draws(seed, Draw.RETURN, np.ascontiguousarray(ctcs["id"][index]), member)
    cells = np.zeros(len(index), MIGRANT)
    cells["key"], cells["voxel"] = tissue.region.keys[rows][index], np.array(voxels)[index]
    for axis, word in (("x", words[:, 0]), ("y", words[:, 0] >> 16), ("z", words[:, 1])):
        cells["cell"][axis] = word & 0xffff
    for trait in ("clone", "emt", "adhesion"):
        cells["cell"][trait] = ctcs[trait][index]
    cells["cell"]["flags"] = ctcs["flags"][index] | Flag.RETURNED
    return cells


def _nth_voxel(tissue, row, n):
    """The n-th voxel of a tile that is within reach of a vessel."""
    first = tissue.vessels.first[512 * row:512 * row + 513]
    return np.flatnonzero(np.diff(first))[n]
