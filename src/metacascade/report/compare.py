"""Several runs in the same figures: lines with bands over replicates, and what came out of them with intervals."""
import numpy as np

from metacascade.config.given import dotted
from metacascade.io.needs import Missing
from metacascade.report import html, marks, style, timeline
from metacascade.report.groups import band, estimates
from metacascade.report.plate import Plate
from metacascade.studies import sweep_compare, sweep_table

COURSE = {  # column: title, unit, whether on a scale of powers of ten
    "tumor": ("Cells of the tumor", "cells", True), "entered": ("Entered the blood", "cells", True),
    "arrested": ("Arrested at the time", "cells", True), "alive": ("Lesions alive", "lesions", True),
    "lesions": ("Cells in lesions", "cells", True), "oxygen_mean": ("Oxygen at the cells", "mmHg", False)}
STAGES = ("shed", "survived", "arrested", "extravasated", "alive", "dormant", "micro", "macro")
WORDS = {"alive": "lesions alive", "micro": "growing", "macro": "with vessels"}
NUMBERS = {     # column: what it is, in words
    "tumor": "cells of the tumor", "radius": "radius of the tumor [µm]", "entered": "cells that entered the blood",
    "anoikis": "died of anoikis in the blood", "shear": "died of shear", "nk": "killed by NK cells in the blood",
    "arrested_death": "died in the vessels where they were arrested", "extravasated": "left the blood in an organ",
    "alive": "lesions alive", "lesions": "cells in lesions", "started": "lesions that began to divide",
    "cleared": "lesions cleared", "oxygen_mean": "oxygen at the cells [mmHg]"}
MARKERS, MOST_ORGANS = "osD^v*Xp", 8
SURE = "bars and bands are intervals of 95 % of the mean, by Student's t"


def what(compared) -> str:
    """Which runs are compared, in how many groups."""
    least = compared.least()
    title = compared.plan["title"] + ". " if compared.plan and compared.plan.get("title") else ""
    lines = [f"{title}{len(compared.members)} runs in {len(compared.groups)} groups: " + "; ".join(
        f"{group.name} ({len(group.members)})" for group in compared.groups) + f". The least number of replicates of a "
        f"group is {least}" + (", so there are no intervals for it." if least < 2 else f"; {SURE}.")]
    notes = [f"Not among them: {'; '.join(compared.left_out)}."] * bool(compared.left_out)
    going = [member.name for member in compared.members if not member.complete]
    notes += [f"Not yet at their end, or interrupted: {'; '.join(going)}."] * bool(going)
    branches = {}
    for member in compared.members:
        branches.setdefault(member.branch, []).append(member.name)
    notes += [f"{', '.join(names)}: {told}" for told, names in branches.items() if told]
    return html.paragraph(lines[0], "lead") + "".join(html.paragraph(note, "note") for note in notes)


def differences(compared) -> str:
    """The values of the config in which the groups differ."""
    if len(compared.groups) < 2:
        raise Missing("there is one group, whose runs differ in their seeds alone")
    values = [{dotted(path): parameter.text(value) for path, parameter, value in group.members[0].config.values()
               if value is not None} for group in compared.groups]
    keys = [key for key in dict.fromkeys(key for one in values for key in one)
            if len({one.get(key, "–") for one in values}) > 1 and key not in ("title", "run.seed", "vessels.seed")]
    return html.table(("parameter", *(group.name for group in compared.groups)),
                      [(key, *(one.get(key, "–") for one in values)) for key in keys], "What differs in the config")


def course(compared) -> Plate:
    """The tumor, the blood and lesions in the course of time."""
    shown = {column: told for column, told in COURSE.items() if any(
        np.nan_to_num(member.columns.get(column, np.zeros(1))).any() for member in compared.members)}
    if not shown:
        raise Missing("nothing happened at any output")
    down = -(-len(shown) // 2)
    figure, axes = style.figure(down, 2, height_in=0.5 + 2.3 * down, sharex=True)
    rows = []
    for axis, (column, (title, unit, powers)) in zip(axes.ravel(), shown.items()):
        for group, (color, dash) in zip(compared.groups, style.steps(len(compared.groups))):
            if found := band(group, column):
                _line(axis, found, powers, color=color, linestyle=dash, label=group.label)
                rows += _rows(group, title, unit, found)
        if powers:
            style.log_scale(axis.yaxis, _lowest(rows, title))
        axis.set(title=title, ylabel=unit)
    for axis in axes.ravel()[len(shown):]:
        axis.axis("off")
    for axis in axes.ravel()[:len(shown)][-2:]:
        axis.set_xlabel("time [days]")
        axis.tick_params(labelbottom=True)
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=min(len(compared.groups), 3))
    return Plate("course", f"Means of the replicates of each group; {SURE}, where a group has two runs or more "
                 f"(the least number at any output is {min(row['n'] for row in rows)}). What is 0 is not "
                 "drawn.", figure, rows)


