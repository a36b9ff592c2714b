# How much fuller than its capacity each voxel is, over a length that does not depend on the edge of a voxel.
from libc.stdint cimport int32_t, int64_t, uint16_t

cdef extern from "pressure.h" nogil:
    void pressure_excess(const uint16_t* counts, float* f, int64_t n, float per_capacity)
    int64_t pressure_bad(const float* p, int64_t n)
    void pressure_smooth(const float* f, float* smooth, const int32_t* neighbors, int64_t n, float share,
                         int mirror)


def excess(const uint16_t[:, ::1] counts not None, float[:, ::1] f not None, float per_capacity):
    """Fill ``f = n / capacity - 1`` of as many tiles as `f` has; pressure.py checked the shapes."""
    if f.shape[0]:
        with nogil:
            pressure_excess(&counts[0, 0], &f[0, 0], f.shape[0], per_capacity)


def smooth(const float[:, ::1] f not None, float[:, ::1] smoothed not None,
           const int32_t[:, ::1] neighbors not None, float share, bint mirror=False):
    """Fill ``f + share sum(neighbor - f)`` of the tiles that have `neighbors`; where no tile is, -1 or a mirror."""
    if neighbors.shape[0]:
        with nogil:
            pressure_smooth(&f[0, 0], &smoothed[0, 0], &neighbors[0, 0], neighbors.shape[0], share, mirror)


def check(const float[:, ::1] p not None):
    """Raise FloatingPointError if a pressure is negative or not a number."""
    cdef int64_t bad = 0
    if p.shape[0]:
        with nogil:
            bad = pressure_bad(&p[0, 0], p.shape[0])
    if bad:
        raise FloatingPointError(f"{bad} voxels have a pressure that is negative or not a number")
