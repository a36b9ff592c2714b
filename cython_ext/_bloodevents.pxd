# What ends the stay of a circulating cell where it is: hazards that compete, and change as its coat of platelets grows
# and fades. Those of a cluster are the sums over its cells. Header only: it has no .pyx twin.
from libc.math cimport INFINITY, exp, expm1, log1p, pow
from libc.stdint cimport int64_t, uint32_t, uint64_t

from _capillaries cimport cell_body_t, entered, retention
from _circuit cimport (
    BLOOD_RATES, LYMPH, MAX_NODES, MOST_FATES, RATE_ANOIKIS, RATE_ARRESTED_DEATH, RATE_BARRIER, RATE_BIND,
    RATE_BREAKUP, RATE_DIVIDE, RATE_EXTRAVASATE, RATE_FSCN1, RATE_HOMING, RATE_MMP1, RATE_NK, RATE_NUCLEUS,
    RATE_RELEASE, RATE_SHEAR, RATE_TENSION, VESSEL, law_t, node_t, roads_t, switch_t)
from _random cimport DRAW_WALK, draw, exponential, unit32
from _recordrates cimport rate_at, record_rates_t
from _types cimport (
    BOUND, CIRCULATING, EVENT_ANOIKIS, EVENT_ARRESTED_DEATH, EVENT_BIND, EVENT_DIVIDE, EVENT_EXTRAVASATE, EVENT_NK,
    EVENT_RELEASE, EVENT_SHEAR, EVENT_SPLIT, EVENT_STAY, EVENT_TORN, ctc_t)

cdef enum:
    SECOND = 0x80000000  # added to the hop: a second block of words for what happens seldom
    MOST_RISKS = 5


cdef enum happened_e:    # what is counted, in cells by node; names in _blood.EVENTS
    HAS_TRAPPED
    HAS_BOUND
    HAS_RELEASED
    HAS_TORN
    HAS_ANOIKIS
    HAS_SHEAR
    HAS_NK_FLOWING
    HAS_NK_HELD
    HAS_ARRESTED_DEATH
    HAS_EXTRAVASATED
    HAS_BURST
    HAS_DIVIDED
    HAS_SPLIT
    MOST_EVENTS


cdef struct tally_t:     # what has happened in a call
    int64_t events[MOST_EVENTS * MAX_NODES]
    int64_t lost[MOST_FATES * MAX_NODES]    # cells of clusters that died while these went on
    uint32_t fewest      # cells that the present record had since the call began


cdef struct body_t:      # what is the same for all cells of a call
    const node_t* nodes
    const double* widths      # (nodes, SHARES + 1) of capillaries: see narrower
    roads_t roads
    record_rates_t rates
    law_t law
    uint64_t seed
    const switch_t* switches  # in the order of time
    int n_switches
    double since              # [h] from which on they hold
    tally_t* tally


cdef struct walker_t:  # what a cell's traits make of the rates, and of each node that it has met
    double factor[BLOOD_RATES]
    uint32_t known            # a bit for each node
    double entered[MAX_NODES] # the narrowest capillary that it gets into
    double torn[MAX_NODES]    # and that which does not tear it
    double stay_h[MAX_NODES]  # mean of a stay
    double loss[MAX_NODES]    # at least the hazards together


cdef struct risk_t:      # hazards that compete, at their most, and the share of each that a full coat takes off
    int n
    int event[MOST_RISKS]
    double bare[MOST_RISKS]
    double spared[MOST_RISKS]


cdef inline void run(risk_t* k, int event, double bare, double spared) noexcept nogil:
    k.event[k.n], k.bare[k.n], k.spared[k.n] = event, bare, spared
    k.n += 1


cdef inline double divided(double a, double rate) noexcept nogil:
    return a / rate if rate > 0.0 else INFINITY


cdef inline double all_bare(const risk_t* k) noexcept nogil:
    cdef double total = 0.0
    cdef int i
    for i in range(k.n):
        total += k.bare[i]
    return total


