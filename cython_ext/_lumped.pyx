# A tumor without space: one record that grows by the law of Gompertz and sheds single cells and clusters.
import numpy as np

from libc.math cimport expm1, fabs, fmax, fmin, log
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from _binomial cimport binomial
from _kendall cimport leaving, lived
from _names cimport same_names
from _random cimport DRAW_LUMPED, DRAW_LUMPED_CHILD, draw, philox4x32, unit52
from _types cimport CIRCULATING, CLEARED, ctc_t, inherit, lesion_t

cdef enum:
    BORN, DIED, LEFT, TALLIES

TALLY = ("born", "died", "left")       # cells, and of what left single cells and clusters
RATES = ("lumped.gompertz", "lumped.capacity", "lumped.turnover", "lumped.death", "lumped.shed")
cdef enum:
    FEW = 10_000     # cells below which a sub-step has at most half a division a cell: counts are exact then

cdef struct law_t:           # filled by name [1/h], [cells]
    double gompertz, capacity, turnover, death, shed

cdef struct brood_t:         # what is followed of a sub-step
    int64_t first, n         # the index of the first, and how many
    double start, end        # [h]


def _brood_dtype():
    cdef brood_t brood
    return np.asarray(<brood_t[:1]>&brood).dtype


BROOD = _brood_dtype()


cdef double _gain(const law_t* p, int64_t n) noexcept nogil:
    """Births of a cell beyond its turnover, a ln(N / n)."""
    return p.gompertz * log(p.capacity / fmax(<double>n, 1.0))


cdef double _sub_step(const law_t* p, int64_t n, double most) noexcept nogil:
    """As long as little changes in it, `most` [h] at most."""
    cdef double births = fmax(p.turnover + _gain(p, n), 0.0)
    cdef double fastest = fmax(fabs(births - p.death), p.gompertz)
    if fastest * most > 0.1:                # growth, and change of the rate of growth, in a sub-step
        most = 0.1 / fastest
    if n < FEW and births * most > 0.5:
        most = 0.5 / births
    return most


cdef void _live(lesion_t* l, const law_t* p, uint64_t key, uint32_t index, double follow, double start, double h,
                brood_t* brood, int64_t* tally) noexcept nogil:
    """One sub-step. The mean of the gain over it is that of the closed solution, ln(N / n) falling as exp(-a t)."""
    cdef uint32_t counter[4]
    cdef uint32_t r[4]
    cdef uint32_t s[4]
    cdef int64_t born, died, left
    cdef double a = p.gompertz, gain = _gain(p, l.n), births, deaths = p.death, chance
    gain *= -expm1(-a * h) / (a * h) if a * h > 0.0 else 1.0
    births = fmax(p.turnover + gain, 0.0)
    chance = leaving(births, &deaths, p.shed, h)
    counter[1], counter[2], counter[3] = index, 0, 0
    counter[0] = 0
    philox4x32(counter, key, r)
    counter[0] = 1
    philox4x32(counter, key, s)
    lived(l.n, births, deaths, h, r, s, &born, &died)
    l.n += born - died
    counter[0] = 2
    philox4x32(counter, key, r)
    left = binomial(l.n, chance, r)
    counter[0] = 3
    philox4x32(counter, key, r)
    brood.first, brood.n, brood.start, brood.end = l.shed, binomial(left, follow, r), start, start + h
    l.n -= left
    l.born += born
    l.died += died
    l.shed += left
    tally[BORN] += born
    tally[DIED] += died
    tally[LEFT] += left


cdef Py_ssize_t _advance(lesion_t* one, const law_t* law, uint64_t seed, uint32_t step, uint32_t span, double follow,
                         double* t, double end, brood_t[::1] broods, int64_t* tally) noexcept nogil:
    """Sub-step after sub-step from t to `end`, or until there is no more room; how many."""
    cdef uint32_t r[4]
    cdef uint64_t key
    cdef double h
    cdef Py_ssize_t done = 0
    draw(seed, DRAW_LUMPED | span << 16, one.id, step, r)
    key = <uint64_t>r[1] << 32 | r[0]
    while t[0] < end and one.n > 0 and done < broods.shape[0]:
        h = _sub_step(law, one.n, end - t[0])
        _live(one, law, key, <uint32_t>done, follow, t[0], h, &broods[done], tally)
        t[0] = end if h >= end - t[0] else t[0] + h
        done += 1
    if one.n == 0:
        one.state, one.t_state = CLEARED, t[0]
        t[0] = end
    return done


