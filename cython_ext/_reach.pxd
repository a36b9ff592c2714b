# The voxels of a tile within reach of a line, all in units of voxels. Header only: it has no .pyx twin.
from libc.math cimport fabs, floor
from libc.stdint cimport uint16_t

from _geometry cimport box_distance2, least, most
from _line cimport SIDE, line_t


cdef inline double clip(double x, double low, double high) noexcept nogil:
    return least(most(x, low), high)


cdef inline int longest_axis(const line_t* l) noexcept nogil:
    cdef int k, m = 0
    for k in range(1, 3):
        if fabs(l.d[k]) > fabs(l.d[m]):
            m = k
    return m


cdef inline void span(double a, double b, double reach, int* start, int* stop) noexcept nogil:
    """Voxels of the tile, along one axis, within `reach` of the interval between a and b."""
    start[0] = <int>floor(clip(least(a, b) - reach, 0.0, SIDE))
    stop[0] = <int>floor(clip(most(a, b) + reach + 1.0, 0.0, SIDE))


cdef inline void cross_section(const line_t* l, int m, int slab, double reach, int* start, int* stop) noexcept nogil:
    """Across axis m, the voxels of a slab within `reach` of the part of the line that reaches the slab."""
    cdef double t0 = 0.0, t1 = 1.0, u, v
    cdef int k
    if l.d[m] != 0.0:
        u, v = (slab - reach - l.a[m]) / l.d[m], (slab + 1 + reach - l.a[m]) / l.d[m]
        t0, t1 = clip(least(u, v), 0.0, 1.0), clip(most(u, v), 0.0, 1.0)
    for k in range(3):
        if k != m:
            span(l.a[k] + t0 * l.d[k], l.a[k] + t1 * l.d[k], reach, &start[k], &stop[k])


cdef inline bint reaches(const line_t* l, const double* low, double reach) noexcept nogil:
    """Does any point of the unit cube at `low` lie within `reach` of the line?

    The point of the line nearest to the center decides most cases; the exact distance the rest.
    """
    cdef double half_diagonal = 0.8660254037844388      # of the unit cube, rounded up
    cdef double along = 0.0, center2 = 0.0, box2 = 0.0, t, off, over
    cdef int k
    for k in range(3):
        along += l.d[k] * (low[k] + 0.5 - l.a[k])
    t = clip(along * l.per_length2, 0.0, 1.0)
    for k in range(3):
        off = fabs(l.a[k] + t * l.d[k] - (low[k] + 0.5))
        over = most(off - 0.5, 0.0)
        center2 += off * off
        box2 += over * over
    if box2 <= reach * reach:
        return True
    over = reach + half_diagonal
    return center2 <= over * over and box_distance2(l.a, l.d, low, 1.0) <= reach * reach


cdef inline int list_voxels(const line_t* l, double reach, uint16_t* voxels) noexcept nogil:
    """Voxels of a tile within `reach` of the line, all in voxels, in no particular order; how many.

    Walks slab by slab along the axis of the line's greatest extent, so that it looks at little more
    than what it lists.
    """
    cdef int m = longest_axis(l), n = 0, slab, i, j
    cdef int p = (m + 1) % 3, q = (m + 2) % 3
    cdef int start[3]
    cdef int stop[3]
    cdef double low[3]
    span(l.a[m], l.a[m] + l.d[m], reach, &start[m], &stop[m])
    for slab in range(start[m], stop[m]):
        low[m] = slab
        cross_section(l, m, slab, reach, start, stop)
        for i in range(start[p], stop[p]):
            low[p] = i
            for j in range(start[q], stop[q]):
                low[q] = j
                if reaches(l, low, reach):
                    voxels[n] = <uint16_t>(slab << 3 * m | i << 3 * p | j << 3 * q)
                    n += 1
    return n
