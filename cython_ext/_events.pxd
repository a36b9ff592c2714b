# What an event does to a cell: it changes scratch memory and outboxes only. Header only: it has no .pyx twin.
from libc.stdint cimport int32_t, uint32_t, uint64_t

from _clusters cimport followers_wanted, lead
from _hazards cimport HOP
from _rates cimport CLEAR, DIVIDE, DRAIN, RAISE, REMOVE, SET, SHED, rate_t
from _tiles cimport (
    BUSY, CAUSES, DIVIDED, HOPPED, MUTATED, SWITCHED, USE_CHILD, arrive, change, code_beside, depart, go_to, more_words,
    outbox_t, scratch_t, send, tiles_t, tissue_t, word_t, words_of)
from _types cimport cell_t, inherit


cdef inline void divide(const tiles_t* t, Py_ssize_t row, int32_t i, int v, scratch_t* s,
                        outbox_t* box) noexcept nogil:
    """The mother keeps her place; the daughter lies anywhere in the same voxel, and differs in a bit.

    A mutant comes by the outbox, once her clone has its number. Its id is her place and 16 bits more, all of them drawn
    from the record of her mother, voxel, tile, step and seed.
    """
    cdef const word_t* mother = words_of(t, row, i)
    cdef cell_t daughter = t.cells[t.start[row] + i]
    cdef const word_t* words = <const word_t*>&daughter
    cdef uint32_t r[4]
    more_words(mother, v, USE_CHILD, s.key, r)
    daughter.traits = inherit(daughter.traits)
    r[0] ^= r[0] == mother[0]
    s.state[i] = BUSY
    if (r[2] | <uint64_t>r[3] << 32) < t.mutation[daughter.traits.clone]:
        s.tally[MUTATED] += 1
        send(box, row, v, r[0], (r[1] & 0xffff) | (words[1] >> 16 << 16), words[2], r[1] >> 16 if r[1] >> 16 else 1)
    else:
        arrive(s, v, r[0], (r[1] & 0xffff) | (words[1] >> 16 << 16), words[2])


cdef inline void switch(const tiles_t* t, Py_ssize_t row, int32_t i, const rate_t* rate, scratch_t* s) noexcept nogil:
    """A bit, or the byte of EMT or adhesion, of a cell changes; it stays where it is."""
    cdef uint32_t traits = words_of(t, row, i)[2]
    cdef int shift, byte
    if rate.action == SET:
        traits |= <uint32_t>rate.detail << 16
    elif rate.action == CLEAR:
        traits &= ~(<uint32_t>rate.detail << 16)
    else:
        shift = 8 * (rate.detail >> 8)
        byte = <int>(traits >> shift & 255) + (rate.detail & 255 if rate.action == RAISE else -(rate.detail & 255))
        byte = 0 if byte < 0 else 255 if byte > 255 else byte
        traits = traits & ~(<uint32_t>255 << shift) | <uint32_t>byte << shift
    change(s, i, traits)


cdef inline int hop(const tiles_t* t, Py_ssize_t row, int32_t i, int v, int face, scratch_t* s,
                    outbox_t* box) except -1 nogil:
    """The cell goes to the voxel behind a face, and keeps its place within the voxel."""
    cdef const word_t* words = words_of(t, row, i)
    cdef int axis = face >> 1
    cdef uint32_t code = code_beside(v, axis, (v >> 3 * axis & 7) + (1 if face & 1 else -1))
    depart(s, i, v)
    return go_to(t, row, code, words[0], words[1], words[2], s, box)


cdef inline void enter(const tiles_t* t, Py_ssize_t row, int32_t i, int v, int action, const tissue_t* p,
                       scratch_t* s) noexcept nogil:
    """The cell enters a vessel (SHED), or lymphatics (DRAIN), perhaps as the first of a cluster."""
    cdef const cell_t* cell = t.cells + t.start[row] + i
    cdef uint32_t r[4]
    more_words(<const word_t*>cell, v, USE_CHILD, s.key, r)
    depart(s, i, v)
    lead(s, s.leaders, i, v, followers_wanted(cell, t.along, p, r), action)
    s.leaders += 1


cdef inline int happen(const tiles_t* t, Py_ssize_t row, int32_t i, int v, int event, const tissue_t* p, scratch_t* s,
                outbox_t* box) except -1 nogil:
    """The event of cell i in voxel v: an index of a rate, or HOP + face."""
    cdef const rate_t* rate = &t.rates[event]
    if event >= HOP:
        s.tally[HOPPED] += 1
        return hop(t, row, i, v, event - HOP, s, box)
    if rate.action == DIVIDE:
        s.tally[DIVIDED] += 1
        divide(t, row, i, v, s, box)
    elif rate.action == REMOVE:
        s.tally[CAUSES + rate.detail] += 1
        depart(s, i, v)
    elif rate.action in (SHED, DRAIN):
        enter(t, row, i, v, rate.action, p, s)
    else:
        s.tally[SWITCHED] += 1
        switch(t, row, i, rate, s)
    return 0
