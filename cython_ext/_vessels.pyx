# Vessels on the voxel grid: what they supply to each voxel, and which of them its cells may enter.
# A tile asks only for its own neighborhood, and sums in the order of its segments: no decomposition
# shows in any bit.
import numpy as np

from libc.math cimport ceil, fabs, floor, sqrt
from libc.stdint cimport int32_t, uint16_t

from _geometry cimport SLACK, box_distance2, distance2, least, most, segment_t

cdef enum:
    SIDE = 8                  # voxels along the edge of a tile
    VOXELS = 512

cdef double TWO_PI = 6.283185307179586
cdef double HALF_DIAGONAL = 0.8660254037844387   # of the unit cube, rounded up


def _dtype():
    cdef segment_t segment
    return np.asarray(<segment_t[:1]>&segment).dtype


SEGMENT = _dtype()
SLACK_UM = SLACK

cdef inline double _clip(double x, double low, double high) noexcept nogil:
    return least(most(x, low), high)

cdef struct line_t:           # the center line a + t d, t in 0..1
    double a[3]
    double d[3]
    double length
    double per_length2        # 1 / length^2; 0 for a point

cdef inline line_t _line(const segment_t* s) noexcept nogil:
    cdef line_t line
    line.a[0], line.a[1], line.a[2] = s.ax, s.ay, s.az
    line.d[0], line.d[1], line.d[2] = s.bx - s.ax, s.by - s.ay, s.bz - s.az
    cdef double length2 = line.d[0] * line.d[0] + line.d[1] * line.d[1] + line.d[2] * line.d[2]
    line.length = sqrt(length2)
    line.per_length2 = 1.0 / length2 if length2 > 0.0 else 0.0
    return line

cdef inline double _crossing(const line_t* line, int k, double plane, double edge) noexcept nogil:
    """t where the line meets plane number `plane` across axis k; beyond 1 if it runs along the plane."""
    return (plane * edge - line.a[k]) / line.d[k] if line.d[k] != 0.0 else 2.0

cdef void _add_length(const line_t* line, const int32_t* tile, double edge, double weight,
                      double* supply) noexcept nogil:
    """Add weight x (length inside) to the voxels of a tile.

    The line is cut at the planes of the grid, the same cuts whichever tile asks, and a piece counts in
    exactly one voxel: nothing is lost or doubled at the faces.
    """
    cdef double next[3]
    cdef double voxel[3]
    cdef double cut, t = 0.0
    cdef int k
    for k in range(3):
        voxel[k] = floor(line.a[k] / edge) if line.d[k] >= 0.0 else ceil(line.a[k] / edge) - 1.0
        next[k] = _crossing(line, k, voxel[k] + (line.d[k] > 0.0), edge)
        voxel[k] -= <double>SIDE * tile[k]
    while t < 1.0:
        cut = most(t, least(least(next[0], next[1]), least(next[2], 1.0)))
        if (0.0 <= voxel[0] < SIDE) & (0.0 <= voxel[1] < SIDE) & (0.0 <= voxel[2] < SIDE):
            supply[<int>(voxel[0] + SIDE * voxel[1] + SIDE * SIDE * voxel[2])] += weight * (line.length * (cut - t))
        t = cut
        for k in range(3):
            if next[k] <= cut:
                voxel[k] += 1.0 if line.d[k] > 0.0 else -1.0
                next[k] = _crossing(line, k, voxel[k] + <double>SIDE * tile[k] + (line.d[k] > 0.0), edge)

cdef inline void _span(double low, double high, double edge, int32_t tile, int* start, int* stop) noexcept nogil:
    """Voxels of a tile, along one axis, that the interval low..high [um] touches."""
    start[0] = <int>most(floor(low / edge) - <double>SIDE * tile, 0.0)
    stop[0] = <int>least(floor(high / edge) - <double>SIDE * tile + 1.0, SIDE)

cdef inline bint _reaches(const line_t* line, const double* low, double edge, double reach) noexcept nogil:
    """Does any point of the cube low .. low + edge lie within `reach` of the line?

    The point of the line nearest to the center decides most cases; the exact distance the rest.
    """
    cdef double half = 0.5 * edge, along = 0.0, center2 = 0.0, box2 = 0.0, t, off, over
    cdef int k
    for k in range(3):
        along += line.d[k] * (low[k] + half - line.a[k])
    t = _clip(along * line.per_length2, 0.0, 1.0)
    for k in range(3):
        off = fabs(line.a[k] + t * line.d[k] - (low[k] + half))
        over = most(off - half, 0.0)
        center2 += off * off
        box2 += over * over
    if box2 <= reach * reach:
        return True
    over = reach + HALF_DIAGONAL * edge
    return center2 <= over * over and box_distance2(line.a, line.d, low, edge) <= reach * reach

