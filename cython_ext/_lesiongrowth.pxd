# Header only: growth, vessels and shedding of a lesion that divides.
from libc.math cimport INFINITY, ceil, exp, expm1, fabs, fmax, fmin, log, log1p
from libc.stdint cimport int64_t, uint32_t, uint64_t
from _binomial cimport binomial
from _kendall cimport leaving, lived
from _lesionrates cimport own_t
from _random cimport philox4x32, unit52
from _types cimport CLEARED, MICRO, VASCULAR, lesion_t

cdef struct grown_t:            # what growth adds up
    int64_t born, died, shed, vascularized

cdef struct brood_t:            # what a lesion sheds in a sub-step
    int64_t row                 # of the lesion
    int64_t n                   # cells that are followed
    int64_t first               # number of the first, among all that the lesion ever sheds
    double since, until         # [h] the sub-step
    int64_t chosen              # they are those that can found a colony, the others are not followed

cdef struct broods_t:           # a list of them
    brood_t* list
    Py_ssize_t used, room

cdef extern from *:
    """
    #define LARGEST_CHANGE 0.1   /* of ln n and of the net rate by itself, in a sub-step */
    #define FEW 1000             /* cells, below which births of a sub-step are few for each of them, see gained */
    """
    const double LARGEST_CHANGE
    const int64_t FEW


cdef inline double shedding(const own_t* p, bint micro) noexcept nogil:
    """Of a cell [1/h]; there are no vessels of its own inside of one without."""
    return p.shed * p.shed_avascular if micro else p.shed


cdef inline double deaths(const own_t* p, bint micro) noexcept nogil:
    """Of a cell [1/h]: of what is lost, that which is not shed."""
    return fmax(p.death - shedding(p, micro), 0.0)


cdef inline double turnover(const own_t* p, bint micro) noexcept nogil:
    """Births of a cell at its capacity [1/h]; where cells turn over they make up at least for what is shed."""
    return fmax(p.turnover, shedding(p, micro)) if p.turnover > 0.0 else 0.0


cdef inline double births(const own_t* p, bint micro, double n) noexcept nogil:
    """Of a cell [1/h]: its turnover and a ln(N / n), of which a lesion without vessels has the less of the second, the
    nearer it is to its limit, and less than nothing above."""
    cdef double more = p.gompertz * log(p.capacity / n)
    if micro and more > 0.0:
        more *= 1.0 - n / p.limit
    return fmax(p.birth * (turnover(p, micro) + more), 0.0)


cdef inline double span_of(const own_t* p, bint micro, double n, double hours) noexcept nogil:
    """A sub-step, of equal ones until the end: so short that the rates of growth change little in it."""
    cdef double b = births(p, micro, n), net = fabs(b - deaths(p, micro) - shedding(p, micro))
    cdef double slope = p.birth * p.gompertz
    if micro:
        slope *= 1.0 + fabs(log(p.capacity / n)) * fmin(n / p.limit, 2.0)
    cdef double cuts = hours * (net + slope) / LARGEST_CHANGE
    if n < FEW:
        cuts = fmax(cuts, hours * b)
    return hours / fmax(ceil(cuts), 1.0)


cdef inline double turn_over(lesion_t* l, const own_t* p, uint64_t key, uint32_t i, double h,
                             grown_t* sum) noexcept nogil:
    """Linear birth and death, with births of the size expected half-way; the chance of what is left to be shed."""
    cdef uint32_t counter[4]
    cdef uint32_t r[4]
    cdef uint32_t s[4]
    cdef bint micro = l.state == MICRO
    cdef double n = <double>l.n, d = deaths(p, micro), b = births(p, micro, n)
    cdef double left
    cdef int64_t died, born
    b = births(p, micro, n * exp(0.5 * (b - d - shedding(p, micro)) * h))
    left = leaving(b, &d, shedding(p, micro), h)
    counter[0], counter[1], counter[2], counter[3] = 3 * i, 0, 0, 0
    philox4x32(counter, key, r)
    counter[0] += 1
    philox4x32(counter, key, s)
    lived(l.n, b, d, h, r, s, &born, &died)
    l.n += born - died
    l.born += born
    l.died += died
    sum.born += born
    sum.died += died
    return left


cdef inline void see(lesion_t* l, double before, double detect, double t, double h) noexcept nogil:
    """When it was first as large as is seen, between its sizes at the ends of a sub-step from t on."""
    if l.t_detected == INFINITY and l.n >= detect:
        l.t_detected = t + (h * log(detect / before) / log(l.n / before) if before < detect else 0.0)


cdef inline void vascularize(lesion_t* l, const own_t* p, uint64_t key, uint32_t i, double mean, double t,
                             double h, grown_t* sum) noexcept nogil:
    """The angiogenic switch, with a hazard in proportion to the mean size in a sub-step from t on."""
    cdef uint32_t counter[4]
    cdef uint32_t r[4]
    cdef double hazard = p.vascularize * (mean / p.limit), u
    counter[0], counter[1], counter[2], counter[3] = 3 * i + 2, 0, 0, 0
    philox4x32(counter, key, r)
    u = unit52(r[0], r[1])
    if u < -expm1(-hazard * h):
        l.state, l.t_state = VASCULAR, t + fmin(-log1p(-u) / hazard, h)
        sum.vascularized += 1


cdef inline bint shed_some(lesion_t* l, int64_t row, double chance, uint64_t key, uint32_t i, double t,
                           double h, broods_t* broods, grown_t* sum) noexcept nogil:
    """Of the cells that lived through a sub-step from t on, each with its chance; false: there was no room for them in
    the list."""
    cdef uint32_t counter[4]
    cdef uint32_t r[4]
    cdef brood_t* brood
    cdef int64_t gone
    counter[0], counter[1], counter[2], counter[3] = i, 0, 0, 0
    philox4x32(counter, key, r)
    gone = binomial(l.n, chance, r)
    if gone == 0:
        return True
    if broods.used == broods.room:
        return False
    brood = &broods.list[broods.used]
    brood.row, brood.n, brood.first, brood.since, brood.until, brood.chosen = row, gone, l.shed, t, t + h, 0
    broods.used += 1
    l.n -= gone
    l.shed += gone
    sum.shed += gone
    return True


cdef inline bint grow(lesion_t* l, int64_t row, const own_t* p, const uint64_t* keys, double start, double end,
                      double detect, broods_t* broods, grown_t* sum) noexcept nogil:
    """From start to end, or until its last cell has gone; false: there was no room for what it shed.

    keys: of the draws of growth and of shedding.
    """
    cdef double h, before, left, t = start
    cdef uint32_t i = 0
    while t < end and l.n > 0:
        before, h = <double>l.n, span_of(p, l.state == MICRO, <double>l.n, end - t)
        left = turn_over(l, p, keys[0], i, h, sum)
        if l.n > 0:
            see(l, before, detect, t, h)
            if l.state == MICRO:
                vascularize(l, p, keys[0], i, 0.5 * (before + l.n), t, h, sum)
            if not shed_some(l, row, left, keys[1], i, t, h, broods, sum):
                return False
        t = end if h >= end - t else t + h
        i += 1
        if l.n == 0:
            l.state, l.t_state, l.t_event = CLEARED, t, INFINITY
    return True
