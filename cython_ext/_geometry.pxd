# Header only: it has no .pyx twin, so a cimport of it needs nothing at run time.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

from _types cimport cell_t

cdef extern from "segment.h" nogil:
    const double SLACK "METACASCADE_SLACK_UM"
    ctypedef struct segment_t:
        double ax, ay, az, bx, by, bz
        float radius, maturity
        uint8_t perfused, pad1
        uint16_t pad2
        uint32_t pad4

cdef inline double least(double a, double b) noexcept nogil:
    """fmin without its care for NaN, which costs a call."""
    return a if a < b else b

cdef inline double most(double a, double b) noexcept nogil:
    return a if a > b else b

cdef inline void place_of(const cell_t* c, const int32_t* tile, int v, double edge, double* at) noexcept nogil:
    """The place of a cell of voxel v [um]; `tile`: the coordinates of its tile."""
    at[0] = (8 * <int64_t>tile[0] + (v & 7) + (c.x + 0.5) / 65536.0) * edge
    at[1] = (8 * <int64_t>tile[1] + (v >> 3 & 7) + (c.y + 0.5) / 65536.0) * edge
    at[2] = (8 * <int64_t>tile[2] + (v >> 6) + (c.z + 0.5) / 65536.0) * edge


cdef inline double distance2(double px, double py, double pz, const segment_t* s) noexcept nogil:
    """Squared distance [um^2] of the point p from the center line, ends included.

    |a + t (b - a) - p|^2 with t = (p - a).(b - a) / |b - a|^2 clamped to 0..1; a segment of no
    length counts as the point a.
    """
    cdef double dx = s.bx - s.ax, dy = s.by - s.ay, dz = s.bz - s.az
    cdef double x = px - s.ax, y = py - s.ay, z = pz - s.az
    cdef double along = x * dx + y * dy + z * dz
    cdef double length2 = dx * dx + dy * dy + dz * dz
    cdef double t = along / (length2 if length2 > 0.0 else 1.0)      # of a point t is 0, below
    t = t if along < length2 else 1.0              # choices without branches, which would be guessed wrong
    t = t if along > 0.0 else 0.0
    x -= t * dx
    y -= t * dy
    z -= t * dz
    return x * x + y * y + z * z

cdef inline double _outside(double p, double low, double high) noexcept nogil:
    """How far p lies outside low..high, signed; 0 inside."""
    return most(p - high, 0.0) + least(p - low, 0.0)

cdef inline double _slope(const double* a, const double* d, const double* low, double edge,
                          double t) noexcept nogil:
    """Half the derivative by t of the squared distance of a + t d from a box: never falls with t."""
    cdef double total = 0.0
    cdef int k
    for k in range(3):
        total += d[k] * _outside(a[k] + t * d[k], low[k], low[k] + edge)
    return total

cdef inline double box_distance2(const double* a, const double* d, const double* low,
                                 double edge) noexcept nogil:
    """Squared distance [um^2] of the segment a .. a + d from the cube low .. low + edge; exact.

    The squared distance of a + t d is convex in t and its slope is linear between the planes of the
    cube: find the two planes between which the slope changes sign, then the root of a line.
    """
    cdef double t0 = 0.0, t1 = 1.0, t, g, total = 0.0
    cdef double g0 = _slope(a, d, low, edge, 0.0), g1 = _slope(a, d, low, edge, 1.0)
    cdef int k
    if g0 >= 0.0:
        t = 0.0
    elif g1 <= 0.0:
        t = 1.0
    else:
        for k in range(6):
            if d[k >> 1] == 0.0:
                continue
            t = (low[k >> 1] + (k & 1) * edge - a[k >> 1]) / d[k >> 1]
            if t > t0 and t < t1:
                g = _slope(a, d, low, edge, t)
                if g < 0.0:
                    t0 = t
                    g0 = g
                else:
                    t1 = t
                    g1 = g
        t = t0 - g0 * (t1 - t0) / (g1 - g0)
    for k in range(3):
        g = _outside(a[k] + t * d[k], low[k], low[k] + edge)
        total += g * g
    return total
