"""Intervals of 95 % that read-outs and studies tell: of means, of shares, and of what is left in the course of time."""
import math

import numpy as np

NORMAL = 1.959963984540054      # the quantile of the normal distribution at 0.975
_STUDENT = (math.inf, 12.7062047, 4.3026527, 3.1824463, 2.7764451, 2.5705818, 2.4469119, 2.3646243, 2.3060041,
            2.2621572, 2.2281389)


def student(freedom: int) -> float:
    """The quantile of Student's t at 0.975; infinite without a degree of freedom.

    Up to ten degrees of freedom from a table, with seven decimals; beyond by the expansion of Cornish and Fisher in
    1/freedom to its fourth power (Abramowitz and Stegun 26.7.5), which errs by less than 1e-5 there.
    """
    if freedom < len(_STUDENT):
        return _STUDENT[freedom]
    z = NORMAL
    terms = ((z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
             (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160)
    return z + sum(term / freedom**(i + 1) for i, term in enumerate(terms))


def wilson(share, n):
    """Bounds of a probability, of which the share was seen in n trials (Wilson 1927): numbers, or arrays."""
    middle = (share + NORMAL**2 / (2 * n)) / (1 + NORMAL**2 / n)
    half = NORMAL / (1 + NORMAL**2 / n) * np.sqrt(np.maximum(share * (1 - share), 0) / n + NORMAL**2 / (4 * n * n))
    return middle - half, middle + half


def kaplan_meier(times, ended):
    """What is left of n that are followed, each until it ends or, undecided, is lost from sight.

    Kaplan and Meier 1958: the product over the ends of 1 - 1/r, with r at risk; who is lost at the time of an end was
    at risk of it. The variance of its logarithm is the sum of 1/(r (r - 1)) (Greenwood 1926).

    Parameters
    ----------
    times : ndarray, shape (n,)
        Until when each is followed, from its own beginning.
    ended : ndarray of bool, shape (n,)
        Whether it ended then.

    Returns
    -------
    times, ended, share, variance : ndarray, shape (n,)
        In the order of time, with the share and the variance of its logarithm after each; where the share is 0 that
        variance is without the end of the last one.
    """
    order = np.lexsort((~ended, times))
    times, ended, risk = times[order], ended[order], np.arange(len(times), 0, -1, dtype=float)
    share = np.cumprod(np.where(ended, 1.0 - 1.0 / risk, 1.0))
    variance = np.cumsum(np.where(ended & (risk > 1), 1.0 / (risk * np.maximum(risk - 1.0, 1.0)), 0.0))
    return times, ended, share, variance
