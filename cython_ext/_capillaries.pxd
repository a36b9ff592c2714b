# The way of a cell through the capillaries of a bed. Header only: it has no .pyx twin.
from libc.math cimport erfc, log
from libc.stdint cimport uint32_t

from _circuit cimport law_t, node_t
from _random cimport unit32

cdef enum:
    SECONDS = 3600              # in an hour
    PASCALS = 1000              # 1 mN/m over 1 um, and 1 kPa
    SHARES = 64                 # of the capillaries of a bed: the first 6 bits of a word


cdef struct cell_body_t:        # what of a cell decides whether it passes
    double diameter_um, tension_mN_per_m, nucleus_um, nucleus_kPa


cdef inline bint narrower(uint32_t r, double width, const node_t* bed, const double* widths) noexcept nogil:
    """Is a capillary narrower than a width, r being its rank among those of the bed? Lognormal.

    `widths` are those below which 0, 1, ... SHARES of SHARES of the capillaries are, and mostly tell.
    """
    cdef uint32_t k = r >> 26
    if width > widths[k + 1] * (1.0 + 1e-9):
        return True
    if width < widths[k] * (1.0 - 1e-9) or not width > 0.0:
        return False
    return unit32(r) < 0.5 * erfc(log(bed.capillary_um / width) / (bed.spread * 1.4142135623730951))


cdef inline double entered(const cell_body_t* c, const node_t* bed) noexcept nogil:
    """The narrowest capillary that the pressure of the bed drives a cell into: its surface, and then its nucleus."""
    cdef double surface = 0.0, nucleus = 0.0
    if c.tension_mN_per_m > 0.0:
        surface = 1.0 / (bed.pressure_Pa / (4.0 * PASCALS * c.tension_mN_per_m) + 1.0 / c.diameter_um)
    if c.nucleus_kPa > 0.0:
        nucleus = c.nucleus_um / (1.0 + bed.pressure_Pa / (PASCALS * c.nucleus_kPa))
    return max(surface, nucleus)


cdef inline double needed(const cell_body_t* c, double width) noexcept nogil:
    """The pressure that drives a cell into a capillary of a width below its diameter [Pa]."""
    return max(4.0 * PASCALS * c.tension_mN_per_m * (1.0 / width - 1.0 / c.diameter_um),
               PASCALS * c.nucleus_kPa * (c.nucleus_um / width - 1.0))


cdef inline double retention(const cell_body_t* c, const node_t* bed, const law_t* law) noexcept nogil:
    """How much longer than blood a squeezed cell stays in a bed [h]."""
    cdef double width = bed.capillary_um
    if not c.diameter_um > width:
        return 0.0
    return (law.viscosity_Pa_s / bed.pressure_Pa * (c.diameter_um / width - 1.0)
            / max(1.0 - needed(c, width) / bed.pressure_Pa, 0.05) / SECONDS)
