"""Marks that matplotlib has no single call for: tubes, cells, ribbons, arrows. Needs matplotlib."""
import numpy as np


def tubes(axes, ends, widths_pt, edge="#333333", rasterized=False, **how):
    """Lines between pairs of points, shape (n, 2, 2), as wide as told, with a dark edge: vessels. Returns the lines."""
    from matplotlib.collections import LineCollection
    above = how.pop("zorder", 3)
    if edge:
        axes.add_collection(LineCollection(ends, linewidths=widths_pt + 1.0, colors=edge, capstyle="round",
                                           zorder=above - 0.1, rasterized=rasterized))
    return axes.add_collection(LineCollection(ends, linewidths=widths_pt, capstyle="round", zorder=above,
                                              rasterized=rasterized, **how))


def disks(axes, xy, diameter, **how):
    """Disks of a diameter in units of the axes: cells."""
    from matplotlib.collections import EllipseCollection
    size = np.full(len(xy), float(diameter))
    return axes.add_collection(EllipseCollection(size, size, np.zeros(len(xy)), units="xy", offsets=xy,
                                                 offset_transform=axes.transData, **how))


def ribbon(axes, x0, x1, left, right, **how):
    """A band of a Sankey: from the range `left` of y at x0 to the range `right` at x1, along curves."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path
    middle = (x0 + x1) / 2
    points = [(x0, left[0]), (middle, left[0]), (middle, right[0]), (x1, right[0]),
              (x1, right[1]), (middle, right[1]), (middle, left[1]), (x0, left[1]), (x0, left[0])]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    axes.add_patch(PathPatch(Path(points, codes), linewidth=0, **how))


def arrow(axes, begin, end, width_pt, bend=0.2, **how):
    """A bent arrow from point to point."""
    from matplotlib.patches import FancyArrowPatch
    axes.add_patch(FancyArrowPatch(
        begin, end, connectionstyle=f"arc3,rad={bend}", linewidth=width_pt, shrinkA=7, shrinkB=7,
        arrowstyle=f"-|>,head_length={0.4 + 0.05 * width_pt},head_width={0.2 + 0.05 * width_pt}",
        mutation_scale=10, **how))


def outline(axes, points, **how):
    """A closed shape with round corners through points, shape (n, 2)."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path
    points = np.asarray(points, float)
    middle = (points + np.roll(points, -1, axis=0)) / 2
    path, codes = [middle[-1]], [Path.MOVETO]
    for corner, after in zip(points, middle):
        path += [corner, after]
        codes += [Path.CURVE3, Path.CURVE3]
    axes.add_patch(PathPatch(Path(path, codes), **how))


def sample(mark, color, words):
    """What a legend shows of a mark: "-" is a line, all others are those of matplotlib."""
    from matplotlib.lines import Line2D
    return Line2D([], [], linestyle="-" if mark == "-" else "", marker="" if mark == "-" else mark, color=color,
                  markeredgecolor="black", markeredgewidth=0.5, markersize=7, linewidth=3, label=words)


def bar(axes, x, y, width, height, **how):
    """A filled rectangle from its corner."""
    from matplotlib.patches import Rectangle
    axes.add_patch(Rectangle((x, y), width, height, **how))
