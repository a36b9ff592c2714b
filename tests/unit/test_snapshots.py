import json

import h5py
import numpy as np
import pytest

from metacascade.io import snapshots
from metacascade.ranks.parallel import serial_world
from states import SEGMENT, whole_state

WORLD = serial_world()
EDGE_UM = 30.0


def written(directory, state, kind, **more):
    snapshots.write(WORLD, directory, state, **(dict(edge_um=EDGE_UM, limit=10**6) | more))
    return h5py.File(directory / f"snapshots/{kind}.{state.meta['step']:06d}.vtkhdf")["VTKHDF"]


def every_cell(state):
    """(place [um], cell) of all cells, one by one."""
    for tile, coords in enumerate(state.tile_coords):
        cells = iter(state.cells(tile, tile + 1))
        for voxel, count in enumerate(state.counts[tile]):
            corner = 8 * coords + (voxel % 8, voxel // 8 % 8, voxel // 64)
            for _ in range(count):
                cell = next(cells)
                yield EDGE_UM * (corner + np.array([cell["x"], cell["y"], cell["z"]]) / 65536), cell


def test_cells_are_where_tile_voxel_and_fraction_put_them(tmp_path):
    state = whole_state(tiles=3)
    places, cells = zip(*every_cell(state))
    h5 = written(tmp_path, state, "cells")
    np.testing.assert_allclose(h5["Points"], places, rtol=1e-6, atol=1e-4)
    for name in ("clone", "emt", "adhesion", "bits", "flags"):
        assert h5["PointData"][name][:].tolist() == [cell[name] for cell in cells]
    assert h5["Vertices/Connectivity"][:].tolist() == list(range(len(cells)))
    assert h5["Vertices/Offsets"][:].tolist() == list(range(len(cells) + 1))


@pytest.mark.parametrize("limit", [1, 100, 999, 3000])
def test_of_more_cells_than_the_limit_every_kth_is_kept(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(type(whole_state()).slabs, "__defaults__", (500,))
    state = whole_state(tiles=4)
    number = state.first_cell[-1]
    kept = [place for place, _ in list(every_cell(state))[::-(-number // limit)]]
    points = written(tmp_path, state, "cells", limit=limit)["Points"][:]
    assert len(points) <= limit
    np.testing.assert_allclose(points, kept, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("limit, join", [(10**6, 1), (3 * 512, 1), (3 * 512 - 1, 2), (3 * 8, 4), (3, 8), (1, 8)])
def test_voxels_are_joined_until_they_are_within_the_limit(tmp_path, limit, join):
    state = whole_state(tiles=3)
    h5 = written(tmp_path, state, "voxels", limit=limit)
    assert h5["NumberOfCells"][0] == 3 * (8 // join)**3 == len(h5["Types"])
    assert h5["CellData/cells"][:].sum() == state.counts.sum()
    assert np.isclose(h5["CellData/oxygen"][:].mean(), state.arrays["oxygen"].mean())


@pytest.mark.parametrize("limit, join", [(10**6, 1), (24, 4)])
def test_a_voxel_has_its_corners_and_its_values(tmp_path, limit, join):
    state, edge = whole_state(tiles=3), 8 // join
    h5 = written(tmp_path, state, "voxels", limit=limit)
    corners = h5["Points"][:][h5["Connectivity"][:].reshape(-1, 8)] / EDGE_UM
    rng = np.random.default_rng(1)
    for cell in rng.integers(0, len(corners), 50):
        tile, v = divmod(cell, edge**3)
        low = np.array([v % edge, v // edge % edge, v // edge**2]) * join
        offsets = np.array([[i & 1, i >> 1 & 1, i >> 2] for i in range(8)]) * join
        assert np.allclose(corners[cell], 8 * state.tile_coords[tile] + low + offsets)
        inside = tuple(slice(at, at + join) for at in low[::-1])
        assert h5["CellData/cells"][cell] == state.counts[tile].reshape(8, 8, 8)[inside].sum()
        assert np.isclose(h5["CellData/oxygen"][cell], state.arrays["oxygen"][tile].reshape(8, 8, 8)[inside].mean())


def test_vessels_whose_middle_lies_in_a_tile_are_drawn_once(tmp_path):
    state, rng = whole_state(tiles=9), np.random.default_rng(3)
    segments = np.zeros(500, SEGMENT)
    for end in "ab":
        for axis in "xyz":
            segments[end + axis] = rng.uniform(-600, 600, 500)
    segments["radius"] = rng.random(500)
    middle = np.stack([(segments["a" + axis] + segments["b" + axis]) / 2 for axis in "xyz"], axis=1)
    tiles = {tuple(coords) for coords in state.tile_coords.tolist()}
    inside = [tuple(np.floor(m / 240).astype(int).tolist()) in tiles for m in middle]
    h5 = written(tmp_path, state, "vessels", segments=segments)
    assert sorted(h5["CellData/radius"][:]) == sorted(segments["radius"][inside]) and 5 < sum(inside) < 500
    a, b = h5["Points"][::2], h5["Points"][1::2]
    row = {float(s["radius"]): s for s in segments}
    for i, radius in enumerate(h5["CellData/radius"][:]):
        assert np.allclose([*a[i], *b[i]], row[float(radius)].tolist()[:6], atol=1e-3)
    assert h5["Lines/Offsets"][:].tolist() == list(range(0, 2 * len(a) + 1, 2))


def test_without_tissue_the_files_are_empty_but_whole(tmp_path):
    state = whole_state(tiles=0)
    for kind in ("cells", "voxels", "vessels"):
        h5 = written(tmp_path, state, kind, segments=np.zeros(3, SEGMENT))
        assert h5["NumberOfPoints"][:].tolist() == [0] and h5["Points"].shape == (0, 3)


def test_the_list_of_files_gives_times_and_drops_what_a_resume_repeats(tmp_path):
    state = whole_state(tiles=1)
    for step in (1, 5, 9, 999_999, 1_000_000, 5):
        state.meta.update(step=step, time_s=1800 * step)
        written(tmp_path, state, "cells")
    files = json.loads((tmp_path / "snapshots/cells.vtkhdf.series").read_text())["files"]
    assert [(file["name"], file["time"]) for file in files] == [
        ("cells.000001.vtkhdf", 0.5), ("cells.000005.vtkhdf", 2.5)]


@pytest.mark.parametrize("limit, every, join", [(10**6, 1, 1), (900, None, 2)])
def test_each_file_says_what_it_leaves_out(tmp_path, limit, every, join):
    state = whole_state(tiles=3)
    number = int(state.first_cell[-1])
    every = every or -(-number // limit)
    kept = snapshots.write(WORLD, tmp_path, state, edge_um=EDGE_UM, limit=limit)
    assert (kept.cells, kept.every, kept.join) == (number, every, join)
    assert kept.left_out() == ({} if every == 1 else {
        "cells": f"of {number:,} cells one in {every} is kept",
        "voxels": "voxels are joined to cubes of 2 along the edge"})
    for kind in ("cells", "voxels"):
        with h5py.File(tmp_path / f"snapshots/{kind}.000007.vtkhdf") as file:
            said = {name: value[0] for name, value in file["VTKHDF/FieldData"].items()}
        assert said == {"time_h": 3.5, "all_cells": number, "kept_every": every, "joined_voxels": join}


def test_a_file_of_links_is_described_and_its_damaged_list_mended_without_following_them(tmp_path):
    state = whole_state(tiles=1)
    snapshots.write(WORLD, tmp_path, state, edge_um=EDGE_UM, limit=10**6)
    path = tmp_path / "snapshots" / "tumor.000007.vtkhdf"
    assert "links to cells, voxels, vessels" in snapshots.describe(path)
    path.with_name("tumor.vtkhdf.series").write_text("{")
    state.meta.update(step=9, time_s=16200)
    snapshots.write(WORLD, tmp_path, state, edge_um=EDGE_UM, limit=10**6)
    files = json.loads(path.with_name("tumor.vtkhdf.series").read_text())["files"]
    assert files == [{"name": "tumor.000007.vtkhdf", "time": 3.5}, {"name": "tumor.000009.vtkhdf", "time": 4.5}]
