# Where vessels run: how much of them lies in each zone of the tumor, and how far cells are from the nearest.
#
# All that is added up are integers, so the order of tiles, and the number of ranks, do not show.
from libc.math cimport ceil, floor, rint, sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

from _geometry cimport distance2, segment_t
from _line cimport line_of, line_t
from _types cimport OUTSIDE, cell_t

cdef enum:
    VOXELS = 512
    SIDE = 8

cdef double PIECES = 2.0          # of a vessel for each edge of a voxel, each in the voxel of its middle
cdef double PER_UM = 1024.0       # lengths count in 1/1024 um
cdef double MOST_PIECES = 1e6


cdef int _voxel_of(const double* at, const int32_t* tile, double edge) noexcept nogil:
    """The voxel of a tile in which a place lies, or -1."""
    cdef double k
    cdef int axis, v = 0, stride = 1
    for axis in range(3):
        k = floor(at[axis] / edge) - <double>SIDE * tile[axis]
        if not 0.0 <= k < SIDE:
            return -1
        v += stride * <int>k
        stride *= SIDE
    return v


cdef void _add_segment(const segment_t* s, const int32_t* tile, const uint8_t* zones, double edge,
                       int64_t* sums) noexcept nogil:
    """Add what of a segment lies in a tile to the sums of its zones."""
    cdef line_t line = line_of(s)
    cdef double n = ceil(line.length * PIECES / edge), t
    cdef double at[3]
    cdef int64_t piece, i, maturity = <int64_t>rint(255.0 * s.maturity)
    cdef int v, axis
    n = 1.0 if n < 1.0 else (MOST_PIECES if n > MOST_PIECES else n)
    piece = <int64_t>rint(line.length / n * PER_UM)
    for i in range(<int64_t>n):
        t = (i + 0.5) / n
        for axis in range(3):
            at[axis] = line.a[axis] + t * line.d[axis]
        v = _voxel_of(at, tile, edge)
        if v >= 0:
            sums[3 * zones[v] + 0] += piece
            sums[3 * zones[v] + 1] += piece if s.perfused else 0
            sums[3 * zones[v] + 2] += piece * maturity


cdef bint _all_outside(const uint8_t* zones) noexcept nogil:
    cdef int v, n = 0
    for v in range(VOXELS):
        n += zones[v] == OUTSIDE
    return n == VOXELS


def lengths(const int32_t[:, ::1] tiles not None, const segment_t[::1] segments not None,
            const int32_t[::1] near not None, const uint8_t[:, ::1] zones not None, double edge,
            int64_t[:, ::1] sums not None):
    """Add to `sums`, shape (zones, 3), the length of vessels in each zone, of those perfused, and times maturity.

    In 1/1024 um, the last in 1/255 of that. Tile t has the segments near[t]:near[t + 1], those of other tiles too where
    they are near; each half of a voxel's edge of a segment counts in the tile and voxel where its middle lies. Left out
    are tiles of which all is outside.
    """
    cdef Py_ssize_t t, k
    if near.shape[0] != tiles.shape[0] + 1 or zones.shape[0] != tiles.shape[0] or sums.shape[1] != 3:
        raise ValueError(f"{tiles.shape[0]} tiles, zones of {zones.shape[0]}, {near.shape[0]} ends of lists")
    with nogil:
        for t in range(tiles.shape[0]):
            if _all_outside(&zones[t, 0]):
                continue
            for k in range(near[t], near[t + 1]):
                _add_segment(&segments[k], &tiles[t, 0], &zones[t, 0], edge, &sums[0, 0])


# --- cells -----------------------------------------------------------------------------------------------

