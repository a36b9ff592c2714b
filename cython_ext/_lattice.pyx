# The generated vessel network: a jittered cubic lattice without end. Every node and edge is a pure
# function of the seed and its place, so a tile asks only for its own neighborhood.
from libc.math cimport ceil, cos, exp, floor, log, sin, sqrt
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from _geometry cimport SLACK, box_distance2, least, most, segment_t
from _names cimport same_names
from _random cimport DRAW_NODE, DRAW_SEGMENT, draw, unit32

cdef int64_t SIDE = 8         # voxels along the edge of a tile
cdef double TWO_PI = 6.283185307179586

cdef struct lattice_t:        # filled by name from network_lattice.Lattice
    double spacing            # [um] between nodes
    double jitter             # a node moves by at most this share of the spacing, along each axis
    double drop               # share of missing edges
    double radius             # [um] median
    double radius_spread      # standard deviation of ln(radius)
    double radius_limit       # [um] no wider: bounds how far a tile must look
    double maturity_mean, maturity_spread
    uint64_t seed

cdef struct box_t:
    double low[3]
    double high[3]


cdef inline uint64_t _node_key(int64_t i, int64_t j, int64_t k) noexcept nogil:
    """21 bits for each index, so that a lattice of 100 um spans 200 m."""
    cdef int64_t origin = 1 << 20, mask = (1 << 21) - 1
    return <uint64_t>((i + origin & mask) | (j + origin & mask) << 21 | (k + origin & mask) << 42)

cdef inline void _place_node(const lattice_t* p, int64_t i, int64_t j, int64_t k, double* out) noexcept nogil:
    """Lattice place plus a uniform displacement of at most jitter x spacing along each axis [um]."""
    cdef uint32_t r[4]
    draw(p.seed, DRAW_NODE, _node_key(i, j, k), 0, r)
    out[0] = (i + p.jitter * (2.0 * unit32(r[0]) - 1.0)) * p.spacing
    out[1] = (j + p.jitter * (2.0 * unit32(r[1]) - 1.0)) * p.spacing
    out[2] = (k + p.jitter * (2.0 * unit32(r[2]) - 1.0)) * p.spacing

cdef inline bint _draw_vessel(const lattice_t* p, uint64_t node, uint32_t axis, segment_t* s) noexcept nogil:
    """Present or not; radius lognormal, maturity normal, both cut (the two normals of Box and Muller 1958)."""
    cdef uint32_t r[4]
    cdef double size, angle
    draw(p.seed, DRAW_SEGMENT, node, axis, r)
    if unit32(r[0]) < p.drop:
        return False
    size = sqrt(-2.0 * log(unit32(r[1])))
    angle = TWO_PI * unit32(r[2])
    s.radius = <float>least(p.radius * exp(p.radius_spread * (size * cos(angle))), p.radius_limit)
    s.maturity = <float>least(most(p.maturity_mean + p.maturity_spread * (size * sin(angle)), 0.0), 1.0)
    s.perfused = 1
    s.pad1 = s.pad2 = s.pad4 = 0
    return True

cdef inline bint _near(const double* a, const double* b, const box_t* box, double margin) noexcept nogil:
    """Does the bounding box of the segment come within `margin` of the box?"""
    cdef int k
    for k in range(3):
        if most(a[k], b[k]) < box.low[k] - margin or least(a[k], b[k]) > box.high[k] + margin:
            return False
    return True

cdef inline bint _touches(const double* a, const double* b, const box_t* box, double margin) noexcept nogil:
    """Does the segment itself come within `margin` of the box, a cube?"""
    cdef double d[3]
    d[0], d[1], d[2] = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    return box_distance2(a, d, box.low, box.high[0] - box.low[0]) <= margin * margin

cdef box_t _tile_box(const int32_t* tile, double edge) noexcept nogil:
    cdef box_t box
    cdef int k
    for k in range(3):
        box.low[k] = <double>tile[k] * SIDE * edge
        box.high[k] = (<double>tile[k] + 1.0) * SIDE * edge
    return box