def advance(lesion_t[::1] tumor not None, dict law not None, uint64_t seed, uint32_t step, uint32_t span, double follow,
            double start_h, double end_h, brood_t[::1] broods not None):
    """Let the one record in `tumor` live from start_h to end_h, in sub-steps; `broods` gets what is followed of each.

    ``follow``: chance that what leaves, a single cell or a cluster, is followed. ``span`` numbers the calls of a step.
    Returns (sub-steps done, the time reached [h], tallies): end_h, unless `broods` was too short.
    """
    cdef int64_t tally[TALLIES]
    cdef double t = start_h
    cdef law_t p = law
    cdef Py_ssize_t done
    same_names(law, p)
    if tumor.shape[0] != 1 or not (p.capacity >= 1.0 and p.gompertz >= 0.0 and p.turnover >= 0.0
                                   and p.death >= 0.0):
        raise ValueError("a lumped tumor is one record, with rates from 0 and a capacity from 1 on")
    for i in range(TALLIES):
        tally[i] = 0
    with nogil:
        done = _advance(&tumor[0], &p, seed, step, span, follow, &t, end_h, broods, tally)
    return done, t, [tally[i] for i in range(TALLIES)]


def sizes(int64_t events, const double[::1] share not None, lesion_t[::1] tumor not None, uint64_t seed, uint32_t step,
          uint32_t span, int64_t[::1] out not None):
    """How many of `events` are of 1, 2, ... cells: multinomial, with the shares of the sizes."""
    cdef uint32_t counter[4]
    cdef uint32_t r[4]
    cdef uint64_t key
    cdef double rest = 1.0
    cdef Py_ssize_t k, n = share.shape[0]
    if out.shape[0] != n:
        raise ValueError(f"{n} sizes, and room for {out.shape[0]}")
    draw(seed, DRAW_LUMPED | span << 16, tumor[0].id, step, r)
    key = <uint64_t>r[1] << 32 | r[0]
    counter[1], counter[2], counter[3] = 0, 1, 0
    for k in range(n):
        counter[0] = <uint32_t>k
        philox4x32(counter, key, r)
        out[k] = events if k == n - 1 else binomial(events, fmin(share[k] / rest, 1.0) if rest > 0.0 else 1.0, r)
        events -= out[k]
        rest -= share[k]


cdef void _child(ctc_t* c, const lesion_t* l, uint64_t seed, int64_t index, const brood_t* b, const double[::1] share,
                 uint8_t flags) noexcept nogil:
    cdef uint32_t r[4]
    cdef double u
    cdef Py_ssize_t k = 0
    draw(seed, DRAW_LUMPED_CHILD, l.id ^ <uint64_t>(index >> 32), <uint32_t>index, r)
    c.id = <uint64_t>r[1] << 32 | r[0]
    c.t_shed = b.start + unit52(r[2], r[3]) * (b.end - b.start)
    if share.shape[0] > 1:
        draw(seed, DRAW_LUMPED_CHILD | 1 << 16, l.id ^ <uint64_t>(index >> 32), <uint32_t>index, r)
        u = unit52(r[0], r[1])
        while k < share.shape[0] - 1 and u >= share[k]:
            u -= share[k]
            k += 1
    c.n, c.origin, c.node, c.place = <int>(k + 1), l.node, l.node, CIRCULATING
    c.traits = inherit(l.traits)
    c.bits_shed = c.traits.bits
    c.traits.flags |= flags


def children(const lesion_t[::1] tumor not None, const brood_t[::1] broods not None, const double[::1] share not None,
             ctc_t[::1] out not None, uint64_t seed, uint8_t flags):
    """Fill `out` (zeros) with what is followed, at uniform times of its sub-steps; `share`: of each size among it."""
    cdef Py_ssize_t i, j = 0
    cdef int64_t k, wanted = 0
    for i in range(broods.shape[0]):
        wanted += broods[i].n
    if wanted != out.shape[0] or tumor.shape[0] != 1:
        raise ValueError(f"{wanted} are followed, and there is room for {out.shape[0]}")
    with nogil:
        for i in range(broods.shape[0]):
            for k in range(broods[i].n):
                _child(&out[j], &tumor[0], seed, broods[i].first + k, &broods[i], share, flags)
                j += 1
