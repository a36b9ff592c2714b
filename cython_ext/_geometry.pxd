# Header only: it has no .pyx twin, so a cimport of it needs nothing at run time.
from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef extern from "segment.h" nogil:
    ctypedef struct segment_t:
        double ax, ay, az, bx, by, bz
        float radius, maturity
        uint8_t perfused, pad1
        uint16_t pad2
        uint32_t pad4

cdef inline double distance2(double px, double py, double pz, const segment_t* s) noexcept nogil:
    """Squared distance [um^2] of the point p from the center line, ends included.

    |a + t (b - a) - p|^2 with t = (p - a).(b - a) / |b - a|^2 clamped to 0..1; a segment of no
    length counts as the point a.
    """
    cdef double dx = s.bx - s.ax, dy = s.by - s.ay, dz = s.bz - s.az
    cdef double x = px - s.ax, y = py - s.ay, z = pz - s.az
    cdef double along = x * dx + y * dy + z * dz
    cdef double length2 = dx * dx + dy * dy + dz * dz
    cdef double t = 0.0
    if along > 0.0:
        t = along / length2 if along < length2 else 1.0
    x -= t * dx
    y -= t * dy
    z -= t * dz
    return x * x + y * y + z * z
