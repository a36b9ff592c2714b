# What may happen to a cell, and what does. Header only: it has no .pyx twin.
from libc.math cimport expm1
from libc.stdint cimport uint32_t

from _random cimport unit32
from _tiles cimport nearest, place_of, tiles_t, tissue_t
from _types cimport cell_t

cdef enum event_e:
    NOTHING, ENTER, DIE, SUFFOCATE, DIVIDE


cdef inline double birth(const tissue_t* p, double oxygen, int cells) noexcept nogil:
    if cells >= p.capacity:
        return 0.0
    return p.birth_per_h * oxygen / (oxygen + p.oxygen_half_mmHg) * (1.0 - <double>cells / p.capacity)


cdef inline double suffocation(const tissue_t* p, double oxygen) noexcept nogil:
    cdef double lack = ((p.hypoxia_threshold_mmHg - oxygen)
                        / (p.hypoxia_threshold_mmHg - p.hypoxia_full_mmHg))
    return p.hypoxia_per_h * (0.0 if lack < 0.0 else 1.0 if lack > 1.0 else lack)


cdef inline double entry(const tiles_t* t, Py_ssize_t row, int v, const cell_t* c, const tissue_t* p) noexcept nogil:
    """Hazard of entering the nearest vessel [1/h]."""
    cdef double at[3]
    cdef double gap = 0.0
    cdef int s
    place_of(t, row, v, c, p.edge_um, at)
    s = nearest(t, row, v, at, &gap)
    if s < 0 or gap > p.reach_um:
        return 0.0
    return (p.enter_per_h * (p.permeability_mature + (1.0 - p.permeability_mature)
                             * (1.0 - t.segments[s].maturity)) * t.detach[c.traits.adhesion])


cdef inline event_e what_happens(const tiles_t* t, Py_ssize_t row, int v, const cell_t* c, const tissue_t* p,
                          uint32_t word) noexcept nogil:
    cdef double oxygen = t.oxygen[512 * row + v]
    cdef double enter = entry(t, row, v, c, p) if p.enter_per_h > 0.0 else 0.0
    cdef double lack = suffocation(p, oxygen)
    cdef double divide = birth(p, oxygen, t.counts[512 * row + v])
    cdef double total = enter + p.death_per_h + lack + divide
    cdef double chance = -expm1(-total * p.dt_h), u = unit32(word), at
    if u >= chance:
        return NOTHING
    at = u / chance * total
    if at >= total:                            # rounded up: never beyond what has a rate
        at = total * (1.0 - 2.0**-53)
    if at < enter:
        return ENTER
    if at < enter + p.death_per_h:
        return DIE
    if at < enter + p.death_per_h + lack:
        return SUFFOCATE
    return DIVIDE
