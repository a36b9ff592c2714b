"""What is in organs in the course of time, and the routes between the tumor and organs on an outline of a body."""
import numpy as np

from metacascade.io import needs
from metacascade.io.metastases import INJECTION
from metacascade.io.needs import Missing
from metacascade.report import body, marks, style
from metacascade.report.plate import Plate

MOST, LARGEST_PT = 7, 5.0           # organs with a line of their own; the widest arrow


def burdens(told) -> Plate:
    """Lesions, and cells in them, by organ."""
    lesions, cells = (_without_tumor(told.by_node(name)) for name in ("lesions", "cells"))
    if not lesions:
        raise Missing("no cell has left a vessel in an organ")
    order = sorted(lesions, key=lambda node: (-lesions[node][-1], -lesions[node].max(), node))
    figure, axes = style.figure(1, 2, height_in=3.4, sharex=True)
    for axis, title, unit, numbers in zip(axes[0], ("Lesions alive", "Cells in lesions"), ("lesions", "cells"),
                                          (lesions, cells)):
        for (node, line), (color, dash) in zip(_lines(order, numbers), style.steps(MOST + 1)):
            axis.plot(told.days, np.where(line > 0, line, np.nan), color=color, linestyle=dash, label=node)
        style.log_scale(axis.yaxis, 0.8)
        style.time_axis(axis, told.days)
        axis.set(title=title, ylabel=unit)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right center", handlelength=2.6)
    rows = [{"time [days]": float(day), "organ": node, "lesions": int(lesions[node][k]),
             "cells": int(cells.get(node, lesions[node])[k])} for k, day in enumerate(told.days) for node in order]
    return Plate("organs", "Lesions that are alive, single cells among them, and the cells in them, by organ; the "
                 f"organs with most have lines of their own ({MOST} at most). What is 0 is not drawn.", figure, rows)


def _without_tumor(by_node):
    return {node: numbers for node, numbers in by_node.items() if node != needs.TUMOR}


def _lines(order, numbers):
    """(name, numbers) of the first organs and of all others."""
    for node in order[:MOST]:
        yield node, numbers.get(node, np.zeros(1))
    if rest := [numbers[node] for node in order[MOST:] if node in numbers]:
        yield f"{len(order) - MOST} others", np.sum(rest, axis=0)


def routes(told) -> Plate:
    """Who seeded whom: arrows between the tumor and organs on an outline, as wide as there are lesions."""
    founded, living = told.results.routes(), told.results.routes(living=True)
    ways = sorted(((n, origin, organ) for origin, row in founded.items() for organ, n in row.items()), reverse=True)
    if not ways:
        raise Missing("there was no lesion")
    figure, axes = style.figure(height_in=5.6)
    axis, home = axes[0, 0], body.tumor_at(told.config.tumor.organ if told.config.tumor else None)
    body.draw(axis)
    most = ways[0][0]
    for n, origin, organ in reversed(ways):
        begin, end = _place(origin, home), body.PLACES[organ]
        width = 0.8 + (LARGEST_PT - 0.8) * n / most
        if begin == end:
            continue                        # within an organ: in the table
        marks.arrow(axis, begin, end, width, color=style.RED if origin in (needs.TUMOR, INJECTION) else style.BLUE,
                    linestyle="-" if origin in (needs.TUMOR, INJECTION) else "--", alpha=0.8, zorder=3)
    by_organ = {}
    for n, _, organ in ways:
        by_organ[organ] = by_organ.get(organ, 0) + n
    alive = {organ: sum(row.get(organ, 0) for row in living.values()) for organ in by_organ}
    body.label(axis, {organ: f"{organ}  {n:,} ({alive[organ]:,})" for organ, n in by_organ.items()}, by_organ)
    if told.config.tumor:
        body.tumor(axis, home)
    return Plate("routes", "Lesions by where their founder came from: red, whole arrows from the tumor (or an "
                 "injection), blue, dashed ones from lesions of another organ; as wide as their number. At each organ "
                 "lesions that live or have ever divided (others leave no record when they die), and in brackets those "
                 "alive at the end; single cells count. The outline is a scheme of no species.", figure,
                 [{"from": origin, "to": organ, "lesions": n, "alive": living.get(origin, {}).get(organ, 0)}
                  for n, origin, organ in ways])


def _place(origin, home):
    return home if origin == needs.TUMOR else body.INJECTED if origin == INJECTION else body.PLACES[origin]


PARTS = (burdens, routes)
