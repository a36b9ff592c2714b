"""The state of a run as plain arrays: what a checkpoint holds and what the digest covers.

A rank passes its share of the state; the order of ranks is the order of tile keys and of ids, so the
shares laid end to end are the same arrays on any number of ranks.
"""
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from metacascade._kernels._canonical import sort_voxels
from metacascade._kernels._layout import CELL, CTC, LESION, MEMBER, Flag
from metacascade.base.records import as_bytes, source_of
from metacascade.base.tiles import VOXELS

SLAB_CELLS = 1 << 20              # cells that are written, hashed or read at a time: 12 MiB

# A clone, one on all ranks: hash of its birth, when it was first there, row of its parent (-1: none), up to 24 traits.
CLONE = np.dtype([("id", "u8"), ("time_s", "i8"), ("parent", "i4"), ("step", "u4"), ("traits", "u1", (24,))])

TRAITS_UNITS = {"clone": "row of /clones", "emt": "1/255", "adhesion": "1/255", "bits": "bits", "flags": "bits"}
CELL_UNITS = {"x": "voxel edge / 65536", "y": "voxel edge / 65536", "z": "voxel edge / 65536"} | TRAITS_UNITS
CTC_UNITS = {
    "id": "1", "t_event": "h", "t_shed": "h", "x": "um", "y": "um", "z": "um", "distance": "um",
    "maturity": "1/255", "diameter": "um", "hop": "draws", "n": "cells", "node": "node", "place": "place",
    "fate": "fate", "origin": "node", "pending": "event", "zone": "zone", "bits_shed": "bits"} | TRAITS_UNITS
MEMBER_UNITS = {"id": "id of a CTC", "index": "1"} | TRAITS_UNITS
LESION_UNITS = {
    "id": "1", "source": "id of a lesion, 0: none", "n": "cells", "born": "cells", "died": "cells", "shed": "cells",
    "t_founded": "h", "t_state": "h", "t_event": "h", "t_detected": "h", "node": "node", "state": "lesion state",
    "hop": "draws", "pending": "lesion event", "origin": "node", "pad16": "1"} | TRAITS_UNITS
# A row of the table of shed cells: a CTC, its maturity 0..1, and the id of the lesion that has shed it in a field.
SHED = np.dtype(sorted([*((name, "f4" if name == "maturity" else CTC[name]) for name in CTC.names), ("source", "u8")],
                       key=lambda field: -np.dtype(field[1]).itemsize))
SHED_UNITS = CTC_UNITS | {"maturity": "1", "source": "id of a lesion"}
CLONE_UNITS = {"id": "1", "time_s": "s", "parent": "row of /clones, -1: none", "step": "steps", "traits": "1/255"}


@dataclass
class ByTile:
    """Records of tiles: those of tile t of a share are ``records[first[t]:first[t + 1]]``; units by field."""
    first: np.ndarray
    records: np.ndarray
    units: dict[str, str]


