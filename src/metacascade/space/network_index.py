"""Which segments of a network may lie where, at a cost that grows with their length and not with their boxes.

A long segment is cut into pieces, and the box of a piece lies in a grid whose cells are as large as the box:
in 8 of them at most, however wide a vessel is.
"""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

ORIGIN = 1 << 20              # of the 21 bits for each coordinate of a place
FEW = 10_000                  # so many segments may each be cut into many pieces
BLOCK = 1_000_000             # pairs looked at together: bounds the memory


def pack(places: np.ndarray) -> np.ndarray:
    """One sortable int64 for each place, coords integer (n, 3)."""
    t = np.asarray(places, np.int64) + ORIGIN
    return t[:, 0] << 42 | t[:, 1] << 21 | t[:, 2]


def ranges(start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """``start[0] .. stop[0] - 1, start[1] .. stop[1] - 1, ...`` as one array."""
    length = stop - start
    begin = np.cumsum(length) - length
    return np.arange(length.sum()) + np.repeat(start - begin, length)


def pieces(a: np.ndarray, b: np.ndarray, wide: np.ndarray, edge: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row of the segment, low and high corner of the box of each piece of the segments a-b, with `wide` round it.

    A segment is cut where it is longer than `edge` and than `wide`. All have at most twice as many pieces as there
    are segments, and FEW more.
    """
    length = np.sqrt(((b - a) ** 2).sum(axis=1))
    longest = np.maximum(np.maximum(wide, edge), length.sum() / max(len(a), FEW))
    count = np.maximum(np.ceil(length / longest), 1.0).astype(np.int64)
    row = np.repeat(np.arange(len(a)), count)
    at = ranges(np.zeros(len(a), np.int64), count)
    step = (b - a)[row] / count[row, None]
    start, end = a[row] + at[:, None] * step, a[row] + (at + 1)[:, None] * step
    return row, np.minimum(start, end) - wide[row, None], np.maximum(start, end) + wide[row, None]


class Index:
    """Boxes of places by level: those of level l are smaller than the cells of 2^l places, and lie in 8 at most.

    Parameters
    ----------
    low, high : ndarray of int32, shape (n, 3)
        The first and the last place of each box along each axis, from -2^20 to 2^20 - 1.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray):
        self.low, self.high = low, high
        self.level = np.frexp((high - low).max(axis=1, initial=0).astype(float))[1]     # 2^level > extent
        self._cells = {}              # level -> packed cells, ascending, and the box in each
        for level in np.unique(self.level).tolist():
            row, cell = _cells_of(low, high, np.flatnonzero(self.level == level), level)
            order = np.argsort(pack(cell), kind="stable")
            self._cells[level] = pack(cell)[order], row[order]

    def at(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs (i, box): place i, integer of shape (n, 3), lies in the box."""
        found = [(np.empty(0, np.int64), np.empty(0, np.int64))]
        for level in self._cells:
            i, box = self._with(level, np.arange(len(places)), places >> level)
            inside = ((self.low[box] <= places[i]) & (places[i] <= self.high[box])).all(axis=1)
            found.append((i[inside], box[inside]))
        return np.concatenate([i for i, _ in found]), np.concatenate([box for _, box in found])

    def meeting(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Blocks of pairs of boxes that have a place in common; a pair may come more than once."""
        for level in self._cells:
            row, cell = _cells_of(self.low, self.high, np.flatnonzero(self.level <= level), level)
            for first, last in self._blocks(level, cell):
                i, j = self._with(level, row[first:last], cell[first:last])
                meet = (self.level[i] < level) | (i < j)
                meet &= ((self.low[i] <= self.high[j]) & (self.low[j] <= self.high[i])).all(axis=1)
                yield i[meet], j[meet]

    def _with(self, level, row, cells):
        """Pairs of each row with every box of a level in its cell."""
        key, box = self._cells[level]
        wanted = pack(cells)
        start, stop = np.searchsorted(key, wanted), np.searchsorted(key, wanted, side="right")
        return np.repeat(row, stop - start), box[ranges(start, stop)]

    def _blocks(self, level, cells):
        """Ranges of `cells` that have about BLOCK pairs each with the boxes of a level."""
        key, _ = self._cells[level]
        wanted = pack(cells)
        pairs = np.cumsum(np.searchsorted(key, wanted, side="right") - np.searchsorted(key, wanted))
        cuts = np.searchsorted(pairs, np.arange(BLOCK, pairs[-1] if len(pairs) else 0, BLOCK), side="right")
        cuts = np.unique(np.concatenate([[0], cuts, [len(cells)]]))
        return zip(cuts[:-1], cuts[1:])


def _cells_of(low, high, rows, level) -> tuple[np.ndarray, np.ndarray]:
    """The cells of a level in which boxes lie: row of the box and cell, shapes (m,) and (m, 3)."""
    first = low[rows] >> level
    size = (high[rows] >> level) - first + 1
    count = size.prod(axis=1)
    at, size = ranges(np.zeros(len(rows), np.int64), count), np.repeat(size, count, axis=0)
    cell = np.stack([at % size[:, 0], at // size[:, 0] % size[:, 1], at // (size[:, 0] * size[:, 1])], axis=1)
    return np.repeat(rows, count), np.repeat(first, count, axis=0) + cell