cdef inline int64_t _nodes(const lattice_t* p, const box_t* box, double margin, int64_t* start,
                           int64_t* count) noexcept nogil:
    """Indices of the nodes from which an edge can come within `margin` of the box; how many."""
    cdef int k
    for k in range(3):
        start[k] = <int64_t>floor((box.low[k] - margin) / p.spacing - 1.0 - p.jitter)
        count[k] = <int64_t>ceil((box.high[k] + margin) / p.spacing + p.jitter) + 1 - start[k]
    return (count[0] + 1) * (count[1] + 1) * (count[2] + 1)

cdef void _place_nodes(const lattice_t* p, const int64_t* start, const int64_t* count,
                       double[:, ::1] nodes) noexcept nogil:
    """Nodes from `start`, one more along each axis than `count`; x runs fastest."""
    cdef int64_t u, v, w, row = 0
    for w in range(count[2] + 1):
        for v in range(count[1] + 1):
            for u in range(count[0] + 1):
                _place_node(p, start[0] + u, start[1] + v, start[2] + w, &nodes[row, 0])
                row += 1

cdef inline bint _edge(const lattice_t* p, uint64_t node, uint32_t axis, const double* a, const double* b,
                       const box_t* box, double margin, double widest, segment_t* s) noexcept nogil:
    """Is there a vessel from a to b near the box? Fills `s`. What is too far is not even drawn."""
    if not _near(a, b, box, widest) or not _draw_vessel(p, node, axis, s):
        return False
    s.ax, s.ay, s.az = a[0], a[1], a[2]
    s.bx, s.by, s.bz = b[0], b[1], b[2]
    return _touches(a, b, box, margin + s.radius + SLACK)

cdef Py_ssize_t _lattice_tile(const lattice_t* p, const box_t* box, double margin, double[:, ::1] nodes,
                              segment_t[::1] out, Py_ssize_t n) except -1 nogil:
    """Append the segments near one tile, in the order (k, j, i, axis) of their nodes."""
    cdef double widest = margin + p.radius_limit
    cdef int64_t start[3]
    cdef int64_t count[3]
    cdef int64_t step[3]
    cdef int64_t u, v, w, row, room = _nodes(p, box, widest, start, count)
    cdef uint32_t axis
    if room > nodes.shape[0] or n + 3 * room > out.shape[0]:
        raise ValueError("too little room for the lattice near a tile")
    step[0], step[1], step[2] = 1, count[0] + 1, (count[0] + 1) * (count[1] + 1)
    _place_nodes(p, start, count, nodes)
    for w in range(count[2]):
        for v in range(count[1]):
            for u in range(count[0]):
                row = w * step[2] + v * step[1] + u
                for axis in range(3):
                    n += _edge(p, _node_key(start[0] + u, start[1] + v, start[2] + w), axis, &nodes[row, 0],
                               &nodes[row + step[axis], 0], box, margin, widest, &out[n])
    return n


def lattice_room(dict params not None, double edge, double margin):
    """At most how many nodes a tile looks at; three times as many segments are room enough."""
    cdef lattice_t p = params
    cdef double span = SIDE * edge + 2.0 * (margin + p.radius_limit)
    cdef int64_t side = <int64_t>ceil(span / p.spacing + 2.0 * p.jitter) + 5
    same_names(params, p)
    return side ** 3


def lattice_segments(dict params not None, const int32_t[:, ::1] tiles not None, double edge, double margin,
                     double[:, ::1] nodes not None, segment_t[::1] out not None, int32_t[::1] first not None):
    """Segments near each tile: of tile t in rows ``first[t]:first[t + 1]`` of `out`; how many in all."""
    cdef lattice_t p = params
    cdef Py_ssize_t t, n = 0
    cdef box_t box
    same_names(params, p)
    first[0] = 0
    with nogil:
        for t in range(tiles.shape[0]):
            box = _tile_box(&tiles[t, 0], edge)
            n = _lattice_tile(&p, &box, margin, nodes, out, n)
            first[t + 1] = <int32_t>n
    return n
