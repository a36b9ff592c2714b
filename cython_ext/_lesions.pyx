# Colonization: what becomes of cells that left the blood, until they are large lesions that shed.
import numpy as np

from libc.math cimport INFINITY, expm1, fmin, log1p
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from _binomial cimport binomial
from _lesiongrowth cimport brood_t, broods_t, grow, grown_t
from _lesionrates cimport LESION_RATES, due, own_rates, own_t
from _names cimport same_names
from _random cimport (DRAW_CHILD, DRAW_CLONOGENIC, DRAW_FOLLOWED, DRAW_LESION, DRAW_LESION_SHED, draw,
                      philox4x32, unit52)
from _recordrates cimport fits, record_rates_t
from _types cimport (CELL_DIES, CIRCULATING, CLEARED, DORMANT, ENDED, FATE_EXTRAVASATED, FLAG_CLONOGENIC, FLAG_LESION,
                     GREW, MICRO, SEEDED, SLEEPS, STARTS, TRANSFORMS, VASCULAR, ctc_source, ctc_t, inherit, lesion_t,
                     source_of_ctc)

cdef enum:
    BORN, EARLY_LOSS, DORMANT_LOSS, LESION_LOSS, SHED, UNFOLLOWED
    SLEPT, STARTED, WOKEN, VASCULARIZED, GONE, TRANSFORMED, TALLIES

# Cells, from `slept` on lesions.
TALLY = ("born", "early_loss", "dormant_loss", "lesion_loss", "shed", "unfollowed", "slept", "started", "woken",
         "vascularized", "cleared", "transformed")

RATES = ("lesion.clonogenic", "lesion.early_death", "lesion.niche", "lesion.start", "lesion.sleep",
         "lesion.dormant_death", "lesion.marrow_death", "lesion.wake", "lesion.birth", "lesion.gompertz",
         "lesion.turnover", "lesion.death", "lesion.capacity", "lesion.avascular_limit", "lesion.vascularize",
         "lesion.shed", "lesion.shed_avascular", "lesion.transform")


def _brood_dtype():
    cdef brood_t brood
    return np.asarray(<brood_t[:1]>&brood).dtype


BROOD = _brood_dtype()


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


cdef void clear(lesion_t* l, double t, int64_t* tally) noexcept nogil:
    l.state, l.t_state, l.t_event = CLEARED, t, INFINITY
    tally[GONE] += 1


cdef void happen(lesion_t* l, const own_t* p, uint64_t seed, int64_t* tally) noexcept nogil:
    """What is pending, at its time."""
    cdef double t = l.t_event
    if l.pending == CELL_DIES:
        l.n -= 1
        l.died += 1
        tally[EARLY_LOSS if l.state == SEEDED else DORMANT_LOSS] += 1
        if l.n == 0:
            clear(l, t, tally)
            return
    elif l.pending == SLEEPS:
        l.state, l.t_state = DORMANT, t
        tally[SLEPT] += 1
    else:
        tally[STARTED if l.pending == STARTS else WOKEN] += 1
        l.state, l.t_state, l.t_event, l.pending = MICRO, t, INFINITY, GREW
        return
    due(l, p, seed, t)


cdef struct law_t:              # what holds for all lesions
    double detect               # [cells] from which on one is seen
    bint follow_all             # each cell that is shed is followed; else those that can found a colony
    int64_t normal              # the bit of normal cells; 0: there is none


cdef void choose(const lesion_t* l, double chance, uint64_t seed, uint32_t use, uint32_t step, broods_t* broods,
                 Py_ssize_t first, int64_t* tally) noexcept nogil:
    """Follow of the broods from `first` on only those cells that can found a colony."""
    cdef uint32_t counter[4]
    cdef uint32_t r[4]
    cdef uint64_t key
    cdef int64_t n
    cdef Py_ssize_t i
    draw(seed, use, l.id, step, r)
    key = <uint64_t>r[1] << 32 | r[0]
    counter[1] = counter[2] = counter[3] = 0
    for i in range(first, broods.used):
        counter[0] = <uint32_t>(i - first)
        philox4x32(counter, key, r)
        n = broods.list[i].n
        broods.list[i].n, broods.list[i].chosen = binomial(n, fmin(chance, 1.0), r), 1
        tally[UNFOLLOWED] += n - broods.list[i].n