@dataclass
class State:
    """This rank's share of the state.

    Attributes
    ----------
    meta : dict
        JSON-able, the same on every rank: ``config`` (resolved), ``step``, ``time_s``, ``seed``,
        ``ledger`` (name -> int), ``traits`` (names of the traits of clones), ``parent`` (digest of the state it was
        branched from, or None),
        ``parts`` (parts of the results written so far).
    tile_key : ndarray of uint64, shape (T,)
        Curve keys, ascending.
    tile_coords : ndarray of int32, shape (T, 3)
    arrays : dict of str to ndarray of shape (T, 512), (T, 64) or (T, 8)
        What there is of each voxel, or of each cube of 2 or 4 voxels' edge: ``counts`` (cells, uint16, of each voxel),
        and the fields.
    cells : callable
        ``cells(first, last)`` returns the cells of the tiles first .. last - 1 of this share in
        canonical order (tile by tile, voxel by voxel, a voxel's cells sorted by their bytes): an
        array of CELL of length ``counts[first:last].sum()``. It is asked for one slab after the
        other, so the cells of a rank are never copied whole. `slabs_of` makes one from an array.
    ctcs, lesions : ndarray of CTC and of LESION
        Owned here, sorted by id.
    members : ndarray of MEMBER
        Of the clusters among `ctcs` the cells besides their leaders, sorted by id and index.
    clones : ndarray of CLONE
        All of them, the same on every rank; cells, CTCs and lesions name a row of it.
    segments : structured ndarray or None
        The imported vessel network; written by rank 0, read on every rank.
    units : dict of str to str
        Of `arrays`.
    vessels : dict of str to ByTile
        ``pieces`` and ``tips`` of vessels that live, sorted by tile, vessel and index; nothing where they do not.
    """

    meta: dict
    tile_key: np.ndarray
    tile_coords: np.ndarray
    arrays: dict[str, np.ndarray]
    cells: Callable[[int, int], np.ndarray]
    ctcs: np.ndarray
    members: np.ndarray
    lesions: np.ndarray
    clones: np.ndarray
    segments: np.ndarray | None = None
    units: dict[str, str] = field(default_factory=dict)
    vessels: dict[str, ByTile] = field(default_factory=dict)

    @property
    def counts(self):
        """Cells per voxel: uint16, shape (T, 512)."""
        return self.arrays["counts"]

    @cached_property
    def first_cell(self):
        """Cells before each tile of this share: int64, shape (T + 1,). The last is their number."""
        first = np.zeros(len(self.counts) + 1, np.int64)
        np.cumsum(np.asarray(self.counts).sum(axis=1, dtype=np.int64), out=first[1:])
        return first

    def slabs(self, cells=SLAB_CELLS):
        """Ranges (first, last) of tiles that hold at most `cells` cells, or one tile."""
        return slabs(self.first_cell, cells)


def slabs(first_cell, cells=SLAB_CELLS, tiles=4096):
    """Cut the tiles into ranges (first, last) of at most `cells` cells and `tiles` tiles, at least one tile."""
    here, total = 0, len(first_cell) - 1
    while here < total:
        fits = int(np.searchsorted(first_cell, first_cell[here] + cells, side="right")) - 1
        last = min(max(fits, here + 1), here + tiles, total)
        yield here, last
        here = last


def slabs_of(cells, counts):
    """The callable `State.cells` over an array of CELL that is in canonical order already."""
    first = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(np.asarray(counts).sum(axis=1, dtype=np.int64), out=first[1:])
    if first[-1] != len(cells):
        raise ValueError(f"{len(cells)} cells, but the counts add up to {first[-1]}")
    return lambda a, b: cells[first[a]:first[b]]


def raw(array):
    """The bytes of an array, without a copy if it is contiguous: uint8, shape (nbytes,)."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def canonical(cells, counts):
    """A copy of the cells of whole tiles with every voxel's cells sorted by their bytes; counts as in `State`."""
    cells = np.array(as_bytes(cells)).view(CELL)
    sort_voxels(cells, np.ascontiguousarray(counts, np.uint16).reshape(-1, VOXELS))
    return cells


def shed_rows(ctcs):
    """CTCs as rows of SHED. One that a lesion has shed, or that was injected, has no place in the tumor: 0."""
    rows = np.empty(len(ctcs), SHED)
    for name in CTC.names:
        rows[name] = ctcs[name]
    rows["source"], rows["maturity"] = source_of(ctcs), ctcs["maturity"] / np.float32(255)
    for axis in ("x", "y", "z"):
        rows[axis][rows["flags"] & (Flag.LESION | Flag.INJECTED) > 0] = 0.0
    return rows


def empty(kind):
    """No records of a kind: ``empty(CTC)``."""
    return np.empty(0, kind)


__all__ = [
    "CELL", "CLONE", "CTC", "LESION", "MEMBER", "SHED", "ByTile", "State", "canonical", "empty", "raw", "shed_rows",
    "slabs", "slabs_of"]
