# Named rates of the tissue. Header only: it has no .pyx twin.
from libc.stdint cimport int32_t, int64_t

cdef extern from "rates.h" nogil:
    int MOST_RATES, MOST_SIGNALS, DENSITY
    ctypedef enum action_e:
        DIVIDE, REMOVE, SHED, SET, CLEAR, RAISE, LOWER
    ctypedef enum shape_e:
        HILL1, HILL2, HILL4, FALL1, FALL2, FALL4, RAMP, ITSELF
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
