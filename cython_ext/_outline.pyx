# The outline of the tumor: sums over neighbors, connected masses, and distances from them, tile by tile.
#
# All in integers, and each number is that of the whole set of voxels: the order of tiles does not show. Row t of
# `neighbors` has the tiles at the faces of tile t, -x, +x, -y, +y, -z, +z: -1 none, ghosts from the number of tiles on.
import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    VOXELS = 512
    SIDE = 8                  # voxels along the edge of a tile
    LINES = 64                # of voxels along an axis: as many as a face has voxels
    NONE = -1                 # no mass
    NUMBERED = -2             # NUMBERED - k: the k-th mass, while masses are being numbered
    LARGEST = 32767           # squared distance of what nothing was found near [voxels^2]

FAR = LARGEST
MOST_VOXELS = 2**31 - 1       # of a rank, since masses are linked by the numbers of their voxels

cdef inline int line_start(int axis, int i) noexcept nogil:
    """The first voxel of line i along an axis, also its place at the faces across that axis."""
    return 8 * i if axis == 0 else ((i & 0x38) << 3 | i & 7 if axis == 1 else i)

cdef inline int stride_of(int axis) noexcept nogil:
    return 1 if axis == 0 else (8 if axis == 1 else 64)


# --- sums ------------------------------------------------------------------------------------------------

cdef void _add_line(const uint32_t* here, uint32_t* total, uint32_t before, uint32_t after, int stride,
                    int along) noexcept nogil:
    """Each value of a line and the two beside it; `before` and `after` are beside the ends."""
    cdef int k
    cdef uint32_t now = here[0], next
    for k in range(along):
        next = here[(k + 1) * stride] if k + 1 < along else after
        total[k * stride] = before + now + next
        before, now = now, next


