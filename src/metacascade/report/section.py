"""A section through the tumor: vessels by maturity, where cells entered them, oxygen, and the edge near."""
import numpy as np

from metacascade.base.units import DAY_S
from metacascade.io.needs import Missing
from metacascade.report import marks, style
from metacascade.report.layer import ENTRIES_H, SLAB_UM, ends, outside_of
from metacascade.report.plate import Plate
from metacascade.report.summary import HYPOXIC_MMHG

NEAR_UM, CELL_UM = 150.0, 11.0      # half the width of what is shown near, and how large a cell is drawn
GROUND = ("#F3D9C9", "#FBEBC4", "#FFFFFF")      # of core, border, outside
GROWING, SHUT = style.GREEN, "#9A9A9A"


def section(told) -> Plate:
    """The tumor cut open: vessels by maturity and where cells entered them; oxygen; the edge near."""
    layer = told.layer
    figure, axes = style.figure(2, 2, height_in=6.9)
    for axis, draw in zip(axes.ravel(), (vessels, entered, oxygen, near)):
        draw(axis, layer, figure)
    return Plate("section", f"The state of day {layer.state.meta['time_s'] / DAY_S:.3g}: a layer of {layer.edge_um:g} "
                            f"µm through the center of the tumor, with vessels and entries within {SLAB_UM:g} µm of "
                            "it; the black line is the outline. Above: vessels by maturity on the density of cells "
                            f"(gray), and where cells entered vessels in the last {ENTRIES_H:g} h, by zone. Below: "
                            "oxygen; and the place where the tumor reaches farthest out, with its cells: those that "
                            "would lie over or under a vessel are left out, so that no cell that is drawn is in one.",
                            figure, _table(told, entries_of(layer)))


def _table(told, entries):
    names = told.results.names("shed")["zone"]
    columns = (entries[name].tolist() for name in ("x", "y", "z", "t_shed", "zone", "n"))
    return [{"x [um]": x, "y [um]": y, "z [um]": z, "time [h]": time, "zone": names[zone], "cells": n}
            for x, y, z, time, zone, n in zip(*columns)]


def entries_of(layer):
    """Entries of late near the layer; none where the run has no rows of them."""
    try:
        return layer.entries
    except Missing:
        return np.empty(0, [("x", "f4"), ("y", "f4"), ("z", "f4"), ("t_shed", "f8"), ("zone", "u1"), ("n", "u2")])


def frame(axis, layer, title):
    """Axes of the layer in mm, with the outline of the tumor."""
    axis.set(title=title, xlabel="x [mm]", ylabel="y [mm]", aspect="equal")
    axis.grid(False)
    for one in (axis.xaxis, axis.yaxis):
        one.set_major_formatter(lambda value, _: f"{value / 1000:g}")
    if layer.inside.any() and not layer.inside.all():
        axis.contour(*layer.axes_um, layer.inside, levels=[0.5], colors="black", linewidths=1.1, zorder=6)
    axis.set(xlim=layer.extent[:2], ylim=layer.extent[2:])


def by_maturity(axis, layer, pieces, points_um, least_pt=0.8, rasterized=True):
    """Vessels as wide as they are, `points_um` points a um: by maturity, shut ones gray, sprouts green."""
    flows, growing = pieces["perfused"] > 0, layer.growing(pieces)
    width = np.maximum(2 * pieces["radius"] * points_um, least_pt)
    lines = ends(pieces)
    for which, color in ((~flows & ~growing, SHUT), (growing, GROWING)):
        marks.tubes(axis, lines[which], width[which], colors=color, rasterized=rasterized)
    found = marks.tubes(axis, lines[flows], width[flows], cmap=style.colormap(style.MATURITY), zorder=4,
                        rasterized=rasterized)
    found.set_array(pieces["maturity"][flows])
    found.set_clim(0, 1)
    return found


def vessels(axis, layer, figure):
    """Vessels by maturity on the density of cells."""
    density = np.nan_to_num(layer.counts) / max(layer.told.config.tissue.capacity, 1)
    axis.imshow(density, origin="lower", extent=layer.extent, cmap="Greys", vmin=0, vmax=2.5, interpolation="nearest")
    lines = by_maturity(axis, layer, layer.vessels(), 0.06)
    frame(axis, layer, "Vessels")
    figure.colorbar(lines, ax=axis, label="maturity: 0 new, 1 mature", shrink=0.8)
    legend(axis, [("-", GROWING, "sprout"), ("-", SHUT, "shut")])


