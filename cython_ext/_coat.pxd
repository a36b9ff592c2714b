# Platelets coat a cell t hours after it entered the blood, (1 - exp(-t / time)) exp(-t / fade), and take a share off
# some of its hazards. Header only: it has no .pyx twin.
from libc.math cimport INFINITY, exp, expm1, fabs

from _circuit cimport law_t

cdef struct loss_t:  # hazard of leaving after x hours: a - late exp(-x / fade) + early exp(-x both)
    double a, late, early, fade, both


cdef inline double coat(double t, const law_t* law) noexcept nogil:
    """The share of a cell that is coated t hours after it entered the blood."""
    return -expm1(-t / law.coat_time_h) * exp(-t / law.coat_fade_h)


cdef inline void lose(loss_t* k, double bare, double spared, double t, const law_t* law) noexcept nogil:
    """The hazard from t on [h since it entered], `bare` without the coat, of which a full one takes off `spared`."""
    k.a, k.fade, k.both = bare, law.coat_fade_h, 1.0 / law.coat_time_h + 1.0 / law.coat_fade_h
    k.late, k.early = spared * exp(-t / k.fade), spared * exp(-t * k.both)


cdef inline double integral(const loss_t* k, double x) noexcept nogil:
    """Integral of the hazard from 0 to x."""
    return k.a * x + k.late * k.fade * expm1(-x / k.fade) - k.early / k.both * expm1(-x * k.both)


cdef inline double waiting(const loss_t* k, double e) noexcept nogil:
    """The x at which the integral of the hazard reaches e; infinite if it never does.

    The hazard lies between 0 and a, and a coat takes off less than late x fade in all, so that the root lies between
    e / a and (e + late fade) / a. Newton's method, by halves where a step leads out of what is known to hold the root.
    """
    cdef double low, high, y, slope, following, x
    cdef int _
    if k.a <= 0.0:
        return INFINITY
    x = low = e / k.a
    if k.late <= 0.0:
        return x
    high = (e + k.late * k.fade) / k.a
    for _ in range(200):
        y = integral(k, x) - e
        if y < 0.0:
            low = x
        else:
            high = x
        slope = k.a - k.late * exp(-x / k.fade) + k.early * exp(-x * k.both)
        following = x - y / slope if slope > 0.0 else low
        if not low < following < high:
            following = 0.5 * (low + high)
        if fabs(following - x) <= 1e-14 * x:
            return following
        x = following
    return x
