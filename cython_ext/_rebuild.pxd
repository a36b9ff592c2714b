# The block of a tile after a step: what stayed, by runs, and in its places what came. Header only: it has no .pyx twin.
from libc.stdint cimport int32_t, uint8_t, uint16_t
from libc.string cimport memcpy

from _tiles cimport GONE, copy_run, copy_unmarked, scratch_t, tiles_t, word_t, words_of


cdef inline void write_changed(word_t* cells, const scratch_t* s) noexcept nogil:
    """The new states of cells that stay where they are."""
    cdef int k
    for k in range(s.changes):
        cells[3 * s.changed[2 * k] + 2] = s.changed[2 * k + 1]


cdef inline int32_t run_to(word_t* to, int32_t at, const word_t* cells, int32_t first, int32_t end) noexcept nogil:
    """Copy the cells from `first` up to `end`; the next place. What lies beyond is written too, and again later."""
    copy_run(to + 3 * at, cells + 3 * first, end - first)
    return at + end - first


cdef inline int32_t remaining_to(word_t* to, int32_t at, const word_t* cells, int32_t first, int32_t end,
                                 const uint8_t* state) noexcept nogil:
    """Copy those of the cells that are not gone; the next place. As `run_to`."""
    return at + <int32_t>copy_unmarked(to + 3 * at, cells + 3 * first, end - first, state + first, GONE)


cdef inline int32_t copy_voxels(const word_t* cells, scratch_t* s) noexcept nogil:
    """Copy the cells that stay, voxel by voxel, with gaps for those that come; how many there are then."""
    cdef word_t* to = s.after
    cdef int32_t at = 0, run = 0, first, middle, end
    cdef int v
    for v in range(512):
        if not s.out[v] | s.into[2 * v] | s.into[2 * v + 1]:
            continue                               # part of a run
        first, end = s.first[v], s.first[v + 1]
        middle = first + s.motile[v]
        if s.out[v]:
            at = run_to(to, at, cells, run, first)
            s.place[2 * v] = at = remaining_to(to, at, cells, first, middle, s.state)
            at = remaining_to(to, at + s.into[2 * v], cells, middle, end, s.state)
        elif s.into[2 * v]:
            s.place[2 * v] = at = run_to(to, at, cells, run, middle)
            at = run_to(to, at + s.into[2 * v], cells, middle, end)
        else:
            at = run_to(to, at, cells, run, end)
        s.place[2 * v + 1] = at
        at += s.into[2 * v + 1]
        run = end
    return run_to(to, at, cells, run, s.first[512])


cdef inline int count_again(uint16_t* counts, const scratch_t* s) except -1 nogil:
    """The new counts of the tile; whether any voxel has changed."""
    cdef int v
    cdef int32_t n, most = 0, changed = 0
    for v in range(512):
        changed |= s.out[v] | s.into[2 * v] | s.into[2 * v + 1]
        n = counts[v] - s.out[v] + s.into[2 * v] + s.into[2 * v + 1]
        most |= n
        counts[v] = <uint16_t>n
    if most > 65535:
        raise OverflowError("more than 65,535 cells in a voxel")
    return changed != 0


cdef inline int rebuild(const tiles_t* t, Py_ssize_t row, scratch_t* s) except -1 nogil:
    """Write the cells of the tile anew; those of a voxel in any order, but motile ones first."""
    cdef word_t* words = words_of(t, row, 0)
    cdef Py_ssize_t k
    cdef int32_t* place
    if not count_again(t.counts + 512 * row, s):
        return 0
    t.n[row] = copy_voxels(words, s)
    for k in range(s.arrivals):
        place = &s.place[s.arrival_place[k]]
        memcpy(s.after + 3 * place[0], s.arrival + 3 * k, 12)
        place[0] += 1
    memcpy(words, s.after, t.n[row] * 12)
    return 0
