# The plan and the vessels as the tissue kernel is given them, checked. Header only: it has no .pyx twin.
#
# What `tiles_t` gets are places in arrays that the caller holds.
from libc.stdint cimport int32_t

from _geometry cimport segment_t
from _rates cimport (
    DIVIDE, LOWER, MOST_RATES, REMOVE, check_factors, factor_t, rate_t, signal_t, take_signals)
from _tiles cimport tiles_t


cdef inline int check_plan(const tiles_t* t, int listed, int signals, int causes) except -1:
    """The plan names only what is there."""
    cdef int r
    for r in range(t.n_rates):
        if not DIVIDE <= t.rates[r].action <= LOWER:
            raise ValueError(f"rate {r} has the action {t.rates[r].action}")
        if t.rates[r].action == REMOVE and not 0 <= t.rates[r].detail < causes:
            raise ValueError(f"rate {r} has the cause of death {t.rates[r].detail} of {causes}")
    return check_factors(t.rates, t.n_rates, t.factors, listed, signals)


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
    return 0


cdef inline int take_plan(tuple plan, Py_ssize_t rows, int causes, signal_t* signals, tiles_t* t) except -1:
    """The whole plan; `signals` has room for MOST_SIGNALS."""
    take_tables(plan, t)
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
