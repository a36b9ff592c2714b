"""Where cells enter vessels: a section through the tumor, the distance to vessels, and the shares of its zones."""
import numpy as np

from metacascade.io import needs
from metacascade.io.needs import Missing
from metacascade.report import section, style
from metacascade.report.layer import ENTRIES_H
from metacascade.report.plate import Plate

BIN_UM = 5.0            # of the table of distances
BARS = {"tissue": ("all cells of the tumor, now", style.SKY), "shed": (
    "cells that entered a vessel, since the start", style.RED)}


def _shares(told):
    """{whom: ({upper edge of a bin: share of the cells}, how many)} at the last output."""
    rows, names, found = needs.at_last(told.results, "distances"), told.results.names("distances")["of"], {}
    for name in BARS:
        part = rows[np.isin(rows["of"], [number for number, one in names.items() if one == name])]
        total = int(part["cells"].sum())
        found[name] = {float(b): int(n) / max(total, 1) for b, n in zip(part["below"], part["cells"])}, total
    return found


def distances(told) -> Plate:
    """How far cells that entered vessels, and all cells, are from the nearest vessel."""
    found = _shares(told)
    if not any(total for _, total in found.values()):
        raise Missing("no distance was measured: there are no cells, or none that the table of distances tells of")
    edges = sorted({edge for shares, _ in found.values() for edge in shares})
    top = max((edge for edge in edges if np.isfinite(edge)), default=0.0) + BIN_UM
    figure, axes = style.figure(height_in=2.9)
    axis = axes[0, 0]
    for k, (name, (words, color)) in enumerate(BARS.items()):
        shares, total = found[name]
        at = [min(edge, top) - BIN_UM + (0.5 * k + 0.25) * BIN_UM for edge in shares]
        axis.bar(at, [100 * share for share in shares.values()], width=BIN_UM / 2, color=color, edgecolor="black",
                 linewidth=0.4, label=f"{words} ({total:,})")
    axis.set(xlabel="distance to the center line of the nearest perfused vessel [µm]", ylabel="share of the cells [%]",
             xlim=(0, top))
    axis.legend()
    return Plate("distances", "Distance to vessels, in bins of 5 µm: of cells that entered one, when they did (to the "
                 "vessel that they entered), and of all cells of the tumor at the last output (of a sample)."
                 + " The last bin is all beyond." * (not np.isfinite(edges[-1])), figure,
                 [{"below [um]": edge, "share of all cells": found["tissue"][0].get(edge, 0.0),
                   "share of those that entered": found["shed"][0].get(edge, 0.0)} for edge in edges])


def zones(told) -> Plate:
    """Which shares of the cells lie, and of those shed were, in the core, at the border, outside; and in sprouts."""
    found = {words: {zone: told.last(f"{name}_{zone}") for zone in style.ZONES} for words, name in (
        ("entered vessels,\nsince the start", "shed"), ("all cells, now", "cells"))}
    times = needs.time_s(told.results)
    before = np.flatnonzero(times <= times[-1] - 3600 * ENTRIES_H)
    if len(before):         # the last output that is as old, or older
        late = {zone: n - told.series(f"shed_{zone}", 0)[before[-1]] for zone, n in [*found.values()][0].items()}
        found = {f"entered vessels,\nlast {(times[-1] - times[before[-1]]) / 3600:g} h": late} | found
    if not any(sum(of.values()) for of in found.values()):
        raise Missing("the run has no outline of the tumor (outline.enabled), by which zones are told")
    figure, axes = style.figure(height_in=1.2 + 0.5 * len(found))
    axis = axes[0, 0]
    for place, of in enumerate(found.values()):
        _bar(axis, place, of)
    axis.set_yticks(range(len(found)), found)
    axis.set(xlabel="share [%]", xlim=(0, 100))
    axis.grid(False, axis="y")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    rows = [{"of": words.replace("\n", " "), "zone": zone, "cells": int(n), "share": n / max(sum(of.values()), 1)}
            for words, of in found.items() for zone, n in of.items()]
    sprouts, cells = told.last("sprout_cells"), max(told.last("tissue"), 1)
    rows.append({"of": "all cells, now", "zone": "sprouts", "cells": int(sprouts), "share": sprouts / cells})
    return Plate("zones", "Where cells entered vessels, and where all cells are, by the outline of the tumor. In "
                 f"sprouts, masses that reach out of its body, are {100 * sprouts / cells:.1f} % of all cells.",
                 figure, rows)


def _bar(axis, place, of):
    """A bar of the shares of the zones, with their numbers where there is room."""
    left = 0.0
    for (zone, n), hatch in zip(of.items(), ("", "///", "...")):
        share = 100 * n / max(sum(of.values()), 1)
        axis.barh(place, share, left=left, height=0.62, color=style.ZONES[zone], hatch=hatch, edgecolor="white",
                  label=zone if place == 0 else None)
        if share >= 6:
            axis.text(left + share / 2, place, f"{share:.0f} %", ha="center", va="center", fontweight="bold",
                      bbox=dict(facecolor="white", edgecolor="none", pad=1.5))
        left += share


PARTS = (section.section, distances, zones)