def _line(axis, found, powers, **how):
    low, mean, high = found.low, found.mean, found.high
    if powers:
        mean = np.where(mean > 0, mean, np.nan)
        low, high = np.maximum(low, 0.1), np.where(np.isfinite(mean), high, np.nan)
    axis.plot(found.days, mean, **how)
    axis.fill_between(found.days, low, high, color=how["color"], alpha=0.2, linewidth=0)


def _lowest(rows, title):
    """The lower end of a scale of powers of ten: below the least mean of all."""
    return max(0.8, 0.5 * min((row["mean"] for row in rows if row["what"] == title and row["mean"] > 0), default=1.0))


def _rows(group, title, unit, found):
    return [{"group": group.name, "what": title, "unit": unit, "time [days]": float(day), "n": int(n),
             "mean": float(mean), "low": float(low), "high": float(high)}
            for day, n, mean, low, high in zip(found.days, found.n, found.mean, found.low, found.high)]


def treatments(compared) -> Plate:
    """What was done in each group, and when."""
    days, courses = np.array([0.0, max(member.days[-1] for member in compared.members)]), {}
    for group in compared.groups:
        for key, spans in group.members[0].history.items():
            courses.setdefault((*key, tuple(spans)), []).append(group.label)
    if not courses:
        raise Missing("there was no operation, no therapy, no radiation, no injection and no blood draw")
    lanes = [(kind, label if len(of) == len(compared.groups) else f"{', '.join(of)}: {label}", spans)
             for (kind, label, spans), of in courses.items()]
    figure, axes = style.figure(height_in=1.0 + 0.3 * len(lanes))
    timeline.draw(axes[0, 0], lanes, days)
    return Plate("compared_timeline", f"What was done, and when, by group; what has no name of a group is of all. "
                 f"{timeline.MARKS.capitalize()}.{timeline.not_shown(lanes, days)}", figure, timeline.rows_of(lanes))


def fates(compared) -> Plate:
    """How far cells came, in each group."""
    values = {stage: [[member.stages.get(stage, 0) for member in group.members] for group in compared.groups]
              for stage in STAGES}
    return _dots("compared_fates", "How far cells came, by group: cells up to extravasated, then lesions; small marks "
                                   f"are runs, large ones means; {SURE}. What is 0 has no mark.",
                 compared, {WORDS.get(stage, stage): row for stage, row in values.items()}, "cells, then lesions")


def organs(compared) -> Plate:
    """Lesions alive in each organ, in each group."""
    total = {}
    for member in compared.members:
        for node, n in member.organs.items():
            total[node] = total.get(node, 0) + n
    nodes = sorted((node for node in total if total[node]), key=lambda node: (-total[node], node))[:MOST_ORGANS]
    if not nodes:
        raise Missing("no run has a lesion at its end")
    return _dots("compared_organs", f"Lesions alive at the end, single cells among them, in the organs that have most; "
                 f"small marks are runs, large ones means; {SURE}. What is 0 has no mark.", compared,
                 {node: [[member.organs.get(node, 0) for member in group.members] for group in compared.groups]
                  for node in nodes}, "lesions")


def _dots(name, caption, compared, values, unit):
    """A figure of numbers by what and group, on a scale of powers of ten. `values`: what -> for each group its runs."""
    values = {what_: of_groups for what_, of_groups in values.items() if any(map(any, of_groups))}
    if not values:
        raise Missing("all numbers are 0")
    count = len(compared.groups)
    figure, axes = style.figure(height_in=max(2.6, 1.4 + len(values) * max(0.36, 0.17 * count)))
    axis, rows = axes[0, 0], []
    for k, (what_, of_groups) in enumerate(values.items()):
        for g, (runs, group, (color, _)) in enumerate(zip(of_groups, compared.groups, style.steps(count))):
            at = k + 0.7 * ((g + 0.5) / count - 0.5)
            mean, half, n = (float(one[0]) for one in estimates(np.array(runs, float)[:, None]))
            some = [run for run in runs if run > 0]
            axis.plot(some, [at] * len(some), ".", color=color, markersize=5, alpha=0.6)
            if mean > 0:
                axis.errorbar(mean, at, xerr=[[min(half, 0.999 * mean)], [half]] if half == half else None, capsize=2,
                              color=color, marker=MARKERS[g % 8], markersize=6, markeredgecolor="black",
                              markeredgewidth=0.5)
            rows.append({"what": what_, "group": group.name, "n": int(n), "mean": mean, "low": mean - half,
                         "high": mean + half, "unit": unit})
    axis.set_yticks(range(len(values)), values)
    axis.set(ylim=(len(values) - 0.5, -0.5), xlabel=unit)
    style.log_scale(axis.xaxis, 0.08 if any(0 < row["mean"] < 0.8 for row in rows) else 0.8)
    handles = [marks.sample(MARKERS[g % 8], color, group.label) for g, (group, (color, _)) in enumerate(
        zip(compared.groups, style.steps(count)))]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(count, 3))
    return Plate(name, caption, figure, rows)


