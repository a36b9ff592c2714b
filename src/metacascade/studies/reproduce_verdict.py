"""Whether what was simulated agrees with what was published: a mean in an interval, a ratio, or an order of means."""
import math
import statistics
from dataclasses import dataclass

from metacascade.studies.reproduce_file import split

AGREES, DIFFERS, UNDECIDED, FAILED, NOT_YET = "agrees", "differs", "undecided", "failed", "not possible yet"
ERRORS = 2.0        # standard errors within which nothing is decided


@dataclass(frozen=True)
class Finding:
    """What came of a comparison: a verdict, the number with its standard error (nan: of one replicate), and a text."""
    verdict: str
    value: float = math.nan
    error: float = math.nan
    text: str = ""


def judge(comparison, row, values) -> Finding:
    """Compare the values of the arms, ``values[arm]`` one for each replicate in the order of the seeds, with a row.

    A number in the interval of the row agrees. One outside differs, if by more than two standard errors. An order
    agrees if each mean is greater than the next by more than two standard errors of the difference, which is paired by
    the replicates as they have their seeds in common.
    """
    arms = [values[name] for name in split(comparison.arms)]
    if not all(math.isfinite(value) for arm in arms for value in arm):
        return Finding(UNDECIDED, text="a run in which there is nothing to count")
    if comparison.kind == "ordering":
        return _ordering(split(comparison.arms), arms)
    value, error = _ratio(*arms) if comparison.kind == "ratio" else (statistics.fmean(arms[0]), error_of(arms[0]))
    return Finding(_inside(value, error, row), value, error, with_error(value, error))


def error_of(values):
    """The standard error of a mean; nan of a single value."""
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def with_error(value, error):
    """A number and its error as text."""
    return f"{value:.3g}" + (f" ± {error:.2g}" if math.isfinite(error) else "")


def _ratio(above, below):
    """The ratio of two means, and its standard error to first order, as if the two were independent."""
    a, b = statistics.fmean(above), statistics.fmean(below)
    if b == 0.0:
        return math.nan, math.nan
    return a / b, math.hypot(error_of(above), a / b * error_of(below)) / abs(b)


def _inside(value, error, row):
    if not math.isfinite(value):
        return UNDECIDED
    low, high = -math.inf if row.low is None else row.low, math.inf if row.high is None else row.high
    if low <= value <= high:
        return AGREES
    away = low - value if value < low else value - high
    return UNDECIDED if away <= ERRORS * error else DIFFERS      # not so where the error is nan


def _ordering(names, arms):
    steps = [[a - b for a, b in zip(first, second)] for first, second in zip(arms, arms[1:])]
    sizes = [(statistics.fmean(step), error_of(step)) for step in steps]
    told = " > ".join(f"{name} {statistics.fmean(arm):.3g}" for name, arm in zip(names, arms))
    if all(size > ERRORS * error for size, error in sizes):
        return Finding(AGREES, text=told)
    wrong = any(-size > ERRORS * error for size, error in sizes)
    return Finding(DIFFERS if wrong else UNDECIDED, text=f"not {told}")


def overall(findings):
    """The verdict on an experiment from those on its comparisons: the worst of them."""
    worst = (FAILED, DIFFERS, UNDECIDED, NOT_YET, AGREES)
    return min((finding.verdict for finding in findings), key=worst.index, default=NOT_YET)
