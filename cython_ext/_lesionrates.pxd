# Header only: the rates of a lesion, and what is due next in one that does not divide.
from libc.math cimport INFINITY, fmax
from libc.stdint cimport uint32_t, uint64_t
from _random cimport DRAW_LESION_EVENT, draw, exponential, unit52
from _recordrates cimport own_factors, rate_at, record_rates_t
from _types cimport (CELL_DIES, FLAG_CLONOGENIC, SEEDED, SLEEPS, STARTS, TRANSFORMS, WAKES, lesion_t,
                     traits_t)

cdef enum lesion_rate_e:        # rows of the tables; names in RATES of _lesions.pyx
    RATE_CLONOGENIC             # the chance that a cell can found a colony
    RATE_EARLY_DEATH
    RATE_NICHE                  # by how much each further cell of a group that is seeded protects the others
    RATE_START
    RATE_SLEEP
    RATE_DORMANT_DEATH
    RATE_MARROW_DEATH           # what comes on top of it in the marrow
    RATE_WAKE
    RATE_BIRTH                  # births, relative to the law of growth
    RATE_GOMPERTZ               # by which growth slows down
    RATE_TURNOVER               # births of a lesion at its capacity
    RATE_DEATH
    RATE_CAPACITY               # [cells] at which growth ends
    RATE_LIMIT                  # [cells] at which it ends without vessels
    RATE_VASCULARIZE            # at that limit
    RATE_SHED
    RATE_SHED_AVASCULAR         # without vessels, relative to that
    RATE_TRANSFORM              # normal cells become malignant; zero of others
    LESION_RATES

cdef struct own_t:              # of one lesion, in its organ and with its traits [1/h]; without unit; [cells]
    double clonogenic, early_death, niche, start, sleep, dormant_death, wake
    double birth, gompertz, turnover, death, capacity, limit, vascularize, shed, shed_avascular, transform


cdef inline int own_rates(const traits_t* traits, int node, const record_rates_t* r, own_t* p) except -1 nogil:
    """The rates of a lesion."""
    cdef double f[LESION_RATES]
    if node >= r.places:
        raise IndexError("a lesion is in a node that the tables of rates have not")
    own_factors(traits, r, LESION_RATES, f)
    p.clonogenic = rate_at(r, RATE_CLONOGENIC, node, f)
    p.early_death, p.niche = rate_at(r, RATE_EARLY_DEATH, node, f), rate_at(r, RATE_NICHE, node, f)
    p.start, p.sleep = rate_at(r, RATE_START, node, f), rate_at(r, RATE_SLEEP, node, f)
    p.dormant_death = rate_at(r, RATE_DORMANT_DEATH, node, f) + rate_at(r, RATE_MARROW_DEATH, node, f)
    p.wake, p.birth = rate_at(r, RATE_WAKE, node, f), rate_at(r, RATE_BIRTH, node, f)
    p.gompertz, p.turnover = rate_at(r, RATE_GOMPERTZ, node, f), rate_at(r, RATE_TURNOVER, node, f)
    p.death = rate_at(r, RATE_DEATH, node, f)
    p.capacity = fmax(rate_at(r, RATE_CAPACITY, node, f), 1.0)
    p.limit = fmax(rate_at(r, RATE_LIMIT, node, f), 1.0)
    p.vascularize, p.shed = rate_at(r, RATE_VASCULARIZE, node, f), rate_at(r, RATE_SHED, node, f)
    p.shed_avascular, p.transform = rate_at(r, RATE_SHED_AVASCULAR, node, f), rate_at(r, RATE_TRANSFORM, node, f)
    return 0


cdef inline void due(lesion_t* l, const own_t* p, uint64_t seed, double t) noexcept nogil:
    """Draw what comes next in a lesion that does not divide, and when, by its rates at time t."""
    cdef uint32_t r[4]
    cdef bint seeded = l.state == SEEDED
    cdef double die = l.n * p.early_death / (1.0 + p.niche * (l.n - 1)) if seeded else l.n * p.dormant_death
    cdef double go = p.start if seeded else p.wake
    cdef double rest = p.sleep if seeded else p.transform
    cdef double total, u
    if not l.traits.flags & FLAG_CLONOGENIC:
        go = 0.0
    total = die + go + rest
    l.t_event, l.pending = INFINITY, CELL_DIES
    if not total > 0.0:
        return
    draw(seed, DRAW_LESION_EVENT, l.id, l.hop, r)
    l.hop += 1
    l.t_event, u = t + exponential(r[0], r[1]) / total, unit52(r[2], r[3]) * total
    if u >= die + go:
        l.pending = SLEEPS if seeded else TRANSFORMS
    elif u >= die:
        l.pending = STARTS if seeded else WAKES
