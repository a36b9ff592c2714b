# Colonization: what becomes of a cell that left the blood, and the growth and shedding of lesions.
import numpy as np

from libc.math cimport ceil, exp, expm1, floor, fmax, log1p, sqrt
from libc.stdint cimport int64_t, uint32_t, uint64_t
from _binomial cimport binomial
from _random cimport (DRAW_CHILD, DRAW_COLONIZE, DRAW_LESION, DRAW_LESION_SHED, draw, normal, philox4x32,
                      unit32, unit52)
from _recordrates cimport fits, own_factors, rate_at, record_rates_t
from _types cimport (ACTIVE, CIRCULATING, CLEARED, DORMANT, ENDED, FATE_LESION, FATE_NOT_ESTABLISHED,
                     FLAG_LESION, ctc_t, inherit, lesion_t, traits_t)

cdef enum:
    BORN, DIED_ACTIVE, DIED_DORMANT, SHED, WOKEN, TALLIES

TALLY = ("born", "died_active", "died_dormant", "shed", "woken")  # cells, but woken: lesions

RATES = ("lesion.establish", "lesion.dormant", "lesion.wake", "lesion.dormant_death", "lesion.birth", "lesion.death",
         "lesion.shed", "lesion.capacity")

cdef enum lesion_rate_e:        # rows of the tables; names in RATES
    RATE_ESTABLISH              # the chance that an extravasated cell survives
    RATE_DORMANT                # the chance that it sleeps then
    RATE_WAKE
    RATE_DORMANT_DEATH
    RATE_BIRTH
    RATE_DEATH
    RATE_SHED
    RATE_CAPACITY               # [cells] at which births have fallen to deaths
    LESION_RATES

cdef struct own_t:              # of one lesion, in its organ and with its traits [1/h]
    double wake, dormant_death, birth, death, shed, capacity


cdef struct brood_t:            # what one lesion sheds in a step
    int64_t n
    double since                # [h] when it could begin to


def _brood_dtype():
    cdef brood_t brood
    return np.asarray(<brood_t[:1]>&brood).dtype


BROOD = _brood_dtype()


cdef int own_rates(const traits_t* traits, int node, const record_rates_t* r, own_t* p) except -1 nogil:
    """The rates of a lesion."""
    cdef double factor[LESION_RATES]
    if node >= r.places:
        raise IndexError("a lesion is in a node that the tables of rates have not")
    own_factors(traits, r, LESION_RATES, factor)
    p.wake = rate_at(r, RATE_WAKE, node, factor)
    p.dormant_death = rate_at(r, RATE_DORMANT_DEATH, node, factor)
    p.birth = rate_at(r, RATE_BIRTH, node, factor)
    p.death = rate_at(r, RATE_DEATH, node, factor)
    p.shed = rate_at(r, RATE_SHED, node, factor)
    p.capacity = fmax(rate_at(r, RATE_CAPACITY, node, factor), 1.0)
    return 0


cdef int64_t offspring(int64_t n, double q, const uint32_t* r) noexcept nogil:
    """Sum of n geometric numbers k >= 0 of weight (1 - q) q^k: exact by inversion while n q < 400, else
    the nearest normal law."""
    cdef double chance, u
    cdef int64_t k = 0
    if n <= 0 or q <= 0.0:
        return 0
    if n * q >= 400.0:
        k = <int64_t>floor((n * q + sqrt(n * q) * normal(r[2], r[3])) / (1.0 - q) + 0.5)
        return max(k, 0)
    chance, u = exp(n * log1p(-q)), unit52(r[0], r[1])
    while u >= chance and k < 2000:            # q < 0.4, see grow: 40 sd above the largest mean
        u -= chance
        k += 1
        chance *= q * (n + k - 1) / k
    return k