cdef int _line_of(int axis, int i, int along) noexcept nogil:
    """The first value of line i along an axis, of so many along the edge of a tile."""
    return along * i if axis == 0 else (i // along * along * along + i % along if axis == 1 else i)


def add_neighbors(const uint32_t[:, ::1] values not None, uint32_t[:, ::1] totals not None,
                  const int32_t[:, ::1] neighbors not None, int axis):
    """Fill `totals` of the tiles: of each value the sum of it and those beside it along an axis, 0 for no tile.

    A tile has 8^3, 4^3 or 2^3 values. Three axes one after the other add up cubes of 3 x 3 x 3.
    """
    cdef Py_ssize_t t
    cdef int32_t low, high
    cdef int along = 8 if values.shape[1] == VOXELS else (4 if values.shape[1] == 64 else 2)
    cdef int i, at, stride = 1 if axis == 0 else (along if axis == 1 else along * along), last = (along - 1) * stride
    with nogil:
        for t in range(neighbors.shape[0]):
            low, high = neighbors[t, 2 * axis], neighbors[t, 2 * axis + 1]
            for i in range(along * along):
                at = _line_of(axis, i, along)
                _add_line(&values[t, at], &totals[t, at], values[low, at + last] if low >= 0 else 0,
                          values[high, at] if high >= 0 else 0, stride, along)


# --- masses ----------------------------------------------------------------------------------------------

cdef inline int32_t root(int32_t* parent, int32_t i) noexcept nogil:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i

cdef inline void unite(int32_t* parent, int32_t i, int32_t j) noexcept nogil:
    """The smaller of two roots becomes that of both, so a parent is never larger than its child."""
    i, j = root(parent, i), root(parent, j)
    if i < j:
        parent[j] = i
    else:
        parent[i] = j

cdef void _link_tile(const uint8_t* mask, int32_t* parent, int32_t base) noexcept nogil:
    """Link the voxels of a tile. What the voxel before along x has linked already is not linked again."""
    cdef int v
    cdef bint after
    for v in range(VOXELS):
        parent[base + v] = NONE
        if not mask[v]:
            continue
        after = v & 7 and mask[v - 1]
        parent[base + v] = parent[base + v - 1] if after else base + v
        if v & 0x38 and mask[v - 8] and not (after and mask[v - 9]):
            unite(parent, base + v, base + v - 8)
        if v & 0x1C0 and mask[v - 64] and not (after and mask[v - 65]):
            unite(parent, base + v, base + v - 64)

cdef bint _is_full(const uint8_t* mask) noexcept nogil:
    cdef int v, n = 0
    for v in range(VOXELS):
        n += mask[v] != 0
    return n == VOXELS

cdef void _link_faces(const uint8_t* mask, int32_t* parent, int32_t t, int32_t other, int axis,
                      bint full) noexcept nogil:
    """Link a tile with the next one along an axis; `full`: one link is enough."""
    cdef int i, at, last = 7 * stride_of(axis)
    cdef int32_t a, b
    for i in range(1 if full else LINES):
        at = line_start(axis, i)
        a, b = VOXELS * t + at + last, VOXELS * other + at
        if mask[a] and mask[b]:
            unite(parent, a, b)

cdef int32_t _number(int32_t* parent, int64_t n) noexcept nogil:
    """Put the number of its mass in the place of each voxel's parent; how many masses there are."""
    cdef int64_t i
    cdef int32_t found = 0
    for i in range(n):
        if parent[i] == i:
            parent[i] = NUMBERED - found
            found += 1
        elif parent[i] >= 0:
            parent[i] = parent[parent[i]]       # smaller, so it has its number already
    for i in range(n):
        parent[i] = NUMBERED - parent[i] if parent[i] <= NUMBERED else NONE
    return found


def label(const uint8_t[:, ::1] mask not None, const int32_t[:, ::1] neighbors not None,
          int32_t[:, ::1] labels not None):
    """Number the masses of the tiles of a rank: voxels of `mask` that are joined by faces. Returns how many there are.

    Fills `labels` of the tiles, -1 where no mass is. The numbers follow the order of the rows.
    """
    cdef Py_ssize_t tiles = neighbors.shape[0], t
    cdef int axis
    cdef int32_t other
    cdef int32_t* parent
    if tiles * VOXELS > MOST_VOXELS or mask.shape[0] < tiles or labels.shape[0] < tiles:
        raise ValueError(f"{tiles} tiles, a mask of {mask.shape[0]}, labels of {labels.shape[0]}")
    if tiles == 0:
        return 0
    cdef uint8_t[::1] full = np.empty(tiles, np.uint8)
    parent = &labels[0, 0]
    with nogil:
        for t in range(tiles):
            full[t] = _is_full(&mask[t, 0])
            if full[t]:
                for axis in range(VOXELS):
                    parent[VOXELS * t + axis] = <int32_t>(VOXELS * t)
            else:
                _link_tile(&mask[t, 0], parent, <int32_t>(VOXELS * t))
        for t in range(tiles):
            for axis in range(3):
                other = neighbors[t, 2 * axis + 1]
                if 0 <= other < tiles:
                    _link_faces(&mask[0, 0], parent, <int32_t>t, other, axis, full[t] and full[other])
        other = _number(parent, tiles * VOXELS)
    return other


def measure(const int32_t[:, ::1] labels not None, const uint8_t[:, ::1] marks not None,
            const uint64_t[::1] keys not None, int64_t[::1] size not None, int64_t[::1] marked not None,
            uint64_t[::1] key not None, int32_t[::1] voxel not None):
    """Of each mass its voxels, how many are marked, and the first of them by curve key of the tile and voxel.

    Everything is added to: `size` and `marked` begin with 0, `key` with the largest there is.
    """
    cdef Py_ssize_t t
    cdef int v, first, n
    cdef int32_t k
    with nogil:
        for t in range(keys.shape[0]):
            v = 0
            while v < VOXELS:
                k, first, n = labels[t, v], v, 0
                while v < VOXELS and labels[t, v] == k:     # a run of one mass
                    n += marks[t, v] != 0
                    v += 1
                if k < 0:
                    continue
                size[k] += v - first
                marked[k] += n
                if keys[t] < key[k]:
                    key[k], voxel[k] = keys[t], first


def select(const int32_t[:, ::1] labels not None, const uint8_t[::1] chosen not None,
           uint8_t[:, ::1] mask not None):
    """Fill `mask`: 1 for the voxels of masses that are chosen, of which there is one entry each, and 0 for others."""
    cdef Py_ssize_t t
    cdef int v
    with nogil:
        for t in range(mask.shape[0]):
            for v in range(VOXELS):
                mask[t, v] = labels[t, v] >= 0 and chosen[labels[t, v]] != 0


def join(int32_t[::1] parent not None, const int32_t[::1] a not None, const int32_t[::1] b not None):
    """Unite a[i] with b[i]: `parent`, which begins as 0, 1, 2, ..., becomes the least member of the set of each."""
    cdef Py_ssize_t i
    if parent.shape[0] == 0:
        return
    with nogil:
        for i in range(a.shape[0]):
            unite(&parent[0], a[i], b[i])
        for i in range(parent.shape[0]):
            parent[i] = parent[parent[i]]


# --- distances -------------------------------------------------------------------------------------------

cdef uint16_t _spread_line(uint16_t* d, uint16_t before, uint16_t after, int stride, uint16_t step) noexcept nogil:
    """The least of each voxel of a line and those beside it plus `step`; the largest of them then."""
    cdef int k
    cdef uint16_t now = d[0], next, least, most = 0
    for k in range(SIDE):
        next = d[(k + 1) * stride] if k + 1 < SIDE else after
        least = (before if before < next else next) + step
        least = least if least < now else now
        d[k * stride] = least
        most = least if least > most else most
        before, now = now, next
    return most

cdef void _keep_faces(const uint16_t* d, uint16_t* faces, int axis) noexcept nogil:
    """The two faces of a tile across an axis, as they are before they change."""
    cdef int i, at, last = 7 * stride_of(axis)
    for i in range(LINES):
        at = line_start(axis, i)
        faces[i], faces[LINES + i] = d[at], d[at + last]

cdef bint _any_near(const uint16_t* low, const uint16_t* high) noexcept nogil:
    """Has anything of two faces been reached?"""
    cdef int i
    cdef uint16_t least = LARGEST
    for i in range(LINES):
        least = low[i] if low[i] < least else least
        least = high[i] if high[i] < least else least
    return least < LARGEST

cdef uint16_t _spread_tile(uint16_t* d, const uint16_t* low, const uint16_t* high, int axis,
                           uint16_t step) noexcept nogil:
    """All lines of a tile along an axis; the largest voxel then."""
    cdef int i, stride = stride_of(axis)
    cdef uint16_t line, most = 0
    for i in range(LINES):
        line = _spread_line(d + line_start(axis, i), low[i], high[i], stride, step)
        most = line if line > most else most
    return most


def spread(uint16_t[:, ::1] squared not None, uint8_t[::1] reached not None, uint16_t[::1] most not None,
           uint16_t[:, ::1] faces not None, const int32_t[:, ::1] neighbors not None, int axis, uint16_t step,
           uint16_t beyond):
    """One pass along an axis: of each voxel the least of what it has and what those beside it have plus `step`.

    With ``step = 2 k - 1`` in round k, each along three axes, n rounds leave the exact squared distance to the nearest
    voxel that began with 0, wherever that lies at most n voxels away along each axis: steps 1, 3, 5, ... along an axis
    add up to squares. Kept for each tile: `reached`, is anything in it below FAR, and `most`, the largest in it.
    `faces`: scratch (rows, 128); `beyond`: where no tile is.
    """
    cdef Py_ssize_t t, tiles = neighbors.shape[0]
    cdef int side
    cdef int32_t other
    cdef uint16_t outer[LINES]
    cdef const uint16_t* beside[2]
    for side in range(LINES):
        outer[side] = beyond
    with nogil:
        for t in range(squared.shape[0]):
            _keep_faces(&squared[t, 0], &faces[t, 0], axis)
        for t in range(tiles):
            if most[t] <= step:
                continue                        # whoever is nearer than a step gains nothing
            for side in range(2):
                other = neighbors[t, 2 * axis + side]
                beside[side] = &outer[0] if other < 0 else &faces[other, LINES * (1 - side)]
            if reached[t] or _any_near(beside[0], beside[1]):
                reached[t] = 1
                most[t] = _spread_tile(&squared[t, 0], beside[0], beside[1], axis, step)
