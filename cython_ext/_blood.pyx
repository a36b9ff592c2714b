# The walk of circulating tumor cells: transit, arrest, death, release, extravasation, in continuous time.
import numpy as np

from libc.math cimport exp, log, pow
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from _bloodevents cimport body_t, dies, drawn, lodge, walker_t
from _circuit cimport (BLOOD_RATES, LYMPH, MAX_NODES, MOST_SWITCHES, RATE_ANOIKIS, RATE_BIND, RATE_NK, RATE_PASSAGES,
                       RATE_SHEAR, TUMOR, VESSEL, node_t, roads_t, switch_t)
from _random cimport DRAW_DIAMETER, DRAW_WALK, draw, normal, unit32
from _recordrates cimport fits, own_factors, rate_at
from _types cimport (ARRESTED, CIRCULATING, ENDED, EVENT_ANOIKIS, EVENT_ARRIVE, EVENT_NK, EVENT_RELEASE,
                     EVENT_SHEAR, FATE_ANOIKIS, FATE_NK, FATE_SELF_SEEDED, FATE_SHEAR, FLAG_INJECTED, FLAG_LYMPH,
                     FLAG_RETURNED, RETURNING, ctc_t)


def _node_dtype():
    cdef node_t node
    return np.asarray(<node_t[:1]>&node).dtype


def _switch_dtype():
    cdef switch_t switch
    return np.asarray(<switch_t[:1]>&switch).dtype


NODE, SWITCH = _node_dtype(), _switch_dtype()
LIMIT = int(MAX_NODES)
RATES = ("blood.anoikis", "blood.shear", "blood.nk", "blood.release", "blood.extravasate", "blood.bind",
         "blood.passages", "blood.homing")


cdef double _gate(const ctc_t* c, uint32_t node, const walker_t* w, const body_t* b) noexcept nogil:
    """The chance to pass a bed: neither too wide for it nor bound to its wall.

    A cluster passes in single file, so the width is that of one cell (Au et al. 2016).
    """
    cdef double wide = b.law.slope * (
        b.law.deformability * c.diameter / b.nodes[node].capillary_um - b.law.offset)
    cdef double gate = exp(-rate_at(&b.rates, RATE_BIND, node, w.factor)) / (1.0 + exp(min(wide, 700.0)))
    cdef double times = rate_at(&b.rates, RATE_PASSAGES, node, w.factor) * drawn(b, node, w)
    return gate if times == 1.0 else pow(gate, times)


cdef inline int _get_to_know(const ctc_t* c, const body_t* b, walker_t* w) except -1 nogil:
    own_factors(&c.traits, &b.rates, BLOOD_RATES, w.factor)
    w.worst = max(max(w.factor[RATE_ANOIKIS], w.factor[RATE_SHEAR]), w.factor[RATE_NK]) * (1.0 + 1e-12)
    w.known = 0
    return 0


cdef inline uint32_t _next(const roads_t* roads, uint32_t node, uint32_t r) noexcept nogil:
    cdef uint32_t j = roads.guide[node << 8 | r >> 24]
    while r > roads.upper[j]:
        j += 1
    return roads.target[j]


cdef void _leave(ctc_t* c, const node_t* nodes) noexcept nogil:
    """What was pending at the end of the walk has happened."""
    c.place = ENDED
    if c.pending == EVENT_ANOIKIS:
        c.fate = FATE_ANOIKIS
    elif c.pending == EVENT_SHEAR:
        c.fate = FATE_SHEAR
    elif c.pending == EVENT_NK:
        c.fate = FATE_NK
    elif nodes[c.node].kind == TUMOR:
        c.place, c.fate = RETURNING, FATE_SELF_SEEDED
        c.traits.flags |= FLAG_RETURNED


cdef int64_t _flow(ctc_t* c, walker_t* w, const body_t* b, double t_end) noexcept nogil:
    """Move it from node to node until t_end, or until it is arrested or dies. Returns how many were beds."""
    cdef uint32_t r[4]
    cdef uint32_t node = c.node, hop = c.hop
    cdef uint64_t key = c.id, seed = b.seed
    cdef double stay, t = c.t_event, worst = w.worst
    cdef const node_t* n
    cdef int64_t passages = 0
    c.place, c.pending = CIRCULATING, EVENT_ARRIVE
    while t < t_end:
        draw(seed, DRAW_WALK, key, hop, r)
        if hop > 0 or not c.traits.flags & (FLAG_INJECTED | FLAG_LYMPH):  # these start in their node
            node = _next(&b.roads, node, r[3])
        hop += 1
        n = &b.nodes[node]
        if n.kind != VESSEL:
            passages += n.kind != LYMPH
            if not w.known >> node & 1:
                w.known |= <uint32_t>1 << node
                w.chance[node] = _gate(c, node, w, b)
            if unit32(r[0]) >= w.chance[node]:
                c.node, c.hop = node, hop
                lodge(c, w, b, t)
                return passages
        stay = -n.transit_h * log(unit32(r[1]))
        if unit32(r[2]) < worst * b.loss[node] * stay:  # at least 1 - exp(-integral)
            c.node, c.hop = node, hop
            if dies(c, w, b, t, stay, unit32(r[2])):
                return passages
        t += stay
    c.node, c.hop, c.t_event = node, hop, t
    return passages


