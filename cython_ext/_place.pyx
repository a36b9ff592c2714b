"""The first cells of a tumor: so many per voxel, anywhere in it, with traits drawn independently."""
from libc.stdint cimport uint16_t, uint32_t, uint64_t

from _names cimport same_names
from _random cimport DRAW_PLACE, draw
from _types cimport cell_t, traits_t

cdef struct place_t:
    uint64_t seed
    uint32_t motile            # a cell is motile if 16 random bits are below it: share * 65536
    double adhesion_mean, adhesion_spread


cdef inline int adhesion_of(uint32_t r, const place_t* p) noexcept nogil:
    """Mean plus spread times a sum of four random bytes (nearly normal), cut to 0..255."""
    cdef int total = (r & 255) + (r >> 8 & 255) + (r >> 16 & 255) + (r >> 24)
    cdef double a = 255.0 * (p.adhesion_mean + p.adhesion_spread * (total - 510) / 147.8) + 0.5
    return 0 if a < 0.0 else 255 if a >= 255.0 else <int>a


cdef Py_ssize_t fill(cell_t* cells, uint64_t key, const uint16_t* counts, const place_t* p) except -1 nogil:
    cdef uint32_t r[4]
    cdef Py_ssize_t i = 0
    cdef int v, k
    for v in range(512):
        for k in range(counts[v]):
            draw(p.seed, DRAW_PLACE, key, 512 * <uint32_t>k + <uint32_t>v, r)
            cells[i].x, cells[i].y = <uint16_t>r[0], <uint16_t>(r[0] >> 16)
            cells[i].z = <uint16_t>r[1]
            cells[i].traits = traits_t(clone=0, emt=255 if (r[2] & 0xffff) < p.motile else 0,
                                       adhesion=adhesion_of(r[3], p), bits=0, flags=0)
            i += 1
    return i


def place(cell_t[::1] cells not None, uint64_t key, const uint16_t[::1] counts not None, dict params not None):
    """Fill the block of a tile with ``counts[v]`` cells in each of its 512 voxels; how many it were."""
    cdef place_t p = params
    cdef Py_ssize_t total = 0, v
    same_names(params, p)
    for v in range(counts.shape[0]):
        total += counts[v]
    if counts.shape[0] != 512 or total > cells.shape[0]:
        raise ValueError(f"{total} cells do not fit into {cells.shape[0]} records")
    if total == 0:
        return 0
    with nogil:
        total = fill(&cells[0], key, &counts[0], &p)
    return total
