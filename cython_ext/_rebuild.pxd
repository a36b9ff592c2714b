# The block of a tile after a step: what stayed, and what came in its places. Header only: it has no .pyx twin.
from libc.stdint cimport int32_t, uint16_t
from libc.string cimport memcpy

from _tiles cimport GONE, copy_by_steps, fill_steps, scratch_t, tiles_t, word_t, words_of


cdef inline void write_changed(word_t* cells, const scratch_t* s) noexcept nogil:
    """The new states of cells that stay where they are."""
    cdef int k
    for k in range(s.changes):
        cells[3 * s.changed[2 * k] + 2] = s.changed[2 * k + 1]


cdef inline int count_again(uint16_t* counts, const scratch_t* s) except -1 nogil:
    """The new counts of the tile; whether any voxel has changed."""
    cdef int v
    cdef int32_t n, most = 0, changed = 0
    for v in range(512):
        changed |= s.out[v] | s.into[v]
        n = counts[v] - s.out[v] + s.into[v]
        most |= n
        counts[v] = <uint16_t>n
    if most > 65535:
        raise OverflowError("more than 65,535 cells in a voxel")
    return changed != 0


cdef inline int32_t make_room(const uint16_t* counts, scratch_t* s) noexcept nogil:
    """Leave room behind the cells of each voxel for those who come, and note where; how many cells there are then."""
    cdef int32_t at = 0
    cdef int v
    for v in range(512):
        s.step[s.first[v + 1]] += 12 * s.into[v]
        at += counts[v]
        s.place[v] = at - s.into[v]
    return at


cdef inline int rebuild(const tiles_t* t, Py_ssize_t row, scratch_t* s) except -1 nogil:
    """Write the cells of the tile anew; those of a voxel in any order."""
    cdef word_t* words = words_of(t, row, 0)
    cdef Py_ssize_t k, n
    cdef int32_t* place
    if not count_again(t.counts + 512 * row, s):
        return 0
    n = t.n[row]
    fill_steps(s.state, n, GONE, s.step)
    t.n[row] = make_room(t.counts + 512 * row, s)
    copy_by_steps(s.after, words, n, s.step)
    for k in range(s.arrivals):
        place = &s.place[s.arrival_voxel[k]]
        memcpy(s.after + 3 * place[0], s.arrival + 3 * k, 12)
        place[0] += 1
    memcpy(words, s.after, t.n[row] * 12)
    return 0
