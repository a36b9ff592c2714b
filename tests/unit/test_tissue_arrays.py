"""The tissue as plain arrays is that of the state: cells in their voxels, fields in their places, vessels once."""
import shutil

import numpy as np
import pytest

import metacascade as mc

CONFIG = {"run": {"step": "1 h", "duration": "4 h"}, "output": {
              "interval": "2 h", "checkpoint": "2 h", "snapshots": True, "snapshot_interval": "1 h"},
          "tumor": {"cells": 3000, "center": ["37 um", "-20 um", "5 um"]}, "vessels": {"length_density": "200 mm/mm^3"},
          "intravasation": {"hazard": "0.6/day"}, "vegf": {"enabled": True}, "oxygen": {"enabled": True}}
LIVING = CONFIG | {"angiogenesis": {"enabled": True, "sprouting": "10/mm/day"}}
PROGRAM = """
import sys
import metacascade as mc
sim = mc.Simulation(sys.argv[1])
sim.step(3)
mine = sim.tissue()
told = sim.world.sum([len(mine.cells), len(mine.vessels), int(mine.fields["counts"].values.sum()), mine.vessels["perfused"].sum()])
if sim.world.rank == 0: print(told.tolist(), 0 < len(mine.cells))
"""


@pytest.fixture(scope="module", params=[CONFIG, LIVING], ids=["vessels that stay as they are", "vessels that live"])
def run(request, tmp_path_factory):
    simulation, out = mc.Simulation(request.param), tmp_path_factory.mktemp("tissue") / "run"
    simulation.run(out).close()
    return simulation, out


@pytest.fixture(scope="module")
def tissue(run):
    return mc.tissue(run[1])


def test_each_cell_lies_in_the_voxel_that_counts_it(run, tissue):
    simulation, counts = run[0], tissue.fields["counts"]
    assert tissue.time_h == 4 and len(tissue.cells) == simulation.ledger["tissue"] == counts.values.sum()
    places = np.stack([tissue.cells[f"{axis}_um"] for axis in "xyz"], axis=1).astype(float)
    voxels = np.floor((places + 1e-3 - counts.origin_um) / counts.spacing_um).astype(int)       # float32: on a face it may round
    found = np.zeros(counts.values.shape, int)
    np.add.at(found, tuple(voxels.T), 1)
    assert np.abs(found - counts.values).sum() <= 4
    np.testing.assert_allclose(places.mean(axis=0), [37, -20, 5], atol=15)


