"""Draw a run: `python docs/picture.py runs/demo docs/demo.png`. Needs matplotlib besides metacascade."""
import sys

import matplotlib
import numpy as np
from PIL import Image

import metacascade as mc
from metacascade.io import checkpoint
from metacascade.ranks.parallel import serial_world
from metacascade.space.vessels import Network

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402 (after the choice of how to draw)

FATES = {  # title: fates that it sums, color
    "died in the blood": (("anoikis", "shear"), "#9aa5b1"),
    "killed by NK cells": (("nk",), "#e6a23c"),
    "left the vessel and died": (("not_established",), "#3a6ea5"),
    "founded a lesion": (("lesion",), "#b3261e"),
}
SERIES = {  # counter of the time series: title, color
    "shed": ("shed", "#222222"), "not_established": ("left the vessel and died", "#3a6ea5"),
    "nk": ("killed by NK cells", "#e6a23c"), "arrested": ("arrested at the time", "#6b4c9a"),
    "anoikis": ("anoikis", "#9aa5b1"), "founded": ("lesions founded", "#b3261e"),
}
WALL, MOTILE, OTHER = "#b3261e", "#e08a00", "#444444"
VOXEL = np.stack(np.unravel_index(np.arange(512), (8, 8, 8))[::-1], axis=1)      # x, y, z of each voxel of a tile


def draw(directory, picture):
    state = checkpoint.read(serial_world(), f"{directory}/checkpoint.h5")
    figure, axes = plt.subplots(2, 2, figsize=(9.6, 8.2), layout="constrained")
    with mc.open(directory) as results:
        config = mc.Config.from_dict(results.config)
        tumor = Slice(state, config)
        tumor.draw_all(axes[0, 0], figure)
        tumor.draw_cells(axes[0, 1], half=150.0)
        draw_series(axes[1, 0], results)
        draw_fates(axes[1, 1], results)
    figure.savefig(picture, dpi=100)
    Image.open(picture).quantize(255).save(picture, optimize=True)


