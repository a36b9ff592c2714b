# What the cells of each voxel secrete: their weights, added up as integers, so that their order has no meaning.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

from _types cimport cell_t


cdef void _add(const cell_t* cells, const uint16_t* counts, const uint8_t* clone, Py_ssize_t clones,
               const uint8_t* emt, uint8_t bits, uint32_t* sums) noexcept nogil:
    """One tile: of each cell that has all of `bits`, clone weight x emt weight / 255, rounded."""
    cdef Py_ssize_t v, at = 0, end
    cdef uint32_t total
    for v in range(512):
        total, end = 0, at + counts[v]
        while at < end:
            if cells[at].traits.bits & bits == bits and cells[at].traits.clone < clones:
                total += (<uint32_t>clone[cells[at].traits.clone] * emt[cells[at].traits.emt] + 127) / 255
            at += 1
        sums[v] = total


def moments(const cell_t[::1] cells not None, const int64_t[::1] start not None, const int32_t[::1] n not None,
            const uint16_t[:, ::1] counts not None, const uint8_t[::1] clone not None, const uint8_t[::1] emt not None,
            uint8_t bits, uint32_t[:, ::1] sums not None):
    """Fill ``sums``, the weights (0..255) of the cells of each voxel of the tiles.

    The weight of a cell is the product of those of its clone and of its emt byte (256 of them) over 255, rounded, and 0
    if it lacks one of `bits` or its clone has none. Raises ValueError if the arrays do not fit together.
    """
    cdef Py_ssize_t t, v, tiles = sums.shape[0]
    cdef int64_t total
    if tiles == 0:
        return
    if emt.shape[0] != 256 or clone.shape[0] < 1 or (
            start.shape[0] < tiles or n.shape[0] < tiles or counts.shape[0] < tiles):
        raise ValueError(f"{tiles} tiles do not fit {n.shape[0]} tiles of cells and {counts.shape[0]} of counts")
    for t in range(tiles):
        total = 0
        for v in range(512):
            total += counts[t, v]
        if total != n[t] or (total and not 0 <= start[t] <= cells.shape[0] - total):
            raise ValueError(f"tile {t} has {n[t]} cells, and its voxels {total}")
    with nogil:
        for t in range(tiles):
            if n[t]:
                _add(&cells[start[t]], &counts[t, 0], &clone[0], clone.shape[0], &emt[0], bits, &sums[t, 0])
            else:
                for v in range(512):
                    sums[t, v] = 0
