"""Cells that come back to the tumor through the blood: where they lodge, and that they become tissue.

A voxel that holds FULL times its capacity takes in nobody: who would lodge there waits in its vessel, and looks again
in the next step, when cells have moved on or the tumor offers more places.
"""
import numpy as np

from metacascade._kernels._layout import CTC, MIGRANT, TRAITS, Draw, Flag, draws
from metacascade.base.records import chosen
from metacascade.base.tiles import VOXELS
from metacascade.model.members import rows_of
from metacascade.space.network_index import ranges

FULL = 4                      # capacities of a voxel
NOWHERE = -1                  # the place of all, if there is no place
LODGED = np.dtype([("ctc", CTC), ("place", "i8")])     # k-th place of all, then of the rank that it goes to
SPAN = np.dtype([("first", "i8"), ("rank", "i4")])      # places of a rank, up to those of the next


def places(tissue, ctcs, members, everywhere, seed):
    """Draw a place for each CTC: what is to be sent where, for `become_cells`. Collective.

    Returns sections of `Exchange.route`, of CTCs of any rank: "lodged" (LODGED), and "lodged_members", the members of
    clusters among them. `everywhere`: how many CTCs all ranks have.

    The places are the voxels within reach of a perfused vessel, in tiles that have cells (in all tiles, if there
    is none in those), tile after tile in curve order; each is equally likely. Which one is a matter of integers
    alone, the number of places before it, so it is the same on any number of ranks. If no vessel reaches any voxel,
    as in a branch with other vessels, all stay where they are, with the place NOWHERE, and wait.
    """
    world = tissue.exchange.world
    if not everywhere:
        return _sections(np.empty(0, LODGED), np.empty(0, np.int64), members)
    mine = int(places_of_tiles(tissue).sum())
    total = int(world.sum([mine])[0])
    if not total:
        return _sections(_lodging(ctcs, NOWHERE), np.full(len(ctcs), world.rank), members)
    words = draws(seed, Draw.RETURN, np.ascontiguousarray(ctcs["id"]), np.zeros(len(ctcs), np.uint32))
    return _at_ranks(tissue.exchange, _lodging(ctcs, _one_of(words, total)), members, mine, total)


def _lodging(ctcs, places):
    lodged = np.empty(len(ctcs), LODGED)
    lodged["ctc"], lodged["place"] = ctcs, places
    return lodged


def _sections(lodged, ranks, members):
    """Members go with their clusters."""
    return {"lodged": (lodged, ranks), "lodged_members": (members, ranks[rows_of(members, lodged["ctc"])])}


def _one_of(words, total):
    """``x * total >> 64`` with the first two of the words as x: each of 0 .. total - 1 is equally likely."""
    low, high = words[:, 0].astype(np.uint64), words[:, 1].astype(np.uint64)
    half, mask = np.uint64(32), np.uint64(0xffffffff)
    total_low, total_high = np.uint64(total & 0xffffffff), np.uint64(total >> 32)
    middle = high * total_low + (low * total_low >> half)
    return high * total_high + (middle >> half) + (low * total_high + (middle & mask) >> half)


def _at_ranks(exchange, lodged, members, mine, total):
    """The k-th place of all -> the place of a rank, and that rank.

    No rank knows how many places each of the others has. Rank r keeps the list for the r-th part of all places: those
    who have some of them tell it, and whoever looks for one sends it there. Returns the sections of those that came
    here.
    """
    world = exchange.world
    before = world.exscan(mine)
    listed_at = np.arange(before * world.size // total, (before + mine - 1) * world.size // total + 1 if mine else 0)
    span = np.array([(before, world.rank)], SPAN)
    routed = exchange.route({"spans": (np.repeat(span, len(listed_at)), listed_at),
                             **_sections(lodged, lodged["place"] * world.size // total, members)})
    spans, lodged = np.sort(routed["spans"], order="first"), routed["lodged"]
    found = spans[np.searchsorted(spans["first"], lodged["place"], side="right") - 1]
    lodged["place"] -= found["first"]
    return _sections(lodged, found["rank"], routed["lodged_members"])


def places_of_tiles(tissue):
    """Voxels within reach of a vessel in each tile that has cells; in each tile, if there is none in those."""
    beside_cells = tissue.reachable * (tissue.arena.n > 0)
    return beside_cells if int(tissue.exchange.world.sum([beside_cells.sum()])[0]) else tissue.reachable


def become_cells(tissue, lodged, members, seed):
    """What becomes of CTCs that would lodge here: (their cells, CTCs that wait, members of these). Collective.

    The cells are migrants that name the key of their tile, each with its own clone and traits.
    """
    ctcs = lodged["ctc"]
    if not int(tissue.exchange.world.sum([(lodged["place"] != NOWHERE).sum()])[0]):
        return np.empty(0, MIGRANT), ctcs, members
    rows, voxels = _voxels(tissue, lodged["place"])
    enters = _find_room(tissue, VOXELS * rows + voxels, ctcs)
    enter = enters[rows_of(members, ctcs)]
    cells = _cells(tissue.region.keys[rows[enters]], voxels[enters], ctcs[enters], chosen(members, enter), seed)
    return cells, ctcs[~enters], chosen(members, ~enter)


def _voxels(tissue, places):
    """Row of the tile and voxel of each of the places of this rank. Collective."""
    order = np.argsort(tissue.region.keys)
    before = np.concatenate([[0], np.cumsum(places_of_tiles(tissue)[order])])
    tile = np.searchsorted(before, places, side="right") - 1
    rows = order[tile]
    hit, which = np.unique(rows, return_inverse=True)
    listed = [np.flatnonzero(np.diff(tissue.vessels.first[VOXELS * row:VOXELS * (row + 1) + 1])) for row in hit]
    first = np.cumsum([0, *map(len, listed)])
    return rows, np.concatenate([np.empty(0, np.int64), *listed])[first[which] + places - before[tile]]


def _find_room(tissue, at, ctcs):
    """Which CTCs find room, `at` numbering their voxels: one after the other by id, until a voxel is full."""
    order = np.lexsort((ctcs["id"], at))
    n = ctcs["n"][order].astype(np.int64)
    ahead = np.cumsum(n) - n
    first = np.unique(at[order], return_index=True)[1]
    ahead -= np.repeat(ahead[first], np.diff(np.append(first, len(at))))
    enters = np.empty(len(at), bool)
    enters[order] = tissue.counts.reshape(-1)[at[order]] + ahead < FULL * tissue.config.tissue.capacity
    return enters


def _cells(keys, voxels, ctcs, members, seed):
    """The cells of CTCs, as migrants to a tile and voxel each."""
    index = np.repeat(np.arange(len(ctcs)), ctcs["n"])
    member = ranges(np.ones(len(ctcs), np.int64), ctcs["n"] + np.int64(1)).astype(np.uint32)
    words = draws(seed, Draw.RETURN, np.ascontiguousarray(ctcs["id"][index]), member)
    cells = np.zeros(len(index), MIGRANT)
    cells["key"], cells["voxel"] = keys[index], voxels[index]
    for axis, word in (("x", words[:, 0]), ("y", words[:, 0] >> 16), ("z", words[:, 1])):
        cells["cell"][axis] = word & 0xffff
    first = np.cumsum(ctcs["n"], dtype=np.int64) - ctcs["n"]
    follower = first[rows_of(members, ctcs)] + members["index"]
    for trait in TRAITS:
        cells["cell"][trait] = ctcs[trait][index]
        cells["cell"][trait][follower] = members[trait]
    cells["cell"]["flags"] |= np.uint8(Flag.RETURNED)
    return cells
