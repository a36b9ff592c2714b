"""Keys of tiles along a Hilbert curve (Skilling 2004, AIP Conf. Proc. 707:381, doi:10.1063/1.1751381).

The curve fills a cube of 2^21 tiles an edge, centered on the origin; neighbors on it are neighbors in space,
so that a contiguous range of keys is a compact region.
"""
import numpy as np

from libc.stdint cimport int32_t, uint32_t, uint64_t

cdef enum:
    BITS = 21
    CENTER = 1 << (BITS - 1)

REACH = CENTER     # tile coordinates lie in [-REACH, REACH)


cdef uint64_t key_of(const int32_t* at) noexcept nogil:
    cdef uint32_t x[3]
    cdef uint32_t q, p, swap
    cdef int i, bit
    cdef uint64_t key = 0
    for i in range(3):
        x[i] = <uint32_t>(at[i] + CENTER)
    q = 1 << (BITS - 1)
    while q > 1:
        p = q - 1
        for i in range(3):
            if x[i] & q:
                x[0] ^= p
            else:
                swap = (x[0] ^ x[i]) & p
                x[0] ^= swap
                x[i] ^= swap
        q >>= 1
    x[1] ^= x[0]
    x[2] ^= x[1]
    swap = 0
    q = 1 << (BITS - 1)
    while q > 1:
        if x[2] & q:
            swap ^= q - 1
        q >>= 1
    for i in range(3):
        x[i] ^= swap
    for bit in range(BITS - 1, -1, -1):
        for i in range(3):
            key = key << 1 | (x[i] >> bit & 1)
    return key


def keys(const int32_t[:, ::1] coords not None):
    """Hilbert key of each tile; coords of shape (n, 3), keys uint64 of shape (n,)."""
    out = np.empty(coords.shape[0], np.uint64)
    cdef uint64_t[::1] o = out
    cdef Py_ssize_t i
    cdef int axis
    for i in range(coords.shape[0]):
        for axis in range(3):
            if not -CENTER <= coords[i, axis] < CENTER:
                raise ValueError(f"tile {tuple(coords[i])} lies outside the curve: |coordinate| < {CENTER}")
        o[i] = key_of(&coords[i, 0])
    return out
