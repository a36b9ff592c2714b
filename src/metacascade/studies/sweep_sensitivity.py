"""Which parameter of a sampled sweep matters most for what came out: rank correlations, or the indices of Sobol'.

Rank correlation (Spearman) of a random or latin design: from -1 to 1, how far a column grows or falls with a parameter
while all others vary; its interval of 95 % is that of Fisher's z with the variance of Bonett and Wright (2000). Indices
of a sobol design (Saltelli 2010, by SALib): the share of the variance of a column that is due to a parameter, `first`
by itself, `total` with all that it does together with others.
"""
import csv
import io
import math
import statistics
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.base.intervals import NORMAL
from metacascade.base.screen import one_line
from metacascade.io import atomic
from metacascade.model.staging import FIRST

NAME = "sensitivity.csv"
NOT_TOLD = (math.nan,) * 3
LEAST = 5               # points for a rank correlation


def found(plan, rows):
    """(column, parameter, measure, value, low, high) for each; means over the replicates of a point that are done.

    `rows`: {number of a member: its row of the table}. Points without any that is done are left out of a rank
    correlation; a sobol design needs all, and has no rows before.
    """
    outcomes, settings = _points(plan, rows)
    for column in plan["compare"]["columns"]:
        points = [point for point in sorted(outcomes) if column in outcomes[point]]
        values = [outcomes[point][column] for point in points]
        if plan["sweep"]["design"] == "sobol":
            if len(points) == 1 + max(member["point"] for member in plan["members"]) and len(set(values)) > 1:
                yield from _indices(plan, column, values)
        elif len(points) >= LEAST:
            for name in plan["units"]:
                of = [settings[point][name] for point in points]
                yield column, name, "rank correlation", *(NOT_TOLD if None in of else rank_correlation(of, values))


def _points(plan, rows):
    """{point: {column: mean over replicates}} and {point: {parameter: number}}."""
    outcomes, settings = {}, {}
    for column in plan["compare"]["columns"]:
        of_points = {}
        for member in plan["members"]:
            row = rows[member["number"]]
            if row["status"] == "done" and row.get(column, "") != "" and not (column in FIRST and row[column] < 0):
                of_points.setdefault(member["point"], []).append(float(row[column]))
        for point, values in of_points.items():
            outcomes.setdefault(point, {})[column] = statistics.fmean(values)
    numbers = {name: _numbers([rows[member["number"]][name] for member in plan["members"]]) for name in plan["units"]}
    for i, member in enumerate(plan["members"]):
        settings[member["point"]] = {name: of[i] for name, of in numbers.items()}
    return outcomes, settings


def _numbers(values):
    """Values of a parameter as numbers; of two of which one is a word 0 and 1, of more None: words have no order."""
    try:
        return [float(value) for value in values]
    except ValueError:
        kinds = list(dict.fromkeys(values))
        return [float(kinds.index(value)) if len(kinds) == 2 else None for value in values]


def rank_correlation(x, y):
    """Spearman's coefficient of two lists of numbers with its interval of 95 %; nan where one of them is constant."""
    a, b = _ranks(x), _ranks(y)
    if len(set(a)) < 2 or len(set(b)) < 2:
        return math.nan, math.nan, math.nan
    r = statistics.correlation(a, b)
    if abs(r) >= 1.0 or len(x) < 4:
        return r, math.nan, math.nan
    half = NORMAL * math.sqrt((1.0 + r * r / 2.0) / (len(x) - 3))
    return r, math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def _ranks(values):
    """Ranks of numbers; equal ones share the mean of theirs."""
    at = {}
    for rank, value in enumerate(sorted(values)):
        at.setdefault(value, []).append(rank)
    return [statistics.fmean(at[value]) for value in values]


def _indices(plan, column, values):
    try:
        import numpy as np
        from SALib.analyze import sobol
    except ImportError:
        raise InputError('the indices of a sobol design need SALib: pip install "metacascade[sweep]"') from None
    names = list(plan["units"])
    problem = {"num_vars": len(names), "names": names, "bounds": [[0, 1]] * len(names)}
    second = plan["sweep"].get("second_order", False)
    made = sobol.analyze(problem, np.array(values), calc_second_order=second, seed=1)
    for i, name in enumerate(names):
        for measure, key in (("first", "S1"), ("total", "ST")):
            value, half = float(made[key][i]), float(made[f"{key}_conf"][i])
            yield column, name, measure, value, value - half, value + half


def write(directory, plan, rows):
    """Write sensitivity.csv: a row for each column, parameter and measure."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["column", "parameter", "measure", "value", "low", "high"])
    for *what, value, low, high in found(plan, rows):
        table.writerow([*what, *("" if math.isnan(one) else f"{one:.6g}" for one in (value, low, high))])
    atomic.write_shared(Path(directory) / NAME, text.getvalue())


def lines(plan, rows):
    """The same for a terminal of 80 columns, for each column the parameter that matters most first."""
    made = list(found(plan, rows))
    done = len({member["point"] for member in plan["members"] if rows[member["number"]]["status"] == "done"})
    if plan.get("title"):
        yield one_line(plan["title"], 80)
    yield f"{done} of {1 + max(member['point'] for member in plan['members'])} points done; last rows of the series"
    for column in plan["compare"]["columns"]:
        own = [row for row in made if row[0] == column]
        for measure in dict.fromkeys(row[2] for row in own):
            yield one_line(f"{column}: {measure}", 50).ljust(50) + "  value  95 %"
            of_measure = [row[1:] for row in own if row[2] == measure]
            for name, _, value, low, high in sorted(of_measure, key=_order):
                interval = "" if math.isnan(low) else f"{low:6.2f}..{high:.2f}"
                yield f"  {one_line(name, 46):47} {'-' if math.isnan(value) else f'{value:.2f}':>6} {interval}".rstrip()


def _order(row):
    return (1, 0.0) if math.isnan(row[2]) else (0, -abs(row[2]))
