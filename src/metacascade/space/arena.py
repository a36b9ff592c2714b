"""Where the cells of the tiles lie in memory: one array, in which each tile has a block with some room."""
import numpy as np

from metacascade._kernels import _deliver
from metacascade._kernels._layout import CELL

ROOM = 0.06          # room of a block beyond its cells, as a share of them ...
ROOM_CELLS = 24      # ... and in cells
GROWING = 0.25       # the share in a block that was too small once, since it will be so again
SPARE = 1            # records behind the last block: the tissue kernel reads a word beyond those that it copies


class Arena:
    """Records of the cells of this rank, tile by tile.

    Cells that come are counted at once, and wait: the tissue kernel puts them to their places when it has their tile in
    the cache. Whoever looks at cells before that finds them there too.

    Attributes
    ----------
    start, capacity : ndarray of int64 and int32, shape (tiles,)
        First record and size of each tile's block.
    n : ndarray of int32, shape (tiles,)
        Cells of each tile.
    """

    def __init__(self):
        self._cells = np.empty(0, CELL)
        self._waiting = None                # the arrays of _deliver.count_in
        self.start = np.empty(0, np.int64)
        self.capacity = np.empty(0, np.int32)
        self.n = np.empty(0, np.int32)
        self.tail = 0

    @property
    def cells(self):
        """All blocks: an array of CELL. What lies between them has no meaning."""
        self.settle()
        return self._cells

    def settle(self, rows=None):
        """Put the cells that wait to their places, in all tiles or in these."""
        if self._waiting:
            every = np.arange(len(self._waiting[-1]))
            _deliver.insert(self._cells, self.start, self.n, every if rows is None else rows, self._waiting)
            self._waiting = None if rows is None else self._waiting

    def take_in(self, arrivals, counts):
        """Count MIGRANT records in, with the row of their tile as ``key``; the tiles have room. They wait."""
        self.settle()
        self._waiting = (np.empty(len(arrivals), CELL), np.empty(len(arrivals), np.int32),
                         np.zeros(len(self.n), np.int64), np.zeros(len(self.n), np.int32))
        _deliver.count_in(self.n, counts, arrivals, *self._waiting)

    def unsettled(self):
        """The blocks, and the cells that wait or None: for a kernel that puts them to their places."""
        return self._cells, self._waiting

    def add(self, n):
        """Add blocks for new tiles with n cells each; the caller fills them."""
        n = np.asarray(n, np.int32)
        capacity = roomy(n) * (n > 0)
        self.start = np.concatenate([self.start, self.tail + _before(capacity)])
        self.capacity = np.concatenate([self.capacity, capacity]).astype(np.int32)
        self.n = np.concatenate([self.n, n])
        self.tail += int(capacity.sum(dtype=np.int64))
        self._stretch(self.tail)

    def reserve(self, rows, cells):
        """See that each of the tiles has room for so many cells: move its block to the end, or all blocks."""
        rows, cells = np.asarray(rows), np.asarray(cells)
        short = self.capacity[rows] < cells
        wanted = roomy(cells[short], GROWING)
        if len(wanted) == 0:
            return
        if self.tail + int(wanted.sum(dtype=np.int64)) > len(self._cells) - SPARE:
            # those with room now would lose it: all that are named
            self._repack(rows, roomy(cells, np.where(short, GROWING, ROOM)))
            return
        rows = rows[short]
        start = self.tail + _before(wanted)
        self._move(rows, start)
        self.capacity[rows] = wanted
        self.tail += int(wanted.sum(dtype=np.int64))

    def keep(self, rows):
        """Forget all tiles but these, and pack their blocks."""
        self.settle()
        self.start, self.n, self.capacity = self.start[rows], self.n[rows], self.capacity[rows]
        self._repack(np.empty(0, np.int64), np.empty(0, np.int64))

    def block(self, row):
        """The cells of a tile, a view."""
        return self.cells[self.start[row]:self.start[row] + self.n[row]]

    def _repack(self, rows, wanted):
        """Lay all blocks one behind the other, with fresh room; in place, without a second array."""
        capacity = np.clip(self.capacity, roomy(self.n), roomy(self.n, GROWING)).astype(np.int64) * (self.n > 0)
        capacity[rows] = np.maximum(capacity[rows], wanted)
        order = np.argsort(self.start, kind="stable")
        self._move(order, _before(self.n[order]))                     # to the front, ascending
        total = int(capacity.sum())
        self.tail = total
        self._stretch(total + max(total // 32, 4096))
        self._move(order[::-1], _before(capacity[order])[::-1])       # to their places, descending
        self.capacity = capacity.astype(np.int32)

    def _move(self, order, places):
        order, places = (np.ascontiguousarray(a, np.int64) for a in (order, places))
        self.settle(order)
        _deliver.move_blocks(self._cells, self.start, self.n, order, places)

    def _stretch(self, size):
        if size + SPARE > len(self._cells):
            self._cells.resize(size + SPARE, refcheck=False)      # grows in place where the system can remap it


def roomy(n, room=ROOM):
    """Size of a block for n cells."""
    n = np.asarray(n, np.int64)
    return (n + (n * room).astype(np.int64) + ROOM_CELLS).astype(np.int32)


def _before(sizes):
    """Sum of the sizes before each."""
    sizes = np.asarray(sizes, np.int64)
    return np.concatenate([[0], np.cumsum(sizes)[:-1]]) if len(sizes) else np.empty(0, np.int64)
