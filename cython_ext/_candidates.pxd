# Which cells are looked at: all to which anything happens are among them. Header only: it has no .pyx twin.
#
# With p a bound of the chance of one cell, the number of candidates among the n cells of a voxel is binomial(n, p), by
# inversion of one random word of the voxel; and which they are is a matter of their records, those of the smallest
# keyed hash. A candidate then has its event with the true chance over p: exact thinning, whatever the bound.
from libc.stdint cimport int32_t, uint32_t, uint64_t

from _tiles cimport scratch_t, unit64, word_t

cdef enum:
    NO_RANK = 0xffffffffffffffff   # of a cell that is taken


cdef inline int binomial(int n, double p, double none, uint32_t high, uint32_t low) noexcept nogil:
    """Draw from binomial(n, p), n >= 1: the smaller the word, the more. For p <= 0.5 and n p <= 64, or p = 1.

    `none` is (1 - p)^n.
    """
    cdef double np = n * p, ratio, mass = none, left
    cdef int k = 0
    if p >= 1.0:
        return n
    left = 1.0 - mass                              # the chance of any
    if np < 1e-4:                                  # the same, without loss of digits
        left = np * (1.0 - (n - 1) * p * 0.5 * (1.0 - (n - 2) * p * (1.0 / 3.0)))
    left -= unit64(high, low)
    ratio = p / (1.0 - p)
    while left > 0.0 and k < n:
        mass *= ratio * (n - k) / (k + 1.0)
        left -= mass
        k += 1
    return k


cdef inline uint64_t rank_of(const word_t* record, uint64_t key) noexcept nogil:
    """A hash of the record (multiplications and shifts of splitmix64): another order of the cells in every step."""
    cdef uint64_t h = (record[0] | <uint64_t>record[1] << 32) ^ key
    h = (h ^ h >> 30) * <uint64_t>0xBF58476D1CE4E5B9
    h = (h ^ h >> 27 ^ record[2]) * <uint64_t>0x94D049BB133111EB
    h = (h ^ h >> 31) * <uint64_t>0x9E3779B97F4A7C15
    return h ^ h >> 32


cdef inline int least(const uint64_t* rank, int n) noexcept nogil:
    """Where the smallest is."""
    cdef int i, best = 0
    cdef uint64_t smallest = rank[0]
    for i in range(1, n):
        best = i if rank[i] < smallest else best
        smallest = rank[i] if rank[i] < smallest else smallest
    return best


cdef inline int choose(const word_t* cells, int first, int n, int k, uint64_t key, int v, scratch_t* s,
                       int at) noexcept nogil:
    """Write the k of the n cells from `first` on of smallest hash behind the `at` candidates; returns how many."""
    cdef uint64_t* rank = s.rank
    cdef int i, best
    if k < n:
        for i in range(n):
            rank[i] = rank_of(cells + 3 * (first + i), key)
    for i in range(k):
        best = i
        if k < n:
            best = least(rank, n)
            rank[best] = NO_RANK
        s.candidate[at + i], s.candidate_voxel[at + i] = first + best, v
    return at + k