class Slice:
    """The voxels and cells of the layer at the center of the tumor."""

    def __init__(self, state, config):
        self.edge = config.tissue.edge_um
        self.center = np.array(config.tumor.center_um)
        z = int(np.floor(self.center[2] / self.edge))
        here = np.flatnonzero(state.tile_coords[:, 2] == z // 8)
        self.voxels = np.flatnonzero(VOXEL[:, 2] == z % 8)
        place = (8 * state.tile_coords[here][:, None] + VOXEL[self.voxels]).reshape(-1, 3)
        self.low = place.min(axis=0)
        size = place.max(axis=0) - self.low + 1
        x, y = (place - self.low)[:, 0], (place - self.low)[:, 1]
        self.oxygen, self.count = np.full(size[1::-1], np.nan), np.zeros(size[1::-1])
        self.oxygen[y, x] = state.arrays["oxygen"][here][:, self.voxels].ravel()
        self.count[y, x] = state.counts[here][:, self.voxels].ravel()
        network = Network.from_config(config.vessels, config.vessels.seed) if state.segments is None \
            else Network.from_segments(state.segments)
        self.vessels = network.segments_near(state.tile_coords[here], self.edge, 0.0)
        self.layer = z * self.edge, (z + 1) * self.edge
        self.cells = np.concatenate([self._cells_of(state, row) for row in here])

    def _cells_of(self, state, row):
        """x, y [um] and EMT of the cells of a tile that lie in the layer."""
        cells = state.cells(row, row + 1)
        voxel = np.repeat(np.arange(512), state.counts[row])
        kept = np.isin(voxel, self.voxels)
        cells, voxel = cells[kept], voxel[kept]
        xy = [(8 * state.tile_coords[row, k] + VOXEL[voxel, k] + cells["xy"[k]] / 65536) * self.edge for k in (0, 1)]
        return np.stack([*xy, cells["emt"]], axis=1)

    def _field(self, axes):
        size = np.array(self.oxygen.shape[::-1])
        low, high = self.low[:2] * self.edge, (self.low[:2] + size) * self.edge
        return axes.imshow(self.oxygen, origin="lower", extent=(low[0], high[0], low[1], high[1]), cmap="Blues",
                           vmin=0, vmax=40)

    def _lines(self, axes, thick, slab):
        """Vessels whose middle lies within `slab` of the layer."""
        s, middle = self.vessels, (self.vessels["az"] + self.vessels["bz"]) / 2
        for one in s[(middle > self.layer[0] - slab) & (middle < self.layer[1] + slab)]:
            axes.plot([one["ax"], one["bx"]], [one["ay"], one["by"]], color=WALL, lw=thick(one["radius"]), alpha=0.8,
                      solid_capstyle="round")

    def draw_all(self, axes, figure):
        image = self._field(axes)
        self._lines(axes, lambda radius: 0.8, 0.0)
        x, y = (((np.arange(n) + 0.5 + low) * self.edge) for n, low in zip(self.count.shape[::-1], self.low))
        around = np.lib.stride_tricks.sliding_window_view(np.pad(self.count, 2), (5, 5)).mean(axis=(2, 3))
        axes.contour(x, y, around, levels=[1], colors="black", linewidths=0.8)
        axes.set(title="A slice: oxygen, vessels, edge of the tumor", xlabel="x [um]", ylabel="y [um]")
        figure.colorbar(image, ax=axes, label="oxygen [mmHg]", shrink=0.8)

    def draw_cells(self, axes, half):
        self._field(axes)
        at = self.center[0] + 550.0, self.center[1]
        axes.set(xlim=(at[0] - half, at[0] + half), ylim=(at[1] - half, at[1] + half),
                 title="A part of it, with its cells (orange: motile)", xlabel="x [um]", ylabel="y [um]")
        scale = 72 * 3.4 / (2 * half)                             # points per um, about
        self._lines(axes, lambda radius: 2 * radius * scale, 10.0)
        for motile, color, size in ((False, OTHER, 5), (True, MOTILE, 14)):
            some = self.cells[(self.cells[:, 2] > 127) == motile]
            axes.scatter(some[:, 0], some[:, 1], s=size, color=color, linewidths=0, zorder=3)


def draw_series(axes, results):
    series = results.series
    days, ends = series["time_s"] / 86400, []
    for name, (title, color) in SERIES.items():
        axes.plot(days, series[name], color=color, lw=1.6)
        ends.append((max(series[name][-1], 1), title, color))
    lowest = 0.0
    for value, title, color in sorted(ends):
        lowest = max(value, lowest * 1.6)                         # labels that do not cover each other
        axes.annotate(title, (days[-1], lowest), xytext=(4, 0), textcoords="offset points", color=color, va="center",
                      fontsize=8)
    axes.set(yscale="log", ylim=(1, None), xlim=(0, days[-1] * 1.6), xlabel="day", ylabel="cells since the start",
             title="Shed cells, and what became of them")


def draw_fates(axes, results, organs=9):
    fate, node = results.names("shed")["fate"], results.names("shed")["node"]
    shed = results.shed[:]
    table = np.zeros((len(node), len(fate)), int)
    np.add.at(table, (shed["node"], shed["fate"]), shed["n"])
    column = {name: number for number, name in fate.items()}
    ended = table[:, [column[name] for names, _ in FATES.values() for name in names]].sum(axis=1)
    most = np.argsort(-ended)[:organs][::-1]
    left = np.zeros(len(most))
    for title, (names, color) in FATES.items():
        width = table[most][:, [column[name] for name in names]].sum(axis=1)
        axes.barh(range(len(most)), width, left=left, color=color, label=title)
        left += width
    for k, row in enumerate(most):
        lesions = table[row, column["lesion"]]
        axes.annotate(f"{lesions} in lesions" if k == len(most) - 1 else str(lesions), (left[k], k), xytext=(4, 0),
                      textcoords="offset points", va="center", fontsize=8, color=FATES["founded a lesion"][1])
    axes.set(yticks=range(len(most)), yticklabels=[node[i] for i in most], xlabel="cells", title="Their ends by organ",
             xlim=(0, max(left.max(), 1) * 1.28))
    axes.xaxis.set_major_locator(plt.MaxNLocator(5))
    axes.legend(frameon=False, fontsize=8, loc="lower right")


if __name__ == "__main__":
    draw(*sys.argv[1:])