cdef void grow(lesion_t* l, const own_t* p, uint64_t key, double hours, int64_t* tally) noexcept nogil:
    """Linear birth and death: after h the line of a cell is extinct with probability d g / (1 + b g) and
    else has 1 + a geometric number of cells, q = b g / (1 + b g), g = (exp((b - d) h) - 1) / (b - d)
    (Kendall 1948). b falls to d as the lesion nears its capacity and is kept for a sub-step of b h <= 0.5.
    """
    cdef uint32_t counter[4]
    cdef uint32_t r[4]
    cdef double b, g, h, d = p.death, net = fmax(p.birth - p.death, 0.0)
    cdef int64_t died, born, cuts = <int64_t>fmax(ceil(2.0 * p.birth * hours), 1.0), i
    counter[1] = counter[2] = counter[3] = 0
    h = hours / cuts
    for i in range(cuts):
        b = fmax(p.birth - net * (l.n / p.capacity), 0.0)
        g = expm1((b - d) * h) / (b - d) if b != d else h
        counter[0] = <uint32_t>(2 * i + 1)
        philox4x32(counter, key, r)
        died = binomial(l.n, d * g / (1.0 + b * g), r)
        counter[0] += 1
        philox4x32(counter, key, r)
        born = offspring(l.n - died, b * g / (1.0 + b * g), r)
        l.n += born - died
        l.born += born
        l.died += died
        tally[BORN] += born
        tally[DIED_ACTIVE] += died


cdef double rest(lesion_t* l, const own_t* p, uint64_t key, double u, double start, double end,
                 int64_t* tally) noexcept nogil:
    """A dormant lesion wakes as a whole, its cells die one by one; returns when it woke, or end."""
    cdef uint32_t counter[4]
    cdef uint32_t r[4]
    cdef int64_t died
    cdef bint wakes = u < -expm1(-p.wake * (end - start))
    if wakes:
        end = min(start - log1p(-u) / p.wake, end)
    counter[0] = counter[1] = counter[2] = counter[3] = 0
    philox4x32(counter, key, r)
    died = binomial(l.n, -expm1(-p.dormant_death * (end - start)), r)
    l.n -= died
    l.died += died
    tally[DIED_DORMANT] += died
    if wakes and l.n > 0:
        l.state, l.t_state = ACTIVE, end
        tally[WOKEN] += 1
    return end


cdef void live(lesion_t* l, const own_t* p, uint64_t seed, uint32_t step, uint32_t span, double start, double end,
               brood_t* brood, int64_t* tally) noexcept nogil:
    """One lesion from start to end [h], the span-th part of a step."""
    cdef uint32_t r[4]
    cdef uint64_t key
    draw(seed, DRAW_LESION | span << 16, l.id, step, r)
    key = <uint64_t>r[1] << 32 | r[0]
    if l.state == DORMANT:
        start = rest(l, p, key, unit52(r[2], r[3]), start, end, tally)
    if l.state == ACTIVE:
        grow(l, p, key, end - start, tally)
        draw(seed, DRAW_LESION_SHED | span << 16, l.id, step, r)
        brood.n, brood.since = binomial(l.n, -expm1(-p.shed * (end - start)), r), start
        l.n -= brood.n
        l.shed += brood.n
        tally[SHED] += brood.n
    if l.n == 0:
        l.state, l.t_state = CLEARED, end


cdef int _advance(lesion_t[::1] lesions, const record_rates_t* rates, uint64_t seed, uint32_t step, uint32_t span,
                  double start, double end, brood_t[::1] broods, int64_t* tally) except -1 nogil:
    cdef own_t p
    cdef Py_ssize_t i
    for i in range(lesions.shape[0]):
        if lesions[i].t_founded != lesions[i].t_founded:
            raise FloatingPointError("the founding time of a lesion is not a number")
        if lesions[i].state != CLEARED and lesions[i].t_founded < end:
            own_rates(&lesions[i].traits, lesions[i].node, rates, &p)
            live(&lesions[i], &p, seed, step, span, max(start, lesions[i].t_founded), end, &broods[i], tally)
    return 0


cdef class Tables:
    """The arrays of a `PlacedRates` as the kernels read them."""
    cdef const double[:, ::1] place
    cdef const float[:, ::1] clone
    cdef const float[:, :, ::1] state
    cdef record_rates_t r

    def __init__(self, rates):
        self.place, self.clone = rates.place, np.ascontiguousarray(rates.clone.T)
        self.state = np.ascontiguousarray(np.moveaxis(rates.state, 0, 2))
        fits(&self.r, self.place, self.clone, self.state, LESION_RATES)