cdef double _from_center(const double* center, const segment_t[::1] segments, int32_t first, int32_t last,
                         double* squared) noexcept nogil:
    """Squared distances of a voxel's center from perfused segments, -1 for others; the distance of the nearest."""
    cdef double least = -1.0
    cdef int32_t k
    for k in range(first, last):
        squared[k - first] = -1.0
        if segments[k].perfused:
            squared[k - first] = distance2(center[0], center[1], center[2], &segments[k])
            if least < 0.0 or squared[k - first] < least:
                least = squared[k - first]
    return sqrt(least) if least >= 0.0 else -1.0


cdef void _add_voxel(const cell_t* cells, int n, const double* corner, const segment_t[::1] segments, int32_t first,
                     int32_t last, double edge, double width, double* squared, int64_t[::1] bins) noexcept nogil:
    """Count the cells of a voxel, in whose bin of distance they are."""
    cdef double center[3]
    cdef double at[3]
    cdef double least, reach, d
    cdef int32_t k
    cdef int i, axis
    cdef int64_t bin
    for axis in range(3):
        center[axis] = corner[axis] + 0.5 * edge
    reach = _from_center(center, segments, first, last, squared)
    reach = (reach + 1.8 * edge) * (reach + 1.8 * edge)     # sqrt(3) = 1.73: nothing farther from the center is nearest
    for i in range(n):
        at[0] = corner[0] + (cells[i].x + 0.5) / 65536.0 * edge
        at[1] = corner[1] + (cells[i].y + 0.5) / 65536.0 * edge
        at[2] = corner[2] + (cells[i].z + 0.5) / 65536.0 * edge
        least = -1.0
        for k in range(first, last):
            if 0.0 <= squared[k - first] <= reach:
                d = distance2(at[0], at[1], at[2], &segments[k])
                least = d if least < 0.0 or d < least else least
        bin = <int64_t>(sqrt(least) / width) if 0.0 <= least < (width * bins.shape[0]) * (width * bins.shape[0]) else (
            bins.shape[0])
        bins[bin if bin < bins.shape[0] else bins.shape[0] - 1] += 1


def histogram(const cell_t[::1] cells not None, const int64_t[::1] start not None,
              const uint16_t[:, ::1] counts not None, const int32_t[:, ::1] coords not None,
              const int32_t[::1] rows not None, const uint8_t[:, ::1] chosen not None,
              const segment_t[::1] segments not None, const int32_t[::1] near not None, double edge, double width,
              double[::1] squared not None, int64_t[::1] bins not None):
    """Add to `bins` the cells of the chosen voxels by their distance to the nearest perfused center line.

    Bin b is b width <= distance < (b + 1) width; in the last is what is farther, or has no vessel listed. Tile rows[i]
    has the segments near[i]:near[i + 1], of which `squared` has room for those of any, and voxels chosen[i].
    """
    cdef Py_ssize_t i, t
    cdef int64_t at
    cdef int v
    cdef double corner[3]
    if near.shape[0] != rows.shape[0] + 1 or chosen.shape[0] != rows.shape[0] or bins.shape[0] == 0:
        raise ValueError(f"{rows.shape[0]} tiles, {chosen.shape[0]} of them with voxels, {near.shape[0]} ends of lists")
    for i in range(rows.shape[0]):
        if near[i + 1] - near[i] > squared.shape[0]:
            raise ValueError(f"{near[i + 1] - near[i]} segments of a tile, and room for {squared.shape[0]}")
    with nogil:
        for i in range(rows.shape[0]):
            t = rows[i]
            at = start[t]
            for v in range(VOXELS):
                if chosen[i, v] and counts[t, v]:
                    corner[0] = (SIDE * <int64_t>coords[t, 0] + (v & 7)) * edge
                    corner[1] = (SIDE * <int64_t>coords[t, 1] + (v >> 3 & 7)) * edge
                    corner[2] = (SIDE * <int64_t>coords[t, 2] + (v >> 6)) * edge
                    _add_voxel(&cells[at], counts[t, v], corner, segments, near[i], near[i + 1], edge, width,
                               &squared[0], bins)
                at += counts[t, v]
