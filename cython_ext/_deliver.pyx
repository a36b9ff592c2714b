"""Insert arriving cells into the tiles and voxels where they belong."""
import numpy as np

from libc.stdint cimport int32_t, int64_t, uint16_t, uint64_t
from libc.string cimport memmove

from _types cimport cell_t, migrant_t
from _waiting cimport insert_waiting, take_waiting, waiting_t


cdef int place_in_tile(uint16_t* counts, const migrant_t* arrivals, const int32_t* order, Py_ssize_t new, cell_t* cells,
                       int32_t* place) except -1 nogil:
    """Add the `new` arrivals of a tile, in their order, to its counts; write the cells, and the place of each in the
    tile: behind the cells of its voxel."""
    cdef Py_ssize_t k
    cdef int32_t first = 0
    cdef int v = 0
    for k in range(new):
        while v < arrivals[order[k]].voxel:        # cells before those of the voxel, with the arrivals
            first += counts[v]
            v += 1
        if counts[v] == 65535:
            raise OverflowError("more than 65,535 cells in a voxel")
        place[k] = first + counts[v]
        cells[k] = arrivals[order[k]].cell
        counts[v] += 1
    return 0


cdef int place_all(int32_t* n, uint16_t* counts, const migrant_t* arrivals, const int32_t* order, Py_ssize_t total,
                   cell_t* cells, int32_t* place, int64_t* first, int32_t* waiting) except -1 nogil:
    cdef Py_ssize_t i = 0, begin, row
    while i < total:
        begin = i
        row = <Py_ssize_t>arrivals[order[i]].key
        while i < total and <Py_ssize_t>arrivals[order[i]].key == row:
            i += 1
        place_in_tile(counts + 512 * row, arrivals, order + begin, i - begin, cells + begin, place + begin)
        first[row], waiting[row] = begin, <int32_t>(i - begin)
        n[row] += <int32_t>(i - begin)
    return 0


def count_in(int32_t[::1] n not None, uint16_t[:, ::1] counts not None, const migrant_t[::1] arrivals not None,
             cell_t[::1] cells not None, int32_t[::1] place not None, int64_t[::1] first not None,
             int32_t[::1] waiting not None):
    """Count arrivals in, each to tile row ``key`` and its voxel, and find their places; then they wait for `insert`.

    Filled are the cells by tile and place, the place of each in its tile, and of each tile the first of them and how
    many they are. The order of the cells of a voxel has no meaning.
    """
    cdef const int32_t[::1] order = by_tile_and_voxel(arrivals, n.shape[0])
    if not (cells.shape[0] == place.shape[0] == arrivals.shape[0] and first.shape[0] == waiting.shape[0] == n.shape[0]):
        raise ValueError("the arrays of the cells that wait differ in length")
    if arrivals.shape[0]:
        with nogil:
            place_all(&n[0], &counts[0, 0], &arrivals[0], &order[0], arrivals.shape[0], &cells[0], &place[0], &first[0],
                      &waiting[0])


def insert(cell_t[::1] cells not None, const int64_t[::1] start not None, const int32_t[::1] n not None,
           const int64_t[::1] rows not None, tuple waiting not None):
    """Put those who wait for the tiles `rows` into them; these have room (checked by the caller)."""
    cdef Py_ssize_t k, row
    cdef waiting_t w
    take_waiting(waiting, n.shape[0], &w)
    for k in range(rows.shape[0]):
        row = rows[k]
        if row < 0 or row >= n.shape[0]:
            raise IndexError(f"cells wait for row {row} of {n.shape[0]}")
        insert_waiting(&w, row, &cells[start[row]], n[row])


def by_tile_and_voxel(const migrant_t[::1] arrivals not None, Py_ssize_t tiles):
    """Order of the arrivals by (row, voxel): two counting sorts, int32 of shape (n,)."""
    cdef Py_ssize_t i, total = arrivals.shape[0]
    once_array, twice_array = np.empty(total, np.int32), np.empty(total, np.int32)
    cdef int32_t[::1] once = once_array, twice = twice_array
    cdef int32_t[::1] place = np.zeros(513, np.int32), row_place = np.zeros(tiles + 1, np.int32)
    for i in range(total):
        if arrivals[i].key >= <uint64_t>tiles or arrivals[i].voxel >= 512:
            raise IndexError(f"arrival {i} goes to row {arrivals[i].key}, voxel {arrivals[i].voxel}")
        place[arrivals[i].voxel + 1] += 1
        row_place[arrivals[i].key + 1] += 1
    for i in range(512):
        place[i + 1] += place[i]
    for i in range(tiles):
        row_place[i + 1] += row_place[i]
    for i in range(total):
        once[place[arrivals[i].voxel]] = <int32_t>i
        place[arrivals[i].voxel] += 1
    for i in range(total):
        twice[row_place[arrivals[once[i]].key]] = once[i]
        row_place[arrivals[once[i]].key] += 1
    return twice_array


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
