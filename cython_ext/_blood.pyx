# The walk of circulating tumor cells: transit, arrest, death, release, extravasation, in continuous time.
import numpy as np

from libc.math cimport exp, log
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset
from _bloodevents cimport (HAS_BOUND, HAS_BURST, HAS_DIVIDED, HAS_EXTRAVASATED, HAS_RELEASED, HAS_TRAPPED, MOST_EVENTS,
                           body_t, ends, hold, look_at, note, note_death, tally_t, walker_t)
from _capillaries cimport SHARES, narrower
from _circuit cimport (BLOOD_RATES, LYMPH, MAX_NODES, MOST_FATES, MOST_SWITCHES, TUMOR, VESSEL, following,
                       node_t, roads_t, switch_t)
from _names cimport same_names
from _random cimport DRAW_DIAMETER, DRAW_WALK, draw, normal, unit32
from _recordrates cimport fits, own_factors
from _types cimport (BOUND, CIRCULATING, ENDED, EVENT_ANOIKIS, EVENT_ARRESTED_DEATH, EVENT_ARRIVE, EVENT_BIND,
                     EVENT_DIVIDE, EVENT_EXTRAVASATE, EVENT_NK, EVENT_RELEASE, EVENT_SHEAR, EVENT_SPLIT, EVENT_STAY,
                     EVENT_TORN, FATE_ANOIKIS, FATE_ARRESTED_DEATH, FATE_NK, FATE_OPEN, FATE_SELF_SEEDED, FATE_SHEAR,
                     FLAG_INJECTED, FLAG_LYMPH, FLAG_RETURNED, RETURNING, TRAPPED, ctc_t)


def _dtypes():
    cdef node_t node
    cdef switch_t switch
    return np.asarray(<node_t[:1]>&node).dtype, np.asarray(<switch_t[:1]>&switch).dtype


NODE, SWITCH = _dtypes()
LIMIT, FATES, WIDTHS = int(MAX_NODES), int(MOST_FATES), int(SHARES) + 1
RATES = ("blood.anoikis", "blood.shear", "blood.nk", "blood.release", "blood.extravasate", "blood.bind", "blood.homing",
         "blood.breakup", "blood.arrested_death", "blood.divide", "blood.barrier", "blood.mmp1", "blood.fscn1",
         "blood.tension", "blood.nuclear_stiffness")
EVENTS = ("trapped", "bound", "released", "torn", "anoikis", "shear", "nk_flowing", "nk_held", "arrested_death",
          "extravasated", "burst", "divided", "split")


cdef inline int _get_to_know(const ctc_t* c, const body_t* b, walker_t* w) except -1 nogil:
    own_factors(&c.traits, &b.rates, BLOOD_RATES, w.factor)
    w.known = 0
    return 0


cdef inline int _fate(int event) noexcept nogil:
    """Of a cell that dies by an event; FATE_OPEN if it does not."""
    if event == EVENT_ANOIKIS:
        return FATE_ANOIKIS
    if event == EVENT_SHEAR or event == EVENT_TORN:
        return FATE_SHEAR
    if event == EVENT_NK:
        return FATE_NK
    return FATE_ARRESTED_DEATH if event == EVENT_ARRESTED_DEATH else FATE_OPEN


cdef void _leave(ctc_t* c, const body_t* b) noexcept nogil:
    """What was pending at the end of the walk has happened."""
    if _fate(c.pending) != FATE_OPEN:
        note_death(b, c, c.n)
    else:
        note(b, HAS_EXTRAVASATED, c, c.n)
    c.place, c.fate = ENDED, <uint8_t>_fate(c.pending)
    if c.fate == FATE_OPEN and b.nodes[c.node].kind == TUMOR:
        c.place, c.fate = RETURNING, FATE_SELF_SEEDED
        c.traits.flags |= FLAG_RETURNED


cdef void _anew(ctc_t* c, walker_t* w, const body_t* b, double t) noexcept nogil:
    """Draw what is due after t, where it is: stays and hazards have no memory."""
    cdef uint32_t r[4]
    cdef double stay
    draw(b.seed, DRAW_WALK, c.id, c.hop, r)
    c.hop += 1
    if c.place != CIRCULATING:
        hold(c, w, b, t)
        return
    if not w.known >> c.node & 1:
        look_at(c, c.node, w, b)
    stay = -w.stay_h[c.node] * log(unit32(r[1]))
    if not ends(c, w, b, t, stay, unit32(r[2])):
        c.pending, c.t_event = EVENT_ARRIVE, t + stay


