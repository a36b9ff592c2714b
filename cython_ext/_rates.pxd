# Named rates of the tissue. Header only: it has no .pyx twin.
from libc.stdint cimport int32_t, int64_t

cdef extern from "rates.h" nogil:
    int MOST_RATES, MOST_SIGNALS, DENSITY, LARGEST_RATIO
    ctypedef enum action_e:
        DIVIDE, REMOVE, SHED, SET, CLEAR, RAISE, LOWER, DRAIN
    ctypedef enum shape_e:
        HILL1, HILL2, HILL4, FALL1, FALL2, FALL4, BOOST, RAMP, ITSELF
    ctypedef struct rate_t:
        double base, most
        int32_t first, factors, action, detail
    ctypedef struct factor_t:
        int32_t signal, shape
        float a, b
    ctypedef struct signal_t:
        const float* value
        int64_t width
    void fill_rates(const rate_t* rates, int n, const factor_t* factors, const signal_t* signals, int64_t row,
                    const float* density, float (*table)[528])

cdef extern from "fieldsystem.h" nogil:
    ctypedef enum term_e:
        SECRETE, ADD, LOSE, ADMIT


cdef inline int take_field(const float[:, ::1] field, Py_ssize_t rows, signal_t* signal) except -1:
    """Where a field is, of so many rows or more."""
    if field.shape[0] < rows or field.shape[1] not in (512, 64, 8):
        raise ValueError(f"a field has the shape {field.shape[0]}, {field.shape[1]}")
    signal.value, signal.width = &field[0, 0], field.shape[1]
    return 0


cdef inline int take_signals(list fields, Py_ssize_t rows, signal_t* signals) except -1:
    """Where the fields are, and how many there are; `signals` has room for MOST_SIGNALS."""
    cdef int k
    if len(fields) > MOST_SIGNALS:
        raise ValueError(f"{len(fields)} fields; at most {MOST_SIGNALS}")
    for k in range(len(fields)):
        take_field(fields[k], rows, &signals[k])
    return <int>len(fields)


cdef inline int check_factors(const rate_t* rates, int n, const factor_t* factors, int listed, int signals) except -1:
    """The factors of the rates are in the list, and name signals that are there."""
    cdef int r, k
    for r in range(n):
        if not 0 <= rates[r].first <= rates[r].first + rates[r].factors <= listed:
            raise ValueError(f"rate {r} has factors beyond the {listed} of the list")
        for k in range(rates[r].first, rates[r].first + rates[r].factors):
            if not DENSITY <= factors[k].signal < signals:
                raise ValueError(f"rate {r} depends on signal {factors[k].signal} of {signals}")
    return 0
