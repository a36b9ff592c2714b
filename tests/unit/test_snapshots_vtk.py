"""Snapshots as VTK reads them: every number that is in them is that of the state."""
import json

import numpy as np
import pytest
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkCompositeDataSet
from vtkmodules.vtkIOHDF import vtkHDFReader

from metacascade.base.tiles import of_voxels
from metacascade.io import snapshots
from metacascade.ranks.parallel import serial_world
from metacascade.space.network_lattice import Lattice
from metacascade.space.pieces import host_pieces
from metacascade.space.vessels import Network
from states import whole_state

EDGE_UM, STEPS = 30.0, (7, 11, 100)
CUBE = np.stack(np.unravel_index(np.arange(512), (8, 8, 8))[::-1], axis=1)
KINDS = {"cells": "vtkPolyData", "voxels": "vtkUnstructuredGrid", "vessels": "vtkPolyData"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """(folder of the snapshots, [(state, vessels that live in its tiles)]): a growing tumor at three times."""
    directory, made = tmp_path_factory.mktemp("run"), []
    for number, step in enumerate(STEPS):
        state = whole_state(tiles=2 + number, seed=number)
        state.meta.update(step=step, time_s=1800 * step)
        rng = np.random.default_rng(number)
        state.arrays["zone"] = rng.integers(1, 4, state.counts.shape).astype(np.uint8)
        network = Network(Lattice(spacing=90.0, jitter=0.5, drop=0.3, radius=5.0, radius_spread=0.2, radius_limit=12.0,
                                  maturity_mean=0.5, maturity_spread=0.3, seed=1))
        pieces, _ = host_pieces(network, state.tile_coords, EDGE_UM)
        pieces["along"], pieces["perfused"] = rng.random(len(pieces)) * 500, rng.integers(0, 2, len(pieces))
        snapshots.write(serial_world(), directory, state, edge_um=EDGE_UM, limit=10**6, segments=pieces)
        made.append((state, pieces))
    return directory / "snapshots", made


def read(path):
    reader = vtkHDFReader()
    reader.SetFileName(str(path))
    reader.Update()
    return reader.GetOutputDataObject(0)


def values(data):
    return {data.GetArrayName(i): vtk_to_numpy(data.GetArray(i)) for i in range(data.GetNumberOfArrays())}


def series(folder, kind):
    """(time [h], data set) of each file of a list."""
    files = json.loads((folder / f"{kind}.vtkhdf.series").read_text())["files"]
    return [(file["time"], read(folder / file["name"])) for file in files]


def blocks(data):
    names = [data.GetMetaData(i).Get(vtkCompositeDataSet.NAME()) for i in range(data.GetNumberOfBlocks())]
    return {name: data.GetBlock(i) for i, name in enumerate(names)}


@pytest.fixture(scope="module", params=["apart", "together"])
def found(request, written):
    """kind -> its data sets in time: opened by the list of the kind, and by the one of all kinds."""
    folder, _ = written
    if request.param == "apart":
        return {kind: [data for _, data in series(folder, kind)] for kind in KINDS}
    together = [blocks(data) for _, data in series(folder, "tumor")]
    return {kind: [one[kind] for one in together] for kind in KINDS}


@pytest.mark.parametrize("kind", [*KINDS, "tumor"])
def test_the_times_are_those_of_the_states(written, kind):
    folder, made = written
    for (state, _), (time_h, data) in zip(made, series(folder, kind), strict=True):
        assert time_h == state.meta["time_s"] / 3600
        if kind != "tumor":            # VTK reads no FieldData of several blocks
            assert values(data.GetFieldData())["time_h"].tolist() == [time_h]


def test_all_kinds_are_the_blocks_of_one_series(written):
    for _, data in series(written[0], "tumor"):
        assert {name: block.GetClassName() for name, block in blocks(data).items()} == KINDS


def test_cells_are_all_there_in_their_places_with_their_bytes(written, found):
    for (state, _), data in zip(written[1], found["cells"], strict=True):
        cells = state.cells(0, len(state.tile_key))
        tile, voxel = (np.repeat(at, state.counts.ravel()) for at in np.divmod(np.arange(state.counts.size), 512))
        inside = np.stack([cells[axis] for axis in "xyz"], axis=1) / 65536
        place = ((8 * state.tile_coords[tile] + CUBE[voxel] + inside) * EDGE_UM).astype(np.float32)
        assert data.GetNumberOfPoints() == data.GetNumberOfCells() == state.meta["ledger"]["initial"]
        assert vtk_to_numpy(data.GetPoints().GetData()).tobytes() == place.tobytes()
        inside = values(data.GetPointData())
        for name in ("clone", "emt", "adhesion", "bits", "flags"):
            assert np.array_equal(inside.pop(name), cells[name]), name
        assert np.array_equal(inside.pop("zone"), state.arrays["zone"][tile, voxel]) and not inside


def test_voxels_have_their_cells_and_fields_to_the_last_bit(written, found):
    for (state, _), data in zip(written[1], found["voxels"], strict=True):
        inside = values(data.GetCellData())
        assert data.GetNumberOfCells() == state.counts.size
        assert np.array_equal(inside.pop("cells"), state.counts.ravel())
        for name in ("oxygen", "factor", "zone"):
            assert np.array_equal(inside.pop(name), of_voxels(state.arrays[name]).ravel().astype(np.float32)), name
        assert not inside
        box = np.reshape([data.GetCell(i).GetBounds() for i in range(0, state.counts.size, 97)], (-1, 3, 2))
        corner = (8 * state.tile_coords[:, None] + CUBE).reshape(-1, 3)[::97] * EDGE_UM
        assert np.array_equal(box[..., 0], corner) and np.array_equal(box[..., 1], corner + EDGE_UM)


def test_vessels_have_their_ends_maturity_and_flow(written, found):
    for (_, pieces), data in zip(written[1], found["vessels"], strict=True):
        assert data.GetNumberOfLines() == data.GetNumberOfCells() == len(pieces) > 20
        ends = np.stack([pieces[end + axis] for end in "ab" for axis in "xyz"], axis=1).astype(np.float32)
        inside = values(data.GetCellData())
        names = ("radius", "maturity", "perfused", "flags", "along")
        here = np.rec.fromarrays([*vtk_to_numpy(data.GetPoints().GetData()).reshape(-1, 6).T,
                                  *(inside.pop(name) for name in names)])
        wanted = np.rec.fromarrays([*ends.T, *(pieces[name] for name in names)])
        assert sorted(here.tolist()) == sorted(wanted.tolist()) and not inside
