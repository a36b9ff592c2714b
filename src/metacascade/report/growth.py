"""The tumor in the course of time: cells, size, oxygen and other fields, vessels."""
import numpy as np

from metacascade.base.columns import NOW
from metacascade.base.units import DAY_S
from metacascade.io import needs
from metacascade.io.needs import Missing
from metacascade.report import style
from metacascade.report.plate import Plate, column

BY_ZONE = {"core": "cells_core", "border": "cells_border", "outside": "cells_outside"}
SIZES = {"radius": "radius of the outline", "invasion_max": "farthest cell out of it",
         "invasion_mean": "mean of cells out of it", "sprout_reach": "longest sprout"}
DEATHS = {"necrosis": "lack of oxygen", "apoptosis": "background", "chemotherapy": "drug",
          "irradiated": "radiation, in lesions too", "lumped_loss": "all causes, lumped"}
VESSELS = {"vessels_core": "core", "vessels_border": "border"}
MATURE = {"maturity_core": "core", "maturity_border": "border"}


def cells(told) -> Plate:
    """Cells by zone, and how many died of what."""
    total = told.series("tissue") + told.series("lumped", 0)
    if not total.any():
        raise Missing("there is no tumor at any output")
    figure, axes = style.figure(1, 2, height_in=3.5, sharex=True)
    left, right = axes[0]
    rows = {"cells of the tumor": total}
    left.plot(told.days, _positive(total), color=style.BLACK, label="all")
    for (name, own), dash in zip(BY_ZONE.items(), style.DASHES[1:]):
        if told.series(own, 0).any():
            rows[name] = told.series(own)
            left.plot(told.days, _positive(rows[name]), color=style.ZONES[name], linestyle=dash, label=name)
    style.log_scale(left.yaxis)
    left.set(title="Cells in the tumor", ylabel="cells")
    for axis in axes[0]:
        style.time_axis(axis, told.days)
    style.key(left, 2)
    died = {words: told.series(name) for name, words in DEATHS.items() if told.series(name, 0).any()}
    for (words, numbers), (color, dash) in zip(died.items(), style.steps(len(died))):
        right.plot(told.days, numbers, color=color, linestyle=dash, label=words)
    right.set(title="Died in the tumor, so far, of", ylabel="cells")
    right.set_ylim(0, None)
    style.thousands(right.yaxis)
    if died:
        style.key(right, 2)
    else:
        right.text(0.5, 0.5, "none", ha="center", transform=right.transAxes)
    return Plate("growth", "Left: cells of the tumor, all and by where they lie by the outline (core, border, outside; "
                 "powers of ten). Right: what they died of; of radiation also those in lesions and arrested, which it "
                 "tells together.", figure, _table(told, "cells", rows | died))


def size(told) -> Plate:
    """Radius, invasion, sprouts; vessels and how mature they are."""
    sizes = {words: told.series(name) for name, words in SIZES.items() if np.isfinite(told.series(name, np.nan)).any()}
    if not sizes:
        raise Missing("the run has no outline of the tumor (outline.enabled), by which sizes and zones are told")
    density = {words: told.series(name) for name, words in VESSELS.items() if name in told.results.series}
    mature = {words: told.series(name) for name, words in MATURE.items() if name in told.results.series}
    figure, axes = style.figure(1, 3, height_in=3.6, sharex=True, width_ratios=(1.5, 1, 1))
    for axis, title, unit, lines in zip(axes[0], ("Size", "Length of vessels", "Maturity of vessels"), (
            "um", "mm/mm^3", "0 new, 1 mature"), (sizes, density, mature)):
        for (words, numbers), (color, dash) in zip(lines.items(), style.steps(len(lines))):
            axis.plot(told.days, numbers, color=color, linestyle=dash, label=words)
        style.time_axis(axis, told.days)
        axis.set(title=title, ylabel=style.unit(unit))
        axis.set_ylim(0, None)
        style.key(axis)
    rows = {column(words, "um"): v for words, v in sizes.items()}
    rows |= {column(f"vessels, {words}", "mm/mm^3"): v for words, v in density.items()}
    rows |= {f"maturity, {words}": v for words, v in mature.items()}
    return Plate("size", "Left: radius of the ball as large as the inside of the outline, and how far cells are out of "
                 "it. Middle and right: length of vessels per volume, and their mean maturity by length.", figure,
                 _table(told, "", rows))


def fields(told) -> Plate:
    """Means over the cells of oxygen and all other fields, and of what mechanisms tell of cells."""
    names = [name for name, one in told.columns.items() if one.part == NOW and one.mean
             and name in told.results.series and np.isfinite(told.series(name)).any()]
    if not names:
        raise Missing("no field is on in this config")
    across = min(len(names), 3)
    down = -(-len(names) // across)
    figure, axes = style.figure(down, across, height_in=0.4 + 2.2 * down, sharex=True)
    for axis, name in zip(axes.ravel(), names):
        axis.plot(told.days, told.series(name), color=style.BLUE)
        words = _words(name)
        axis.set(title=words[:1].upper() + words[1:], ylabel=style.unit(told.unit(name)))
        axis.set_ylim(0, None)
    for axis in axes.ravel()[len(names):]:
        axis.axis("off")
    for axis in axes.ravel()[:len(names)][-across:]:
        style.time_axis(axis, told.days)
        axis.tick_params(labelbottom=True)
    docs = [(name, told.columns[name].doc.removesuffix(", their mean")) for name in names]
    return Plate("fields", "Means over the cells of the tumor: "
                 + "; ".join(doc if doc.startswith(_words(name)) else f"{_words(name)}: {doc}" for name, doc in docs)
                 + ".", figure,
                 _table(told, "", {column(name, told.unit(name)): told.series(name) for name in names}))


def _words(name):
    return {"vegf_mean": "VEGF", "emt_mean": "EMT"}.get(name, name.removesuffix("_mean").replace("_", " "))


def _positive(numbers):
    """For an axis of powers of ten: what is 0 is not drawn."""
    return np.where(numbers > 0, numbers, np.nan)


def _table(told, unit, columns):
    times = needs.time_s(told.results) / DAY_S
    return [{"time [days]": float(day), **{column(name, unit): float(values[k]) for name, values in columns.items()}}
            for k, day in enumerate(times)]


PARTS = (cells, size, fields)
