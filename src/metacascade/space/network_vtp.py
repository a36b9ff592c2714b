"""A vessel network from a VTK PolyData file (.vtp): its lines, and a radius of points or of lines. VTK reads it."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from metacascade.base.errors import InputError
from metacascade.space.network_csv import columns_of
from metacascade.space.network_pieces import Pieces, Problems, joined_nodes

NAMES = {"radius": ("radius", "radii"), "diameter": ("diameter", "diameters")}      # of arrays, in small letters
NEEDS = 'reading VTP files needs VTK: pip install "metacascade[vtp]"'


def read(path, vessels, problems: Problems) -> Pieces:
    """A piece between each two points that follow each other in a line.

    Raises InputError where there are no lines, or none of the arrays is their radius.
    """
    chosen = columns_of(vessels.columns, tuple(NAMES))
    try:
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkCommonCore import vtkIdTypeArray
        from vtkmodules.vtkIOXML import vtkXMLPolyDataReader
    except ImportError as error:
        raise InputError(f"{path}: {NEEDS} ({error})") from None
    data = _poly_data(path, vtkXMLPolyDataReader())
    if not data.GetNumberOfLines():
        raise InputError(f"{path}: no lines in this PolyData, so no vessel")
    points = vtk_to_numpy(data.GetPoints().GetData()).astype(float)
    packed = vtkIdTypeArray()
    data.GetLines().ExportLegacyFormat(packed)
    edges, line = _edges(vtk_to_numpy(packed).tolist())
    if len(edges) and not (0 <= edges.min() and edges.max() < len(points)):
        raise InputError(f"{path}: damaged: a line names a point that is not there")
    problems.word = "line of vessels"
    name, factor, values, of_points = _radius(path, data, chosen, vtk_to_numpy)
    radius = factor * (values if of_points else values[data.GetNumberOfVerts() + line, None])
    notes = [f"{'radius' if factor == 1.0 else 'diameter'} = {name}"]
    return joined_nodes(points, edges, radius, line + 1, notes=notes)


def _poly_data(path, reader):
    """The PolyData of a file. Raises InputError with what VTK says of one that it cannot read."""
    from vtkmodules.vtkCommonCore import vtkLogger, vtkOutputWindow, vtkStringOutputWindow
    if not Path(path).is_file():
        raise InputError(f"{path}: cannot read this vessel network: it is not a file")
    said = []

    def note(_, __, text):
        said.append(" ".join(text.split("): ")[-1].split()))

    note.CallDataType = "string0"
    reader.AddObserver("ErrorEvent", note)
    reader.SetFileName(str(path))
    before, loud = vtkOutputWindow.GetInstance(), vtkLogger.GetCurrentVerbosityCutoff()
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)       # it is told once, below
    vtkOutputWindow.SetInstance(vtkStringOutputWindow())
    try:
        reader.Update()
    finally:
        vtkOutputWindow.SetInstance(before)
        vtkLogger.SetStderrVerbosity(loud)
    if said:
        raise InputError(f"{path}: cannot read this vessel network: VTK says: {said[0][:200]}")
    return reader.GetOutput()


def _edges(packed: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the points of each piece, (n, 2), and the line that it belongs to; `packed`: k, k points, k, ..."""
    edges, line, at, number = [], [], 0, 0
    while at < len(packed):
        points = packed[at + 1:at + 1 + packed[at]]
        edges += zip(points[:-1], points[1:])
        line += [number] * (len(points) - 1)
        at, number = at + 1 + packed[at], number + 1
    return np.array(edges, np.int64).reshape(-1, 2), np.array(line, np.int64)


def _radius(path, data, chosen: dict[str, str], to_numpy):
    """Name of the array, factor that makes it a radius, its values, and whether it is of points or else of cells."""
    sources = (data.GetPointData(), True), (data.GetCellData(), False)
    there = [(source.GetArrayName(k) or "", source.GetArray(k), of_points) for source, of_points in sources
             for k in range(source.GetNumberOfArrays()) if source.GetArray(k) is not None]
    found = [(name, 1.0 if kind == "radius" else 0.5, array, of_points) for name, array, of_points in there
             for kind in NAMES if (name == chosen.get(kind) if chosen else name.lower() in NAMES[kind])]
    found = [one for one in found if one[2].GetNumberOfComponents() == 1]
    if len(found) != 1:
        names = ", ".join(name for name, _, _ in there) or "none"
        raise InputError(f"{path}: {'no' if not found else 'more than one'} array of one number a point or a line that "
                         f'is the radius; arrays: {names}. Say which with vessels.columns = "radius = NAME" or '
                         '"diameter = NAME"')
    name, factor, array, of_points = found[0]
    return name, factor, to_numpy(array).astype(float), of_points
