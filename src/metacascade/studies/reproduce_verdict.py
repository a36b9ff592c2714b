"""Whether what was simulated agrees with what was published: an interval, a ratio or difference, an order, a count."""
import math
import statistics
from dataclasses import dataclass

from metacascade.base.intervals import NORMAL, student, wilson
from metacascade.studies.reproduce_toml import split

AGREES, DIFFERS, UNDECIDED, FAILED, NOT_YET = "agrees", "differs", "undecided", "failed", "not possible yet"
NOT_JUDGED, NOT_RUN = "not judged", "not run"
ANYWHERE = (-math.inf, math.inf)


@dataclass(frozen=True)
class Finding:
    """What came of a comparison: a verdict, the number with its standard error (nan: of one replicate), and a text."""
    verdict: str
    value: float = math.nan
    error: float = math.nan
    text: str = ""


def judge(comparison, row, values) -> Finding:
    """Compare the values of the arms, ``values[arm]`` one for each replicate in the order of the seeds, with a row.

    A number in the interval of the row agrees; outside of it, it differs if the interval of 95 % of the mean, by
    Student, does not reach the row's. An order agrees if for each pair of neighbors that of the mean difference lies
    above 0; it, a ratio and a difference are paired by the replicates, which have their seeds in common. Of one
    replicate nothing follows but for a score, whose law is known. A row without bounds judges nothing.
    """
    names = split(comparison.arms)
    arms = [values[name] for name in names]
    if comparison.kind == "interval" and bounds(row) == ANYWHERE:
        return _not_judged(arms[0])
    if not all(math.isfinite(value) for arm in arms for value in arm):
        return Finding(UNDECIDED, text="a run in which there is nothing to count")
    if comparison.kind == "ordering":
        return _ordering(names, arms)
    if comparison.kind == "count":
        return _count(arms[0], row)
    if comparison.kind == "score":
        value = sum(arms[0]) / math.sqrt(len(arms[0]))
        return Finding(_inside(value, 0.0, row), value, 1.0, f"{value:.3g} of {len(arms[0])} runs together")
    value, error = MEASURES[comparison.kind](*arms)
    return Finding(_inside(value, student(len(arms[0]) - 1) * error, row), value, error, with_error(value, error))


def error_of(values):
    """The standard error of a mean; nan of a single value."""
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def with_error(value, error):
    """A number and its error as text."""
    return f"{value:.3g}" + (f" ± {error:.2g}" if math.isfinite(error) else "")


def ratio(above, below):
    """The ratio of two means, and its standard error to first order: that of a - r b in pairs, over the mean of b."""
    b = statistics.fmean(below)
    if b == 0.0:
        return math.nan, math.nan
    value = statistics.fmean(above) / b
    return value, error_of([a - value * one for a, one in zip(above, below)]) / abs(b)


def difference(above, below):
    """The mean of the differences of pairs, and its standard error."""
    return mean([a - b for a, b in zip(above, below)])


def mean(values):
    """The mean, and its standard error."""
    return statistics.fmean(values), error_of(values)


MEASURES = {"interval": mean, "ratio": ratio, "difference": difference}


def _inside(value, room, row):
    """The verdict on a number with an interval of `room` to both sides; nan: it is not known, of one replicate."""
    low, high = bounds(row)
    if (low, high) == ANYWHERE:
        return NOT_JUDGED
    if not math.isfinite(value) or not math.isfinite(room):
        return UNDECIDED
    if low <= value <= high:
        return AGREES
    return UNDECIDED if max(low - value, value - high) <= room else DIFFERS


def bounds(row):
    """Where a number agrees with a row: from, to."""
    return -math.inf if row.low is None else row.low, math.inf if row.high is None else row.high


def told(finding, row) -> str:
    """The verdict in words; of a number above 0 that differs, by what factor from the nearer bound."""
    if finding.verdict != DIFFERS or not finding.value > 0.0:
        return finding.verdict
    low, high = bounds(row)
    fold = low / finding.value if finding.value < low else finding.value / high if 0.0 < high < finding.value else 0.0
    return f"{DIFFERS}, {fold:.3g}-fold" if 1.0 < fold < math.inf else finding.verdict


def _count(values, row):
    k, n = round(sum(values)), len(values)
    low, high = wilson(k / n, n)
    least, most = bounds(row)
    verdict = AGREES if least <= k / n <= most else DIFFERS if high < least or low > most else UNDECIDED
    if bounds(row) == ANYWHERE:
        verdict = NOT_JUDGED
    return Finding(verdict, k / n, (high - low) / (2 * NORMAL), f"{k} of {n} (95 %: {low:.2f} to {high:.2f})")


def _not_judged(values):
    """The mean of those runs that have something to count."""
    found = [value for value in values if math.isfinite(value)]
    value, error = (statistics.fmean(found), error_of(found)) if found else (math.nan, math.nan)
    among = f" in {len(found)} of {len(values)} runs" if len(found) < len(values) else ""
    return Finding(NOT_JUDGED, value, error, (with_error(value, error) if found else "nothing") + among)


def _ordering(names, arms):
    steps = [[a - b for a, b in zip(first, second)] for first, second in zip(arms, arms[1:])]
    sizes = [(statistics.fmean(step), error_of(step)) for step in steps]
    told = " > ".join(f"{name} {statistics.fmean(arm):.3g}" for name, arm in zip(names, arms))
    told += ", by " + " and ".join(with_error(*size) for size in sizes)
    room = student(len(arms[0]) - 1)
    if all(size > room * error for size, error in sizes):
        return Finding(AGREES, text=told)
    wrong = any(-size > room * error for size, error in sizes)
    return Finding(DIFFERS if wrong else UNDECIDED, text=f"not {told}")


def overall(findings):
    """The verdict on an experiment from those on its comparisons: the worst of them."""
    worst = (FAILED, DIFFERS, UNDECIDED, NOT_RUN, NOT_YET, AGREES, NOT_JUDGED)
    return min((finding.verdict for finding in findings), key=worst.index, default=NOT_YET)
