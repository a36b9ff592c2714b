"""Insert arriving cells into the tiles and voxels where they belong."""
import numpy as np

from libc.stdint cimport int32_t, int64_t, uint16_t, uint64_t
from libc.string cimport memmove

from _types cimport cell_t, migrant_t


cdef inline int key_of(const migrant_t* m) noexcept nogil:
    """Twice the voxel of an arrival, plus 1 if it is not motile: where it belongs in its tile."""
    return 2 * m.voxel + (m.cell.traits.emt == 0)


cdef int open_tile(cell_t* tile, Py_ssize_t n, uint16_t* counts, const migrant_t* arrivals, const int32_t* order,
                   Py_ssize_t new) except -1 nogil:
    """Insert `new` arrivals, ordered by voxel and motile ones first, before the cells of their voxels if they are
    motile and behind them if not; from the back, in place."""
    cdef Py_ssize_t k = n, end = n
    cdef int v = 512, a
    while new:
        a = key_of(&arrivals[order[new - 1]])
        while v > a >> 1:                                                # k: the first cell of voxel v
            v -= 1
            k -= counts[v]
        if a & 1:
            end = shift(tile, k + counts[v], end, new)
        else:
            end = shift(tile, k, end, new)
        while new and key_of(&arrivals[order[new - 1]]) == a:
            new -= 1
            tile[end + new] = arrivals[order[new]].cell
    return 0


cdef inline Py_ssize_t shift(cell_t* tile, Py_ssize_t first, Py_ssize_t end, Py_ssize_t by) noexcept nogil:
    """Move the cells from `first` up to `end`; returns `first`."""
    memmove(tile + first + by, tile + first, (end - first) * sizeof(cell_t))
    return first


cdef int count(uint16_t* counts, const migrant_t* arrivals, const int32_t* order, Py_ssize_t new) except -1 nogil:
    """Add the arrivals of a tile to its counts."""
    cdef Py_ssize_t i
    for i in range(new):
        if counts[arrivals[order[i]].voxel] == 65535:
            raise OverflowError("more than 65,535 cells in a voxel")
        counts[arrivals[order[i]].voxel] += 1
    return 0


cdef int insert_all(cell_t* cells, const int64_t* start, int32_t* n, uint16_t* counts,
                    const migrant_t* arrivals, const int32_t* order, Py_ssize_t total) except -1 nogil:
    cdef Py_ssize_t i = 0, first, row
    while i < total:
        first = i
        row = <Py_ssize_t>arrivals[order[i]].key
        while i < total and <Py_ssize_t>arrivals[order[i]].key == row:
            i += 1
        open_tile(cells + start[row], n[row], counts + 512 * row, arrivals, order + first, i - first)
        count(counts + 512 * row, arrivals, order + first, i - first)
        n[row] += <int32_t>(i - first)
    return 0


def insert(cell_t[::1] cells not None, const int64_t[::1] start not None, int32_t[::1] n not None,
           uint16_t[:, ::1] counts not None, const migrant_t[::1] arrivals not None):
    """Insert each arrival into tile row ``key`` and its voxel; the tiles have room (checked by the caller).

    The motile cells (EMT > 0) of a voxel stay before the others; among its like, the place of a cell has no meaning.
    """
    if arrivals.shape[0] == 0:
        return
    order_array = by_tile_and_voxel(arrivals, n.shape[0])
    cdef const int32_t[::1] order = order_array
    with nogil:
        insert_all(&cells[0], &start[0], &n[0], &counts[0, 0], &arrivals[0], &order[0], arrivals.shape[0])


def by_tile_and_voxel(const migrant_t[::1] arrivals not None, Py_ssize_t tiles):
    """Order of the arrivals by (row, voxel, motile ones first): two counting sorts, int32 of shape (n,)."""
    cdef Py_ssize_t i, total = arrivals.shape[0]
    once_array, twice_array = np.empty(total, np.int32), np.empty(total, np.int32)
    cdef int32_t[::1] once = once_array, twice = twice_array
    cdef int32_t[::1] place = np.zeros(1025, np.int32), row_place = np.zeros(tiles + 1, np.int32)
    for i in range(total):
        if arrivals[i].key >= <uint64_t>tiles or arrivals[i].voxel >= 512:
            raise IndexError(f"arrival {i} goes to row {arrivals[i].key}, voxel {arrivals[i].voxel}")
        place[key_of(&arrivals[i]) + 1] += 1
        row_place[arrivals[i].key + 1] += 1
    for i in range(1024):
        place[i + 1] += place[i]
    for i in range(tiles):
        row_place[i + 1] += row_place[i]
    for i in range(total):
        once[place[key_of(&arrivals[i])]] = <int32_t>i
        place[key_of(&arrivals[i])] += 1
    for i in range(total):
        twice[row_place[arrivals[once[i]].key]] = once[i]
        row_place[arrivals[once[i]].key] += 1
    return twice_array


def motile_first(cell_t[::1] cells not None, const uint16_t[::1] counts not None):
    """Put the motile cells (EMT > 0) of each voxel of a tile before the others, in place."""
    cdef Py_ssize_t v, i, first = 0, end, total = 0
    cdef cell_t cell
    for v in range(counts.shape[0]):
        total += counts[v]
    if total != cells.shape[0]:
        raise ValueError(f"{cells.shape[0]} cells, but the counts add up to {total}")
    with nogil:
        for v in range(counts.shape[0]):
            end = first + counts[v]
            for i in range(first, end):
                if cells[i].traits.emt > 0:
                    cell = cells[first]
                    cells[first] = cells[i]
                    cells[i] = cell
                    first += 1
            first = end


def move_blocks(cell_t[::1] cells not None, int64_t[::1] start not None, const int32_t[::1] n not None,
                const int64_t[::1] rows not None, const int64_t[::1] to not None):
    """Move the blocks of the tiles `rows`, one after the other, to begin at `to`: where they go is free by then."""
    cdef Py_ssize_t k, row
    if rows.shape[0] != to.shape[0] or start.shape[0] != n.shape[0]:
        raise ValueError("the arrays of the blocks differ in length")
    for k in range(rows.shape[0]):
        row = rows[k]
        if not (0 <= row < n.shape[0] and 0 <= to[k] <= cells.shape[0] - n[row]):
            raise IndexError(f"block {row} cannot move to {to[k]}")
    with nogil:
        for k in range(rows.shape[0]):
            row = rows[k]
            if n[row] and start[row] != to[k]:
                memmove(&cells[to[k]], &cells[start[row]], n[row] * sizeof(cell_t))
            start[row] = to[k]
