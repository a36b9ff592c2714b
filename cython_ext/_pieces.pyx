# Pieces of vessels that live: which of them are near a tile, how far blood has come to them, and the chances of what
# happens to them.
from libc.math cimport INFINITY, exp, expm1
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from _geometry cimport SLACK, box_distance2, least, most, segment_t
from _line cimport SIDE, line_of, line_t
from _random cimport normal

cdef enum:
    AROUND = 27               # a tile and those around it


cdef inline bint _near(const segment_t* s, const double* low, double side, double margin) noexcept nogil:
    """Does the wall of a vessel come within `margin` of the cube? Its bounding box decides most cases."""
    cdef double reach = s.radius + margin + SLACK
    cdef line_t line
    if (most(s.ax, s.bx) < low[0] - reach or least(s.ax, s.bx) > low[0] + side + reach
            or most(s.ay, s.by) < low[1] - reach or least(s.ay, s.by) > low[1] + side + reach
            or most(s.az, s.bz) < low[2] - reach or least(s.az, s.bz) > low[2] + side + reach):
        return False
    line = line_of(s)
    return box_distance2(line.a, line.d, low, side) <= reach * reach


def near_tiles(const int32_t[:, ::1] tiles not None, const int64_t[:, ::1] around not None,
               const int64_t[::1] first not None, const segment_t[::1] segments not None, double edge, double margin,
               int32_t[::1] index not None, int32_t[::1] near not None):
    """Perfused segments of the 27 rows around each tile whose wall comes within `margin` of it.

    Segments of row r are ``first[r]:first[r + 1]``; row -1 has none. Those found for tile t are
    ``index[near[t]:near[t + 1]]``, in the order of `around` and of the rows. Returns how many there are in all: if more
    than `index` holds, it was not filled.
    """
    cdef Py_ssize_t t, n = 0
    cdef int64_t s, row
    cdef int k
    cdef double side = SIDE * edge
    cdef double low[3]
    near[0] = 0
    with nogil:
        for t in range(tiles.shape[0]):
            for k in range(3):
                low[k] = tiles[t, k] * side
            for k in range(AROUND):
                row = around[t, k]
                if row < 0:
                    continue
                for s in range(first[row], first[row + 1]):
                    if segments[s].perfused and _near(&segments[s], low, side, margin):
                        if n < index.shape[0]:
                            index[n] = <int32_t>s
                        n += 1
            near[t + 1] = <int32_t>n
    return n


cdef inline bint _lower(float* value, float by, double price) noexcept nogil:
    """Lower a value to another one and a price, if that is less."""
    cdef float other = <float>(<double>by + price)
    if not other < value[0]:
        return False
    value[0] = other
    return True


def pass_on(const int64_t[:, ::1] node not None, const int64_t[:, ::1] links not None,
            const double[::1] price not None, const uint8_t[::1] acts not None, float[::1] value not None,
            float[::1] lowest not None):
    """Lower the values of pieces to those of pieces that they are joined to and their own price, until none is lower.

    Piece i has two ends, the nodes ``node[i]``; pieces with a common node are joined, and so are those of a row of
    `links`. Those from ``len(price)`` on, and those that do not act, keep their values. `lowest` is scratch, one for
    each node. The end does not depend on the order, as no step takes a value up. Returns whether any was lowered.
    """
    cdef Py_ssize_t i, j, k, n = price.shape[0]
    cdef bint changed = True, any_change = False, backward = False
    with nogil:
        for k in range(lowest.shape[0]):
            lowest[k] = INFINITY
        for i in range(value.shape[0]):
            for k in range(2):
                lowest[node[i, k]] = min(lowest[node[i, k]], value[i])
        while changed:
            changed = False
            for i in range(links.shape[0]):
                for k in range(2):
                    if links[i, k] < n and acts[links[i, k]]:
                        changed |= _lower(&value[links[i, k]], value[links[i, 1 - k]], price[links[i, k]])
            for j in range(n):
                i = n - 1 - j if backward else j
                if acts[i]:
                    changed |= _lower(&value[i], min(lowest[node[i, 0]], lowest[node[i, 1]]), price[i])
                for k in range(2):
                    lowest[node[i, k]] = min(lowest[node[i, k]], value[i])
            any_change |= changed
            backward = not backward
    return any_change


def exponentials(const double[::1] x not None, double[::1] out not None):
    """exp(x[i]) of the C library, which Python's math module repeats bit for bit."""
    cdef Py_ssize_t i
    with nogil:
        for i in range(x.shape[0]):
            out[i] = exp(x[i])


def chances(const double[::1] mean not None, double[::1] out not None):
    """1 - exp(-mean[i]): the chance that anything happens of what happens mean[i] times on average."""
    cdef Py_ssize_t i
    with nogil:
        for i in range(mean.shape[0]):
            out[i] = -expm1(-mean[i])


def normals(const uint32_t[:, ::1] words not None, double[::1] out not None):
    """A draw from the standard normal law from each pair of words."""
    cdef Py_ssize_t i
    with nogil:
        for i in range(words.shape[0]):
            out[i] = normal(words[i, 0], words[i, 1])
