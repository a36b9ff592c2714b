"""Pieces of vessels that live: each lies in one tile, which owns it, and knows the vessel that it is a piece of.

A vessel of the host is cut where it passes from one tile into another, a pure function of the vessel and the tile, so
that the pieces of two tiles meet in the same bits. A vessel that has grown is laid piece by piece.
"""
from __future__ import annotations

import numpy as np

from metacascade._kernels import _pieces
from metacascade._kernels._vessels import SEGMENT
from metacascade.base.records import chosen, joined
from metacascade.base.tiles import EDGE
from metacascade.space.network_imported import ends, set_ends

HOST, JOINED, CLOSED, COLLAPSED = 1, 2, 4, 8      # flags: of the host; joined at both ends; shut; pressed shut
CUT_OFF = 16                                      # open, and all ways from outside of the tumor are shut
SHORTEST_UM = 1e-6            # shorter pieces are left out
TILES = 512                   # worked on at a time: bounds the memory

# The members of SEGMENT, with a meaning for those that pad it, whose piece it is, and which it has met (0: none).
PIECE = np.dtype([
    *((name, "f8") for name in ("ax", "ay", "az", "bx", "by", "bz")), ("radius", "f4"), ("maturity", "f4"),
    ("perfused", "u1"), ("flags", "u1"), ("index", "u2"), ("born", "u4"), ("vessel", "u8"), ("root", "u8"),
    ("parent", "u8"), ("met", "u8"), ("along", "f4"), ("parent_index", "u2"), ("met_index", "u2")])
PIECE_UNITS = {
    **dict.fromkeys(("ax", "ay", "az", "bx", "by", "bz", "radius", "along"), "um"), "maturity": "1", "perfused": "1",
    "flags": "bits", "index": "pieces", "born": "s", "vessel": "id of a vessel", "root": "id of a vessel",
    "parent": "id of a vessel", "parent_index": "pieces", "met": "id of a vessel", "met_index": "pieces"}


def segments_of(pieces: np.ndarray) -> np.ndarray:
    """The pieces as SEGMENT: a copy."""
    data = np.ascontiguousarray(pieces).view(np.uint8).reshape(len(pieces), PIECE.itemsize)
    return np.ascontiguousarray(data[:, :SEGMENT.itemsize]).reshape(-1).view(SEGMENT)


def tiles_of(pieces: np.ndarray, edge_um: float) -> np.ndarray:
    """The tile that owns each piece, that of its middle: int32, shape (n, 3)."""
    a, b = ends(pieces)
    return np.floor((a + b) * 0.5 / (EDGE * edge_um)).astype(np.int32)