def entry_distances(compared) -> Plate:
    """How far from vessels cells were that entered one, in each group."""
    if not any(member.distances for member in compared.members):
        raise Missing("no cell has entered a vessel, or distances were not measured")
    edges = sorted({edge for member in compared.members for edge in member.distances})
    figure, axes = style.figure(height_in=2.9)
    rows, drawn = [], [edge if np.isfinite(edge) else edges[-2] + 5.0 if len(edges) > 1 else 5.0 for edge in edges]
    for group, (color, dash) in zip(compared.groups, style.steps(len(compared.groups))):
        mean, half, n = estimates(np.array([[100 * member.distances.get(edge, 0.0) for edge in edges]
                                            for member in group.members]))
        axes[0, 0].plot(np.array(drawn) - 2.5, mean, color=color, linestyle=dash, label=group.label)
        axes[0, 0].fill_between(np.array(drawn) - 2.5, mean - half, mean + half, color=color, alpha=0.2, linewidth=0)
        rows += [{"group": group.name, "below [um]": edge, "mean [%]": float(m), "low [%]": float(m - h),
                  "high [%]": float(m + h), "n": int(k)} for edge, m, h, k in zip(edges, mean, half, n)]
    axes[0, 0].set(xlabel="distance to the vessel that they entered [µm]", ylabel="share of the cells [%]",
                   xlim=(0, None), ylim=(0, None))
    axes[0, 0].legend()
    return Plate("compared_distances", "Distance of cells to the center line of the vessel that they entered, since "
                                       f"the start, in bins of 5 µm; {SURE}.", figure, rows)


def numbers(compared) -> str:
    """What came out of each group at the last output."""
    rows = []
    for column, words in NUMBERS.items():
        some = [(group, values) for group in compared.groups if len(values := _last(group, column))]
        for k, (group, values) in enumerate(some):
            rows.append(("" if k else words, group.name, len(values), *_estimate(values)))
    return html.table(("what", "group", "n", "mean", "95 % from", "to"), rows,
                      "Last row of each run: mean and interval of 95 % by Student's t")


def _last(group, column):
    """The last numbers of a column of the runs of a group, of those that have it."""
    values = np.array([member.columns[column][-1] for member in group.members if column in member.columns])
    return values[np.isfinite(values)]


def _estimate(values):
    """(mean, low, high) of some numbers."""
    mean, half, _ = (float(one[0]) for one in estimates(np.asarray(values, float)[:, None]))
    return mean, mean - half, mean + half


def paired(compared) -> str:
    """Differences between groups, in pairs of runs."""
    plan = compared.plan
    if not plan:
        return _paired_by_seed(compared)
    if not (names := sweep_compare.names_of(plan)):
        raise Missing("the points of this sweep have no names")
    against = names[plan["compare"]["against"]]
    found = sweep_compare.compared(plan, sweep_table.rows_of(compared.directory, plan))
    rows = [(column, unit, name, mean.n, mean.mean, mean.low, mean.high, pairs.n, pairs.mean, pairs.low, pairs.high)
            for column, unit, name, mean, pairs in found if pairs is not None]
    return html.table(("column", "unit", "arm or point", "n", "mean", "95 % from", "to", "pairs", f"minus {against}",
                       "95 % from", "to"), rows, f"{'Arms' if 'arms' in plan else 'Points'} minus {against}, in pairs "
                      f"of replicates {_seeds(plan)}")


def _paired_by_seed(compared):
    """The same of runs that were given one by one: two with one seed are a pair, as two branches of one run."""
    first, *others = compared.groups
    rows = []
    for column, words in NUMBERS.items():
        base = _by_seed(first, column)
        for k, group in enumerate(others):
            own = _by_seed(group, column)
            if pairs := [own[seed] - base[seed] for seed in own if seed in base]:
                rows.append(("" if k else words, group.name, len(pairs), *_estimate(pairs)))
    if not rows:
        raise Missing("no two runs of other groups have the same seed")
    return html.table(("what", "group", "pairs", f"minus {first.name}", "95 % from", "to"), rows,
                      f"Groups minus {first.name}, in pairs of runs with the same seed")


def _by_seed(group, column):
    return {member.config.run.seed: float(member.columns[column][-1]) for member in group.members
            if column in member.columns and np.isfinite(member.columns[column][-1])}


def _seeds(plan):
    """Whether the two runs of a pair have one seed: those of a sweep with independent seeds have not."""
    seeds = {}
    for member in plan["members"]:
        seeds.setdefault(member["replicate"], set()).add(member["seed"])
    return "with the same seed" if all(len(own) == 1 for own in seeds.values()) else "by number, each with its own seed"


def runs(compared) -> str:
    """All runs, with the digests of their final states."""
    rows = [(group.name, str(member.path.parent), int(member.config.run.seed), float(member.days[-1]),
             "complete" if member.complete else "not complete", member.digest[:16])
            for group in compared.groups for member in group.members]
    return html.table(("group", "directory", "seed", "days", "state", "digest, its first 16"), rows, "Runs")


SECTIONS = (
    ("summary", "What is compared", (what, differences)), ("course", "In the course of time", (course, treatments)),
    ("fates", "What became of the cells in the blood", (fates,)), ("organs", "Organs", (organs,)),
    ("entries", "Where cells enter vessels", (entry_distances,)), ("numbers", "What came out", (paired, numbers)),
    ("runs", "Runs", (runs,)))
