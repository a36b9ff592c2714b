"""A picture and a state of a run for ParaView: `pvpython examples/picture_paraview.py runs/a picture.png [state.pvsm]`.

Of a run with `output.snapshots = true`; ParaView 5.13 or later. Where there is no screen: `xvfb-run -a pvpython ...`,
or `pvpython --force-offscreen-rendering` where ParaView was built for it. Half of the tumor is cut away: cells by EMT,
vessels in and near the tumor as tubes by maturity. The state opens in ParaView (File, Load State) with all times, and
can be pointed at the snapshots of another run.
"""
import os
import sys

from paraview import simple as pv

CELL_UM, NEAR_UM = 12.0, 150.0
MATURITY = ("#d55e00", "#e69f00", "#56b4e9", "#0072b2")      # new and leaky .. mature; safe for the color-blind
EMT = ("#c4c4c4", "#882255")


def picture(directory, path, state=None):
    """Draw the last snapshot into `path`, and write what is drawn to `state`."""
    source = pv.OpenDataFile(os.path.join(os.path.abspath(directory), "snapshots", "tumor.vtkhdf.series"))
    view = pv.CreateRenderView(ViewSize=[1600, 1200], UseColorPaletteForBackground=0, Background=[1, 1, 1],
                               OrientationAxesLabelColor=[0, 0, 0])
    time_h = source.TimestepValues[-1]
    pv.GetAnimationScene().UpdateAnimationUsingDataTimeSteps()
    view.ViewTime = time_h
    cells, vessels = (block(source, name) for name in ("cells", "vessels"))
    cells.UpdatePipeline(time_h)
    reach_um = max(abs(bound) for bound in cells.GetDataInformation().GetBounds()) + NEAR_UM
    draw_cells(half(cells), view)
    draw_vessels(vessels, reach_um, view)
    pv.Text(registrationName="title",
            Text=f"day {time_h / 24:g}, cut at y = 0; the plane is {2 * reach_um:.0f} um wide")
    pv.Show(view=view, Color=[0, 0, 0], FontSize=20, WindowLocation="Upper Left Corner")
    view.CameraPosition, view.CameraFocalPoint, view.CameraViewUp = [0.5, -3, 0.6], [0, 0, 0], [0, 0, 1]
    view.ResetCamera()
    pv.GetActiveCamera().Zoom(1.4)
    pv.SaveScreenshot(path, view)
    if state:
        pv.SaveState(state)


def block(source, name):
    """One of the kinds of data of a snapshot: cells, voxels, vessels."""
    return pv.ExtractBlock(registrationName=name, Input=source, Selectors=[f"/Root/{name}"])


def half(source):
    """What lies behind the plane y = 0."""
    clip = pv.Clip(Input=source, ClipType="Plane", Invert=0)
    clip.ClipType.Origin, clip.ClipType.Normal = [0, 0, 0], [0, 1, 0]
    return clip


def near(source, reach_um):
    """What lies within a ball."""
    clip = pv.Clip(Input=source, ClipType="Sphere", Invert=1)
    clip.ClipType.Center, clip.ClipType.Radius = [0, 0, 0], reach_um
    return clip


def draw_cells(cells, view):
    """The cells as balls, by EMT."""
    shown = pv.Show(cells, view, Representation="Point Gaussian", GaussianRadius=CELL_UM / 2, ShaderPreset="Sphere")
    by(shown, "POINTS", "emt", EMT, (0, 255), view, "EMT, 255 motile", 0.55)


def draw_vessels(vessels, reach_um, view):
    """The vessels as tubes as wide as they are, by maturity."""
    tubes = pv.Tube(Input=pv.CellDatatoPointData(Input=vessels), Scalars=["POINTS", "radius"],
                    VaryRadius="By Absolute Scalar", NumberofSides=8)
    by(pv.Show(half(near(tubes, reach_um)), view), "POINTS", "maturity", MATURITY, (0, 1), view, "maturity, 0 new", 0.1)


def by(shown, where, name, colors, between, view, title, height):
    """Color what is shown by an array, from the first color to the last, with a bar at a height of the picture."""
    pv.ColorBy(shown, (where, name))
    table, (low, high) = pv.GetColorTransferFunction(name), between
    values = [low + (high - low) * k / (len(colors) - 1) for k in range(len(colors))]
    table.RGBPoints = [number for value, color in zip(values, colors) for number in (
        value, *(int(color[k:k + 2], 16) / 255 for k in (1, 3, 5)))]
    table.ColorSpace = "RGB"
    bar = pv.GetScalarBar(table, view)
    bar.Title, bar.ComponentTitle, bar.TitleColor, bar.LabelColor = title, "", [0, 0, 0], [0, 0, 0]
    bar.WindowLocation, bar.Position, bar.ScalarBarLength = "Any Location", [0.9, height], 0.3
    bar.AutomaticLabelFormat, bar.LabelFormat, bar.RangeLabelFormat = 0, "%.3g", "%.3g"
    shown.SetScalarBarVisibility(view, True)


if __name__ == "__main__":
    picture(*sys.argv[1:4])