cdef int _list_voxels(const line_t* line, const int32_t* tile, double edge, double reach,
                      uint16_t* voxels) noexcept nogil:
    """Voxels of a tile within `reach` of the line, in no particular order; how many.

    Walks slab by slab along the axis of the line's greatest extent, so that it looks at little more
    than what it lists.
    """
    cdef int m = 0, k, p, q, n = 0, slab, i, j
    cdef int start[3]
    cdef int stop[3]
    cdef double t0, t1, u, v
    cdef int stride[3]
    cdef double corner[3]
    stride[0], stride[1], stride[2] = 1, SIDE, SIDE * SIDE
    for k in range(1, 3):
        if fabs(line.d[k]) > fabs(line.d[m]):
            m = k
    p, q = (m + 1) % 3, (m + 2) % 3
    _span(least(line.a[m], line.a[m] + line.d[m]) - reach, most(line.a[m], line.a[m] + line.d[m]) + reach, edge,
          tile[m], &start[m], &stop[m])
    for slab in range(start[m], stop[m]):
        corner[m] = (<double>SIDE * tile[m] + slab) * edge
        t0, t1 = 0.0, 1.0
        if line.d[m] != 0.0:
            u = (corner[m] - reach - line.a[m]) / line.d[m]
            v = (corner[m] + edge + reach - line.a[m]) / line.d[m]
            t0, t1 = _clip(least(u, v), 0.0, 1.0), _clip(most(u, v), 0.0, 1.0)
        for k in range(3):
            if k != m:
                u, v = line.a[k] + t0 * line.d[k], line.a[k] + t1 * line.d[k]
                _span(least(u, v) - reach, most(u, v) + reach, edge, tile[k], &start[k], &stop[k])
        for i in range(start[p], stop[p]):
            corner[p] = (<double>SIDE * tile[p] + i) * edge
            for j in range(start[q], stop[q]):
                corner[q] = (<double>SIDE * tile[q] + j) * edge
                if _reaches(line, corner, edge, reach):
                    voxels[n] = <uint16_t>(slab * stride[m] + i * stride[p] + j * stride[q])
                    n += 1
    return n

cdef Py_ssize_t _map_tile(const int32_t* tile, const segment_t[::1] segments, Py_ssize_t begin, Py_ssize_t end,
                          double edge, double reach, double wall, float* supply, int32_t* first,
                          uint16_t[::1] voxels, int32_t[::1] owners, int32_t* index) except -1 nogil:
    """One tile: supply [1/h], and its part of the lists; first[0] is where it begins, in `index`."""
    cdef double total[VOXELS]
    cdef line_t line
    cdef Py_ssize_t s, n = 0, i
    cdef int v, found
    for v in range(VOXELS):
        total[v] = 0.0
        first[v + 1] = 0
    for s in range(begin, end):
        if not segments[s].perfused:
            continue
        if n + VOXELS > voxels.shape[0]:
            raise ValueError("too little room for the segments in reach of a tile")
        line = _line(&segments[s])
        _add_length(&line, tile, edge, TWO_PI * segments[s].radius * wall / (edge * edge * edge), total)
        found = _list_voxels(&line, tile, edge, segments[s].radius + reach + SLACK, &voxels[n])
        for i in range(n, n + found):
            owners[i] = <int32_t>s
            first[voxels[i] + 1] += 1
        n += found
    for v in range(VOXELS):
        supply[v] = <float>total[v]
        first[v + 1] += first[v]
    _sort_lists(first, voxels, owners, index, n)
    return n

cdef void _sort_lists(int32_t* first, const uint16_t[::1] voxels, const int32_t[::1] owners, int32_t* index,
                      Py_ssize_t n) noexcept nogil:
    """Put (voxel, owner) pairs into lists by voxel, each in the order of the pairs (counting sort)."""
    cdef int32_t place[VOXELS]
    cdef Py_ssize_t i
    for i in range(VOXELS):
        place[i] = first[i]
    for i in range(n):
        index[place[voxels[i]]] = owners[i]
        place[voxels[i]] += 1


def map_tiles(const int32_t[:, ::1] tiles not None, const segment_t[::1] segments not None,
              const int32_t[::1] near not None, double edge, double reach, double wall,
              float[:, ::1] supply not None, int32_t[::1] first not None, uint16_t[::1] voxels not None,
              int32_t[::1] owners not None, int32_t[::1] index not None):
    """Fill `supply`, `first`, `index` of tiles whose segments are ``near[t]:near[t + 1]``; how many listed.

    `voxels`, `owners` are scratch with room for 512 entries for each segment of the busiest tile,
    `index` for 512 for each segment; vessels.py provides them.
    """
    cdef Py_ssize_t t, n = 0
    first[0] = 0
    with nogil:
        for t in range(tiles.shape[0]):
            n += _map_tile(&tiles[t, 0], segments, near[t], near[t + 1], edge, reach, wall, &supply[t, 0],
                           &first[t * VOXELS], voxels, owners, &index[0])
    return n


def distances2(const double[:, ::1] points not None, const segment_t[::1] segments not None):
    """Squared distance [um^2] of point i from segment i: shape (n,)."""
    out = np.empty(points.shape[0])
    cdef double[::1] o = out
    cdef Py_ssize_t i
    for i in range(points.shape[0]):
        o[i] = distance2(points[i, 0], points[i, 1], points[i, 2], &segments[i])
    return out


def box_distances2(const double[:, ::1] low not None, double edge, const segment_t[::1] segments not None):
    """Squared distance [um^2] of cube i (low corner, edge) from segment i: shape (n,)."""
    out = np.empty(low.shape[0])
    cdef double[::1] o = out
    cdef line_t line
    cdef Py_ssize_t i
    for i in range(low.shape[0]):
        line = _line(&segments[i])
        o[i] = box_distance2(line.a, line.d, &low[i, 0], edge)
    return out
