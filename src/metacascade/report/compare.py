"""Several runs in the same figures: lines with bands over replicates, and how far cells came."""
import numpy as np

from metacascade.base.units import DAY_S
from metacascade.io.needs import Missing
from metacascade.report import compare_tables, marks, style, timeline
from metacascade.report.groups import SURE, band, estimates
from metacascade.report.plate import Plate

COURSE = {  # column: title, unit, whether on a scale of powers of ten
    "tumor": ("Cells of the tumor", "cells", True), "entered": ("Entered the blood", "cells", True),
    "arrested": ("Arrested at the time", "cells", True), "alive": ("Lesions alive", "lesions", True),
    "lesions": ("Cells in lesions", "cells", True), "oxygen_mean": ("Oxygen at the cells", "mmHg", False)}
STAGES = ("shed", "survived", "arrested", "extravasated", "alive", "dormant", "micro", "macro")
WORDS = {"alive": "lesions alive", "micro": "growing", "macro": "with vessels"}
MARKERS, MOST_ORGANS = "osD^v*Xp", 8


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
    figure.legend(*handles, loc="outside upper center", ncols=style.abreast(handles[1]))
    return Plate("course", f"Means of the replicates of each group; {SURE}, where a group has two runs or more "
                 f"(the least number at any output is {min(row['n'] for row in rows if row['n'])}). What is 0 is not "
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
    days, courses = np.array([min(member.days[0] for member in compared.members),
                              max(member.days[-1] for member in compared.members)]), {}
    for group in compared.groups:
        for key, spans in group.members[0].history.items():      # alike in all replicates
            courses.setdefault((*key, tuple(spans)), []).append(group.label)
    if not courses:
        raise Missing("there was no operation, no therapy, no radiation, no injection and no blood draw")
    end_s = int(days[-1] * DAY_S)
    lanes = [(kind, label if len(of) == len(compared.groups) else f"{', '.join(of)}: {label}",
              [(a, min(b, end_s)) if a < end_s else (a, b) for a, b in spans if a == b or a < end_s])
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
        for node, numbers_ in member.organs.items():
            total[node] = total.get(node, 0) + np.nan_to_num(compared.at_end(member, numbers_))
    nodes = sorted((node for node in total if total[node]), key=lambda node: (-total[node], node))[:MOST_ORGANS]
    if not nodes:
        raise Missing("no run has a lesion at its end")
    return _dots("compared_organs", f"Lesions alive on day {compared.end_d:.4g}, single cells among them, in the "
                 f"organs that have most; small marks are runs, large ones means; {SURE}. What is 0 has no mark.",
                 compared, {node: [[float(compared.at_end(member, member.organs.get(node, np.zeros(len(member.days)))))
                          for member in group.members] for group in compared.groups] for node in nodes}, "lesions")


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
    figure.legend(handles=handles, loc="outside upper center",
                  ncols=style.abreast([group.label for group in compared.groups]))
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


SECTIONS = (
    ("summary", "What is compared", (compare_tables.what, compare_tables.differences)),
    ("course", "In the course of time", (course, treatments)),
    ("fates", "What became of the cells in the blood", (fates,)), ("organs", "Organs", (organs,)),
    ("entries", "Where cells enter vessels", (entry_distances,)),
    ("numbers", "What came out", (compare_tables.paired, compare_tables.numbers)),
    ("runs", "Runs", (compare_tables.runs,)))