cdef inline double coat(const ctc_t* c, double t, const body_t* b) noexcept nogil:
    """The share of a cell that platelets coat at t: (1 - exp(-x / time)) exp(-x / fade), x hours after it entered the
    blood; there are none in lymph."""
    cdef double x = t - c.t_shed
    if b.nodes[c.node].kind == LYMPH:
        return 0.0
    return -expm1(-x / b.law.coat_time_h) * exp(-x / b.law.coat_fade_h)


cdef inline double seen(const ctc_t* c, double t, const body_t* b) noexcept nogil:
    """The share of the NK hazard left at t: exp(-x / loss), x hours after it entered the blood; all in lymph."""
    if b.nodes[c.node].kind == LYMPH:
        return 1.0
    return exp(-(t - c.t_shed) / b.law.nk_loss_h)


cdef inline double drawn(const body_t* b, uint32_t node, const walker_t* w) noexcept nogil:
    """How many times as fast a cell binds to the vessels of a node, and leaves them."""
    return 1.0 + rate_at(&b.rates, RATE_HOMING, node, w.factor)


cdef inline double exposed(const ctc_t* c) noexcept nogil:
    """Cells of it that others can reach: those at the surface of a ball of n."""
    return c.n * min(1.0, 2.0 * pow(c.n, -1.0 / 3.0)) if c.n > 1 else 1.0


cdef inline void flowing(const ctc_t* c, uint32_t node, const walker_t* w, const body_t* b,
                         risk_t* k) noexcept nogil:
    """What may happen while it flows through a node."""
    cdef double unattached = 1.0 - c.traits.adhesion / 255.0 if c.n > 1 else 1.0
    k.n = 0
    run(k, EVENT_ANOIKIS, c.n * unattached * rate_at(&b.rates, RATE_ANOIKIS, node, w.factor), 0.0)
    run(k, EVENT_SHEAR, c.n * rate_at(&b.rates, RATE_SHEAR, node, w.factor), b.law.spared_shear)
    run(k, EVENT_NK, exposed(c) * rate_at(&b.rates, RATE_NK, node, w.factor) * b.law.nk_flowing, b.law.spared_nk)
    run(k, EVENT_BIND, rate_at(&b.rates, RATE_BIND, node, w.factor) * drawn(b, node, w), 0.0)
    run(k, EVENT_SPLIT, (c.n - 1) * rate_at(&b.rates, RATE_BREAKUP, node, w.factor), 0.0)


cdef inline double way_out(const ctc_t* c, const walker_t* w, const body_t* b) noexcept nogil:
    """What the genes of a cell make of its exit from the vessels where it is: in the brain, and in a tumor."""
    cdef double barrier = 1.0
    if b.rates.place[RATE_BARRIER * b.rates.places + c.node] > 0.0:
        barrier = rate_at(&b.rates, RATE_BARRIER, c.node, w.factor)
    return (barrier * (1.0 + rate_at(&b.rates, RATE_MMP1, c.node, w.factor))
            * (1.0 + rate_at(&b.rates, RATE_FSCN1, c.node, w.factor)))


cdef inline void held(const ctc_t* c, const walker_t* w, const body_t* b, risk_t* k) noexcept nogil:
    """What may happen while it is arrested; one that is trapped cannot go on."""
    k.n = 0
    run(k, EVENT_NK, exposed(c) * rate_at(&b.rates, RATE_NK, c.node, w.factor), b.law.spared_nk)
    run(k, EVENT_ARRESTED_DEATH, c.n * rate_at(&b.rates, RATE_ARRESTED_DEATH, c.node, w.factor), 0.0)
    run(k, EVENT_RELEASE, rate_at(&b.rates, RATE_RELEASE, c.node, w.factor) if c.place == BOUND else 0.0, 0.0)
    run(k, EVENT_EXTRAVASATE,
        rate_at(&b.rates, RATE_EXTRAVASATE, c.node, w.factor) * drawn(b, c.node, w) * way_out(c, w, b), 0.0)
    run(k, EVENT_DIVIDE, c.n * rate_at(&b.rates, RATE_DIVIDE, c.node, w.factor), 0.0)


