# The walk of circulating tumor cells: transit, arrest, death, release, extravasation, in continuous time.
import numpy as np

from libc.math cimport INFINITY, exp, expm1, log, log1p, pow
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from _circuit cimport BED, MAX_NODES, TUMOR, VESSEL, hazards_t, node_t, roads_t
from _random cimport DRAW_DIAMETER, DRAW_WALK, draw, exponential, normal, unit32
from _types cimport (ARRESTED, CIRCULATING, ENDED, EVENT_ANOIKIS, EVENT_ARRIVE, EVENT_EXTRAVASATE,
                     EVENT_NK, EVENT_RELEASE, EVENT_SHEAR, FATE_ANOIKIS, FATE_NK, FATE_SELF_SEEDED,
                     FATE_SHEAR, FLAG_INJECTED, FLAG_RETURNED, RETURNING, ctc_t)

cdef enum:
    SECOND = 0x80000000  # added to the hop: a second block of words for what happens seldom


def _node_dtype():
    cdef node_t node
    return np.asarray(<node_t[:1]>&node).dtype


NODE = _node_dtype()
LIMIT = int(MAX_NODES)


cdef struct loss_t:  # hazard of leaving: a + b exp(-x / tau) after x hours, the coat growing meanwhile
    double a, b, tau


cdef struct gates_t:  # a cell's chance to pass each bed that it has met in this call
    uint32_t known    # a bit for each node
    double chance[MAX_NODES]


cdef inline double _integral(const loss_t* k, double x) noexcept nogil:
    """Integral of the hazard from 0 to x."""
    return k.a * x - k.b * k.tau * expm1(-x / k.tau)


cdef double _waiting(const loss_t* k, double e) noexcept nogil:
    """The x at which the integral of the hazard reaches e; infinite if it never does.

    Both starting values lie left of the root and the integral is concave, so Newton's method comes
    from the left and cannot overshoot.
    """
    cdef double x, m, step
    cdef int i
    if k.a + k.b <= 0.0 or (k.a <= 0.0 and e >= k.b * k.tau):
        return INFINITY
    x = e / (k.a + k.b)
    if k.b <= 0.0:
        return x
    if k.a > 0.0 and (e - k.b * k.tau) / k.a > x:
        x = (e - k.b * k.tau) / k.a
    for i in range(64):
        m = expm1(-x / k.tau)
        step = (e - k.a * x + k.b * k.tau * m) / (k.a + k.b * (1.0 + m))
        x += step
        if step <= 1e-15 * x:
            break
    return x


cdef inline double _bare(const ctc_t* c, double t, const hazards_t* p) noexcept nogil:
    """The share of the platelet coat that is still missing at time t."""
    return exp(-(t - c.t_shed) / p.platelet_time_h)


cdef inline double _shear(const node_t* n, const hazards_t* p, double bare) noexcept nogil:
    return n.shear_per_h * (1.0 - p.platelet_shear + p.platelet_shear * bare)


cdef inline double _nk(const node_t* n, const hazards_t* p, double bare) noexcept nogil:
    return n.nk_per_h * (1.0 - p.platelet_nk + p.platelet_nk * bare)


cdef bint _dies(ctc_t* c, const node_t* n, const hazards_t* p, uint64_t seed, double t, double stay,
                double u) noexcept nogil:
    """Does it die within `stay` hours from t: is u below 1 - exp(-integrated hazard)? Sets the event."""
    cdef uint32_t r[4]
    cdef loss_t k
    cdef double x, shear, nk, e = -log1p(-u), bare = _bare(c, t, p)
    k.tau = p.platelet_time_h
    k.a = p.anoikis_per_h + _shear(n, p, 0.0) + _nk(n, p, 0.0)
    k.b = (n.shear_per_h * p.platelet_shear + n.nk_per_h * p.platelet_nk) * bare
    if not e < _integral(&k, stay):
        return False
    draw(seed, DRAW_WALK, c.id, (c.hop - 1) | SECOND, r)
    x = min(_waiting(&k, e), stay)
    bare = _bare(c, t + x, p)
    shear, nk = _shear(n, p, bare), _nk(n, p, bare)
    u = unit32(r[0]) * (p.anoikis_per_h + shear + nk)
    c.pending = (EVENT_ANOIKIS if u < p.anoikis_per_h else
                 EVENT_SHEAR if u < p.anoikis_per_h + shear else EVENT_NK)
    c.t_event = t + x
    return True


