# Pieces of vessels that live: which of them are near a tile, how far blood has come to them, and the chances of what
# happens to them.
from libc.math cimport INFINITY, exp, expm1
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from _geometry cimport SLACK, box_distance2, least, most, segment_t
from _line cimport SIDE, line_of, line_t
from _random cimport normal

cdef enum:
    AROUND = 27               # a tile and those around it
    NOT_SEEN = 1 << 30        # a mask that is not made yet: none has this bit

UNSEEN = NOT_SEEN             # for Python


cdef uint32_t _boxed(const segment_t* s, const int32_t* tile, int row, double side, double margin) noexcept nogil:
    """Which tiles round its own come within `margin` of a perfused segment's box: bits in the order of the offsets.

    Its own tile is at offset `row` from `tile`.
    """
    cdef double reach = s.radius + margin + SLACK
    cdef double low[3]
    cdef double high[3]
    cdef uint32_t may[3]                                        # by axis, bits by offset
    cdef uint32_t found = 0
    cdef double plane
    cdef int k, axis, own, power = 1
    if not s.perfused:
        return 0
    low[0], low[1], low[2] = least(s.ax, s.bx), least(s.ay, s.by), least(s.az, s.bz)
    high[0], high[1], high[2] = most(s.ax, s.bx), most(s.ay, s.by), most(s.az, s.bz)
    for axis in range(3):
        own, may[axis] = tile[axis] + row // power % 3 - 1, 0
        power *= 3
        for k in range(3):
            plane = (own + k - 1) * side
            may[axis] |= <uint32_t>(high[axis] >= plane - reach and low[axis] <= plane + side + reach) << k
    for k in range(9):
        if may[1] >> k % 3 & 1 and may[2] >> k // 3 & 1:
            found |= may[0] << 3 * k
    return found


cdef inline bint _near(const segment_t* s, const double* low, double side, double margin) noexcept nogil:
    """Does the wall of a vessel come within `margin` of the cube?"""
    cdef double reach = s.radius + margin + SLACK
    cdef line_t line = line_of(s)
    return box_distance2(line.a, line.d, low, side) <= reach * reach


def near_tiles(const int32_t[:, ::1] tiles not None, const int64_t[:, ::1] around not None,
               const int64_t[::1] first not None, const segment_t[::1] segments not None, double edge, double margin,
               uint32_t[::1] masks not None, int32_t[::1] index not None, int32_t[::1] near not None):
    """Perfused segments of the 27 rows around each tile whose wall comes within `margin` of it.

    A row is the tile at one place: ``around[t, k]`` is that beside tile t at the k-th offset, x first, or -1. Its
    segments are ``first[r]:first[r + 1]``. `masks` keep to which of the tiles round its own the box of a segment is
    near: UNSEEN at first, found when it is first met, good for the same segments and margin. Those found for tile t are
    ``index[near[t]:near[t + 1]]``, in the order of `around` and of the rows. Returns how many there are in all: if more
    than `index` holds, it was not filled.
    """
    cdef Py_ssize_t t, n = 0
    cdef int64_t s, row
    cdef int k
    cdef uint32_t bit
    cdef double side = SIDE * edge
    cdef double low[3]
    if masks.shape[0] != segments.shape[0]:
        raise ValueError(f"{masks.shape[0]} masks of {segments.shape[0]} segments")
    near[0] = 0
    with nogil:
        for t in range(tiles.shape[0]):
            for k in range(3):
                low[k] = tiles[t, k] * side
            for k in range(AROUND):
                row = around[t, k]
                if row < 0:
                    continue
                bit = <uint32_t>1 << (AROUND - 1 - k)           # the tile, as seen from that row
                for s in range(first[row], first[row + 1]):
                    if masks[s] == NOT_SEEN:
                        masks[s] = _boxed(&segments[s], &tiles[t, 0], k, side, margin)
                    if masks[s] & bit and _near(&segments[s], low, side, margin):
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


def firsts(const uint64_t[::1] keys not None, int64_t[::1] table not None, int64_t[::1] first not None):
    """Fill `first` with the first row that has the same key, for each row.

    `table` is scratch of -1, more than there are keys, and a power of two (open addressing): keys whose low bits are
    spread evenly are found fast.
    """
    cdef Py_ssize_t i
    cdef uint64_t at, last = <uint64_t>table.shape[0] - 1
    if table.shape[0] <= keys.shape[0] or table.shape[0] & last or first.shape[0] != keys.shape[0]:
        raise ValueError(f"a table of {table.shape[0]} for {keys.shape[0]} keys")
    with nogil:
        for i in range(keys.shape[0]):
            at = keys[i] & last
            while table[at] >= 0 and keys[table[at]] != keys[i]:
                at = (at + 1) & last
            if table[at] < 0:
                table[at] = i
            first[i] = table[at]


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