def test_a_field_is_where_the_model_has_it(run, tissue):
    state, oxygen = run[0].model.state(parts=0, parent=None), tissue.fields["oxygen"]
    for row in (0, len(state.tile_coords) // 2):
        corner = state.tile_coords[row] * 8 * tissue.edge_um
        i, j, k = np.round((corner - oxygen.origin_um) / oxygen.spacing_um).astype(int)
        along = round(8 * tissue.edge_um / oxygen.spacing_um)
        block = oxygen.values[i:i + along, j:j + along, k:k + along]
        np.testing.assert_array_equal(block.transpose(2, 1, 0).ravel(), state.arrays["oxygen"][row])
    assert oxygen.unit == "mmHg" and tissue.fields["vegf"].spacing_um == 4 * tissue.edge_um
    assert tissue.fields["counts"].values.dtype.kind == "u" and np.asarray(oxygen).shape == oxygen.values.shape


def test_vessels_are_those_of_the_tissue_once(run, tissue):
    middles = (tissue.vessels["start_um"] + tissue.vessels["end_um"]) / 2
    rows = np.concatenate([tissue.vessels["start_um"], tissue.vessels["end_um"]], axis=1)
    tiles = {tuple(row) for row in run[0].model.state(parts=0, parent=None).tile_coords.tolist()}
    assert len(rows) == len(np.unique(rows, axis=0)) > 10
    assert {tuple(row) for row in np.floor(middles / (8 * tissue.edge_um)).astype(int).tolist()} <= tiles
    assert (tissue.vessels["radius_um"] > 0.3).all() and tissue.vessels["perfused"].any()
    assert not tissue.vessels["growing"].any() or run[0].model.plan.vessels_live


def test_a_simulation_in_memory_has_the_same_tissue_as_its_checkpoint(run, tissue):
    now = run[0].tissue()
    for name in ("cells", "vessels"):
        np.testing.assert_array_equal(np.sort(getattr(now, name)), np.sort(getattr(tissue, name)))
    assert now.fields.keys() == tissue.fields.keys() and now.masks == tissue.masks
    for name, field in now.fields.items():
        np.testing.assert_array_equal(field.values, tissue.fields[name].values)


def test_a_field_with_coordinates_is_read_at_a_place(tissue):
    pytest.importorskip("xarray")
    oxygen = tissue.fields["oxygen"]
    values = oxygen.dataarray()
    assert values.attrs["units"] == "mmHg" and values.x.attrs["units"] == "um"
    assert values.isel(x=3, y=5, z=7) == oxygen.values[3, 5, 7]
    assert values.x[3] == oxygen.origin_um[0] + 3.5 * oxygen.spacing_um


def test_without_a_tumor_or_a_checkpoint_it_says_so(tmp_path):
    blood = {"run": {"step": "1 h", "duration": "2 h"}, "injection": [{"node": "portal", "cells": 5}]}
    mc.Simulation(blood).run(tmp_path / "run").close()
    with pytest.raises(mc.InputError, match="the run has no tissue: no tumor in space"):
        mc.tissue(tmp_path / "run")
    with pytest.raises(mc.InputError, match="where a checkpoint or a snapshot is must be a path"):
        mc.tissue(None)
    with pytest.raises(mc.InputError, match="checkpoint.h5"):
        mc.tissue(tmp_path)


def test_between_two_names_of_a_checkpoint_the_former_one_is_read(run, tissue, tmp_path):
    shutil.copy(run[1] / "checkpoint.h5", tmp_path / "checkpoint.prev.h5")
    assert mc.tissue(tmp_path).time_h == tissue.time_h


def assert_same(mine, its):
    """But for the order of the vessels, and what single precision leaves of places."""
    assert mine.time_h == its.time_h and mine.all_cells == its.all_cells == len(mine.cells)
    assert mine.masks == its.masks and mine.edge_um == its.edge_um and mine.fields.keys() == its.fields.keys()
    np.testing.assert_array_equal(mine.cells, its.cells)
    for name, field in mine.fields.items():
        along = round(its.fields[name].spacing_um / field.spacing_um)      # a snapshot has all by voxel
        values = its.fields[name].values.repeat(along, 0).repeat(along, 1).repeat(along, 2)
        np.testing.assert_array_equal(field.values, values.astype(field.values.dtype), name)
        np.testing.assert_allclose(field.origin_um, its.fields[name].origin_um)
        assert field.unit == its.fields[name].unit, name
    assert len(mine.vessels) == len(its.vessels) > 10 and mine.vessels["growing"].sum() == its.vessels["growing"].sum()
    for name in ("start_um", "end_um", "radius_um"):
        np.testing.assert_allclose(mine.vessels[name].sum(axis=0), its.vessels[name].sum(axis=0), rtol=1e-4, atol=0.01)


@pytest.mark.parametrize("kind", ["cells", "voxels", "vessels", "tumor"])
def test_a_snapshot_has_the_tissue_of_the_checkpoint_of_its_time(run, tissue, kind):
    assert_same(mc.tissue(run[1] / f"snapshots/{kind}.000004.vtkhdf"), tissue)


def test_a_snapshot_named_from_inside_of_its_folder_knows_its_run(run, tissue, monkeypatch, capsys):
    monkeypatch.chdir(run[1] / "snapshots")
    assert mc.tissue("cells.000004.vtkhdf").masks == tissue.masks and not capsys.readouterr().err


def test_of_a_directory_a_time_picks_a_checkpoint_or_else_a_snapshot(run, tissue, tmp_path):
    assert [mc.tissue(run[1], at=f"{hour} h").time_h for hour in (0, 1, 2, 3, 4)] == [0, 1, 2, 3, 4]
    assert mc.tissue(run[1], at="2 h").fields["vegf"].spacing_um == 4 * tissue.edge_um, "the checkpoint, with fields as they are"
    with pytest.raises(mc.InputError, match="no tissue of 5 h; there are checkpoints of 2 h, 4 h and snapshots of 0 s, 1 h, 2 h"):
        mc.tissue(run[1], at="5 h")
    with pytest.raises(mc.InputError, match="no tissue of 5 h; there are neither checkpoints nor snapshots"):
        mc.tissue(tmp_path, at="5 h")
    with pytest.raises(mc.InputError, match="is not the directory of a run: at="):
        mc.tissue(run[1] / "checkpoint.h5", at="4 h")
    with pytest.raises(mc.InputError, match='at must be a time such as "6 h", not 4'):
        mc.tissue(run[1], at=4)


def test_a_damaged_checkpoint_does_not_hide_those_beside_it(run, tmp_path):
    shutil.copy(run[1] / "checkpoint.prev.h5", tmp_path / "checkpoint.7200s.h5")
    (tmp_path / "checkpoint.h5").write_bytes((run[1] / "checkpoint.h5").read_bytes()[:5000])
    assert mc.tissue(tmp_path, at="2 h").time_h == 2
    shutil.copy(run[1] / "checkpoint.h5", tmp_path / "checkpoint.prev.h5")
    assert mc.tissue(tmp_path, at="4 h").time_h == 4, "the last but one, behind one that is damaged"
    with pytest.raises(mc.InputError, match="no tissue of 3 h; there are checkpoints of 2 h, 4 h\n.*checkpoint.h5 is damaged"):
        mc.tissue(tmp_path, at="3 h")


def test_a_kept_checkpoint_of_another_time_than_its_name_is_refused(run, tmp_path):
    shutil.copy(run[1] / "checkpoint.h5", tmp_path / "checkpoint.10800s.h5")
    with pytest.raises(mc.InputError, match="checkpoint.10800s.h5 is of 4 h, not of 3 h, as its name says"):
        mc.tissue(tmp_path, at="3 h")


def test_snapshots_alone_are_read_but_for_the_names_of_the_bits(run, tissue, tmp_path, capsys):
    shutil.copytree(run[1] / "snapshots", tmp_path / "snapshots")
    with pytest.raises(mc.InputError, match='no checkpoint, but snapshots of 0 s, 1 h, 2 h, 3 h, 4 h: .*, at="4 h"'):
        mc.tissue(tmp_path)
    alone = mc.tissue(tmp_path, at="4 h")
    assert alone.masks == tissue.masks | {"bits": {}} and len(alone.cells) == len(tissue.cells)
    assert 'results.h5 is not there: masks["bits"] of' in capsys.readouterr().err
    (tmp_path / "snapshots/voxels.000004.vtkhdf").unlink()
    with pytest.raises(mc.InputError, match="voxels.000004.vtkhdf"):
        mc.tissue(tmp_path, at="4 h")


def test_a_thinned_snapshot_says_of_how_many_cells_and_where_its_cubes_are(tmp_path):
    few = CONFIG | {"output": CONFIG["output"] | {"snapshot_cells": 1000}, "tissue": {"voxel": "12.7 um"}}
    mc.Simulation(few).run(tmp_path).close()
    whole, thin = mc.tissue(tmp_path), mc.tissue(tmp_path / "snapshots/cells.000004.vtkhdf")
    every = -(-len(whole.cells) // 1000)
    np.testing.assert_array_equal(thin.cells, whole.cells[::every])
    assert f"{len(thin.cells):,} of {len(whole.cells):,} cells" in repr(thin) and f"{len(whole.cells):,} cells" in repr(whole)
    counts, all_counts = thin.fields["counts"], whole.fields["counts"]
    join = round(counts.spacing_um / thin.edge_um)
    assert join > 1 and thin.edge_um == whole.edge_um == 12.7
    joined = all_counts.values.reshape([n for side in counts.values.shape for n in (side, join)]).sum(axis=(1, 3, 5))
    np.testing.assert_array_equal(counts.values, joined)
    np.testing.assert_allclose(counts.origin_um, all_counts.origin_um)


def test_fields_of_tumors_too_far_from_each_other_are_refused_in_words(run, monkeypatch):
    monkeypatch.setattr("metacascade.run.tissue.MOST", 100)
    with pytest.raises(mc.InputError, match="more than 100: its fields do not fit into arrays; the snapshots"):
        mc.tissue(run[1])


@pytest.mark.mpi
def test_each_of_two_ranks_has_its_share(mpirun, tmp_path):
    (tmp_path / "run.toml").write_text(mc.load(CONFIG).to_toml())
    (tmp_path / "program.py").write_text(PROGRAM)
    alone, two = (mpirun(n, tmp_path / "program.py", tmp_path / "run.toml").stdout.splitlines()[-1] for n in (1, 2))
    assert alone == two and alone.endswith("True")
