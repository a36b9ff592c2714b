# The binomial law. Header only.
from libc.math cimport exp, floor, log1p, sqrt
from libc.stdint cimport int64_t, uint32_t
from _random cimport normal, unit52


cdef inline int64_t binomial(int64_t n, double p, const uint32_t* r) noexcept nogil:
    """Successes in n trials: exact by inversion up to a mean of 100, beyond it the nearest normal law."""
    cdef double mean, chance, odds, u
    cdef int64_t k = 0
    cdef bint swapped = p > 0.5
    if n <= 0 or p <= 0.0:
        return 0
    if swapped:
        p = 1.0 - p
    mean = n * p
    if mean >= 100.0:
        k = <int64_t>floor(mean + sqrt(mean * (1.0 - p)) * normal(r[2], r[3]) + 0.5)
        k = min(max(k, 0), n)
    elif p > 0.0:
        odds, chance, u = p / (1.0 - p), exp(n * log1p(-p)), unit52(r[0], r[1])
        while u >= chance and k < n and k < 1000:  # 1000: 90 sd above the largest mean
            u -= chance
            k += 1
            chance *= odds * (n - k + 1) / k
    return n - k if swapped else k
