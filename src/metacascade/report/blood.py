"""Cells in the blood in the course of time, their half-life, and what draws and tubes of it find."""
import numpy as np

from metacascade.io import bloodcount, needs
from metacascade.io.cascade_text import hours
from metacascade.io.needs import Missing
from metacascade.report import html, style
from metacascade.report.plate import Plate

NODE, BESIDE = "venous", 5      # of the tube; outputs on each side in a running mean


def circulating(told) -> Plate:
    """Cells that enter each day, those that flow and those that are arrested at the time; cells per mL."""
    entered = needs.entered(told.results)
    if not entered.any():
        raise Missing("no cell has entered the blood")
    figure, axes = style.figure(1, 2, height_in=3.8, sharex=True)
    left, right = axes[0]
    lines = {"entered, since the start": entered, "arrested at the time": told.series("arrested"),
             "flowing at the time": told.series("circulating")}
    for (words, numbers), (color, dash) in zip(lines.items(), style.steps(3)):
        left.plot(told.days, np.where(numbers > 0, numbers, np.nan), color=color, linestyle=dash, label=words,
                  marker="." if words.startswith("flowing") else "")
    style.log_scale(left.yaxis, 0.8, 2 * max(entered.max(), 6))
    style.time_axis(left, told.days)
    left.set(title="Cells in the blood", ylabel="cells")
    style.key(left)
    tube = _tube(told, right)
    rows = [{"time [days]": float(day), **{f"{words} [cells]": float(v[k]) for words, v in lines.items()},
             **{name: float(v[k]) for name, v in tube.items()}} for k, day in enumerate(told.days)]
    return Plate("blood", "Left: cells that have entered the blood, and those in it at each output; what is 0 is not "
                 "drawn. Right: what an assay like CellSearch is expected to find in a tube (it takes epithelial "
                 "cells and finds 85 % of them). Points are of the cells that flow at the output, which are few and "
                 "gone in seconds; so there are a running mean, and the chances by it. Triangles are the blood draws "
                 f"of the run. {half_life(told)}", figure, rows)


def _tube(told, axis):
    """The tube at each output, drawn; its columns."""
    try:
        tube = told.results.cellsearch(node=NODE)
    except Missing as missing:
        axis.axis("off")
        axis.text(0.0, 0.5, f"not told: {missing}", wrap=True, fontsize=style.SMALL)
        return {}
    mean = running(tube["expected"])
    axis.plot(told.days, tube["expected"], ".", color=style.SKY, label="expected, of what flows then")
    axis.plot(told.days, mean, color=style.BLUE, label=f"mean of {2 * BESIDE + 1} outputs")
    chances = {words: [bloodcount.at_least(least, one) for one in mean] for words, least in (
        ("chance of 1 or more", 1), ("chance of 5 or more", bloodcount.MANY))}
    for (words, numbers), color, dash in zip(chances.items(), (style.RED, style.GREEN), ("--", "-.")):
        axis.plot(told.days, numbers, color=color, linestyle=dash, label=words)
    drawn = bloodcount.real_draws(told.results)
    for k, draw in enumerate(drawn):
        axis.plot(draw["time_h"] / 24, draw["ctcs"], "^", color=style.BLACK, markersize=8, clip_on=False,
                  label="drawn, CTCs" if k == 0 else None)
    style.time_axis(axis, told.days)
    axis.set(title=f"In {tube['volume_mL'][-1]:.3g} mL of venous blood", ylabel="CTCs, or chance")
    axis.set_ylim(0, 1.05 * max(1e-6, *tube["expected"], *(draw["ctcs"] for draw in drawn)))
    style.key(axis)
    columns = {"volume [mL]": tube["volume_mL"], "expected [CTCs]": tube["expected"], "running mean [CTCs]": mean}
    return columns | chances


def running(numbers):
    """Means over each number with those beside it, fewer at the ends."""
    total = np.concatenate([[0.0], np.cumsum(numbers)])
    k = np.arange(len(numbers))
    low, high = np.maximum(k - BESIDE, 0), np.minimum(k + BESIDE + 1, len(numbers))
    return (total[high] - total[low]) / (high - low)


def half_life(told) -> str:
    """A sentence on how long cells flow."""
    try:
        one = told.results.half_life()
    except Missing as missing:
        return f"The half-life in the flow is not told: {missing}."
    if one["low_h"] != one["low_h"]:
        return f"The half-life in the flow is {hours(one['half_life_h'])}."
    return (f"The half-life in the flow, ln 2 times the mean time, is {hours(one['half_life_h'])} "
            f"(95 %: {hours(one['low_h'])} to {hours(one['high_h'])}).")


def draws(told) -> str:
    """The draws of the run, as a table."""
    rows = bloodcount.real_draws(told.results)
    if not rows:
        raise Missing("the config has no blood draw, or none was due yet")
    return html.table(("day", "from", "volume [mL]", "cells", "CTCs"), (
        (row["time_h"] / 24, row["node"], row["volume_mL"], row["cells"], row["ctcs"]) for row in rows), "Blood draws")


PARTS = (circulating, draws)
