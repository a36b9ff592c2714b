"""Interventions that take cells at once: who of a tile is gone, and who of a lesion.

Whether a cell of the tissue is hit depends on its record and voxel, with a key made of the seed, the tile and the
number of the event: on nothing else, so neither on the order in memory nor on the ranks. Survivors keep their order.
"""
import numpy as np

from libc.math cimport INFINITY, exp, sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from _binomial cimport binomial
from _geometry cimport place_of
from _names cimport same_names
from _random cimport DRAW_IRRADIATE, DRAW_RESECT, draw, philox4x32, unit52
from _types cimport CLEARED, cell_t, lesion_t

cdef struct beam_t:            # a fraction of radiation, filled by name from model.interventions
    double dose_Gy, alpha_per_Gy, beta_per_Gy2
    double enhancement, oxygen_half_mmHg   # m and K of the dose that counts, d (m P + K) / (m (P + K))


cdef inline double survival(const beam_t* beam, double oxygen) noexcept nogil:
    """Of one cell: exp(-alpha d - beta d^2)."""
    cdef double m = beam.enhancement, half = beam.oxygen_half_mmHg
    cdef double d = beam.dose_Gy * ((m * oxygen + half) / (m * (oxygen + half)))
    return exp(-(beam.alpha_per_Gy * d + beam.beta_per_Gy2 * d * d))


cdef inline uint64_t key_of(uint64_t seed, uint32_t use, uint64_t tile, uint32_t number) noexcept nogil:
    cdef uint32_t r[4]
    draw(seed, use, tile, number, r)
    return <uint64_t>r[1] << 32 | r[0]


cdef inline double chance(const cell_t* c, int v, uint64_t key) noexcept nogil:
    """The number in (0, 1) of a cell, from 52 bits."""
    cdef uint32_t counter[4]
    cdef uint32_t r[4]
    memcpy(counter, c, sizeof(cell_t))
    counter[3] = <uint32_t>v
    philox4x32(counter, key, r)
    return unit52(r[0], r[1])


cdef int32_t keep(cell_t* cells, uint16_t* counts, const uint8_t* stays) noexcept nogil:
    """Close the gaps that those leave who do not stay; returns how many cells are left."""
    cdef int32_t i = 0, to = 0
    cdef int v, n, _
    for v in range(512):
        n = counts[v]
        for _ in range(n):
            if stays[i]:
                cells[to] = cells[i]
                to += 1
            else:
                counts[v] -= 1
            i += 1
    return to


cdef void spare(const cell_t* cells, const uint16_t* counts, const double* share, uint64_t key,
                uint8_t* stays) noexcept nogil:
    """Each cell of voxel v stays with probability share[v]."""
    cdef Py_ssize_t i = 0
    cdef int v, _
    for v in range(512):
        for _ in range(counts[v]):
            stays[i] = chance(&cells[i], v, key) < share[v]
            i += 1


cdef void outside(const cell_t* cells, const uint16_t* counts, const int32_t* tile, double edge, const double* center,
                  double radius, uint8_t* stays) noexcept nogil:
    """Cells farther than `radius` from `center` stay."""
    cdef Py_ssize_t i = 0
    cdef int v, _
    cdef double at[3]
    cdef double x, y, z
    for v in range(512):
        for _ in range(counts[v]):
            place_of(&cells[i], tile, v, edge, at)
            x, y, z = at[0] - center[0], at[1] - center[1], at[2] - center[2]
            stays[i] = sqrt(x * x + y * y + z * z) > radius
            i += 1


cdef class Tiles:
    """The cells of a rank, tile by tile, and room to note who stays."""
    cdef cell_t[::1] cells
    cdef const int64_t[::1] start
    cdef int32_t[::1] n
    cdef uint16_t[:, ::1] counts
    cdef uint8_t[::1] stays
    cdef int64_t gone

    def __init__(self, cells, start, n, counts):
        self.cells, self.start, self.n, self.counts = cells, start, n, counts
        self.stays = np.empty(max(np.max(n, initial=0), 1), np.uint8)
        self.gone = 0
        if not (self.start.shape[0] == self.n.shape[0] <= self.counts.shape[0] and self.counts.shape[1] == 512):
            raise ValueError("the arrays of the tiles differ in length")
        if np.any(np.asarray(counts)[:len(n)].sum(axis=1, dtype=np.int64) != n):
            raise ValueError("the cells per voxel of a tile do not add up to its cells")
        if len(n) and np.max(np.asarray(start) + n) > len(cells):
            raise ValueError("a tile ends beyond the cells")

    cdef void close(self, Py_ssize_t row) noexcept nogil:
        cdef int32_t left = keep(&self.cells[self.start[row]], &self.counts[row, 0], &self.stays[0])
        self.gone += self.n[row] - left
        self.n[row] = left