cdef int64_t _walk(ctc_t* c, const body_t* b, double t_end) except -1 nogil:
    """Every event of one cell before t_end; returns how often it entered a bed."""
    cdef walker_t w
    cdef int64_t passages = 0
    if not c.t_event >= t_end:
        _get_to_know(c, b, &w)
    while c.t_event < t_end:
        if c.pending == EVENT_ARRIVE or c.pending == EVENT_RELEASE:
            passages += _flow(c, &w, b, t_end)
        else:
            _leave(c, b.nodes)
            break
    if c.t_event != c.t_event or c.diameter != c.diameter:
        raise FloatingPointError("the time or the diameter of a circulating cell is not a number")
    return passages


cdef int _redraw(ctc_t* c, const body_t* b, double t) except -1 nogil:
    """What is due after t is drawn anew from t: stays and hazards have no memory, so only new rates change the law."""
    cdef uint32_t r[4]
    cdef walker_t w
    cdef double stay
    if c.hop == 0 or not c.t_event > t:  # not yet in the blood at t, or what is due then stays as it is
        return 0
    _get_to_know(c, b, &w)
    draw(b.seed, DRAW_WALK, c.id, c.hop, r)
    c.hop += 1
    if c.place == ARRESTED:
        lodge(c, &w, b, t)
        return 0
    stay = -b.nodes[c.node].transit_h * log(unit32(r[1]))
    if not dies(c, &w, b, t, stay, unit32(r[2])):
        c.pending, c.t_event = EVENT_ARRIVE, t + stay
    return 0


cdef int64_t _live(ctc_t* c, const body_t* b, double t_end) except -1 nogil:
    """As `_walk`; on the way bits of its state are switched, and what is due then is drawn anew with its new rates."""
    cdef int64_t passages = 0
    cdef int k
    cdef uint8_t bits
    cdef double t
    for k in range(b.n_switches):
        t = max(c.t_shed + b.switches[k].after_h, b.since)
        bits = (c.traits.bits | b.switches[k].set) & ~b.switches[k].clear
        if not t < t_end or bits == c.traits.bits:
            continue
        passages += _walk(c, b, t)
        if c.place > ARRESTED:
            return passages
        c.traits.bits = bits
        _redraw(c, b, t)
    return passages + _walk(c, b, t_end)


cdef int64_t _advance(ctc_t[::1] ctcs, const body_t* b, double t_end, bint redraws) except -1 nogil:
    cdef int64_t passages = 0
    cdef Py_ssize_t i
    for i in range(ctcs.shape[0]):
        if redraws:
            _redraw(&ctcs[i], b, t_end)
        else:
            passages += _live(&ctcs[i], b, t_end)
    return passages


cdef int64_t _call(ctc_t[::1] ctcs, circuit, uint64_t seed, double t_h, bint redraws) except -1:
    cdef const node_t[::1] nodes = circuit.nodes
    cdef const uint32_t[::1] upper = circuit.upper
    cdef const uint8_t[::1] target = circuit.target
    cdef const uint8_t[:, ::1] guide = circuit.guide
    cdef const double[:, ::1] place = circuit.rates.place
    cdef const float[:, ::1] clone = np.ascontiguousarray(circuit.rates.clone.T)
    cdef const float[:, :, ::1] state = np.ascontiguousarray(np.moveaxis(circuit.rates.state, 0, 2))
    cdef body_t b
    cdef int64_t passages = 0
    cdef Py_ssize_t i
    cdef const switch_t[::1] switches = circuit.switches
    fits(&b.rates, place, clone, state, BLOOD_RATES)
    if switches.shape[0] > MOST_SWITCHES:
        raise ValueError(f"{switches.shape[0]} switches of bits in the blood; at most {MOST_SWITCHES}")
    b.switches, b.n_switches, b.since = NULL, <int>switches.shape[0], circuit.since_h
    if b.n_switches:
        b.switches = &switches[0]
    if not (nodes.shape[0] == place.shape[1] == guide.shape[0] <= MAX_NODES):
        raise ValueError("the tables of the nodes differ in length")
    for i in range(nodes.shape[0]):
        b.loss[i] = place[RATE_ANOIKIS, i] + place[RATE_SHEAR, i] + place[RATE_NK, i]
    b.nodes, b.law, b.seed = &nodes[0], circuit.law, seed
    b.roads = roads_t(upper=&upper[0], target=&target[0], guide=&guide[0, 0])
    if ctcs.shape[0]:
        with nogil:
            passages = _advance(ctcs, &b, t_h, redraws)
    return passages


def advance(ctc_t[::1] ctcs not None, circuit not None, uint64_t seed, double t_end_h):
    """Walk every cell to t_end_h in place; returns the passages of beds. model.blood calls this."""
    return _call(ctcs, circuit, seed, t_end_h, False)


def redraw(ctc_t[::1] ctcs not None, circuit not None, uint64_t seed, double t_h):
    """Draw anew from t_h what is due after it; all must have walked to t_h. model.blood calls this."""
    _call(ctcs, circuit, seed, t_h, True)


cdef int _size(ctc_t[::1] ctcs, uint64_t seed, double median_um, double spread) except -1 nogil:
    cdef uint32_t r[4]
    cdef Py_ssize_t i
    for i in range(ctcs.shape[0]):
        if not ctcs[i].diameter > 0.0:
            draw(seed, DRAW_DIAMETER, ctcs[i].id, 0, r)
            ctcs[i].diameter = <float>(median_um * exp(spread * normal(r[0], r[1])))
    return 0


def size(ctc_t[::1] ctcs not None, uint64_t seed, double median_um, double spread):
    """Draw the diameter of every cell that has none: lognormal, `spread` is the sd of its logarithm."""
    with nogil:
        _size(ctcs, seed, median_um, spread)
