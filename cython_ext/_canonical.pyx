"""The canonical order of cells: within each voxel by the bytes of their records. In place."""
from libc.stdint cimport uint16_t
from libc.stdlib cimport qsort
from libc.string cimport memcmp

from _types cimport cell_t

cdef enum:
    FEW = 32          # up to so many cells are sorted by insertion


cdef int compare(const void* a, const void* b) noexcept nogil:
    return memcmp(a, b, sizeof(cell_t))


cdef void insert(cell_t* cells, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i, k
    cdef cell_t cell
    for i in range(1, n):
        cell = cells[i]
        k = i
        while k > 0 and memcmp(&cells[k - 1], &cell, sizeof(cell_t)) > 0:
            cells[k] = cells[k - 1]
            k -= 1
        cells[k] = cell


def sort_voxels(cell_t[::1] cells not None, const uint16_t[:, ::1] counts not None):
    """Sort the cells of whole tiles, ``counts`` of them in each voxel, voxel by voxel.

    Raises ValueError if the counts do not add up to the cells.
    """
    cdef Py_ssize_t tile, v, n, at = 0
    for tile in range(counts.shape[0]):
        for v in range(counts.shape[1]):
            at += counts[tile, v]
    if at != cells.shape[0]:
        raise ValueError(f"{cells.shape[0]} cells, but the counts add up to {at}")
    at = 0
    with nogil:
        for tile in range(counts.shape[0]):
            for v in range(counts.shape[1]):
                n = counts[tile, v]
                if 1 < n <= FEW:
                    insert(&cells[at], n)
                elif n > FEW:
                    qsort(&cells[at], n, sizeof(cell_t), compare)
                at += n
