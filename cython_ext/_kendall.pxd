# Linear birth and death, exact over any time in which its rates are constant (Kendall 1948). Header only.
from libc.math cimport exp, expm1, floor, log, log1p, sqrt
from libc.stdint cimport int64_t, uint32_t
from _binomial cimport binomial
from _random cimport normal, unit52


cdef inline int64_t gained(int64_t n, double q, const uint32_t* r) noexcept nogil:
    """Sum of n geometric numbers k >= 0 of weight (1 - q) q^k: exact by inversion while n q < 400, else the nearest
    normal law."""
    cdef double chance, u
    cdef int64_t k = 0
    if n <= 0 or q <= 0.0:
        return 0
    if n * q >= 400.0:
        k = <int64_t>floor((n * q + sqrt(n * q) * normal(r[2], r[3])) / (1.0 - q) + 0.5)
        return max(k, 0)
    chance, u = exp(n * log1p(-q)), unit52(r[0], r[1])
    while u >= chance and k < 4000:            # q < 0.6: 40 sd above the largest mean
        u -= chance
        k += 1
        chance *= q * (n + k - 1) / k
    return k


cdef inline double lasting(double net, double h) noexcept nogil:
    """The integral of exp(net t) over h."""
    return expm1(net * h) / net if net != 0.0 else h


cdef inline void lived(int64_t n, double b, double d, double h, const uint32_t* r, const uint32_t* s, int64_t* born,
                       int64_t* died) noexcept nogil:
    """What n cells that divide with b and die with d [1/h] become in h: lines that have died out, cells gained.

    The line of a cell is extinct with probability d g / (1 + b g), and else has 1 + a geometric number of cells,
    q = b g / (1 + b g), g = (exp((b - d) h) - 1) / (b - d).
    """
    cdef double g = lasting(b - d, h)
    died[0] = binomial(n, d * g / (1.0 + b * g), r)
    born[0] = gained(n - died[0], b * g / (1.0 + b * g), s)


cdef inline double leaving(double b, double* d, double leave, double h) noexcept nogil:
    """The chance of a cell that `lived` leaves to have left meanwhile, where cells leave with a hazard, too.

    With net = b - d - leave the mean of n cells is n exp(net h) in the end, and n leave lasted have left, lasted =
    (exp(net h) - 1) / net. So births and deaths make n (1 + (b - d) lasted) of them, and d becomes as it must be.
    """
    cdef double lasted, both
    if leave == 0.0:
        return 0.0
    lasted = lasting(b - d[0] - leave, h)
    both = 1.0 + (b - d[0]) * lasted
    d[0] = b - log(both) / h
    return leave * lasted / both
