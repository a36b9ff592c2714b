# Vessels on the voxel grid: what they supply to each voxel, and which of them its cells may enter.
# A tile asks only for its own neighborhood, and sums in the order of its segments: no decomposition
# shows in any bit.
import numpy as np

from libc.math cimport cos, fabs, log, sin, sqrt
from libc.stdint cimport int32_t, uint16_t

from _geometry cimport SLACK, box_distance2, distance2, least, most, segment_t
from _line cimport SIDE, crossing, in_voxels, line_of, line_t, pass_planes, to_tile
from _reach cimport list_voxels

cdef enum:
    VOXELS = 512
    LINES = 8                 # along the wall of a vessel, through which it gives off what it carries
    MOST_WALLS = 16           # fields that are supplied by vessels
    COARSE = 64               # cubes of 2^3 voxels

cdef double TWO_PI = 6.283185307179586
cdef double PER_EDGE = 0.2    # radius of a line on the grid, per edge of a voxel and per sum of direction cosines
cdef double SPREAD = 1.06     # by which LINES round a wall, of radius sqrt(r^2 + that^2), differ from one line

cdef struct wall_t:           # what a field meets at the wall of a vessel
    double permeability       # [um/h]
    double diffusion          # [um^2/h] in the tissue
    double falls              # 1: of what comes in; counts by the share that the blood of a segment still has; else 0


def _dtype():
    cdef segment_t segment
    return np.asarray(<segment_t[:1]>&segment).dtype


SEGMENT = _dtype()
SLACK_UM = SLACK

cdef double _conductance(double radius, const double* along, double edge, wall_t wall) noexcept nogil:
    """Of a vessel, per length [um^2/h]: that of its wall in series with that of the tissue up to the voxels.

    A line source on the grid has the value of its voxel at a radius, not in the mean (Peaceman 1978): ln(r_e / r) / 2
    pi D is missing from the wall on, with r_e that of LINES round the wall (measured against the exact periodic field).
    It is never negative, however wide the vessel.
    """
    if wall.permeability <= 0.0:
        return 0.0
    cdef double grid = PER_EDGE * edge * (fabs(along[0]) + fabs(along[1]) + fabs(along[2]))
    cdef double equivalent = SPREAD * sqrt(radius * radius + grid * grid)
    return 1.0 / (1.0 / (TWO_PI * radius * wall.permeability) + log(equivalent / radius) / (TWO_PI * wall.diffusion))

cdef void _across(const double* along, double* u, double* v) noexcept nogil:
    """Two unit vectors across a unit vector: u from the axis that it has least of, v = along x u."""
    cdef int k = 0, i
    cdef double length
    for i in range(1, 3):
        if fabs(along[i]) < fabs(along[k]):
            k = i
    cdef int p = (k + 1) % 3, q = (k + 2) % 3
    length = sqrt(along[p] * along[p] + along[q] * along[q])
    u[k], u[p], u[q] = 0.0, -along[q] / length, along[p] / length
    for i in range(3):
        p, q = (i + 1) % 3, (i + 2) % 3
        v[i] = along[p] * u[q] - along[q] * u[p]

cdef struct round_t:          # where LINES lie round a center line
    double cosine[LINES]
    double sine[LINES]


cdef round_t _around() noexcept nogil:
    cdef round_t at
    cdef int i
    for i in range(LINES):
        at.cosine[i], at.sine[i] = cos(TWO_PI * (i + 0.3) / LINES), sin(TWO_PI * (i + 0.3) / LINES)
    return at

cdef void _add_vessel(const segment_t* segment, const line_t* line, double share, const int32_t* tile, double edge,
                      const wall_t* walls, int n_walls, const round_t* around, double* supply) noexcept nogil:
    """Add the exchange of a segment with the voxels of a tile [1/h], on LINES along its wall, for each field."""
    cdef double along[3]
    cdef double u[3]
    cdef double v[3]
    cdef double weight[MOST_WALLS]
    cdef line_t at_wall = line[0]
    cdef double low[3]
    cdef int i, k
    for k in range(3):
        low[k] = <double>SIDE * tile[k] * edge
    if line.length == 0.0 or box_distance2(line.a, line.d, low, SIDE * edge) > (segment.radius + SLACK) ** 2:
        return
    for k in range(3):
        along[k] = line.d[k] / line.length
    for i in range(n_walls):
        weight[i] = _conductance(segment.radius, along, edge, walls[i]) / (LINES * (edge * edge * edge))
        if walls[i].falls:
            weight[i] *= share
    _across(along, u, v)
    for i in range(LINES):
        for k in range(3):
            at_wall.a[k] = line.a[k] + <double>segment.radius * (around.cosine[i] * u[k] + around.sine[i] * v[k])
        _add_length(&at_wall, tile, edge, weight, n_walls, supply)

cdef void _add_length(const line_t* line, const int32_t* tile, double edge, const double* weight, int n_walls,
                      double* supply) noexcept nogil:
    """Add weight x (length inside) to the voxels of a tile, for each field.

    The line is cut at the planes of the grid, the same cuts whichever tile asks, and a piece counts in
    exactly one voxel: nothing is lost or doubled at the faces.
    """
    cdef double next[3]
    cdef double voxel[3]
    cdef double cut, inside, t = 0.0
    cdef int k, i, at
    if not to_tile(line, tile, edge, voxel, &t):
        return
    for k in range(3):
        pass_planes(line, tile, edge, t, k, &voxel[k], &next[k])
    while t < 1.0 and (0.0 <= voxel[0] < SIDE) & (0.0 <= voxel[1] < SIDE) & (0.0 <= voxel[2] < SIDE):
        cut = most(t, least(least(next[0], next[1]), least(next[2], 1.0)))
        at = <int>(voxel[0] + SIDE * voxel[1] + SIDE * SIDE * voxel[2])
        inside = line.length * (cut - t)
        for i in range(n_walls):
            supply[i * VOXELS + at] += weight[i] * inside
        t = cut
        for k in range(3):
            if next[k] <= cut:
                voxel[k] += 1.0 if line.d[k] > 0.0 else -1.0
                next[k] = crossing(line, k, voxel[k] + <double>SIDE * tile[k] + (line.d[k] > 0.0), edge)