cdef inline void fall_due(ctc_t* c, const risk_t* k, double t, uint32_t word, const body_t* b) noexcept nogil:
    """One of them happens at t, as if nothing lowered it; by the share that its coat takes off, or NK cells no longer
    see, it does not.

    So times are those of the hazard, by thinning (Lewis and Shedler 1979), and no integral has to be inverted. A cell
    that is spared stays as it is, and what comes next is drawn from there.
    """
    cdef double u = unit32(word) * all_bare(k), upto = 0.0, left
    cdef int i
    c.pending, c.t_event = EVENT_STAY, t
    for i in range(k.n):
        upto += k.bare[i]
        if u < upto:
            left = 1.0 - k.spared[i] * coat(c, t, b) if k.spared[i] > 0.0 else 1.0
            if k.event[i] == EVENT_NK:
                left *= seen(c, t, b)
            if left == 1.0 or upto - u > k.bare[i] * (1.0 - left):
                c.pending = k.event[i]
            break


cdef inline void look_at(const ctc_t* c, uint32_t node, walker_t* w, const body_t* b) noexcept nogil:
    """What a cell meets in a node: the chances of a passage, the mean stay, and at least the hazards together.

    A cluster passes in single file, so what counts is its widest cell (Au et al. 2016); one that is too large lodges
    before the capillaries.
    """
    cdef risk_t risk
    cdef cell_body_t cell
    cdef const node_t* n = &b.nodes[node]
    w.known |= <uint32_t>1 << node
    w.stay_h[node] = n.transit_h
    if n.kind != VESSEL:
        cell.diameter_um, cell.nucleus_um = c.diameter, b.law.nucleus * c.diameter
        cell.tension_mN_per_m = rate_at(&b.rates, RATE_TENSION, node, w.factor)
        cell.nucleus_kPa = rate_at(&b.rates, RATE_NUCLEUS, node, w.factor)
        w.entered[node] = entered(&cell, n) if c.n <= b.law.single_file else INFINITY
        w.torn[node] = c.diameter / b.law.stretch
        w.stay_h[node] += c.n * retention(&cell, n, &b.law)
    flowing(c, node, w, b, &risk)
    w.loss[node] = all_bare(&risk) * (1.0 + 1e-12)


cdef inline bint ends(ctc_t* c, const walker_t* w, const body_t* b, double t, double stay, double u) noexcept nogil:
    """Does anything happen within `stay` hours from t, u being its chance to come so early? Sets the event."""
    cdef uint32_t r[4]
    cdef risk_t risk
    cdef double x
    flowing(c, c.node, w, b, &risk)
    x = divided(-log1p(-u), all_bare(&risk))
    if not x < stay:
        return False
    draw(b.seed, DRAW_WALK, c.id, (c.hop - 1) | SECOND, r)
    fall_due(c, &risk, t + x, r[0], b)
    return True


cdef inline void hold(ctc_t* c, const walker_t* w, const body_t* b, double t) noexcept nogil:
    """It is arrested at t, as `place` says. Sets what happens next."""
    cdef uint32_t r[4]
    cdef risk_t risk
    held(c, w, b, &risk)
    draw(b.seed, DRAW_WALK, c.id, (c.hop - 1) | SECOND, r)
    fall_due(c, &risk, t + divided(exponential(r[0], r[1]), all_bare(&risk)), r[2], b)


cdef inline void note(const body_t* b, int event, const ctc_t* c, int64_t cells) noexcept nogil:
    """Count cells to which something has happened where they are."""
    b.tally.events[event * MAX_NODES + c.node] += cells


cdef inline void note_death(const body_t* b, const ctc_t* c, int64_t cells) noexcept nogil:
    """Count cells that die of what was pending."""
    cdef int event = HAS_ARRESTED_DEATH
    if c.pending == EVENT_ANOIKIS:
        event = HAS_ANOIKIS
    elif c.pending == EVENT_SHEAR:
        event = HAS_SHEAR
    elif c.pending == EVENT_TORN:
        event = HAS_TORN
    elif c.pending == EVENT_NK:
        event = HAS_NK_FLOWING if c.place == CIRCULATING else HAS_NK_HELD
    note(b, event, c, cells)
