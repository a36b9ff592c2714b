# The plan and the vessels as the tissue kernel is given them, checked. Header only: it has no .pyx twin.
#
# What `tiles_t` gets are places in arrays that the caller holds.
from libc.stdint cimport int32_t, uint64_t

from _geometry cimport segment_t
from _rates cimport (
    DIVIDE, DRAIN, LOWER, MOST_RATES, RAISE, REMOVE, check_factors, factor_t, rate_t, signal_t, take_field,
    take_signals)
from _tiles cimport BINS, BY_ADHESION, BY_BITS, BY_CLONE, BY_EMT, MOST_BIASES, bias_t, tiles_t


cdef inline int check_plan(const tiles_t* t, int listed, int signals, int causes) except -1:
    """The plan names only what is there."""
    cdef int r
    for r in range(t.n_rates):
        if not DIVIDE <= t.rates[r].action <= DRAIN:
            raise ValueError(f"rate {r} has the action {t.rates[r].action}")
        if t.rates[r].action in (RAISE, LOWER) and not 0 <= t.rates[r].detail < 512:
            raise ValueError(f"rate {r} changes a byte by {t.rates[r].detail}")
        if t.rates[r].action == REMOVE and not 0 <= t.rates[r].detail < causes:
            raise ValueError(f"rate {r} has the cause of death {t.rates[r].detail} of {causes}")
    return check_factors(t.rates, t.n_rates, t.factors, listed, signals)


cdef inline bint is_one(const float* table, Py_ssize_t n) noexcept:
    """Whether a factor is 1 whatever it is looked up by."""
    cdef Py_ssize_t i
    cdef int others = 0
    for i in range(n):
        others |= table[i] != 1.0
    return not others


cdef inline void see_tables(tiles_t* t) noexcept:
    """Note which tables say anything, rate by rate."""
    cdef const float* state
    cdef int r
    for r in range(t.n_rates):
        state = t.state + 768 * r
        t.reads[r] = (
            (0 if is_one(t.clone + <Py_ssize_t>t.n_clones * r, t.n_clones) else BY_CLONE)
            | (0 if is_one(state, 256) else BY_EMT) | (0 if is_one(state + 256, 256) else BY_ADHESION)
            | (0 if is_one(state + 512, 256) else BY_BITS))


cdef inline int take_tables(tuple plan, tiles_t* t) except -1:
    """The rates, their factors, and the tables by clone and state."""
    cdef const rate_t[::1] rates = plan[0]
    cdef const factor_t[::1] factors = plan[1]
    cdef const float[:, ::1] clone = plan[3]
    cdef const float[:, :, ::1] state = plan[4]
    cdef const int32_t[::1] speed = plan[5]
    cdef const float[:, ::1] along = plan[6]
    if not (rates.shape[0] == clone.shape[0] == state.shape[0] <= MOST_RATES and state.shape[1] == 3
            and along.shape[0] == 2 and state.shape[2] == speed.shape[0] == along.shape[1] == 256):
        raise ValueError("the tables of the rates differ in length")
    t.n_rates, t.n_clones = <int>rates.shape[0], <int>clone.shape[1]
    t.speed, t.along = &speed[0], &along[0, 0]
    if t.n_rates:
        t.rates, t.state = &rates[0], &state[0, 0, 0]
    if t.n_rates and t.n_clones:
        t.clone = &clone[0, 0]
    if factors.shape[0]:
        t.factors = &factors[0]
    see_tables(t)
    return 0


cdef inline int take_biases(tuple biases, Py_ssize_t rows, tiles_t* t) except -1:
    """The gradients that cells follow: (field, bias, half) each, the field with the rows of ghosts."""
    cdef int k
    if len(biases) > MOST_BIASES:
        raise ValueError(f"cells follow {len(biases)} fields; at most {MOST_BIASES}")
    t.n_biases = <int>len(biases)
    for k in range(t.n_biases):
        take_field(biases[k][0], rows, &t.biases[k].field)
        t.biases[k].bias, t.biases[k].half = biases[k][1], biases[k][2]
    return 0


cdef inline int take_speed_factors(tuple factors, Py_ssize_t rows, tiles_t* t) except -1:
    """What acts on speed besides EMT: (by adhesion, by clone, field of the ground or None, per bin), or nothing."""
    if not factors:
        return 0
    cdef const int32_t[::1] by_adhesion = factors[0]
    cdef const int32_t[:, ::1] by_clone = factors[1]
    if (by_adhesion.shape[0] != 256 or by_clone.shape[0] != t.n_clones
            or by_clone.shape[1] != (1 if factors[2] is None else BINS)):
        raise ValueError("the tables of speed differ in length")
    t.speed_by_adhesion, t.speed_by_clone = &by_adhesion[0], &by_clone[0, 0]
    t.speed_bins, t.per_bin = <int>by_clone.shape[1], factors[3]
    if factors[2] is not None:
        take_field(factors[2], rows, &t.ground)
    return 0


cdef inline int take_resisting(resisting, Py_ssize_t all_rows, tiles_t* t) except -1:
    """The field that resists cells that are pushed, with the rows of ghosts, or None."""
    cdef signal_t field
    if resisting is not None:
        take_field(resisting, all_rows, &field)
        if field.width != 512:
            raise ValueError("what resists has no value for each voxel")
        t.resisting = field.value
    return 0


cdef inline int take_plan(tuple plan, Py_ssize_t rows, Py_ssize_t all_rows, int causes, signal_t* signals,
                          tiles_t* t) except -1:
    """The whole plan; `signals` has room for MOST_SIGNALS, and there are `all_rows` rows with ghosts."""
    cdef const uint64_t[::1] mutation = plan[7]
    take_tables(plan, t)
    if mutation.shape[0] != t.n_clones:
        raise ValueError("the tables of the rates differ in length")
    if t.n_clones:
        t.mutation = &mutation[0]
    take_biases(plan[8], all_rows, t)
    take_speed_factors(plan[9], rows, t)
    take_resisting(plan[10], all_rows, t)
    t.signals = signals
    return check_plan(t, len(plan[1]), take_signals(plan[2], rows, signals), causes)


cdef inline int take_vessels(tuple vessels, Py_ssize_t rows, tiles_t* t) except -1:
    """The vessel map: (first, index, segments)."""
    cdef const int32_t[::1] first = vessels[0]
    cdef const int32_t[::1] index = vessels[1]
    cdef const segment_t[::1] segments = vessels[2]
    if first.shape[0] != 512 * rows + 1:
        raise ValueError("the arrays of the voxels differ in length")
    t.vessel_first = &first[0]
    if index.shape[0]:
        t.vessel_index, t.segments = &index[0], &segments[0]
    return 0
