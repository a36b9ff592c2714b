"""The tree of clones in the course of time, as a Muller plot, and where the cells of each are at the end."""
import numpy as np

from metacascade.io import needs
from metacascade.io.needs import Missing
from metacascade.report import style
from metacascade.report.plate import Plate
from metacascade.state.observed import OTHERS

MOST, PLACES = 11, 8            # clones with a band of their own; places with a bar
COLORS = ("#C9C9C9", *style.FILLS[:-1], "#7FC8A9", "#F2B8A0", "#A9B8E8", "#8A6D3B")
NOT_TOLD = "others"


def muller(told) -> Plate:
    """Shares of the clones in all living cells, each inside of the band of its parent."""
    cells, parents = _cells(told), _parents(told)
    if len(parents) < 2:
        raise Missing("all cells are of one clone: no division had a mutation")
    shown = _largest(cells)
    bands = {clone: np.zeros(len(told.days)) for clone in shown}
    for clone, numbers in cells.items():
        bands[_shown_ancestor(clone, parents, shown)] += numbers
    total = np.maximum(sum(bands.values()), 1)
    order = list(_nested(parents, shown))
    figure, axes = style.figure(height_in=4.0)
    axis = axes[0, 0]
    shares = [100 * bands[clone] / total / order.count(clone) for clone in order]
    axis.stackplot(told.days, shares, colors=[_color(clone, shown) for clone in order], linewidth=0)
    style.time_axis(axis, told.days, 0.0)
    axis.set(ylabel="share of all living cells [%]", ylim=(0, 100))
    for clone in shown:
        axis.plot([], [], "s", color=_color(clone, shown), markersize=9, markeredgecolor="black",
                  markeredgewidth=0.4, label=_label(told, clone, parents))
    figure.legend(*axis.get_legend_handles_labels(), loc="outside right upper", title="clone (parent)")
    return Plate("clones", "Clones as shares of all living cells, in the tumor, the blood and organs: each inside of "
                 f"the band of its parent. Of {len(parents):,} clones the {len(shown)} with most cells at any output "
                 "have bands; cells of the others count for their nearest ancestor that has one.", figure,
                 [{"time [days]": float(day), "clone": str(clone), "cells": int(bands[clone][k]),
                   "share": float(bands[clone][k] / total[k])} for k, day in enumerate(told.days) for clone in shown])


def _cells(told):
    """{clone: cells at each output, in all places}."""
    return {clone: sum(by_place.values()) for clone, by_place in _by_place(told).items()}


def _by_place(told):
    """{clone: {place: cells at each output}}."""
    rows, times = told.results["clone_cells"][:], needs.time_s(told.results)
    names, found = told.results.names("clone_cells")["place"], {}
    at = np.searchsorted(times, rows["time_s"])
    order = np.lexsort((rows["place"], rows["clone"]))
    keys = rows["clone"][order].astype(np.int64) * 256 + rows["place"][order]
    for part in np.split(order, np.flatnonzero(np.diff(keys)) + 1) if len(order) else ():
        numbers = np.zeros(len(times), np.int64)
        numbers[at[part]] = rows["cells"][part]
        clone = int(rows["clone"][part[0]])
        found.setdefault(NOT_TOLD if clone == OTHERS else clone, {})[names[int(rows["place"][part[0]])]] = numbers
    return found


def _parents(told):
    """{clone: its parent, -1 for none}."""
    rows = told.results["clones"][:]
    return dict(zip(rows["clone"].tolist(), rows["parent"].tolist()))


def _largest(cells):
    """The clones with a band: the first, and those that have most cells at any output; others as such."""
    most = sorted((clone for clone in cells if clone != NOT_TOLD), key=lambda clone: (-int(cells[clone].max()), clone))
    return [*sorted({0, *most[:MOST]}), *([NOT_TOLD] if NOT_TOLD in cells else [])]


def _shown_ancestor(clone, parents, shown):
    while clone not in shown:
        clone = parents.get(clone, -1)
        if clone < 0:
            return 0
    return clone


def _nested(parents, shown):
    """The bands from below to above: each clone twice round its children."""
    children = {}
    for clone in shown:
        if clone != NOT_TOLD and clone != 0:
            above = _shown_ancestor(parents.get(clone, -1), parents, shown) if parents.get(clone, -1) >= 0 else -1
            children.setdefault(above, []).append(clone)

    def bands(clone):
        inside = [band for child in children.get(clone, ()) for band in bands(child)]
        return [clone, *inside, clone]
    for root in (0, *children.get(-1, ())):
        yield from bands(root)
    if NOT_TOLD in shown:
        yield NOT_TOLD


def _color(clone, shown):
    return "#FFFFFF" if clone == NOT_TOLD else COLORS[shown.index(clone) % len(COLORS)]


def _label(told, clone, parents):
    above = parents.get(clone, -1)
    return f"{clone}" + (f" ({above})" if clone != NOT_TOLD and above >= 0 else "")


def places(told) -> Plate:
    """Shares of the clones in each place at the last output."""
    if len(_parents(told)) < 2:
        raise Missing("all cells are of one clone")
    by_place, shown, parents = _by_place(told), _largest(_cells(told)), _parents(told)
    last = {}
    for clone, of in by_place.items():
        band = _shown_ancestor(clone, parents, shown)
        for place, numbers in of.items():
            row = last.setdefault(place, {})
            row[band] = row.get(band, 0) + int(numbers[-1])
    last = {place: row for place, row in last.items() if sum(row.values())}
    order = sorted(last, key=lambda place: -sum(last[place].values()))[:PLACES]
    figure, axes = style.figure(height_in=max(2.0, 1.1 + 0.32 * len(order)))
    axis = axes[0, 0]
    for k, place in enumerate(reversed(order)):
        left, total = 0.0, sum(last[place].values())
        for clone in shown:
            share = 100 * last[place].get(clone, 0) / total
            axis.barh(k, share, left=left, color=_color(clone, shown), edgecolor="black", linewidth=0.4)
            left += share
    axis.set_yticks(range(len(order)), [f"{place} ({sum(last[place].values()):,})" for place in reversed(order)])
    axis.set(xlabel="share of the cells there [%]", xlim=(0, 100))
    return Plate("clones_by_place", "The same clones, in the same colors, in each place at the last output, with the "
                 "number of cells there: tissue is the tumor; circulating and arrested are in the blood; organs have "
                 "lesions.",
                 figure, [{"place": place, "clone": str(clone), "cells": n} for place, row in last.items()
                          for clone, n in row.items()])


PARTS = (muller, places)