cdef bint divide(lesion_t* l, int64_t row, const own_t* p, const law_t* law, uint64_t seed, uint32_t step,
                 uint32_t span, double start, double end, broods_t* broods, int64_t* tally) noexcept nogil:
    """False: there was no room for what it shed."""
    cdef uint32_t r[4]
    cdef uint64_t keys[2]
    cdef grown_t sum
    cdef Py_ssize_t first = broods.used
    sum.born = sum.died = sum.shed = sum.vascularized = 0
    draw(seed, DRAW_LESION | span << 16, l.id, step, r)
    keys[0] = <uint64_t>r[1] << 32 | r[0]
    draw(seed, DRAW_LESION_SHED | span << 16, l.id, step, r)
    keys[1] = <uint64_t>r[1] << 32 | r[0]
    if not grow(l, row, p, keys, start, end, law.detect, broods, &sum):
        broods.used = first
        return False
    tally[BORN] += sum.born
    tally[LESION_LOSS] += sum.died
    tally[SHED] += sum.shed
    tally[VASCULARIZED] += sum.vascularized
    tally[GONE] += l.n == 0
    if not law.follow_all:
        choose(l, p.clonogenic, seed, DRAW_FOLLOWED | span << 16, step, broods, first, tally)
    return True


cdef Py_ssize_t _advance(lesion_t[::1] lesions, Py_ssize_t row, const record_rates_t* rates, const law_t* law,
                         uint64_t seed, uint32_t step, uint32_t span, double start, double end, broods_t* broods,
                         int64_t* tally) except -1 nogil:
    """From `row` on, until the list of broods has no room; returns the row that is next."""
    cdef own_t p
    cdef Py_ssize_t i
    cdef lesion_t* it
    cdef lesion_t before
    cdef double t
    for i in range(row, lesions.shape[0]):
        it = &lesions[i]
        if it.t_founded != it.t_founded or it.t_event != it.t_event:
            raise FloatingPointError("the founding time or the next event of a lesion is not a number")
        if it.state >= CLEARED or it.t_founded >= end or it.state <= DORMANT and it.t_event >= end:
            continue
        own_rates(&it.traits, it.node, rates, &p)
        t = max(start, it.t_founded)
        while it.state <= DORMANT and it.t_event < end:
            t = it.t_event
            if it.pending == TRANSFORMS:
                it.traits.bits &= <uint8_t>~law.normal
                it.traits.flags |= FLAG_CLONOGENIC
                tally[TRANSFORMED] += 1
                own_rates(&it.traits, it.node, rates, &p)
                due(it, &p, seed, t)
            else:
                happen(it, &p, seed, tally)
        if it.state == MICRO or it.state == VASCULAR:
            before, t = it[0], max(t, it.t_state)       # it may have begun to in the last try, before there was room
            if not divide(it, i, &p, law, seed, step, span, t, end, broods, tally):
                it[0] = before
                return i
    return lesions.shape[0]


def advance(lesion_t[::1] lesions not None, rates not None, dict law not None, uint64_t seed, uint32_t step,
            uint32_t span, double start_h, double end_h, Py_ssize_t room=256):
    """Let the lesions live from start_h to end_h. Returns tallies, and what each sheds, an array of BROOD.

    ``span`` numbers the parts of a step, each with its own rates; `room` is that of the list of broods at first.
    """
    cdef int64_t tally[TALLIES]
    cdef law_t p = law
    cdef Tables tables = Tables(rates)
    cdef broods_t broods
    cdef brood_t[::1] view
    cdef Py_ssize_t row = 0
    same_names(law, p)
    found, broods.used = np.zeros(room, BROOD), 0
    for i in range(TALLIES):
        tally[i] = 0
    while True:
        view = found
        broods.list, broods.room = &view[0], view.shape[0]
        with nogil:
            row = _advance(lesions, row, &tables.r, &p, seed, step, span, start_h, end_h, &broods, tally)
        if row == lesions.shape[0]:
            break
        found = np.concatenate([found, np.zeros(len(found), BROOD)])
    return [tally[i] for i in range(TALLIES)], found[:broods.used]


