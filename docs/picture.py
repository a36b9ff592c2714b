"""Draw a run: `python docs/picture.py runs/demo docs/demo.png`. Needs matplotlib besides metacascade."""
import sys

import matplotlib
import numpy as np
from PIL import Image

import metacascade as mc
from metacascade.base.tiles import of_voxels
from metacascade.io import checkpoint
from metacascade.ranks.parallel import serial_world
from metacascade.space.pieces import JOINED
from metacascade.space.vessels import Network

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402 (after the choice of how to draw)
from matplotlib.collections import EllipseCollection, LineCollection  # noqa: E402
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, TwoSlopeNorm  # noqa: E402

FATES = {  # title: fates that it sums, color
    "died in the blood": (("anoikis", "shear", "arrested_death"), "#9aa5b1"),
    "killed by NK cells": (("nk",), "#e6a23c"),
    "left the vessel": (("extravasated", "died_at_exit"), "#b3261e"),
}
SERIES = {  # column of the time series: title, color, style
    "tissue": ("cells of the tumor", "#888888", "--"), "shed": ("shed", "#222222", "-"),
    "early_loss": ("left the vessel and died", "#3a6ea5", "-"), "nk": ("killed by NK cells", "#e6a23c", "-"),
    "arrested": ("arrested at the time", "#6b4c9a", "-"), "anoikis": ("anoikis", "#9aa5b1", "-"),
    "started": ("lesions that began to divide", "#b3261e", "-"),
}
ZONES = {  # color of cells that entered there, of the ground
    "core": ("#b3261e", "#f7dfd6"), "border": ("#e08a00", "#fdf1cf"), "outside": ("#1f5fa8", "#ffffff")}
TIMES = {"first_shed_s": "first cell shed", "first_lesion_s": "first lesion", "detected_s": "tumor detectable"}
MATURITY = LinearSegmentedColormap.from_list("maturity", ["#d7301f", "#fdae61", "#4575b4", "#1b3a6b"])
GROWING, SHUT, MOTILE, OTHER = "#1a9850", "#9a9a9a", "#f4a300", "#cdb4cf"
VOXEL = np.stack(np.unravel_index(np.arange(512), (8, 8, 8))[::-1], axis=1)      # x, y, z of each voxel of a tile
SLAB_UM, ENTRIES_H = 30.0, 24.0     # vessels and entries so near to the slice are drawn with it; entries so late
HALF_UM = 200.0                     # half the width of what is shown near
HYPOXIC_MMHG = 10.0, 2.5


def draw(directory, picture):
    state = checkpoint.read(serial_world(), f"{directory}/checkpoint.h5")
    figure, axes = plt.subplots(2, 3, figsize=(15.6, 9.6), layout="constrained")
    with mc.open(directory) as results:
        tumor = Slice(state, mc.Config.from_dict(results.config), results)
        figure.suptitle(title(results.series))
        tumor.draw_vessels(axes[0, 0], figure)
        tumor.draw_oxygen(axes[0, 1], figure)
        tumor.draw_entries(axes[0, 2])
        tumor.draw_cells(axes[1, 0])
        draw_series(axes[1, 1], results.series)
        draw_fates(axes[1, 2], results)
    figure.savefig(picture, dpi=100)
    Image.open(picture).quantize(255).save(picture, optimize=True)


def title(series):
    """What the whole of the run has come to."""
    now = {name: series[name][-1] for name in ("time_s", "tissue", "radius", "shed", "started")}
    across = "" if np.isnan(now["radius"]) else f", {now['radius'] / 500:.1f} mm across"
    return (f"Day {now['time_s'] / 86400:g}: a tumor of {now['tissue']:,} cells{across}; {now['shed']:,} cells shed, "
            f"{now['started']:,} lesions began to divide")


