"""What came out of treatment arms: means with intervals, and paired differences, as a file and in a terminal."""
import csv
import io
import math
import statistics
from dataclasses import dataclass
from pathlib import Path

from metacascade.base.intervals import student
from metacascade.base.screen import one_line
from metacascade.base.units import show_time
from metacascade.io import atomic
from metacascade.model.staging import FIRST

NAME = "arms.csv"
WIDE, NARROW = 20, 9                # characters of an interval and of a number


@dataclass(frozen=True)
class Estimate:
    """A mean of n values and its interval of 95 %; nan where there are too few."""
    n: int
    mean: float = math.nan
    low: float = math.nan
    high: float = math.nan


def estimate(values) -> Estimate:
    """Mean and interval by Student of independent values."""
    values = list(values)
    if len(values) < 2:
        return Estimate(len(values), *values)
    mean = statistics.fmean(values)
    half = student(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return Estimate(len(values), mean, mean - half, mean + half)


def compared(plan, rows):
    """(column, unit, arm, Estimate, Estimate of the difference in pairs or None) for each column and arm.

    `rows`: {number of a member: its row of the table}; those that are done count. A time of what has not happened, -1,
    is no value; pairs are of replicates in which both arms have one.
    """
    against = plan["compare"]["against"]
    for column, unit in plan["compare"]["columns"].items():
        values = [{} for _ in plan["arms"]]
        for member in plan["members"]:
            row = rows[member["number"]]
            if row["status"] == "done" and column in row and not (column in FIRST and row[column] < 0):
                values[member["point"]][member["replicate"]] = float(row[column])
        base = values[against]
        for point, name in enumerate(plan["arms"]):
            own = values[point]
            pairs = None if point == against else estimate(
                own[replicate] - base[replicate] for replicate in own if replicate in base)
            yield column, unit, name, estimate(own.values()), pairs


def write(directory, plan, rows):
    """Write arms.csv: a row for each column and arm."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["column", "unit", "arm", "n", "mean", "low", "high", "against", "pairs", "difference",
                    "difference_low", "difference_high"])
    against = plan["arms"][plan["compare"]["against"]]
    for column, unit, name, mean, pairs in compared(plan, rows):
        more = [""] * 5 if pairs is None else [against, pairs.n, *_cells(pairs)]
        table.writerow([column, unit, name, mean.n, *_cells(mean), *more])
    atomic.write_shared(Path(directory) / NAME, text.getvalue())


def _cells(found):
    return ["" if math.isnan(value) else f"{value:.9g}" for value in (found.mean, found.low, found.high)]


def lines(plan, rows):
    """The same for a terminal of 80 columns."""
    arms, against = plan["arms"], plan["arms"][plan["compare"]["against"]]
    yield from _heading(plan, rows)
    if not any(row["status"] == "done" for row in rows.values()):
        return
    width = min(max(map(len, arms)), 16)
    yield f"{'':{width + 2}} {'mean':>{NARROW}} {'95 %':^{WIDE}} {_minus(against)}"
    last = None
    for column, unit, name, mean, pairs in compared(plan, rows):
        if column != last:
            yield one_line(column + (f" [{unit}]" if unit not in ("", "1", column) else ""), 80)
        last = column
        name = one_line(name)
        if len(name) > width:
            yield f"  {name}"
            name = ""
        yield f"  {name:{width}} {_told(mean)}{'' if pairs is None else f' {_told(pairs)}'}".rstrip()


def _minus(name):
    return f"minus {one_line(name, 14)}, in pairs"


def _heading(plan, rows):
    """The title, how many replicates of each arm are done, and from which state they started."""
    if plan["title"]:
        yield one_line(plan["title"], 80)
    replicates = len(plan["members"]) // len(plan["arms"])
    start = f"from a checkpoint at {show_time(plan['start']['time_s'])}" if plan["start"] else "from their start"
    many = f"{replicates} replicate{'s' * (replicates > 1)}"
    yield f"{len(plan['arms'])} arms {start}, {many} each; last rows of the time series"
    for point, name in enumerate(plan["arms"]):
        done = sum(rows[member["number"]]["status"] == "done" for member in plan["members"] if member["point"] == point)
        if done < replicates:
            yield f"{one_line(name)}: {done} of {replicates} done"


def _told(found):
    interval = "" if math.isnan(found.low) else f"{number(found.low)}..{number(found.high)}"
    return f"{number(found.mean):>{NARROW}} {interval:^{WIDE}}"


def number(value: float) -> str:
    """Three digits or more of a number in at most nine characters."""
    if math.isnan(value):
        return "-"
    size = abs(value)
    if 999.5 <= size < 999_999.5:
        return f"{value:,.0f}"
    return f"{value:.3g}" if size == 0.0 or 1e-3 <= size < 999.5 else f"{value:.2e}"
