"""What came out of the points of a sweep, or of treatment arms: means with intervals, and paired differences, as a file
and in a terminal."""
import csv
import io
import math
import statistics
from dataclasses import dataclass
from pathlib import Path

from metacascade.base.declare import Section, text, texts
from metacascade.base.intervals import student
from metacascade.base.names import nearest
from metacascade.base.nodes import BEDS
from metacascade.base.numerals import counted
from metacascade.base.screen import one_line
from metacascade.base.units import show_time
from metacascade.config.read import Problem
from metacascade.io import atomic
from metacascade.mechanisms import plan_of
from metacascade.model.staging import FIRST
from metacascade.run.run import columns_of

OF_BEDS = tuple(f"lesions_{bed}" for bed in BEDS)
DEFAULT = ("tissue", "lesions", "lesions_lung", "lesions_liver", "circulating", "shed")
LONGEST_NAME, LONGEST_POINT = 40, 200       # of an arm or a point, and of the settings of a point without one
MOST_SHOWN = 24                     # points in a terminal
WIDE, NARROW = 20, 9                # characters of an interval and of a number


class Compare(Section):
    """The table [compare]."""
    columns: tuple[str, ...] = texts("columns", doc="Columns of the time series, or lesions_ORGAN.")
    against: str | None = text("against", None, longest=200, doc="An arm or a point; left out: the first.")


def chosen(compare, names, built, document):
    """Columns and their units, and the number of the one of `names` that the others are compared with.

    `built`: the configs of all, or of some that differ. Raises InputError for columns that not all have, at their place
    in the `document`.
    """
    units = None
    for made in built:
        own = {name: unit for name, (_, unit) in columns_of(plan_of(made)).items()}
        own |= dict.fromkeys(OF_BEDS, "lesions")
        units = own if units is None else {name: unit for name, unit in units.items() if name in own}
    wanted = compare.columns or [name for name in DEFAULT if name in units]
    all_have = f"all {'arms' if 'arm' in document.tables else 'points'} have"
    wrong = [Problem(("compare", "columns", i), f"is no column that {all_have}{nearest(name, units)}; `metacascade "
                     "info --columns` lists them")
             for i, name in enumerate(wanted) if name not in units]
    if wrong:
        document.refuse(wrong)
    against = names.index(compare.against) if compare.against else 0
    return dict(columns={name: units[name] for name in wanted}, against=against)


def names_of(plan):
    """The names of the arms, or of the points; None of a plan without any, as an older version has made it."""
    return plan.get("arms") or plan.get("names")


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
    """(column, unit, name, Estimate, Estimate of the difference in pairs or None) for each column and arm or point.

    `rows`: {number of a member: its row of the table}; those that are done count. A time of what has not happened, -1,
    is no value; pairs are of replicates in which both arms have one.
    """
    against, names = plan["compare"]["against"], names_of(plan)
    for column, unit in plan["compare"]["columns"].items():
        values = [{} for _ in names]
        for member in plan["members"]:
            row = rows[member["number"]]
            if row["status"] == "done" and row.get(column, "") != "" and not (column in FIRST and row[column] < 0):
                values[member["point"]][member["replicate"]] = float(row[column])
        base = values[against]
        for point, name in enumerate(names):
            own = values[point]
            pairs = None if point == against else estimate(
                own[replicate] - base[replicate] for replicate in own if replicate in base)
            yield column, unit, name, estimate(own.values()), pairs


def file_of(plan):
    """The name of the table."""
    return "arms.csv" if "arms" in plan else "points.csv"


def write(directory, plan, rows):
    """Write arms.csv or points.csv: a row for each column and arm or point."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["column", "unit", "arm" if "arms" in plan else "point", "n", "mean", "low", "high", "against",
                    "pairs", "difference", "difference_low", "difference_high"])
    against = names_of(plan)[plan["compare"]["against"]]
    for column, unit, name, mean, pairs in compared(plan, rows):
        more = [""] * 5 if pairs is None else [against, pairs.n, *_cells(pairs)]
        table.writerow([column, unit, name, mean.n, *_cells(mean), *more])
    atomic.write_shared(Path(directory) / file_of(plan), text.getvalue())


def _cells(found):
    return ["" if math.isnan(value) else f"{value:.9g}" for value in (found.mean, found.low, found.high)]


def lines(plan, rows):
    """The same for a terminal of 80 columns."""
    arms = names_of(plan)
    against = arms[plan["compare"]["against"]]
    yield from _heading(plan, rows)
    if not any(row["status"] == "done" for row in rows.values()):
        return
    if len(arms) > MOST_SHOWN:
        yield f"more points than fit here: see {file_of(plan)}"
        return
    width = min(max(map(len, arms)), 16)
    minus = _minus(against) if len(arms) > 1 else ""
    yield f"{'':{width + 2}} {'mean':>{NARROW}} {'95 %':^{WIDE}} {minus}".rstrip()
    last = None
    for column, unit, name, mean, pairs in compared(plan, rows):
        if column != last:
            yield one_line(column + (f" [{unit}]" if unit not in ("", "1", column) else ""), 80)
        last = column
        name = one_line(name, 78)
        if len(name) > width:
            yield f"  {name}"
            name = ""
        yield f"  {name:{width}} {_told(mean)}{'' if pairs is None else f' {_told(pairs)}'}".rstrip()


def _minus(name):
    return f"minus {one_line(name, 14)}, in pairs"


def _heading(plan, rows):
    """The title, how many replicates of each arm are done, and from which state they started."""
    if plan.get("title"):
        yield one_line(plan["title"], 80)
    names = names_of(plan)
    replicates = 1 + max(member["replicate"] for member in plan["members"])
    start = f"from a checkpoint at {show_time(plan['start']['time_s'])}" if plan.get("start") else "from their start"
    many = counted(replicates, "replicate")
    what = f"{'arm' if 'arms' in plan else 'point'}{'s' * (len(names) > 1)}"
    yield f"{len(names)} {what} {start}, {many}{' each' * (len(names) > 1)}; last rows of the series"
    for point, name in enumerate(names):
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