class Slice:
    """The layer of voxels at the center of the tumor, its cells, and vessels and entries near it."""

    def __init__(self, state, config, results):
        self.edge, self.capacity = config.tissue.edge_um, config.tissue.capacity
        self.center, self.series = np.array(config.tumor.center_um), results.series
        z = int(np.floor(self.center[2] / self.edge))
        here = np.flatnonzero(state.tile_coords[:, 2] == z // 8)
        self.voxels = np.flatnonzero(VOXEL[:, 2] == z % 8)
        place = (8 * state.tile_coords[here][:, None] + VOXEL[self.voxels]).reshape(-1, 3)[:, :2]
        self.low, self.middle = place.min(axis=0), (z + 0.5) * self.edge
        self.at = tuple((place - self.low).T[::-1])
        self.size = (place.max(axis=0) - self.low + 1)[::-1]
        self.count, self.oxygen, self.zone = (
            self._plane(state.arrays[name][here]) if name in state.arrays else None
            for name in ("counts", "oxygen", "zone"))
        self.cells = np.concatenate([self._cells_of(state, row) for row in here])
        self.vessels, self.tips = self._vessels_of(state, config, here)
        self.entries, self.shares = self._entries(results)
        self.hypoxia = hypoxia(state)

    def _plane(self, array):
        """The layer of what tiles have of each voxel, shape (y, x); NaN where no tile is."""
        plane = np.full(self.size, np.nan)
        plane[self.at] = of_voxels(np.asarray(array))[:, self.voxels].ravel()
        return plane

    def _cells_of(self, state, row):
        """x, y [um] and EMT of the cells of a tile that lie in the layer."""
        cells = state.cells(row, row + 1)
        voxel = np.repeat(np.arange(512), state.counts[row])
        kept = np.isin(voxel, self.voxels)
        cells, voxel = cells[kept], voxel[kept]
        xy = [(8 * state.tile_coords[row, k] + VOXEL[voxel, k] + cells["xy"[k]] / 65536) * self.edge for k in (0, 1)]
        return np.stack([*xy, cells["emt"]], axis=1)

    def _vessels_of(self, state, config, here):
        """(vessels near the layer, tips near it); there are no tips where vessels do not live."""
        if state.vessels:
            vessels, tips = (state.vessels[name].records for name in ("pieces", "tips"))
            tips = tips[np.abs(tips["z"] - self.middle) < SLAB_UM]
        else:
            network = Network.from_config(config.vessels, config.vessels.seed) if state.segments is None \
                else Network.from_segments(state.segments)
            vessels, tips = network.segments_near(state.tile_coords[here], self.edge, 0.0), None
        return vessels[np.abs((vessels["az"] + vessels["bz"]) / 2 - self.middle) < SLAB_UM], tips

    def _entries(self, results):
        """(cells and clusters that have entered vessels near the layer of late, shares of all such cells by zone)."""
        shed = results.shed[["x", "y", "z", "t_shed", "origin", "zone", "n"]]
        now_h = results.series["time_s"][-1] / 3600
        late = shed[(shed["origin"] == 0) & (shed["t_shed"] > now_h - ENTRIES_H)]
        shares = np.bincount(late["zone"], late["n"], 4) / max(late["n"].sum(), 1)
        return late[np.abs(late["z"] - self.middle) < SLAB_UM], shares

    # --- parts of the panels -----------------------------------------------------------------------------

    def _image(self, axes, plane, **how):
        low, high = self.low * self.edge, (self.low + self.size[::-1]) * self.edge
        return axes.imshow(plane, origin="lower", extent=(low[0], high[0], low[1], high[1]), **how)

    def _outline(self, axes):
        """The outline of the tumor, as the run has computed it."""
        axes.set(aspect="equal", xlabel="x [um]", ylabel="y [um]")
        if self.zone is not None and np.any(self.zone < 3):
            x, y = (((np.arange(n) + 0.5 + low) * self.edge) for n, low in zip(self.size[::-1], self.low))
            axes.contour(x, y, self.zone < 3, levels=[0.5], colors="black", linewidths=0.9)

    def _lines(self, axes, points_um, which, **how):
        """Some of the vessels, as wide as they are: `points_um` points are a um."""
        s = self.vessels[which]
        ends = np.stack([s["ax"], s["ay"], s["bx"], s["by"]], axis=1).reshape(-1, 2, 2)
        lines = LineCollection(ends, linewidths=np.maximum(2 * s["radius"] * points_um, 0.7), capstyle="round", **how)
        return axes.add_collection(lines)

    def _by_maturity(self, axes, points_um):
        """All vessels: by maturity where blood flows, else shut or still growing, with their tips."""
        flows = self.vessels["perfused"] > 0
        growing = self.vessels["flags"] & JOINED == 0 if self.tips is not None else np.zeros(len(flows), bool)
        self._lines(axes, points_um, ~flows & ~growing, colors=SHUT)
        self._lines(axes, points_um, growing, colors=GROWING)
        if self.tips is not None:
            axes.scatter(self.tips["x"], self.tips["y"], s=5 + 25 * points_um, color=GROWING, linewidths=0, zorder=4)
        lines = self._lines(axes, points_um, flows, cmap=MATURITY)
        lines.set_array(self.vessels["maturity"][flows])
        lines.set_clim(0, 1)
        return lines

    # --- panels ------------------------------------------------------------------------------------------

    def draw_vessels(self, axes, figure):
        lines = self._by_maturity(axes, 0.1)
        self._outline(axes)
        axes.autoscale_view()
        axes.plot([], [], "-o", ms=3, color=GROWING, label="sprout, no blood yet")
        axes.plot([], [], color=SHUT, label="shut")
        axes.plot([], [], color="black", label="outline of the tumor")
        axes.set(title=f"A slice of {2 * SLAB_UM:.0f} um: vessels")
        axes.legend(fontsize=8, loc="lower left", framealpha=0.9)
        figure.colorbar(lines, ax=axes, label="maturity: 0 new and leaky, 1 mature", shrink=0.75)

    def draw_oxygen(self, axes, figure):
        if self.oxygen is not None:
            image = self._image(axes, self.oxygen, cmap="RdYlBu_r",
                                norm=TwoSlopeNorm(HYPOXIC_MMHG[0], 0, 40))
            figure.colorbar(image, ax=axes, label="oxygen [mmHg]", shrink=0.75, ticks=[0, 2.5, 5, 7.5, 10, 20, 30, 40])
        self._outline(axes)
        axes.set(title=f"Oxygen: {self.hypoxia}")

    def draw_entries(self, axes):
        if self.zone is not None:
            self._image(axes, self.zone, cmap=ListedColormap([ground for _, ground in ZONES.values()]), vmin=1, vmax=3)
        self._lines(axes, 0.05, self.vessels["perfused"] > 0, colors="#c0c0c0")
        self._outline(axes)
        for number, (zone, (color, _)) in enumerate(ZONES.items(), 1):
            some = self.entries[self.entries["zone"] == number]
            axes.scatter(some["x"], some["y"], s=9, color=color, linewidths=0, zorder=5,
                         label=f"{zone}: {self.shares[number]:.1%}")
        axes.set(title=f"Where cells entered vessels, last {ENTRIES_H:g} h")
        axes.legend(fontsize=8, loc="lower left", markerscale=1.5, framealpha=0.9)

    def draw_cells(self, axes):
        at = self._edge_place()
        points_um = 72 * 4.0 / (2 * HALF_UM)                          # about
        self._outline(axes)
        for motile, color, label in ((False, OTHER, "cell of the tumor"), (True, MOTILE, "motile cell")):
            some = self.cells[(self.cells[:, 2] > 127) == motile, :2]
            some = some[np.all(np.abs(some - at) < HALF_UM + 10, axis=1)]
            axes.add_collection(EllipseCollection(
                np.full(len(some), 12.0), np.full(len(some), 12.0), np.zeros(len(some)), units="xy", offsets=some,
                offset_transform=axes.transData, facecolors=color, edgecolors="#5d4a66", linewidths=0.4, alpha=0.9))
            axes.scatter([], [], s=40, color=color, edgecolors="#5d4a66", linewidths=0.4, label=label)
        self._by_maturity(axes, points_um)
        axes.scatter(self.entries["x"], self.entries["y"], s=40, color="black", marker="x", linewidths=1.4, zorder=5,
                     label="entered a vessel")
        axes.set(xlim=(at[0] - HALF_UM, at[0] + HALF_UM), ylim=(at[1] - HALF_UM, at[1] + HALF_UM),
                 title=self._invasion())
        axes.legend(fontsize=8, loc="lower left", framealpha=0.9)

    def _edge_place(self):
        """The middle of the part that is shown near: where the tumor reaches farthest out."""
        x, y = np.meshgrid(*((np.arange(n) + 0.5 + low) * self.edge for n, low in zip(self.size[::-1], self.low)))
        out = np.hypot(x - self.center[0], y - self.center[1])
        out[~(self.zone < 3 if self.zone is not None else self.count >= self.capacity / 2)] = -1
        far = np.unravel_index(out.argmax(), out.shape)
        return np.array([x[far], y[far]])

    def _invasion(self):
        mean, most = (np.nan_to_num(self.series[name][-1]) for name in ("invasion_mean", "invasion_max"))
        return f"At the edge: cells out to {most:.0f} um, mean {mean:.0f} um"


def hypoxia(state):
    """Oxygen of the cells of the tumor, as text."""
    cells = np.asarray(state.counts).ravel()
    if "oxygen" not in state.arrays:
        return "without limit"
    oxygen = of_voxels(np.asarray(state.arrays["oxygen"])).ravel()
    order = np.argsort(oxygen)
    below = np.cumsum(cells[order])
    median = oxygen[order][np.searchsorted(below, below[-1] / 2)]
    shares = [f"{cells[oxygen < limit].sum() / max(below[-1], 1):.0%} below {limit:g}" for limit in HYPOXIC_MMHG]
    return f"median {median:.0f} mmHg, {', '.join(shares)}"


def draw_series(axes, series):
    days, ends = series["time_s"] / 86400, []
    for name, (text, color, style) in SERIES.items():
        axes.plot(days, series[name], style, color=color, lw=1.6)
        ends.append((max(series[name][-1], 1), text, color))
    lowest = 0.0
    for value, text, color in sorted(ends):
        lowest = max(value, lowest * 1.7)                         # labels that do not cover each other
        axes.annotate(text, (days[-1], lowest), xytext=(4, 0), textcoords="offset points", color=color, va="center",
                      fontsize=8)
    for name, text in TIMES.items():
        if series[name][-1] >= 0:
            axes.axvline(series[name][-1] / 86400, color="#bbbbbb", lw=0.8, zorder=0)
            axes.annotate(text, (series[name][-1] / 86400, 0.98), xytext=(2, 0), xycoords=("data", "axes fraction"),
                          textcoords="offset points", rotation=90, color="#777777", fontsize=8, va="top")
    axes.set(yscale="log", ylim=(1, 3 * series["tissue"].max()), xlim=(0, days[-1] * 1.6), xlabel="day",
             ylabel="cells since the start", title="Shed cells, and what became of them")
    axes.set_xticks([day for day in axes.get_xticks() if day <= days[-1]])


def draw_fates(axes, results, organs=9):
    fate, node = results.names("shed")["fate"], results.names("shed")["node"]
    shed = results.shed[["node", "fate", "n"]]
    table = np.zeros((len(node), len(fate)), int)
    np.add.at(table, (shed["node"], shed["fate"]), shed["n"])
    column = {name: number for number, name in fate.items()}
    ended = table[:, [column[name] for names, _ in FATES.values() for name in names]].sum(axis=1)
    most = np.argsort(-ended)[:organs][::-1]
    left = np.zeros(len(most))
    for text, (names, color) in FATES.items():
        width = table[most][:, [column[name] for name in names]].sum(axis=1)
        axes.barh(range(len(most)), width, left=left, color=color, label=text)
        left += width
    for k, row in enumerate(most):
        lesions = table[row, column["extravasated"]]
        axes.annotate(f"{lesions} extravasated" if k == len(most) - 1 else str(lesions), (left[k], k), xytext=(4, 0),
                      textcoords="offset points", va="center", fontsize=8, color=FATES["left the vessel"][1])
    axes.set(yticks=range(len(most)), yticklabels=[node[i] for i in most], xlabel="cells", title="Their ends by organ",
             xlim=(0, max(left.max(), 1) * 1.35))
    axes.xaxis.set_major_locator(plt.MaxNLocator(4))
    axes.legend(frameon=False, fontsize=8, loc="lower right")


if __name__ == "__main__":
    draw(*sys.argv[1:])
