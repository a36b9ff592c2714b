"""Insert arriving cells into the tiles and voxels where they belong."""
import numpy as np

from libc.stdint cimport int32_t, int64_t, uint16_t, uint64_t
from libc.string cimport memmove

from _types cimport cell_t, migrant_t


cdef int open_tile(cell_t* tile, Py_ssize_t n, uint16_t* counts, const migrant_t* arrivals, const int32_t* order,
                   Py_ssize_t new) except -1 nogil:
    """Insert `new` arrivals, ordered by voxel, behind the cells of their voxels; from the back, in place."""
    cdef Py_ssize_t k = n, end = n, here
    cdef int v = 511, a
    while new:
        a = arrivals[order[new - 1]].voxel
        while v > a:
            k -= counts[v]
            v -= 1
        memmove(tile + k + new, tile + k, (end - k) * sizeof(cell_t))    # cells of the voxels above a
        end = k
        k -= counts[a]
        v -= 1
        here = 0
        while new and arrivals[order[new - 1]].voxel == a:
            new -= 1
            here += 1
            tile[end + new] = arrivals[order[new]].cell
        if counts[a] + here > 65535:
            raise OverflowError("more than 65,535 cells in a voxel")
        counts[a] += <uint16_t>here
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
        n[row] += <int32_t>(i - first)
    return 0


def insert(cell_t[::1] cells not None, const int64_t[::1] start not None, int32_t[::1] n not None,
           uint16_t[:, ::1] counts not None, const migrant_t[::1] arrivals not None):
    """Insert each arrival into tile row ``key`` and its voxel; the tiles have room (checked by the caller).

    Where it comes to lie among the cells of its voxel has no meaning.
    """
    if arrivals.shape[0] == 0:
        return
    order_array = by_tile_and_voxel(arrivals, n.shape[0])
    cdef const int32_t[::1] order = order_array
    with nogil:
        insert_all(&cells[0], &start[0], &n[0], &counts[0, 0], &arrivals[0], &order[0], arrivals.shape[0])


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