def resect(Tiles tiles not None, const uint64_t[::1] keys not None, double share, uint64_t seed, uint32_t number):
    """Take each cell with probability `share`; how many are gone. `number`: of the operation in the run."""
    cdef double stay[512]
    cdef Py_ssize_t row
    cdef int v
    for v in range(512):
        stay[v] = 1.0 - share
    with nogil:
        for row in range(tiles.n.shape[0]):
            if tiles.n[row]:
                spare(&tiles.cells[tiles.start[row]], &tiles.counts[row, 0], stay,
                      key_of(seed, DRAW_RESECT, keys[row], number), &tiles.stays[0])
                tiles.close(row)
    return tiles.gone


def excise(Tiles tiles not None, const int32_t[:, ::1] coords not None, double edge_um,
           const double[::1] center_um not None, double radius_um):
    """Take all cells within a ball; how many are gone."""
    cdef Py_ssize_t row
    if coords.shape[0] != tiles.n.shape[0] or coords.shape[1] != 3 or center_um.shape[0] != 3:
        raise ValueError("places have three coordinates")
    with nogil:
        for row in range(tiles.n.shape[0]):
            if tiles.n[row]:
                outside(&tiles.cells[tiles.start[row]], &tiles.counts[row, 0], &coords[row, 0], edge_um, &center_um[0],
                        radius_um, &tiles.stays[0])
                tiles.close(row)
    return tiles.gone


def irradiate(Tiles tiles not None, const uint64_t[::1] keys not None, const float[:, ::1] oxygen not None,
              dict beam not None, uint64_t seed, uint32_t number):
    """Give all cells one fraction; how many are gone. `number`: of the fraction, among those of the run."""
    cdef beam_t p = beam
    cdef double stay[512]
    cdef Py_ssize_t row
    cdef int v
    same_names(beam, p)
    if oxygen.shape[0] < tiles.n.shape[0] or oxygen.shape[1] != 512:
        raise ValueError("the oxygen is not that of the tiles")
    with nogil:
        for row in range(tiles.n.shape[0]):
            if tiles.n[row]:
                for v in range(512):
                    stay[v] = survival(&p, oxygen[row, v])
                spare(&tiles.cells[tiles.start[row]], &tiles.counts[row, 0], stay,
                      key_of(seed, DRAW_IRRADIATE, keys[row], number), &tiles.stays[0])
                tiles.close(row)
    return tiles.gone


def thin_lesions(lesion_t[::1] lesions not None, const uint8_t[::1] hit not None, double share, bint whole, double t_h,
                 uint64_t seed, uint32_t use, uint32_t number):
    """Take each of those that are `hit` with probability `share` if `whole`, else each cell of them; how many cells.

    One that has no cell left is cleared at `t_h`.
    """
    cdef Py_ssize_t i
    cdef uint32_t r[4]
    cdef int64_t gone, total = 0
    if hit.shape[0] != lesions.shape[0]:
        raise ValueError(f"{lesions.shape[0]} lesions, but {hit.shape[0]} of them are hit or not")
    with nogil:
        for i in range(lesions.shape[0]):
            if not hit[i] or lesions[i].n == 0:
                continue
            draw(seed, use, lesions[i].id, number, r)
            if whole:
                gone = lesions[i].n if unit52(r[0], r[1]) < share else 0
            else:
                gone = binomial(lesions[i].n, share, r)
            lesions[i].n -= gone
            lesions[i].died += gone
            total += gone
            if lesions[i].n == 0:
                lesions[i].state, lesions[i].t_state, lesions[i].t_event = CLEARED, t_h, INFINITY
    return total
