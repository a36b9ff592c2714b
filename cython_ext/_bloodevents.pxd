# What ends the stay of a circulating cell where it is: hazards that compete, and change as its coat of platelets grows.
# Header only: it has no .pyx twin.
from libc.math cimport INFINITY, exp, expm1, log1p
from libc.stdint cimport uint32_t, uint64_t

from _circuit cimport (
    BLOOD_RATES, LYMPH, MAX_NODES, RATE_ANOIKIS, RATE_EXTRAVASATE, RATE_HOMING, RATE_NK, RATE_RELEASE,
    RATE_SHEAR, law_t, node_t, roads_t, switch_t)
from _random cimport DRAW_WALK, draw, exponential, unit32
from _recordrates cimport rate_at, record_rates_t
from _types cimport ARRESTED, EVENT_ANOIKIS, EVENT_EXTRAVASATE, EVENT_NK, EVENT_RELEASE, EVENT_SHEAR, ctc_t

cdef enum:
    SECOND = 0x80000000  # added to the hop: a second block of words for what happens seldom


cdef struct loss_t:  # hazard of leaving: a + b exp(-x / tau) after x hours, the coat growing meanwhile
    double a, b, tau


cdef struct body_t:  # what is the same for all cells of a call
    const node_t* nodes
    roads_t roads
    record_rates_t rates
    law_t law
    uint64_t seed
    const switch_t* switches  # in the order of time
    int n_switches
    double since              # [h] from which on they hold
    double loss[MAX_NODES]    # [1/h] death of a cell whose factors are 1, without its coat


cdef struct walker_t:  # what a cell's traits make of the rates, and its chance to pass each bed that it has met
    double factor[BLOOD_RATES]
    double worst      # the largest of those of the ways to die, and more than rounding takes off
    uint32_t known    # a bit for each node
    double chance[MAX_NODES]


cdef inline double integral(const loss_t* k, double x) noexcept nogil:
    """Integral of the hazard from 0 to x."""
    return k.a * x - k.b * k.tau * expm1(-x / k.tau)


cdef inline double waiting(const loss_t* k, double e) noexcept nogil:
    """The x at which the integral of the hazard reaches e; infinite if it never does.

    Both starting values lie left of the root and the integral is concave, so Newton's method comes
    from the left and cannot overshoot.
    """
    cdef double x, m, step
    cdef int _
    if k.a + k.b <= 0.0 or (k.a <= 0.0 and e >= k.b * k.tau):
        return INFINITY
    x = e / (k.a + k.b)
    if k.b <= 0.0:
        return x
    if k.a > 0.0 and (e - k.b * k.tau) / k.a > x:
        x = (e - k.b * k.tau) / k.a
    for _ in range(64):
        m = expm1(-x / k.tau)
        step = (e - k.a * x + k.b * k.tau * m) / (k.a + k.b * (1.0 + m))
        x += step
        if step <= 1e-15 * x:
            break
    return x


cdef inline double missing_coat(const ctc_t* c, double t, const law_t* law) noexcept nogil:
    """The share of the platelet coat that is still missing at time t."""
    return exp(-(t - c.t_shed) / law.coat_time_h)


cdef inline double coated(double rate, double part, double bare) noexcept nogil:
    """A hazard of which a full coat takes off the share `part`."""
    return rate * (1.0 - part + part * bare)


cdef inline double spared(double share, const ctc_t* c, const body_t* b) noexcept nogil:
    """The share of a hazard that a full coat takes off where the cell is: there are no platelets in lymph."""
    return 0.0 if b.nodes[c.node].kind == LYMPH else share


cdef inline double drawn(const body_t* b, uint32_t node, const walker_t* w) noexcept nogil:
    """How many times as often the bed of a node holds this cell, and how many times as fast it lets it out."""
    return 1.0 + rate_at(&b.rates, RATE_HOMING, node, w.factor)


cdef inline bint dies(ctc_t* c, const walker_t* w, const body_t* b, double t, double stay, double u) noexcept nogil:
    """Does it die within `stay` hours from t: is u below 1 - exp(-integrated hazard)? Sets the event."""
    cdef uint32_t r[4]
    cdef loss_t k
    cdef const law_t* law = &b.law
    cdef double x, e = -log1p(-u), bare = missing_coat(c, t, law)
    cdef double anoikis = rate_at(&b.rates, RATE_ANOIKIS, c.node, w.factor)
    cdef double shear = rate_at(&b.rates, RATE_SHEAR, c.node, w.factor)
    cdef double nk = rate_at(&b.rates, RATE_NK, c.node, w.factor)
    cdef double spared_shear = spared(law.spared_shear, c, b), spared_nk = spared(law.spared_nk, c, b)
    k.tau = law.coat_time_h
    k.a = anoikis + coated(shear, spared_shear, 0.0) + coated(nk, spared_nk, 0.0)
    k.b = (shear * spared_shear + nk * spared_nk) * bare
    if not e < integral(&k, stay):
        return False
    draw(b.seed, DRAW_WALK, c.id, (c.hop - 1) | SECOND, r)
    x = min(waiting(&k, e), stay)
    bare = missing_coat(c, t + x, law)
    shear, nk = coated(shear, spared_shear, bare), coated(nk, spared_nk, bare)
    u = unit32(r[0]) * (anoikis + shear + nk)
    c.pending = EVENT_ANOIKIS if u < anoikis else EVENT_SHEAR if u < anoikis + shear else EVENT_NK
    c.t_event = t + x
    return True


cdef inline void lodge(ctc_t* c, const walker_t* w, const body_t* b, double t) noexcept nogil:
    """It is arrested at t: NK, anoikis, release and extravasation compete. Sets the event."""
    cdef uint32_t r[4]
    cdef loss_t k
    cdef const law_t* law = &b.law
    cdef double x, u, bare = missing_coat(c, t, law), spared_nk = spared(law.spared_nk, c, b)
    cdef double anoikis = rate_at(&b.rates, RATE_ANOIKIS, c.node, w.factor)
    cdef double nk = rate_at(&b.rates, RATE_NK, c.node, w.factor)
    cdef double release = rate_at(&b.rates, RATE_RELEASE, c.node, w.factor)
    cdef double extravasate = rate_at(&b.rates, RATE_EXTRAVASATE, c.node, w.factor) * drawn(b, c.node, w)
    k.tau = law.coat_time_h
    k.a = anoikis + coated(nk, spared_nk, 0.0) + release + extravasate
    k.b = nk * spared_nk * bare
    draw(b.seed, DRAW_WALK, c.id, (c.hop - 1) | SECOND, r)
    x = waiting(&k, exponential(r[0], r[1]))
    nk = coated(nk, spared_nk, missing_coat(c, t + x, law))
    u = unit32(r[2]) * (anoikis + nk + release + extravasate)
    c.pending = (EVENT_ANOIKIS if u < anoikis else
                 EVENT_NK if u < anoikis + nk else
                 EVENT_RELEASE if u < anoikis + nk + release else EVENT_EXTRAVASATE)
    c.place = ARRESTED
    c.t_event = t + x
