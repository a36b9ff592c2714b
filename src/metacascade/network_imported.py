"""A vessel network of given segments: which of them lie near a tile."""
from __future__ import annotations

import numpy as np

from metacascade._kernels._vessels import SEGMENT, SLACK_UM, box_distances2

TILE = 8                      # voxels along the edge of a tile
ORIGIN = 1 << 20              # of the 21 bits for each coordinate of a tile


def pack(tiles: np.ndarray) -> np.ndarray:
    """One sortable int64 for each tile, coords integer (n, 3)."""
    t = np.asarray(tiles, np.int64) + ORIGIN
    return t[:, 0] << 42 | t[:, 1] << 21 | t[:, 2]


def ranges(start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """``start[0] .. stop[0] - 1, start[1] .. stop[1] - 1, ...`` as one array."""
    length = stop - start
    begin = np.cumsum(length) - length
    return np.arange(length.sum()) + np.repeat(start - begin, length)


def ends(segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two ends of each segment [um]: two arrays of shape (n, 3)."""
    return (np.stack([segments[f] for f in ("ax", "ay", "az")], axis=1),
            np.stack([segments[f] for f in ("bx", "by", "bz")], axis=1))


def boxes(segments: np.ndarray, margin_um: float) -> tuple[np.ndarray, np.ndarray]:
    """Low and high corners [um] of the segments' bounding boxes, wall and margin included."""
    a, b = ends(segments)
    wide = segments["radius"].astype(float)[:, None] + margin_um
    return np.minimum(a, b) - wide, np.maximum(a, b) + wide


def cover(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All integer places in each box, corners included: row of the box and place, shapes (m,), (m, 3)."""
    size = high - low + 1
    count = size.prod(axis=1)
    row = np.repeat(np.arange(len(low)), count)
    at = ranges(np.zeros(len(low), np.int64), count)
    size = size[row]
    place = np.stack([at % size[:, 0], at // size[:, 0] % size[:, 1], at // (size[:, 0] * size[:, 1])], axis=1)
    return row, low[row] + place


class Imported:
    """The segments of a file, in its order, with an index by tile that is made when first asked for."""

    def __init__(self, segments: np.ndarray):
        self.segments = np.ascontiguousarray(segments, SEGMENT)
        self._index: dict = {}

    def _by_tile(self, edge_um: float, margin_um: float) -> tuple[np.ndarray, np.ndarray]:
        """Packed tiles, ascending, and the row of a segment near each; rows ascend within a tile."""
        asked = (edge_um, margin_um)
        if asked not in self._index:
            low, high = boxes(self.segments, margin_um)
            side = TILE * edge_um
            row, tile = cover(np.floor(low / side).astype(np.int64), np.floor(high / side).astype(np.int64))
            key = pack(tile)
            order = np.argsort(key, kind="stable")
            self._index = {asked: (key[order], row[order])}
        return self._index[asked]

    def collect(self, tiles: np.ndarray, edge_um: float, margin_um: float) -> tuple[np.ndarray, np.ndarray]:
        """Segments near each tile, as Lattice.collect; the order within a tile is that of the file."""
        key, row = self._by_tile(edge_um, margin_um)
        wanted = pack(tiles)
        start, stop = np.searchsorted(key, wanted), np.searchsorted(key, wanted, side="right")
        tile, row = np.repeat(np.arange(len(tiles)), stop - start), row[ranges(start, stop)]
        near = self.segments[row]
        side = TILE * edge_um
        reach = near["radius"].astype(float) + margin_um + SLACK_UM
        touching = box_distances2(side * np.asarray(tiles, float)[tile], side, near) <= reach * reach
        first = np.zeros(len(tiles) + 1, np.int32)
        np.cumsum(np.bincount(tile[touching], minlength=len(tiles)), out=first[1:])
        return near[touching], first
