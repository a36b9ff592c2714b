# What may happen to a cell that is looked at, and what does. Header only: it has no .pyx twin.
from libc.math cimport expm1, fmin
from libc.stdint cimport int32_t
from libc.string cimport memset

from _geometry cimport place_of, segment_t
from _rates cimport DIVIDE, SHED
from _tiles cimport (
    BY_ADHESION, BY_BITS, BY_CLONE, BY_EMT, CUT, block_t, face_of, nearest, scratch_t, tiles_t, tissue_t)
from _types cimport cell_t

cdef enum:
    NOTHING = -1
    MOST_GROWTH = 600             # of z, for an exp(z) that is finite: the chances add up to 1 long before
    GROUP = 64                     # cells whose chances are computed together
    HOP = 64                       # the cell is pushed out of its voxel; else the index of a rate


cdef inline double passage(const segment_t* vessel, const tissue_t* p) noexcept nogil:
    """How permeable a vessel is for cells, relative to an immature one."""
    return p.permeability_mature + (1.0 - p.permeability_mature) * (1.0 - vessel.maturity)


cdef inline double gate(const tiles_t* t, Py_ssize_t row, int v, const cell_t* c, const tissue_t* p) noexcept nogil:
    """Of the rate at which a cell enters the nearest vessel: 0 beyond its reach, else how permeable it is."""
    cdef double at[3]
    cdef double gap = 0.0
    cdef int s
    place_of(c, &t.coords[3 * row], v, p.edge_um, at)
    s = nearest(t, row, v, at, &gap)
    if s < 0 or gap > p.reach_um:
        return 0.0
    return passage(&t.segments[s], p)


cdef inline void look_up(const tiles_t* t, int r, const int32_t* which, int n, scratch_t* s) noexcept nogil:
    """Rate r [1/h] of n cells, places in the block, but for the gate: that of the voxel times the tables that it reads.

    The clones are some of the table (see decide).
    """
    cdef const float* place = s.table.rate[r]
    cdef const float* clone = t.clone + <Py_ssize_t>t.n_clones * r
    cdef const float* state = t.state + 768 * r
    cdef const block_t* b = &s.block
    cdef double* rate = s.chance[r]
    cdef int reads = t.reads[r], j
    for j in range(n):
        rate[j] = place[b.voxel[which[j]]] if place[b.voxel[which[j]]] > 0.0 else 0.0
    if reads & BY_CLONE:
        for j in range(n):
            rate[j] *= clone[b.zc[which[j]] >> 16]
    if reads & BY_EMT:
        for j in range(n):
            rate[j] *= state[b.traits[which[j]] & 255]
    if reads & BY_ADHESION:
        for j in range(n):
            rate[j] *= state[256 + (b.traits[which[j]] >> 8 & 255)]
    if reads & BY_BITS:
        for j in range(n):
            rate[j] *= state[512 + (b.traits[which[j]] >> 16 & 255)]


cdef inline void chances(const tiles_t* t, Py_ssize_t row, const int32_t* candidate, const int32_t* which, int n,
                         const tissue_t* p, scratch_t* s) noexcept nogil:
    """The chance of each event in this step, of n cells, and in `total` their sum.

    rate dt phi(z) with phi(z) = (exp(z) - 1) / z and z the sum of the rates times dt, divisions plus and all that takes
    the cell away or changes it minus: then the mean numbers of births and deaths are those of continuous time. The
    chances add up; above 1 they are in proportion.
    """
    cdef const block_t* b = &s.block
    cdef double* total = s.total
    cdef double factor[64]        # GROUP
    cdef double* chance
    cdef double sign, z
    cdef int r, j
    memset(factor, 0, sizeof(factor))
    for r in range(t.n_rates):
        look_up(t, r, which, n, s)
        chance, sign = s.chance[r], 1.0 if t.rates[r].action == DIVIDE else -1.0
        if t.rates[r].action == SHED:
            for j in range(n):
                if chance[j] > 0.0:
                    chance[j] *= gate(t, row, <int>b.voxel[which[j]], &t.cells[t.start[row] + candidate[which[j]]], p)
        for j in range(n):
            factor[j] += sign * chance[j]
    for j in range(n):
        z = fmin(factor[j] * p.dt_h, MOST_GROWTH)
        factor[j] = p.dt_h * (1.0 if z == 0.0 else expm1(z) / z)
        total[j] = 0.0
    for r in range(t.n_rates):
        chance = s.chance[r]
        for j in range(n):
            chance[j] *= factor[j]
            total[j] += chance[j]
    for j in range(n):
        if total[j] > 1.0:
            for r in range(t.n_rates):
                s.chance[r][j] /= total[j]
            total[j] = 1.0


cdef inline int event_of(const tiles_t* t, int v, int j, const tissue_t* p, double x, scratch_t* s) noexcept nogil:
    """The event of the j-th cell for a number x below the bound of its voxel: a hop, or of the rates in their order.

    A hop gets what the events leave of 1. While the bound is below 1 that is all it wants, and x is no such number:
    hops_first has found those.
    """
    cdef double hop = s.table.hop[v], at = hop, left = 1.0 - s.total[j]
    cdef int r, passed = 0
    if hop > left:
        at = left
        s.tally[CUT] += 1
    if x < at:
        return HOP + face_of(&s.table, v, p.mobility, x * (hop / at))
    for r in range(t.n_rates):
        at += s.chance[r][j]
        passed += x >= at
    return passed if passed < t.n_rates else NOTHING


cdef inline void what_happens(const tiles_t* t, Py_ssize_t row, const int32_t* candidate, const int32_t* which, int n,
                              const tissue_t* p, scratch_t* s) noexcept nogil:
    """The events of n cells, GROUP at most, the candidates `which` of the block: to `event`."""
    cdef int j
    chances(t, row, candidate, which, n, p, s)
    for j in range(n):
        s.event[j] = event_of(t, <int>s.block.voxel[which[j]], j, p, s.block.at[which[j]], s)