cdef void _lodge(ctc_t* c, const node_t* n, const hazards_t* p, uint64_t seed, double t) noexcept nogil:
    """It is arrested at t: NK, anoikis, release and extravasation compete. Sets the event."""
    cdef uint32_t r[4]
    cdef loss_t k
    cdef double x, u, nk, bare = _bare(c, t, p)
    k.tau = p.platelet_time_h
    k.a = p.anoikis_per_h + _nk(n, p, 0.0) + p.release_per_h + n.extravasate_per_h
    k.b = n.nk_per_h * p.platelet_nk * bare
    draw(seed, DRAW_WALK, c.id, (c.hop - 1) | SECOND, r)
    x = _waiting(&k, exponential(r[0], r[1]))
    nk = _nk(n, p, _bare(c, t + x, p))
    u = unit32(r[2]) * (p.anoikis_per_h + nk + p.release_per_h + n.extravasate_per_h)
    c.pending = (EVENT_ANOIKIS if u < p.anoikis_per_h else
                 EVENT_NK if u < p.anoikis_per_h + nk else
                 EVENT_RELEASE if u < p.anoikis_per_h + nk + p.release_per_h else EVENT_EXTRAVASATE)
    c.place = ARRESTED
    c.t_event = t + x


cdef double _gate(const ctc_t* c, const node_t* n, const hazards_t* p) noexcept nogil:
    """The chance to pass a bed: neither too wide for it nor bound to its wall.

    A cluster passes in single file, so the width is that of one cell (Au et al. 2016).
    """
    cdef double wide = p.slope * (p.deformability * c.diameter / n.capillary_um - p.offset)
    cdef double gate = exp(-n.bind * c.traits.adhesion) / (1.0 + exp(min(wide, 700.0)))
    return gate if n.gain == 1.0 else pow(gate, n.gain)


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


cdef int64_t _flow(ctc_t* c, const node_t* nodes, const roads_t* roads, const hazards_t* p, uint64_t seed,
                   double t_end, gates_t* gates) noexcept nogil:
    """Move it from node to node until t_end, or until it is arrested or dies. Returns how many were beds."""
    cdef uint32_t r[4]
    cdef uint32_t node = c.node, hop = c.hop
    cdef uint64_t key = c.id
    cdef double stay, worst, t = c.t_event
    cdef const node_t* n
    cdef int64_t passages = 0
    c.place, c.pending = CIRCULATING, EVENT_ARRIVE
    while t < t_end:
        draw(seed, DRAW_WALK, key, hop, r)
        if hop > 0 or not c.traits.flags & FLAG_INJECTED:  # an injected cell starts in its node
            node = _next(roads, node, r[3])
        n = &nodes[node]
        hop += 1
        if n.kind != VESSEL:
            passages += 1
            if not gates.known >> node & 1:
                gates.known |= <uint32_t>1 << node
                gates.chance[node] = _gate(c, n, p)
            if unit32(r[0]) >= gates.chance[node]:
                c.node, c.hop = node, hop
                _lodge(c, n, p, seed, t)
                return passages
        stay = -n.transit_h * log(unit32(r[1]))
        worst = (p.anoikis_per_h + n.shear_per_h + n.nk_per_h) * stay  # at least 1 - exp(-integral)
        if unit32(r[2]) < worst:
            c.node, c.hop = node, hop
            if _dies(c, n, p, seed, t, stay, unit32(r[2])):
                return passages
        t += stay
    c.node, c.hop, c.t_event = node, hop, t
    return passages


cdef int64_t _walk(ctc_t* c, const node_t* nodes, const roads_t* roads, const hazards_t* p,
                   uint64_t seed, double t_end) except -1 nogil:
    """Every event of one cell before t_end; returns how often it entered a bed."""
    cdef gates_t gates
    cdef int64_t passages = 0
    gates.known = 0
    while c.t_event < t_end:
        if c.pending == EVENT_ARRIVE or c.pending == EVENT_RELEASE:
            passages += _flow(c, nodes, roads, p, seed, t_end, &gates)
        else:
            _leave(c, nodes)
            break
    if c.t_event != c.t_event or c.diameter != c.diameter:
        raise FloatingPointError("the time or the diameter of a circulating cell is not a number")
    return passages


cdef int64_t _advance(ctc_t[::1] ctcs, const node_t[::1] nodes, const roads_t* roads,
                      const hazards_t* p, uint64_t seed, double t_end) except -1 nogil:
    cdef int64_t passages = 0
    cdef Py_ssize_t i
    for i in range(ctcs.shape[0]):
        passages += _walk(&ctcs[i], &nodes[0], roads, p, seed, t_end)
    return passages


def advance(ctc_t[::1] ctcs not None, const node_t[::1] nodes not None, const uint32_t[::1] upper not None,
            const uint8_t[::1] target not None, const uint8_t[:, ::1] guide not None,
            hazards_t hazards, uint64_t seed, double t_end_h):
    """Walk every cell to t_end_h in place; returns the passages of beds. circulation.Blood calls this."""
    cdef roads_t roads
    cdef int64_t passages = 0
    roads.upper, roads.target, roads.guide = &upper[0], &target[0], &guide[0, 0]
    if ctcs.shape[0]:
        with nogil:
            passages = _advance(ctcs, nodes, &roads, &hazards, seed, t_end_h)
    return passages


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