cdef Py_ssize_t _map_tile(const int32_t* tile, const segment_t[::1] segments, const float[::1] shares,
                          Py_ssize_t begin, Py_ssize_t end, double edge, double reach, const wall_t* walls, int n_walls,
                          int n_fine, float* supply, float* coarse, int32_t* first, uint16_t[::1] voxels,
                          int32_t[::1] owners, int32_t[::1] index) noexcept nogil:
    """One tile: supply [1/h] of the first n_fine walls by voxel, of others by cube, and its part of the lists from
    index[first[0]] on; -1 if there is too little room."""
    cdef double total[MOST_WALLS * VOXELS]
    cdef line_t line, local
    cdef round_t around = _around()
    cdef Py_ssize_t s, n = 0, i
    cdef int v, found
    for v in range(VOXELS):
        first[v + 1] = 0
    for v in range(n_walls * VOXELS):
        total[v] = 0.0
    for s in range(begin, end):
        if not segments[s].perfused:
            continue
        if n + VOXELS > voxels.shape[0]:
            return -1
        line = line_of(&segments[s])
        _add_vessel(&segments[s], &line, shares[s], tile, edge, walls, n_walls, &around, total)
        if reach < 0.0:
            continue
        local = in_voxels(&line, tile, edge)
        found = list_voxels(&local, (segments[s].radius + reach + SLACK) / edge, &voxels[n])
        for i in range(n, n + found):
            owners[i] = <int32_t>s
            first[voxels[i] + 1] += 1
        n += found
    if first[0] + n > index.shape[0]:
        return -1
    for v in range(n_fine * VOXELS):
        supply[v] = <float>total[v]
    for v in range((n_walls - n_fine) * COARSE):
        coarse[v] = <float>_mean(&total[(n_fine + v // COARSE) * VOXELS], v % COARSE)
    for v in range(VOXELS):
        first[v + 1] += first[v]
    _sort_lists(first, voxels, owners, index, n)
    return 0

cdef double _mean(const double* voxels, int cube) noexcept nogil:
    """The mean over the 2^3 voxels of a cube of a tile, added up in their order."""
    cdef int first = 128 * (cube // 16) + 16 * (cube // 4 % 4) + 2 * (cube % 4), i
    cdef double total = 0.0
    for i in range(8):
        total += voxels[first + 64 * (i >> 2) + 8 * (i >> 1 & 1) + (i & 1)]
    return total / 8.0


cdef void _sort_lists(int32_t* first, const uint16_t[::1] voxels, const int32_t[::1] owners, int32_t[::1] index,
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
              const float[::1] shares not None, const int32_t[::1] near not None, double edge, double reach,
              const double[:, ::1] walls not None, float[:, :, ::1] supply not None, float[:, :, ::1] coarse not None,
              int32_t[::1] first not None, uint16_t[::1] voxels not None, int32_t[::1] owners not None,
              int32_t[::1] index not None, Py_ssize_t t):
    """Fill `supply` (tile, field, voxel), `coarse` (tile, field, cube of 2^3 voxels), `first`, `index` of the tiles
    from row t on; segments near[t]:near[t + 1].

    Returns the row of a tile that lacks room, which was not done: with larger arrays, the caller goes on there; else
    the number of tiles. The list of a tile begins at ``first[512 t]``, which the caller sets for the first one.
    `walls`: for each row of supply and then of coarse, MOST_WALLS at most, permeability of the wall, diffusion in
    tissue, and 1 if the exchange counts by the `shares` of the segments, else 0. With a negative reach there are no
    lists.
    `voxels`, `owners` are scratch with room for the lists of one tile and 512 entries more, `index` for those of all.
    """
    cdef int n_walls = <int>walls.shape[0], n_fine = <int>supply.shape[1]
    cdef const wall_t* each = <const wall_t*>&walls[0, 0] if n_walls else NULL
    if walls.shape[0] > MOST_WALLS or walls.shape[1] != 3 or n_fine + coarse.shape[1] != n_walls or (
            supply.shape[2] != VOXELS or coarse.shape[2] != COARSE):
        raise ValueError(f"{n_walls} walls, {n_fine} and {coarse.shape[1]} fields to be supplied: at most {MOST_WALLS}")
    if shares.shape[0] != segments.shape[0]:
        raise ValueError(f"{segments.shape[0]} segments with {shares.shape[0]} shares")
    cdef float none
    with nogil:
        while t < tiles.shape[0] and not _map_tile(&tiles[t, 0], segments, shares, near[t], near[t + 1], edge,
                                                   reach, each, n_walls, n_fine,
                                                   &supply[t, 0, 0] if n_fine else &none,
                                                   &coarse[t, 0, 0] if n_fine < n_walls else &none,
                                                   &first[t * VOXELS], voxels, owners, index):
            t += 1
    return t


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
        line = line_of(&segments[i])
        o[i] = box_distance2(line.a, line.d, &low[i, 0], edge)
    return out