def entered(axis, layer, figure):
    """Where cells entered vessels of late, by zone."""
    if layer.zone is not None:
        axis.imshow(layer.zone, origin="lower", extent=layer.extent, vmin=1, vmax=3, interpolation="nearest",
                    cmap=style.listed(GROUND))
    pieces = layer.vessels()
    marks.tubes(axis, ends(pieces[pieces["perfused"] > 0]), 0.8, edge=None, colors="#A9A9A9", rasterized=True)
    frame(axis, layer, f"Entries, last {ENTRIES_H:g} h")
    handles = []
    for words, (color, marker), some in by_zone(entries_of(layer), dict(
            zip(style.ZONES, zip(style.ZONES.values(), "o^s")))):
        axis.scatter(some["x"], some["y"], s=13, color=color, marker=marker, edgecolors="black", linewidths=0.3,
                     zorder=7, rasterized=len(some) > 2000)
        handles.append((marker, color, words))
    legend(axis, handles)


def by_zone(entries, looks):
    """(zone and its share of the cells, color and marker, the entries there) of each zone, and of those in none.

    `looks`: {zone: (color, marker)}, in the order of their numbers from 1 on. Without an outline all are in none.
    """
    total, none = max(int(entries["n"].sum()), 1), entries["zone"] == 0
    places = [(zone, look, entries["zone"] == number) for number, (zone, look) in enumerate(looks.items(), 1)]
    if none.any():
        places = [*([] if none.all() else places), ("no outline", (style.GRAY, "o"), none)]
    return [(f"{zone} {100 * entries['n'][here].sum() / total:.0f} %", look, entries[here])
            for zone, look, here in places]


def oxygen(axis, layer, figure):
    """Oxygen in the layer, with a line at lack of it."""
    if layer.oxygen is None:
        axis.axis("off")
        axis.text(0.5, 0.5, "oxygen is without limit in this run", ha="center", transform=axis.transAxes)
        return
    image = axis.imshow(layer.oxygen, origin="lower", extent=layer.extent, cmap="cividis", vmin=0,
                        vmax=max(40.0, np.nanmax(layer.oxygen)), interpolation="nearest")
    if np.nanmin(layer.oxygen) < HYPOXIC_MMHG < np.nanmax(layer.oxygen):
        axis.contour(*layer.axes_um, layer.oxygen, levels=[HYPOXIC_MMHG], colors="white", linewidths=0.7,
                     linestyles="--")
    frame(axis, layer, f"Oxygen (dashes: {HYPOXIC_MMHG:g} mmHg)")
    figure.colorbar(image, ax=axis, label="oxygen [mmHg]", shrink=0.8)


def near(axis, layer, figure, points_um=None, marked=True):
    """The edge of the tumor, near: cells and vessels, none in the other; `marked`: with a legend."""
    at = layer.farthest()
    frame(axis, layer, "The edge, near")
    pieces = layer.vessels(layer.edge_um / 2 + 5.0)
    middle = (ends(pieces)[:, 0] + ends(pieces)[:, 1]) / 2
    pieces = pieces[np.all(np.abs(middle - at) < NEAR_UM + 60, axis=1)]
    xy, moves = layer.cells()
    some = np.all(np.abs(xy - at) < NEAR_UM + CELL_UM, axis=1)
    some[some] = outside_of(xy[some], pieces, CELL_UM / 2 + 1.0)
    for motile, color in ((False, "#D9CDE0"), (True, style.YELLOW)):
        marks.disks(axis, xy[some & (moves == motile)], CELL_UM, facecolors=color, edgecolors="#4A3B55",
                    linewidths=0.5, zorder=2, rasterized=some.sum() > 1500)
    by_maturity(axis, layer, pieces, points_um or 72 * 2.3 / (2 * NEAR_UM), rasterized=False)
    entries = entries_of(layer)
    entries = entries[np.abs(entries["z"] - layer.middle_um) < layer.edge_um / 2 + 5.0]
    axis.plot(entries["x"], entries["y"], "X", color="black", markeredgecolor="white", markersize=8, zorder=8)
    axis.set(xlim=(at[0] - NEAR_UM, at[0] + NEAR_UM), ylim=(at[1] - NEAR_UM, at[1] + NEAR_UM))
    if marked:
        legend(axis, [("o", "#D9CDE0", "cell"), ("o", style.YELLOW, "motile cell"), ("X", "black", "entered")])


def legend(axis, marked, place="upper center", at=(0.5, -0.2)):
    """A legend below the panel, off what is drawn, or elsewhere."""
    handles = [marks.sample(*one) for one in marked]
    axis.legend(handles=handles, loc=place, bbox_to_anchor=at, ncols=3, columnspacing=0.9,
                handletextpad=0.3, borderaxespad=0.0)
