"""A vessel network of given segments: which of them lie near a tile."""
from __future__ import annotations

import numpy as np

from metacascade._kernels._vessels import SEGMENT, SLACK_UM, box_distances2
from metacascade.base.tiles import EDGE
from metacascade.space.network_index import Index, pieces


def ends(segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two ends of each segment [um]: two arrays of shape (n, 3)."""
    return (np.stack([segments[f] for f in ("ax", "ay", "az")], axis=1),
            np.stack([segments[f] for f in ("bx", "by", "bz")], axis=1))


def set_ends(segments: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """Write both ends of each segment."""
    for k, axis in enumerate("xyz"):
        segments["a" + axis], segments["b" + axis] = a[:, k], b[:, k]


class Imported:
    """The segments of a file, in its order, with an index by tile that is made when first asked for."""

    def __init__(self, segments: np.ndarray):
        self.segments = np.ascontiguousarray(segments, SEGMENT)
        self._made_for = (0.0, 0.0)   # edge of a tile and margin [um] of the index
        self._index: tuple[Index, np.ndarray] | None = None

    def _pieces(self, side: float, margin_um: float) -> tuple[Index, np.ndarray]:
        """An index by tile of the pieces of the segments, for this margin or more, and the segment of each piece."""
        if self._index is None or side != self._made_for[0] or margin_um > self._made_for[1]:
            wide = self.segments["radius"].astype(float) + margin_um + 2.0 * SLACK_UM
            row, low, high = pieces(*ends(self.segments), wide, side)
            self._made_for = (side, margin_um)
            self._index = Index(_tile(low, side), _tile(high, side)), row
        return self._index

    def _near(self, tiles: np.ndarray, side: float, margin_um: float) -> tuple[np.ndarray, np.ndarray]:
        """Pairs (tile, segment) that may be near each other, both ascending: the tile meets the segment's box."""
        index, owner = self._pieces(side, margin_um)
        tile, piece = index.at(tiles)
        pair = np.unique(tile * len(self.segments) + owner[piece]) if len(tile) else tile
        tile, row = pair // max(len(self.segments), 1), pair % max(len(self.segments), 1)
        a, b = ends(self.segments[row])
        wide = self.segments["radius"][row].astype(float)[:, None] + margin_um
        low, high = _tile(np.minimum(a, b) - wide, side), _tile(np.maximum(a, b) + wide, side)
        meet = ((low <= tiles[tile]) & (tiles[tile] <= high)).all(axis=1)
        return tile[meet], row[meet]

    def collect(self, tiles: np.ndarray, edge_um: float, margin_um: float) -> tuple[np.ndarray, np.ndarray]:
        """Segments near each tile, as Lattice.collect; the order within a tile is that of the file."""
        side = EDGE * edge_um
        tile, row = self._near(tiles, side, margin_um)
        near = self.segments[row]
        reach = near["radius"].astype(float) + margin_um + SLACK_UM
        touching = box_distances2(side * np.asarray(tiles, float)[tile], side, near) <= reach * reach
        first = np.zeros(len(tiles) + 1, np.int32)
        np.cumsum(np.bincount(tile[touching], minlength=len(tiles)), out=first[1:])
        return near[touching], first


def _tile(places_um: np.ndarray, side: float) -> np.ndarray:
    """The tile in which each place lies: int32, of the same shape."""
    return np.floor(places_um / side).astype(np.int32)