cdef void _child(ctc_t* c, const lesion_t* l, uint64_t seed, int64_t index, const brood_t* brood) noexcept nogil:
    cdef uint32_t r[4]
    draw(seed, DRAW_CHILD, l.id ^ <uint64_t>(index >> 32), <uint32_t>index, r)
    c.id = <uint64_t>r[1] << 32 | r[0]
    c.t_shed = brood.since + unit52(r[2], r[3]) * (brood.until - brood.since)
    c.n, c.origin, c.node, c.place = 1, l.node, l.node, CIRCULATING
    c.traits = inherit(l.traits)
    c.bits_shed = c.traits.bits
    c.traits.flags |= FLAG_LESION | (FLAG_CLONOGENIC if brood.chosen else 0)
    ctc_source(c, l.id)


def children(const lesion_t[::1] lesions not None, const brood_t[::1] broods not None,
             ctc_t[::1] out not None, uint64_t seed):
    """Fill `out` (zeros) with the cells just shed, brood by brood, at uniform times in each."""
    cdef Py_ssize_t i, j = 0
    cdef int64_t k, wanted = 0
    for i in range(broods.shape[0]):
        if broods[i].n < 0 or not 0 <= broods[i].row < lesions.shape[0]:
            raise ValueError(f"a brood of {broods[i].n} cells of lesion {broods[i].row} of {lesions.shape[0]}")
        wanted += broods[i].n
    if wanted > out.shape[0]:
        raise ValueError(f"{wanted} cells are shed, but there is room for {out.shape[0]}")
    with nogil:
        for i in range(broods.shape[0]):
            for k in range(broods[i].n):
                _child(&out[j], &lesions[broods[i].row], seed, broods[i].first + k, &broods[i])
                j += 1


def seeded(ctc_t[::1] ctcs not None, lesion_t[::1] out not None):
    """Every extravasated cell or cluster becomes a lesion, in `out` (zeros), of which nothing is drawn yet."""
    cdef Py_ssize_t i
    cdef ctc_t* c
    cdef lesion_t* it
    if out.shape[0] != ctcs.shape[0]:
        raise ValueError(f"{ctcs.shape[0]} cells, but room for {out.shape[0]} lesions")
    for i in range(ctcs.shape[0]):
        c, it = &ctcs[i], &out[i]
        c.place, c.fate = ENDED, FATE_EXTRAVASATED
        it.id, it.n, it.traits = c.id, c.n, c.traits        # the same cell: its flags too
        it.node, it.origin = c.node, c.origin
        it.source = source_of_ctc(c) if c.traits.flags & FLAG_LESION else 0
        it.t_founded = it.t_state = c.t_event
        it.t_event = it.t_detected = INFINITY
        it.state = SEEDED


cdef int _begin(lesion_t* l, const record_rates_t* rates, uint64_t seed, double times) except -1 nogil:
    """One clonogenic cell is enough: 1 - (1 - p)^n. One that was chosen by that already is not drawn again."""
    cdef uint32_t r[4]
    cdef own_t p
    own_rates(&l.traits, l.node, rates, &p)
    p.clonogenic *= times
    if not l.traits.flags & FLAG_CLONOGENIC:
        draw(seed, DRAW_CLONOGENIC, l.id, 0, r)
        if p.clonogenic >= 1.0 or unit52(r[0], r[1]) < -expm1(l.n * log1p(-p.clonogenic)):
            l.traits.flags |= FLAG_CLONOGENIC
    due(l, &p, seed, l.t_founded)
    return 0


def begin(lesion_t[::1] lesions not None, rates not None, uint64_t seed, const double[::1] times not None):
    """Draw which of the lesions just seeded are clonogenic, and what comes next in each.

    The chance of a cell is `times` that of the rates.
    """
    cdef Tables tables = Tables(rates)
    cdef Py_ssize_t i
    if times.shape[0] != lesions.shape[0]:
        raise ValueError(f"{lesions.shape[0]} lesions, but the chances of {times.shape[0]}")
    with nogil:
        for i in range(lesions.shape[0]):
            _begin(&lesions[i], &tables.r, seed, times[i])


def redraw(lesion_t[::1] lesions not None, rates not None, uint64_t seed, double t_h):
    """Draw anew, by these rates, what comes after t_h in lesions that do not divide and were there at t_h."""
    cdef Tables tables = Tables(rates)
    cdef Py_ssize_t i
    cdef own_t p
    with nogil:
        for i in range(lesions.shape[0]):
            if lesions[i].state <= DORMANT and lesions[i].t_founded <= t_h < lesions[i].t_event:
                own_rates(&lesions[i].traits, lesions[i].node, &tables.r, &p)
                due(&lesions[i], &p, seed, t_h)
