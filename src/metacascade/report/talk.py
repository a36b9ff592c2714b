"""The picture of a run for a slide: 16:9, letters of 14 points and more at 1920 x 1080."""
import numpy as np

from metacascade.report import sankey, section, style
from metacascade.report.layer import ENTRIES_H
from metacascade.report.plate import Plate
from metacascade.report.summary import in_one_mass

WIDTH_IN, HEIGHT_IN, DPI = 40 / 3, 7.5, 144          # 1920 x 1080
LETTERS = {name: 14.0 for name in ("font.size", "axes.labelsize", "xtick.labelsize", "ytick.labelsize",
                                   "legend.fontsize")} | {"axes.titlesize": 15.0, "lines.linewidth": 3.0}
PLACES = [["cut", "near", "course"], ["cut", "organs", "organs"]]
LINES = {"tissue": ("in tumor", style.GRAY, "-"), "shed": ("entered blood", style.BLACK, "-"),
         "nk": ("killed by NK", "#9A6A00", "-."), "extravasated": ("left vessel", style.GREEN, "--"),
         "started": ("lesions grew", style.RED, "-")}
STAGES = {stage: (*sankey.STAGES[stage], words) for stage, words in (
    ("arrested", "arrested"), ("extravasated", "left the vessel"), ("micro", "growing"))}
MOST_ORGANS = 5


def picture(told) -> Plate:
    """A run on a slide: the tumor cut open, its edge near, oxygen, the course of time, and how far cells came."""
    layer = told.layer
    figure, axes = style.mosaic(PLACES, WIDTH_IN, HEIGHT_IN, width_ratios=(3.2, 1.0, 0.9))
    figure.get_layout_engine().set(w_pad=0.1)
    figure.suptitle(title(told), fontsize=18, fontweight="bold", x=0.01, ha="left")
    cut(axes["cut"], layer, figure)
    section.near(axes["near"], layer, figure, 72 * 2.4 / (2 * section.NEAR_UM), marked=False)
    course(axes["course"], told)
    organs(axes["organs"], told)
    return Plate("talk", "The run on a slide. Left: a layer through the tumor, vessels by maturity, and where cells "
                         f"entered them in the last {ENTRIES_H:g} h. Middle: the edge near (motile cells are yellow, "
                         "black crosses entered a vessel). Right: cells in the course of time. Below: how far they "
                         "came in the organs with most.", figure, [
                     {"time [days]": float(day), **{f"{words} [cells]": float(told.series(name)[k])
                                                    for name, (words, _, _) in LINES.items()}}
                     for k, day in enumerate(told.days)], DPI)


def title(told):
    """What the whole of the run has come to."""
    across = f", {told.last('radius') / 500:.1f} mm across" if in_one_mass(told) else ""
    return (f"Day {told.days[-1]:.3g}: {int(told.last('tissue')):,} cells{across}; {int(told.last('shed')):,} entered "
            f"the blood, {int(told.last('started')):,} grew elsewhere")


def cut(axis, layer, figure):
    """Vessels by maturity on the density of cells, and entries of late by zone."""
    density = np.nan_to_num(layer.counts) / max(layer.told.config.tissue.capacity, 1)
    axis.imshow(density, origin="lower", extent=layer.extent, cmap="Greys", vmin=0, vmax=3, interpolation="nearest")
    lines = section.by_maturity(axis, layer, layer.vessels(), 0.12, 1.2)
    half = 1.35 * np.hypot(*(layer.farthest() - layer.center[:2]))
    section.frame(axis, layer, f"Vessels, and entries in the last {ENTRIES_H:g} h")
    axis.set(**{f"{name}lim": (middle - half, middle + half) for name, middle in zip("xy", layer.center)})
    figure.colorbar(lines, ax=axis, label="maturity of vessels: 0 new, 1 mature", location="bottom", shrink=0.7,
                    aspect=35, pad=0.01, ticks=[0, 0.5, 1])
    handles = []
    for words, (color, marker), some in section.by_zone(section.entries_of(layer), ENTERED):
        axis.scatter(some["x"], some["y"], s=30, color=color, marker=marker, edgecolors="black", linewidths=0.8,
                     zorder=7)
        handles.append((marker, color, words))
    axis.set_title(axis.get_title(loc="left"), pad=34)
    section.legend(axis, handles, "lower left", (0.0, 1.0))


ENTERED = {"core": ("#FFFFFF", "o"), "border": (style.YELLOW, "^"), "outside": (style.PURPLE, "s")}


def course(axis, told):
    """Cells in the course of time, each line with its name at its end."""
    for name, (words, color, dash) in LINES.items():
        numbers = told.series(name, 0)
        axis.plot(told.days, np.where(numbers > 0, numbers, np.nan), dash, color=color, label=words)
    style.log_scale(axis.yaxis, 0.8)
    style.time_axis(axis, told.days)
    axis.set(title="Cells, since the start")
    low, high = np.log(axis.get_ylim())
    ends = sorted((max(told.last(name, 0), 1.0), words, color) for name, (words, color, _) in LINES.items())
    places = spread([(np.log(value) - low) / (high - low) for value, _, _ in ends])
    for place, (_, words, color) in zip(places, ends):
        axis.annotate(words, (1.0, place), xycoords="axes fraction", xytext=(5, 0), va="center", color=color,
                      textcoords="offset points", annotation_clip=False)


def spread(places, step=0.125):
    """Ascending places from 0 to 1, moved so that none is nearer than a step to another, and none above 1."""
    found = []
    for place in places:
        found.append(max(place, found[-1] + step) if found else place)
    top = 1.0
    for k in reversed(range(len(found))):
        found[k] = min(found[k], top)
        top = found[k] - step
    return found


def organs(axis, told):
    """How far cells came in the organs with most."""
    rows, most = sankey.in_organs(told)
    names = sorted(most, key=lambda organ: (most[organ], organ))[-MOST_ORGANS:]
    sankey.mark(axis, rows, names, STAGES, markersize=12)
    axis.set_yticks(range(len(names)), names)
    style.log_scale(axis.xaxis, 0.7, 2 * max(most.values()))
    axis.set(title="How far they came", xlabel="cells, or growing lesions")
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), handletextpad=0.1)
