"""A picture of a run in three dimensions: `python examples/picture_pyvista.py runs/a picture.png [DAY]`.

Of a run with `output.snapshots = true`: `pip install "metacascade[pyvista]"`. No screen is needed. A quarter of the
tumor is cut away, so that its core is seen: cells by oxygen, vessels in and near the tumor by maturity, those without
blood gray.
"""
import sys
from pathlib import Path

import numpy as np
import pyvista as pv

CELL_UM, NEAR_UM, HYPOXIC_MMHG = 12.0, 150.0, 40.0
MATURITY = ["#d55e00", "#e69f00", "#56b4e9", "#0072b2"]      # new and leaky .. mature; safe for the color-blind
SHUT = "#8c8c8c"
BAR = {"color": "black", "vertical": True, "height": 0.5, "position_y": 0.1, "n_labels": 5, "fmt": "%.2g",
       "title_font_size": 24, "label_font_size": 22}


def picture(directory, path, day=None):
    """Draw the snapshot nearest to a day, the last if none is given, and write it to `path`."""
    series = pv.get_reader(str(Path(directory) / "snapshots" / "tumor.vtkhdf.series"))
    time_h = series.time_values[-1] if day is None else min(series.time_values, key=lambda time: abs(time - 24 * day))
    series.set_active_time_value(time_h)
    tumor = series.read()
    plot = pv.Plotter(off_screen=True, window_size=(1600, 1200))
    draw_cells(plot, tumor["cells"], tumor["voxels"])
    if "vessels" in tumor.keys():
        draw_vessels(plot, tumor["vessels"], np.linalg.norm(tumor["cells"].points, axis=1).max() + NEAR_UM)
    number, drawn = int(tumor["voxels"]["cells"].sum()), tumor["cells"].n_points
    text = f"day {time_h / 24:g}: {number:,} cells" + f", {drawn:,} of them in the snapshot" * (drawn < number)
    plot.add_text(text, position=(0.02, 0.93), viewport=True, color="black", font_size=18)
    half = 200 * np.ceil(np.abs(plot.bounds).max() / 200)
    plot.show_bounds(bounds=[-half, half] * 3, xtitle="x [um]", ytitle="y [um]", ztitle="z [um]", color="black",
                     font_size=14, grid="back", location="outer", fmt="%.0f", n_xlabels=5, n_ylabels=5, n_zlabels=5)
    plot.camera_position = "xy"
    plot.camera.azimuth, plot.camera.elevation = 35, 25
    plot.reset_camera()
    plot.camera.zoom(0.93)
    plot.screenshot(path)
    plot.close()


def kept(places):
    """Those that are not in the quarter that is cut away."""
    return (places[:, 0] < 0) | (places[:, 2] < 0)


def draw_cells(plot, cells, voxels):
    """The cells, as balls, by the oxygen of their voxel; all alike where oxygen is without limit."""
    cells, how = pv.PolyData(cells.points[kept(cells.points)]), {"color": MATURITY[1]}
    if "oxygen" in voxels.array_names and cells.n_points:
        cells["oxygen [mmHg]"] = np.asarray(voxels["oxygen"])[voxels.find_containing_cell(cells.points)]
        how = {"scalars": "oxygen [mmHg]", "cmap": "cividis", "clim": (0, HYPOXIC_MMHG),
               "scalar_bar_args": {**BAR, "position_x": 0.06}}
    if cells.n_points:
        plot.add_mesh(cells, style="points_gaussian", emissive=False, point_size=CELL_UM / 2,
                      render_points_as_spheres=True, **how)


def draw_vessels(plot, vessels, reach_um):
    """The vessels, as tubes as wide as they are: by maturity where blood flows, else gray."""
    ends = np.asarray(vessels.points).reshape(-1, 2, 3)
    there = kept(ends.mean(axis=1)) & (np.linalg.norm(ends.mean(axis=1), axis=1) < reach_um)
    flows = np.asarray(vessels["perfused"]) > 0
    by_maturity = {"scalars": "maturity", "cmap": MATURITY, "clim": (0, 1),
                   "scalar_bar_args": {**BAR, "position_x": 0.88}}
    for which, how in ((there & flows, by_maturity), (there & ~flows, {"color": SHUT})):
        if which.any():
            plot.add_mesh(tubes(vessels, ends, which), **how)


def tubes(vessels, ends, which):
    """Some of the vessels as tubes."""
    number = int(which.sum())
    lines = np.column_stack([np.full(number, 2), np.arange(2 * number).reshape(-1, 2)]).ravel()
    made = pv.PolyData(ends[which].reshape(-1, 3), lines=lines)
    made["maturity"] = np.repeat(np.asarray(vessels["maturity"])[which], 2)
    made["radius"] = np.repeat(np.asarray(vessels["radius"])[which], 2)
    return made.tube(scalars="radius", absolute=True, n_sides=8)


if __name__ == "__main__":
    picture(sys.argv[1], sys.argv[2], *(float(day) for day in sys.argv[3:4]))