def advance(lesion_t[::1] lesions not None, rates not None, uint64_t seed, uint32_t step, uint32_t span,
            double start_h, double end_h, brood_t[::1] broods not None):
    """Let the lesions live from start_h to end_h; `broods` (zeros) gets what each sheds. Returns tallies.

    ``span`` numbers the parts of a step, each with its own rates.
    """
    cdef int64_t tally[TALLIES]
    cdef Tables tables = Tables(rates)
    if broods.shape[0] != lesions.shape[0]:
        raise ValueError(f"{lesions.shape[0]} lesions, but room for {broods.shape[0]} broods")
    for i in range(TALLIES):
        tally[i] = 0
    with nogil:
        _advance(lesions, &tables.r, seed, step, span, start_h, end_h, broods, tally)
    return [tally[i] for i in range(TALLIES)]


cdef void _child(ctc_t* c, const lesion_t* l, uint64_t seed, int64_t index, double start,
                 double end) noexcept nogil:
    cdef uint32_t r[4]
    draw(seed, DRAW_CHILD, l.id ^ <uint64_t>(index >> 32), <uint32_t>index, r)
    c.id = <uint64_t>r[1] << 32 | r[0]
    c.t_shed = start + unit52(r[2], r[3]) * (end - start)
    c.n, c.origin, c.node, c.place = 1, l.node, l.node, CIRCULATING
    c.traits = inherit(l.traits)
    c.bits_shed = c.traits.bits
    c.traits.flags |= FLAG_LESION


def children(const lesion_t[::1] lesions not None, const brood_t[::1] broods not None,
             ctc_t[::1] out not None, uint64_t seed, double end_h):
    """Fill `out` (zeros) with the cells just shed, lesion by lesion, at uniform times until end_h."""
    cdef Py_ssize_t i, j = 0
    cdef int64_t k, wanted = 0
    if broods.shape[0] != lesions.shape[0]:
        raise ValueError(f"{lesions.shape[0]} lesions, but {broods.shape[0]} broods")
    for i in range(broods.shape[0]):
        if broods[i].n < 0:
            raise ValueError(f"a brood of {broods[i].n} cells")
        wanted += broods[i].n
    if wanted > out.shape[0]:
        raise ValueError(f"{wanted} cells are shed, but there is room for {out.shape[0]}")
    with nogil:
        for i in range(lesions.shape[0]):
            for k in range(broods[i].n):
                _child(&out[j], &lesions[i], seed, lesions[i].shed - broods[i].n + k, broods[i].since, end_h)
                j += 1


cdef int _found(ctc_t* c, lesion_t* l, const record_rates_t* rates, uint64_t seed) except -1 nogil:
    """One cell of a cluster is enough: 1 - (1 - establish)^n; then all of them stay."""
    cdef uint32_t r[4]
    cdef double factor[LESION_RATES]
    cdef double establish
    if c.node >= rates.places:
        raise IndexError("a cell is in a node that the tables of rates have not")
    own_factors(&c.traits, rates, LESION_RATES, factor)
    establish = rate_at(rates, RATE_ESTABLISH, c.node, factor)
    draw(seed, DRAW_COLONIZE, c.id, 0, r)
    c.place = ENDED
    if establish < 1.0 and unit52(r[0], r[1]) >= -expm1(c.n * log1p(-establish)):
        c.fate = FATE_NOT_ESTABLISHED
        return 0
    c.fate = FATE_LESION
    l.id, l.n, l.traits, l.node = c.id, c.n, c.traits, c.node    # the same cell: its flags too
    l.born = l.died = l.shed = 0
    l.t_founded = l.t_state = c.t_event
    l.state = DORMANT if unit32(r[2]) < rate_at(rates, RATE_DORMANT, c.node, factor) else ACTIVE
    return 1


cdef Py_ssize_t _found_all(ctc_t[::1] ctcs, lesion_t[::1] out, const record_rates_t* rates,
                           uint64_t seed) except -1 nogil:
    cdef Py_ssize_t i, n = 0
    for i in range(ctcs.shape[0]):
        n += _found(&ctcs[i], &out[n], rates, seed)
    return n


def found(ctc_t[::1] ctcs not None, lesion_t[::1] out not None, rates not None, uint64_t seed):
    """Set the fate of every extravasated cell; `out` gets the lesions. Returns how many."""
    cdef Tables tables = Tables(rates)
    cdef Py_ssize_t n
    if out.shape[0] < ctcs.shape[0]:
        raise ValueError(f"{ctcs.shape[0]} cells, but room for {out.shape[0]} lesions")
    with nogil:
        n = _found_all(ctcs, out, &tables.r, seed)
    return n
