# The center line of a vessel, and its walk through the voxels of a tile. Header only: it has no .pyx twin.
from libc.math cimport ceil, floor, sqrt
from libc.stdint cimport int32_t

from _geometry cimport least, most, segment_t

cdef enum:
    SIDE = 8                  # voxels along the edge of a tile

cdef struct line_t:           # the center line a + t d, t in 0..1
    double a[3]
    double d[3]
    double length
    double per_length2        # 1 / length^2; 0 for a point


cdef inline line_t line_of(const segment_t* s) noexcept nogil:
    cdef line_t line
    line.a[0], line.a[1], line.a[2] = s.ax, s.ay, s.az
    line.d[0], line.d[1], line.d[2] = s.bx - s.ax, s.by - s.ay, s.bz - s.az
    cdef double length2 = line.d[0] * line.d[0] + line.d[1] * line.d[1] + line.d[2] * line.d[2]
    line.length = sqrt(length2)
    line.per_length2 = 1.0 / length2 if length2 > 0.0 else 0.0
    return line


cdef inline double crossing(const line_t* line, int k, double plane, double edge) noexcept nogil:
    """t where the line meets plane number `plane` across axis k; beyond 1 if it runs along the plane."""
    return (plane * edge - line.a[k]) / line.d[k] if line.d[k] != 0.0 else 2.0


cdef inline bint to_tile(const line_t* line, const int32_t* tile, double edge, double* voxel, double* t) noexcept nogil:
    """Where the walk along the line enters the tile: from its first voxel on (in voxels of the tile), and when.

    False if it never does.
    """
    cdef double first
    cdef int k
    t[0] = 0.0
    for k in range(3):
        first = floor(line.a[k] / edge) if line.d[k] >= 0.0 else ceil(line.a[k] / edge) - 1.0
        voxel[k] = first - <double>SIDE * tile[k]
        if line.d[k] > 0.0 and voxel[k] < 0.0:
            t[0] = most(t[0], crossing(line, k, <double>SIDE * tile[k], edge))
        elif line.d[k] < 0.0 and voxel[k] >= SIDE:
            t[0] = most(t[0], crossing(line, k, <double>SIDE * (tile[k] + 1.0), edge))
        elif not 0.0 <= voxel[k] < SIDE:
            return False
    return t[0] < 1.0


cdef inline void pass_planes(const line_t* line, const int32_t* tile, double edge, double t, int k, double* voxel,
                             double* next) noexcept nogil:
    """Walk along axis k, from a voxel, past all planes that are met until t; when the next one is met."""
    cdef double first = voxel[0], step = 1.0 if line.d[k] > 0.0 else -1.0
    cdef double plane = <double>SIDE * tile[k] + (line.d[k] > 0.0)      # of voxel 0, the one ahead
    if line.d[k] != 0.0 and t > 0.0:
        voxel[0] = floor((line.a[k] + t * line.d[k]) / edge) - <double>SIDE * tile[k] - step
        voxel[0] = most(voxel[0], first) if step > 0.0 else least(voxel[0], first)
        while voxel[0] != first and crossing(line, k, voxel[0] - step + plane, edge) > t:
            voxel[0] -= step
        while crossing(line, k, voxel[0] + plane, edge) <= t:
            voxel[0] += step
    next[0] = crossing(line, k, voxel[0] + plane, edge)


cdef inline line_t in_voxels(const line_t* line, const int32_t* tile, double edge) noexcept nogil:
    """The line in the frame of a tile, in units of voxels."""
    cdef line_t l
    cdef int k
    for k in range(3):
        l.a[k] = line.a[k] / edge - <double>SIDE * tile[k]
        l.d[k] = line.d[k] / edge
    l.length = line.length / edge
    l.per_length2 = line.per_length2 * edge * edge
    return l