def lengths(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distance of points [um], shapes (n, 3)."""
    d = b - a
    return np.sqrt(d[:, 0] * d[:, 0] + d[:, 1] * d[:, 1] + d[:, 2] * d[:, 2])


def refresh(pieces: np.ndarray) -> None:
    """Blood flows through what is joined at both ends, not shut, and not cut off by what is."""
    pieces["perfused"] = (pieces["flags"] & (JOINED | CLOSED | COLLAPSED | CUT_OFF)) == JOINED


def cut(a: np.ndarray, b: np.ndarray, tiles: np.ndarray, edge_um: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The part of each center line a-b that lies in its tile: its ends, and which lines have one.

    A line is cut where it meets the planes of the tiles, and there the place across the plane is that of the plane
    itself: on both sides the same bits.
    """
    side, d = EDGE * edge_um, b - a
    tiles = np.asarray(tiles, np.int64)
    planes = np.stack([tiles * side, (tiles + 1) * side])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t = (planes - a) / d
    within = np.floor(a / side) == tiles
    enter = np.where(d > 0.0, t[0], np.where(d < 0.0, t[1], np.where(within, -np.inf, np.inf)))
    leave = np.where(d > 0.0, t[1], np.where(d < 0.0, t[0], np.inf))
    t0, t1 = np.maximum(enter.max(axis=1), 0.0), np.minimum(leave.min(axis=1), 1.0)
    there = t0 < t1
    ahead = d > 0.0
    start = _at(a, b, d, t0, enter.argmax(axis=1), np.where(ahead, planes[0], planes[1]), there)
    end = _at(a, b, d, t1, leave.argmin(axis=1), np.where(ahead, planes[1], planes[0]), there)
    there &= lengths(start, end) >= SHORTEST_UM
    return start, end, there


def _at(a, b, d, t, axis, planes, there):
    """The places at t of lines, on the planes across an axis but for the ends."""
    t = np.where(there, t, 0.0)
    place = a + t[:, None] * d
    row = np.arange(len(a))
    place[row, axis] = planes[row, axis]
    place = np.where((t <= 0.0)[:, None], a, place)
    return np.where((t >= 1.0)[:, None], b, place)


def ids_of(segments: np.ndarray) -> np.ndarray:
    """A hash of each segment, all of its numbers: uint64 (the finalizer of splitmix64, Steele, Lea and Flood 2014)."""
    words = np.ascontiguousarray(segments).view(np.uint64).reshape(len(segments), SEGMENT.itemsize // 8)
    found = np.zeros(len(segments), np.uint64)
    for k in range(7):
        found = mixed(found ^ words[:, k])
    return found


def keys_of_pieces(pieces: np.ndarray) -> np.ndarray:
    """A number of 64 bits for each piece: the counter of its draws."""
    return keys_of(pieces["vessel"], pieces["index"])


def keys_of(vessel: np.ndarray, index: np.ndarray) -> np.ndarray:
    """The same by the vessel of a piece and its index in that."""
    return mixed(vessel ^ mixed(index.astype(np.uint64)))


def mixed(x: np.ndarray) -> np.ndarray:
    """uint64 whose bits all depend on all bits of x, one for each."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def host_pieces(network, coords: np.ndarray, edge_um: float) -> tuple[np.ndarray, np.ndarray]:
    """The vessels of the host in tiles, cut at their faces: (PIECE, row of the tile of each), in canonical order."""
    coords = np.ascontiguousarray(coords, np.int32).reshape(-1, 3)
    made = [_host_pieces(network, coords[i:i + TILES], edge_um) for i in range(0, len(coords), TILES)]
    rows = [row + i * TILES for i, (_, row) in enumerate(made)]
    pieces = joined(np.empty(0, PIECE), *(piece for piece, _ in made))
    return in_order(pieces, np.concatenate([np.empty(0, np.int64), *rows]))


def _host_pieces(network, coords, edge_um):
    segments, first = network.source.collect(coords, edge_um, 0.0)
    row = np.repeat(np.arange(len(coords)), np.diff(first))
    a, b = ends(segments)
    start, end, there = cut(a, b, coords[row], edge_um)
    segments, row = chosen(segments, there), row[there]
    pieces = np.zeros(len(segments), PIECE)
    for name in ("radius", "maturity", "perfused"):
        pieces[name] = segments[name]
    set_ends(pieces, start[there], end[there])
    pieces["flags"] = HOST | JOINED * (segments["perfused"] > 0)
    pieces["index"] = np.abs(coords[row] - np.floor(a[there] / (EDGE * edge_um)).astype(np.int64)).sum(axis=1)
    pieces["vessel"] = pieces["root"] = pieces["parent"] = ids_of(segments)
    own = (tiles_of(pieces, edge_um) == coords[row]).all(axis=1)
    return chosen(pieces, own), row[own]


def in_order(records: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Records of vessels and their rows, sorted by row, vessel and index."""
    behind = np.diff(row) > 0
    if (behind | (np.diff(row) == 0) & _ascending(records)).all():
        return records, row
    order = np.lexsort((records["index"], records["vessel"], row))
    return chosen(records, order), row[order]


def _ascending(records):
    """Does each record come behind the one before, by vessel and index?"""
    vessel, index = records["vessel"], records["index"]
    return (vessel[1:] > vessel[:-1]) | (vessel[1:] == vessel[:-1]) & (index[1:] >= index[:-1])


def near(tiles: np.ndarray, around: np.ndarray, first: np.ndarray, segments: np.ndarray, edge_um: float,
         margin_um: float, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the perfused segments near each tile, `index` and `near` of `_pieces.near_tiles`.

    `masks`: `unseen` at first, and kept for further calls with the same segments and margin.
    """
    index, offsets = np.empty(128 * len(tiles), np.int32), np.empty(len(tiles) + 1, np.int32)
    while True:
        n = _pieces.near_tiles(tiles, around, first, segments, edge_um, margin_um, masks, index, offsets)
        if n <= len(index):
            return index[:n], offsets
        index = np.empty(n, np.int32)


def unseen(segments: np.ndarray) -> np.ndarray:
    """Masks of segments for `near`, which has not looked at them yet."""
    return np.full(len(segments), _pieces.UNSEEN, np.uint32)


def firsts(keys: np.ndarray) -> np.ndarray:
    """The first row that has the same key, for each row: int64. Keys are uint64 whose bits are `mixed`."""
    first = np.empty(len(keys), np.int64)
    table = np.full(1 << (2 * len(keys) + 1).bit_length(), -1, np.int64)
    _pieces.firsts(np.ascontiguousarray(keys, np.uint64), table, first)
    return first


def elementwise(kernel, x: np.ndarray) -> np.ndarray:
    """A function of the C library of each number."""
    out = np.empty(len(x))
    kernel(np.ascontiguousarray(x, float), out)
    return out


def exp(x: np.ndarray) -> np.ndarray:
    """e^x, the same bits on every processor, which NumPy's is not."""
    return elementwise(_pieces.exponentials, x)


def chance(mean: np.ndarray) -> np.ndarray:
    """1 - e^-mean: that anything happens of what happens `mean` times on average."""
    return elementwise(_pieces.chances, mean)


def normals(words: np.ndarray) -> np.ndarray:
    """Standard normal numbers from words, two for each: uint32 of shape (n, 2)."""
    out = np.empty(len(words))
    _pieces.normals(np.ascontiguousarray(words, np.uint32), out)
    return out
