"""Whether what cohorts show agrees with what was published: shares by Wilson, all else by drawing patients again.

A read-out of cohorts gives a row of numbers for each patient, and a statistic of such rows.
"""
import math

import numpy as np

from metacascade.base.intervals import NORMAL, wilson
from metacascade.studies.readouts import READOUTS
from metacascade.studies.reproduce_toml import split
from metacascade.studies.reproduce_verdict import (
    AGREES,
    ANYWHERE,
    DIFFERS,
    NOT_JUDGED,
    UNDECIDED,
    Finding,
    bounds,
)

TIMES, SEED = 400, 1        # how often patients are drawn again
REACH = (2.5, 97.5)         # percentiles of an interval of 95 %


def judge(comparison, row, values) -> Finding:
    """Compare the patients of the arms, ``values[arm]`` a row of numbers for each, with a published row.

    A number in its interval agrees; outside of it, it differs if the interval of 95 % of the number does not reach
    that of the row. An order agrees if for each pair of neighbors that of the difference lies above 0.
    """
    names = split(comparison.arms)
    statistic = READOUTS[comparison.readout].statistic
    found = [statistic(values[name], row) for name in names]
    if any(map(math.isnan, found)):
        return Finding(UNDECIDED, text="a cohort in which there is nothing to count")
    if comparison.kind == "interval" and (counted := _counted(statistic, values[names[0]])):
        k, n = counted
        low, high = wilson(k / n, n)
        return Finding(_verdict(k / n, low, high, row), k / n, (high - low) / (2 * NORMAL),
                       f"{k} of {n} patients, {k / n:.3g} (95 %: {low:.3g} to {high:.3g})")
    if comparison.kind == "ratio" and all(counted := [_counted(statistic, values[name]) for name in names]):
        return _ratio_of_shares(*counted, row)
    again = _again([values[name] for name in names], lambda one: statistic(one, row))
    if comparison.kind == "ordering":
        return _ordering(names, found, again)
    value, drawn = found[0], again[0]
    if comparison.kind == "ratio":
        value = found[0] / found[1] if found[1] else math.inf
        drawn = np.divide(again[0], again[1], out=np.full(TIMES, math.inf), where=again[1] != 0.0)
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.percentile(drawn, REACH) if len(drawn) else (-math.inf, math.inf)
    return Finding(_verdict(value, low, high, row), value, float(high - low) / (2 * NORMAL),
                   f"{value:.3g} (95 %: {low:.3g} to {high:.3g})")


def _counted(statistic, values):
    """(k, n) of a share: k of the n patients that count; None if it is none."""
    known = values[np.isfinite(values)] if values.ndim == 1 else values[:0]
    if getattr(statistic, "is_mean", False) and len(known) and np.isin(known, (0.0, 1.0)).all():
        return int(known.sum()), len(known)
    return None


def _ratio_of_shares(above, below, row):
    """With the interval of the ratios of both intervals, which is too wide, and also there if nobody of one counts."""
    (low, high), (least, most) = (wilson(k / n, n) for k, n in (above, below))
    low, high = max(low, 0.0) / most, high / least if least > 0.0 else math.inf
    share = below[0] / below[1]
    value = above[0] / above[1] / share if share else math.inf
    counts = "{} of {} over {} of {}".format(*above, *below)
    return Finding(_verdict(value, low, high, row), value if share else math.nan, (high - low) / (2 * NORMAL),
                   f"{value:.3g} ({counts}; 95 %: {low:.3g} to {high:.3g})")


def _verdict(value, low, high, row):
    least, most = bounds(row)
    if (least, most) == ANYWHERE:
        return NOT_JUDGED
    if least <= value <= most:
        return AGREES
    return UNDECIDED if low <= most and high >= least else DIFFERS


def _again(arms, statistic):
    """The statistic of each arm in TIMES drawings of its patients; arms with as many patients in pairs."""
    rng, found = np.random.default_rng(SEED), np.empty((len(arms), TIMES))
    for k in range(TIMES):
        drawn = {}
        for i, values in enumerate(arms):
            n = len(values)
            drawn.setdefault(n, rng.integers(0, n, n))
            found[i, k] = statistic(values[drawn[n]])
    return found


def _ordering(names, found, again):
    told = " > ".join(f"{name} {value:.3g}" for name, value in zip(names, found))
    reach = [np.nanpercentile(a - b, REACH) for a, b in zip(again, again[1:])]
    told += ", by 95 %: " + " and ".join(f"{low:.2g} to {high:.2g}" for low, high in reach)
    if all(low > 0.0 for low, _ in reach):
        return Finding(AGREES, text=told)
    return Finding(DIFFERS if any(high < 0.0 for _, high in reach) else UNDECIDED, text=f"not {told}")
