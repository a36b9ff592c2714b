# What the voxels of a tile do to their cells. Header only: it has no .pyx twin.
from libc.float cimport FLT_MAX
from libc.stdint cimport int32_t

from _geometry cimport most
from _hazards cimport passage
from _rates cimport SHED, fill_rates
from _tiles cimport (
    fill_bound, fill_density, fill_hop, fill_resistance, list_walls, pad_tile, scratch_t, tiles_t, tissue_t)


cdef inline int not_finite(const tiles_t* t, Py_ssize_t row, const tissue_t* p, const scratch_t* s) except -1 nogil:
    """Raise FloatingPointError(text, rate): from which rate on a voxel's chances are not finite; n_rates: hops."""
    cdef int r = 0, v
    cdef float total
    for v in range(512):
        total, r = 0.0, 0
        while r < t.n_rates:
            total += s.table.rate[r][v] * <float>(t.rates[r].most * p.dt_h)
            if not total <= FLT_MAX:
                break
            r += 1
        if t.counts[512 * row + v] and not total + s.table.hop[v] <= FLT_MAX:
            break
    with gil:
        raise FloatingPointError("the chance that something happens to a cell is not finite", r)


cdef inline void fill_wall(const tiles_t* t, Py_ssize_t row, const tissue_t* p, scratch_t* s) noexcept nogil:
    """How permeable the loosest vessel is that any cell of each voxel may enter, where that is worth a look."""
    cdef const int32_t* first = t.vessel_first + 512 * row
    cdef double loosest
    cdef int32_t k
    cdef int i
    for i in range(list_walls(t.rates, t.n_rates, p.dt_h, t.counts + 512 * row, first, &s.table, s.look)):
        loosest = 0.0
        for k in range(first[s.look[i]], first[s.look[i] + 1]):
            loosest = most(loosest, passage(&t.segments[t.vessel_index[k]], p))
        s.table.wall[s.look[i]] = <float>loosest


cdef inline void limit(const tiles_t* t, int r, scratch_t* s) noexcept nogil:
    """Rate r is 0 where no cell can have it: beyond all vessels, or where none is motile if it is of these alone."""
    cdef float* rate = s.table.rate[r]
    cdef int v
    if t.rates[r].action == SHED:
        for v in range(512):
            rate[v] = rate[v] if s.table.wall[v] > 0.0 else 0.0
    if t.state[768 * r] == 0.0:                    # of motile cells alone
        for v in range(512):
            rate[v] = rate[v] if s.motile[v] else 0.0


cdef inline void fill_push(const tiles_t* t, Py_ssize_t row, const tissue_t* p, scratch_t* s) noexcept nogil:
    """What pushes cells, and what resists that. No pressure where no tile is, what resists as in this one."""
    cdef const int32_t* neighbors = t.neighbors + 27 * row
    pad_tile(t.pressure, row, neighbors, False, s.table.pressure)
    s.table.resists = t.resisting != NULL and p.resistance > 0.0
    if s.table.resists:
        pad_tile(t.resisting, row, neighbors, True, s.table.resistance)
        fill_resistance(p.resistance, s.table.resistance)
    fill_hop(&s.table, p.mobility)


cdef inline int fill_table(const tiles_t* t, Py_ssize_t row, const tissue_t* p, scratch_t* s) except -1 nogil:
    """What the voxels of a tile do to their cells."""
    cdef int r
    fill_density(t.counts + 512 * row, p.capacity, s.table.density)
    fill_rates(t.rates, t.n_rates, t.factors, t.signals, row, s.table.density, s.table.rate)
    fill_wall(t, row, p, s)
    for r in range(t.n_rates):
        limit(t, r, s)
    if p.mobility > 0.0:
        fill_push(t, row, p, s)
    if fill_bound(t.rates, t.n_rates, p.dt_h, t.counts + 512 * row, &s.table):
        not_finite(t, row, p, s)
    return 0