cdef bint _happens(ctc_t* c, walker_t* w, const body_t* b) noexcept nogil:
    """What was pending, other than that it goes on to the next node. Does the walk go on?"""
    cdef int fate = _fate(c.pending)
    if c.pending == EVENT_BIND:
        c.place = BOUND
        note(b, HAS_BOUND, c, c.n)
    elif c.pending == EVENT_DIVIDE:
        c.n += 1
        note(b, HAS_DIVIDED, c, 1)
        if c.n >= b.law.burst_cells:
            note(b, HAS_BURST, c, c.n)
            c.pending = EVENT_EXTRAVASATE
            return True
    elif fate != FATE_OPEN and c.n > 1 and c.pending != EVENT_TORN:
        c.n -= 1
        note_death(b, c, 1)
        b.tally.lost[fate * MAX_NODES + c.node] += 1
        b.tally.fewest = min(b.tally.fewest, <uint32_t>c.n)
    elif c.pending != EVENT_STAY:
        _leave(c, b)
        return False
    w.known = 0
    _anew(c, w, b, c.t_event)
    return True


cdef void _stop(ctc_t* c, const walker_t* w, const body_t* b, double t, bint trapped) noexcept nogil:
    """A capillary holds it, or tears it."""
    if trapped:
        c.place = TRAPPED
        note(b, HAS_TRAPPED, c, c.n)
        hold(c, w, b, t)
    else:
        c.pending, c.t_event = EVENT_TORN, t


cdef int64_t _flow(ctc_t* c, walker_t* w, const body_t* b, double t_end) noexcept nogil:
    """Move it from node to node until t_end, or until anything else is to happen. Returns how many were beds."""
    cdef uint32_t r[4]
    cdef uint32_t node = c.node, hop = c.hop
    cdef uint64_t key = c.id, seed = b.seed
    cdef double stay, t = c.t_event
    cdef int kind
    cdef bint trapped
    cdef const double* widths
    cdef int64_t passages = 0
    c.place, c.pending = CIRCULATING, EVENT_ARRIVE
    while t < t_end:
        draw(seed, DRAW_WALK, key, hop, r)
        if hop > 0 or not c.traits.flags & (FLAG_INJECTED | FLAG_LYMPH):  # these start in their node
            node = following(&b.roads, node, r[3])
        hop += 1
        if not w.known >> node & 1:
            look_at(c, node, w, b)
        kind = b.nodes[node].kind
        if kind != VESSEL:
            passages += kind != LYMPH
            widths = b.widths + node * (SHARES + 1)
            trapped = narrower(r[0], w.entered[node], &b.nodes[node], widths)
            if trapped or narrower(r[0], w.torn[node], &b.nodes[node], widths):
                c.node, c.hop = node, hop
                _stop(c, w, b, t, trapped)
                return passages
        stay = -w.stay_h[node] * log(unit32(r[1]))
        if unit32(r[2]) < w.loss[node] * stay:  # at least 1 - exp(-integral)
            c.node, c.hop = node, hop
            if ends(c, w, b, t, stay, unit32(r[2])):
                return passages
        t += stay
    c.node, c.hop, c.t_event = node, hop, t
    return passages


cdef int64_t _walk(ctc_t* c, const body_t* b, double t_end) except -1 nogil:
    """Every event of one cell before t_end, or until it splits; returns how often it entered a bed."""
    cdef walker_t w
    cdef int64_t passages = 0
    if not c.t_event >= t_end:
        _get_to_know(c, b, &w)
    while c.t_event < t_end and c.pending != EVENT_SPLIT:
        if c.pending == EVENT_RELEASE:
            note(b, HAS_RELEASED, c, c.n)
        if c.pending == EVENT_ARRIVE or c.pending == EVENT_RELEASE:
            passages += _flow(c, &w, b, t_end)
        elif not _happens(c, &w, b):
            break
    if c.t_event != c.t_event or c.diameter != c.diameter:
        raise FloatingPointError("the time or the diameter of a circulating cell is not a number")
    return passages


cdef int _redraw(ctc_t* c, const body_t* b, double t) except -1 nogil:
    """What is due after t is drawn anew from t: stays and hazards have no memory, so only new rates change the law."""
    cdef walker_t w
    if c.hop == 0 or not c.t_event > t:  # not yet in the blood at t, or what is due then stays as it is
        return 0
    _get_to_know(c, b, &w)
    _anew(c, &w, b, t)
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
        if c.place > TRAPPED or c.t_event < t:  # it has left the blood, or splits before
            return passages
        c.traits.bits = bits
        _redraw(c, b, t)
    return passages + _walk(c, b, t_end)


cdef int64_t _advance(ctc_t[::1] ctcs, const body_t* b, double t_end, uint16_t[::1] fewest) except -1 nogil:
    cdef int64_t passages = 0
    cdef Py_ssize_t i
    for i in range(ctcs.shape[0]):
        b.tally.fewest = ctcs[i].n
        passages += _live(&ctcs[i], b, t_end)
        fewest[i] = <uint16_t>b.tally.fewest
    return passages


