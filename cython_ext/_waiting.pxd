# Cells that have been counted into tiles and wait to be put there: when the tile is in the cache. Header only.
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memmove

from _types cimport cell_t

cdef struct waiting_t:
    Py_ssize_t rows                # tiles for which any may wait
    const cell_t* cells
    const int32_t* place           # of each in its tile, ascending
    const int64_t* first           # (tiles): where those of a tile begin
    int32_t* n                     # (tiles): how many they are; 0 once they are there


cdef inline int take_waiting(tuple waiting, Py_ssize_t rows, waiting_t* w) except -1:
    """Where the arrays are that _deliver.count_in has filled, for the first of so many tiles."""
    cdef const cell_t[::1] cells = waiting[0]
    cdef const int32_t[::1] place = waiting[1]
    cdef const int64_t[::1] first = waiting[2]
    cdef int32_t[::1] n = waiting[3]
    if cells.shape[0] != place.shape[0] or not first.shape[0] == n.shape[0] <= rows:
        raise ValueError("the arrays of the cells that wait differ in length")
    w.rows = first.shape[0] if cells.shape[0] else 0
    if w.rows:
        w.cells, w.place, w.first, w.n = &cells[0], &place[0], &first[0], &n[0]
    return 0


cdef inline void insert_waiting(waiting_t* w, Py_ssize_t row, cell_t* tile, Py_ssize_t n) noexcept nogil:
    """Put the cells that wait for a tile into it, which has n cells then: in place, from the back."""
    if row >= w.rows or w.n[row] == 0:
        return
    cdef const cell_t* cells = w.cells + w.first[row]
    cdef const int32_t* place = w.place + w.first[row]
    cdef Py_ssize_t k = w.n[row], end = n, after
    while k:
        after = place[k - 1] + 1
        if after < end:
            memmove(tile + after, tile + after - k, (end - after) * sizeof(cell_t))
        k -= 1
        end = place[k]
        tile[end] = cells[k]
    w.n[row] = 0
