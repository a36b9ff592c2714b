"""The canonical order of cells: within each voxel by the bytes of their records. In place."""
from libc.stdint cimport uint16_t, uint32_t, uint64_t
from libc.stdlib cimport qsort
from libc.string cimport memcmp

from _types cimport cell_t

cdef extern from *:
    """
    /* A record of 12 bytes as two numbers whose order is that of the bytes, on little-endian machines */
    static inline uint64_t head_of(const void *cell)
        { uint64_t word; memcpy(&word, cell, 8); return __builtin_bswap64(word); }
    static inline uint32_t tail_of(const void *cell)
        { uint32_t word; memcpy(&word, (const char *)cell + 8, 4); return __builtin_bswap32(word); }
    static inline void record_of(void *cell, uint64_t head, uint32_t tail) {
        head = __builtin_bswap64(head), tail = __builtin_bswap32(tail);
        memcpy(cell, &head, 8), memcpy((char *)cell + 8, &tail, 4);
    }
    """
    uint64_t head_of(const void* cell) noexcept nogil
    uint32_t tail_of(const void* cell) noexcept nogil
    void record_of(void* cell, uint64_t head, uint32_t tail) noexcept nogil

cdef enum:
    FEW = 32          # up to so many cells are sorted by insertion


cdef int compare(const void* a, const void* b) noexcept nogil:
    return memcmp(a, b, sizeof(cell_t))


cdef void insert(cell_t* cells, Py_ssize_t n) noexcept nogil:
    """Sort up to FEW cells, as numbers: a call of memcmp for each pair takes three times as long."""
    cdef uint64_t head
    cdef uint64_t[FEW] heads
    cdef uint32_t tail
    cdef uint32_t[FEW] tails
    cdef Py_ssize_t i, k
    for i in range(n):
        head, tail = head_of(&cells[i]), tail_of(&cells[i])
        k = i
        while k > 0 and (heads[k - 1] > head or heads[k - 1] == head and tails[k - 1] > tail):
            heads[k], tails[k] = heads[k - 1], tails[k - 1]
            k -= 1
        heads[k], tails[k] = head, tail
    for i in range(n):
        record_of(&cells[i], heads[i], tails[i])


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