cdef int _redraw_all(ctc_t[::1] ctcs, const body_t* b, double t) except -1 nogil:
    cdef Py_ssize_t i
    for i in range(ctcs.shape[0]):
        _redraw(&ctcs[i], b, t)
    return 0


cdef class Body:
    """The arrays of a circuit as the kernel reads them."""
    cdef const node_t[::1] nodes
    cdef const double[:, ::1] widths
    cdef const uint32_t[::1] upper
    cdef const uint8_t[::1] target
    cdef const uint8_t[:, ::1] guide
    cdef const double[:, ::1] place
    cdef const float[:, ::1] clone
    cdef const float[:, :, ::1] state
    cdef const switch_t[::1] switches
    cdef body_t b
    cdef tally_t tally

    def __init__(self, circuit, uint64_t seed):
        self.nodes, self.widths, self.switches = circuit.nodes, circuit.widths, circuit.switches
        self.upper, self.target, self.guide = circuit.upper, circuit.target, circuit.guide
        self.place, self.clone = circuit.rates.place, np.ascontiguousarray(circuit.rates.clone.T)
        self.state = np.ascontiguousarray(np.moveaxis(circuit.rates.state, 0, 2))
        fits(&self.b.rates, self.place, self.clone, self.state, BLOOD_RATES)
        if self.switches.shape[0] > MOST_SWITCHES:
            raise ValueError(f"{self.switches.shape[0]} switches of bits in the blood; at most {MOST_SWITCHES}")
        if not (self.nodes.shape[0] == self.place.shape[1] == self.guide.shape[0] == self.widths.shape[0] <= MAX_NODES
                and self.widths.shape[1] == SHARES + 1):
            raise ValueError("the tables of the nodes differ in length")
        self.b.switches, self.b.n_switches, self.b.since = NULL, <int>self.switches.shape[0], circuit.since_h
        if self.b.n_switches:
            self.b.switches = &self.switches[0]
        self.b.nodes, self.b.widths = &self.nodes[0], &self.widths[0, 0]
        self.b.law, self.b.seed = circuit.law, seed
        same_names(circuit.law, self.b.law)
        self.b.roads = roads_t(upper=&self.upper[0], target=&self.target[0], guide=&self.guide[0, 0])
        memset(&self.tally, 0, sizeof(tally_t))
        self.b.tally = &self.tally


def advance(ctc_t[::1] ctcs not None, circuit not None, uint64_t seed, double t_end_h, uint16_t[::1] fewest not None):
    """Walk every cell to t_end_h in place, or to where a cluster splits. model.blood calls this.

    `fewest` gets how many cells each had at least. Returns the passages of beds; what happened, in cells: int64
    (EVENTS, nodes), all but what splits; and the cells of clusters that died while these went on: int64 (fates, nodes).
    """
    cdef Body body = Body(circuit, seed)
    cdef int64_t passages = 0
    if fewest.shape[0] != ctcs.shape[0]:
        raise ValueError(f"{ctcs.shape[0]} cells or clusters, but room for the sizes of {fewest.shape[0]}")
    if ctcs.shape[0]:
        with nogil:
            passages = _advance(ctcs, &body.b, t_end_h, fewest)
    events = np.array(<int64_t[:MOST_EVENTS * MAX_NODES]>&body.tally.events[0]).reshape(MOST_EVENTS, MAX_NODES)
    lost = np.array(<int64_t[:MOST_FATES * MAX_NODES]>&body.tally.lost[0]).reshape(MOST_FATES, MAX_NODES)
    return passages, events, lost


def redraw(ctc_t[::1] ctcs not None, circuit not None, uint64_t seed, double t_h):
    """Draw anew from t_h what is due after it; all must have walked to t_h. model.blood calls this."""
    cdef Body body = Body(circuit, seed)
    with nogil:
        _redraw_all(ctcs, &body.b, t_h)


cdef int _size(ctc_t[::1] ctcs, uint64_t seed, double median_um, double spread) except -1 nogil:
    cdef uint32_t r[4]
    cdef Py_ssize_t i
    cdef uint32_t k
    cdef double widest
    for i in range(ctcs.shape[0]):
        if not ctcs[i].diameter > 0.0:
            widest = 0.0
            for k in range(ctcs[i].n):
                draw(seed, DRAW_DIAMETER, ctcs[i].id, k, r)
                widest = max(widest, median_um * exp(spread * normal(r[0], r[1])))
            ctcs[i].diameter = <float>widest
    return 0


def size(ctc_t[::1] ctcs not None, uint64_t seed, double median_um, double spread):
    """Draw the diameter of all that have none: of the widest of n cells, lognormal with this sd of the logarithm."""
    with nogil:
        _size(ctcs, seed, median_um, spread)
