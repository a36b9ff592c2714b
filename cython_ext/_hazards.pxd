# What may happen to a cell that is looked at, and what does. Header only: it has no .pyx twin.
from libc.math cimport expm1, fmin

from _geometry cimport place_of
from _rates cimport DIVIDE, SHED
from _tiles cimport CUT, face_of, nearest, scratch_t, tiles_t, tissue_t
from _types cimport cell_t

cdef enum:
    NOTHING = -1
    MOST_GROWTH = 600             # of z, for an exp(z) that is finite: the chances add up to 1 long before
    HOP = 64                       # the cell is pushed out of its voxel; else the index of a rate


cdef inline double gate(const tiles_t* t, Py_ssize_t row, int v, const cell_t* c, const tissue_t* p) noexcept nogil:
    """Of the rate at which a cell enters the nearest vessel: 0 beyond its reach, else how permeable it is."""
    cdef double at[3]
    cdef double gap = 0.0
    cdef int s
    place_of(c, &t.coords[3 * row], v, p.edge_um, at)
    s = nearest(t, row, v, at, &gap)
    if s < 0 or gap > p.reach_um:
        return 0.0
    return p.permeability_mature + (1.0 - p.permeability_mature) * (1.0 - t.segments[s].maturity)


cdef inline double rate_of(const tiles_t* t, int r, double place, const cell_t* c) noexcept nogil:
    """Rate r [1/h] of a cell, `place` being that of its voxel; its clone is one of the table (see decide)."""
    cdef const float* state = t.state + 768 * r
    cdef double rate = place * t.clone[<Py_ssize_t>t.n_clones * r + c.traits.clone]
    return rate * state[c.traits.emt] * state[256 + c.traits.adhesion] * state[512 + c.traits.bits]


cdef inline double chances(const tiles_t* t, Py_ssize_t row, int v, const cell_t* c, const tissue_t* p,
                           const scratch_t* s, double* chance) noexcept nogil:
    """The chance of each event in this step; their sum.

    rate dt phi(z) with phi(z) = (exp(z) - 1) / z and z the sum of the rates times dt, divisions plus and all that takes
    the cell away or changes it minus: then the mean numbers of births and deaths are those of continuous time. The
    chances add up; above 1 they are in proportion.
    """
    cdef double z = 0.0, total = 0.0, factor
    cdef int r
    for r in range(t.n_rates):
        chance[r] = rate_of(t, r, s.table.rate[r][v], c) if s.table.rate[r][v] > 0.0 else 0.0
        if t.rates[r].action == SHED and chance[r] > 0.0:
            chance[r] *= gate(t, row, v, c, p)
        z += chance[r] if t.rates[r].action == DIVIDE else -chance[r]
    z = fmin(z * p.dt_h, MOST_GROWTH)
    factor = p.dt_h * (1.0 if z == 0.0 else expm1(z) / z)
    for r in range(t.n_rates):
        chance[r] *= factor
        total += chance[r]
    if total <= 1.0:
        return total
    for r in range(t.n_rates):
        chance[r] /= total
    return 1.0


cdef inline int what_happens(const tiles_t* t, Py_ssize_t row, int v, const cell_t* c, const tissue_t* p, double x,
                             scratch_t* s) noexcept nogil:
    """The event of a cell for a number x below the bound of its voxel: hops first, then the rates in their order.

    A hop gets what the events leave of 1. While the bound is below 1 that is all it wants, and x is no such number:
    settle_hops has found those.
    """
    cdef double chance[64]
    cdef double hop = s.table.hop[v], at = hop, left
    cdef int r
    left = 1.0 - chances(t, row, v, c, p, s, chance)
    if hop > left:
        at = left
        s.tally[CUT] += 1
    if x < at:
        return HOP + face_of(s.table.pressure, v, p.mobility, x * (hop / at))
    for r in range(t.n_rates):
        at += chance[r]
        if x < at:
            return r
    return NOTHING
