"""One step of the tissue against its twin, bit for bit."""
from collections import Counter

import numpy as np
import pytest

from busy import BUSY, OFF, all_lists, busy_patch, vessels
from metacascade._kernels._vessels import SEGMENT
from metacascade.model import tissue
from metacascade.space.region import OFFSETS
from reference.tissue import step_tile
from tiles import QUIET, Patch, Vessels, voxel_lists


def arrays_of(patch):
    """What the kernel is given, by name, for the twin."""
    a, v = patch.arena, patch.vessels
    return type("Arrays", (), dict(
        cells=a.cells.copy(), start=a.start.copy(), n=a.n.copy(), counts=patch.counts.copy(),
        oxygen=patch.oxygen.value, neighbors=patch.region.neighbors, keys=patch.region.keys,
        coords=patch.region.coords, first=v.first, index=v.index, segments=v.segments, detach=patch.detach))


def twin(patch, rows, step, t_h):
    """The tiles after a step, by the twin."""
    t, p = arrays_of(patch), dict(patch.parameters, step=step, t_h=t_h)
    return [step_tile(t, row, p) for row in rows]


def assert_like_twin(patch, step=5, t_h=17.25):
    """A step of all tiles by kernel and twin: the same cells, migrants, CTCs and tally."""
    rows = range(len(patch.region.keys))
    expected = twin(patch, rows, step, t_h)
    migrants, shed, tally = patch.advance(step, t_h)
    for row, after in zip(rows, expected):
        assert voxel_lists(patch, row) == after.voxels, f"cells of tile {row}"
    words = np.ascontiguousarray(migrants["cell"]).view(np.uint32).reshape(-1, 3).tolist()
    got = sorted(zip(migrants["key"].tolist(), migrants["voxel"].tolist(), map(tuple, words)))
    assert got == sorted(m for after in expected for m in after.migrants)
    wanted = np.sort(np.concatenate([after.shed for after in expected]), order="id")
    assert np.sort(shed, order="id").tobytes() == wanted.tobytes()
    assert Counter(tally) == sum((after.tally for after in expected), Counter())
    return migrants, shed, tally


# --- the same as the twin -------------------------------------------------------------------------------

def test_all_mechanisms_at_once():
    migrants, shed, tally = assert_like_twin(busy_patch(mean=8.0))
    assert len(migrants) > 20 and (shed["n"] > 1).sum() > 5, "the test did not see migrants and clusters"
    assert all(tally[name] > 20 for name in tissue.TALLIES), f"the test did not see every event: {tally}"


@pytest.mark.parametrize("name", sorted(OFF))
def test_one_mechanism_off(name):
    assert_like_twin(busy_patch(4, **{name: OFF[name]}))


@pytest.mark.parametrize("alone", ["birth_per_h", "death_per_h", "hypoxia_per_h", "enter_per_h"])
@pytest.mark.parametrize("chance", [0.02, 0.5, 5.0])
def test_one_hazard_alone(alone, chance):
    """The bound by which the kernel passes over most cells is tight here: it must pass over none too many."""
    rates = {name: 0.0 for name in OFF if name.endswith("per_h")} | {alone: chance / BUSY["dt_h"]}
    quiet = dict(capacity=100, oxygen_half_mmHg=1e-9, permeability_mature=1.0, reach_um=1e3, cluster_fraction=0.0)
    patch = busy_patch(13, mean=8.0, coords=[(0, 0, 0)], amplitude=0, lean=0.0, push_gain=0, **rates, **quiet)
    patch.detach[:] = 1.0
    assert_like_twin(patch)


@pytest.mark.parametrize("change", [
    dict(dt_h=1e-6), dict(dt_h=50.0), dict(capacity=1), dict(capacity=255), dict(push_gain=16384),
    dict(cluster_log_more=-np.inf), dict(cluster_log_more=np.log(0.98), cluster_fraction=1.0),
    dict(hypoxia_per_h=1e4), dict(reach_um=0.0), dict(amplitude=8000, lean=60000.0), dict(seed=0)],
    ids=lambda change: ",".join(change))
def test_extreme_parameters(change):
    assert_like_twin(busy_patch(5, **change))


def test_a_cluster_takes_the_whole_voxel_but_no_cell_twice():
    """All of many cells of one voxel want to lead or follow: they leave once each."""
    patch = Patch(OFFSETS, vessels(np.random.default_rng(1), 20, 25.0), **dict(
        BUSY, cluster_fraction=1.0, cluster_log_more=np.log(0.99), birth_per_h=0.0, death_per_h=0.0,
        hypoxia_per_h=0.0, enter_per_h=2.0, reach_um=1e3))
    patch.scatter(patch.row(0, 0, 0), np.repeat([0, 77, 511], 200), np.random.default_rng(2), adhesion=200)
    _, shed, tally = assert_like_twin(patch)
    assert shed["n"].max() > 20
    assert shed["n"].sum() == tally["shed"] == 600 - patch.cells - np.count_nonzero(shed["n"] == 0)


@pytest.mark.parametrize("cells", [0, 1, 2])
def test_few_cells(cells):
    patch = Patch(OFFSETS, **BUSY)
    patch.scatter(patch.row(0, 0, 0), [300] * cells, np.random.default_rng(cells), emt=255)
    assert_like_twin(patch)


@pytest.mark.parametrize("voxel, cells", [(0, 1024), (255, 1025), (511, 2048), (77, 5000)])
def test_a_voxel_of_more_cells_than_the_kernel_looks_at_together(voxel, cells):
    patch = Patch(OFFSETS, **dict(BUSY, push_gain=300))
    patch.scatter(patch.row(0, 0, 0), [voxel] * cells + [voxel ^ 1] * 3, np.random.default_rng(0), emt=100)
    assert_like_twin(patch)


def test_every_number_of_cells_round_the_width_of_a_block():
    """Loops run in pieces of 16 and of 1024 cells: no length is special."""
    for n in [*range(1, 36), 1023, 1024, 1025]:
        patch = Patch(OFFSETS, **dict(BUSY, capacity=100, dt_h=0.3))
        patch.scatter(patch.row(0, 0, 0), np.sort(np.arange(n) * 37 % 512), np.random.default_rng(n), emt=180)
        assert_like_twin(patch, step=n)


def test_a_missing_neighbor_is_a_mirror_for_push_and_lean():
    """One tile alone: the cells at its faces feel neither gradient nor fall of pressure across them."""
    patch = busy_patch(6, mean=1.0, coords=[(0, 0, 0)], amplitude=0, push_gain=60, lean=300.0)
    cells, _, v = patch.everyone()
    outer = (np.stack([v & 7, v >> 3 & 7, v >> 6]) % 7 == 0).any(axis=0)
    at_wall = np.stack([cells[axis] for axis in "xyz"])[:, outer]
    if ((at_wall < 8000) | (at_wall > 57000)).any():              # would leave: keep them off the wall
        for axis in "xyz":
            patch.arena.cells[axis] = patch.arena.cells[axis] // 4 + 24000
    assert_like_twin(patch)


def test_tiles_at_negative_and_far_places():
    coords = OFFSETS + np.array([-40000, 7, 1_000_000], np.int32)
    rng = np.random.default_rng(8)
    patch = Patch(coords, **BUSY)
    center = coords[13].astype(float)
    s = np.zeros(1, SEGMENT)
    for i, axis in enumerate("xyz"):
        s["a" + axis], s["b" + axis] = (8 * center[i] + 4) * 25.0, (8 * center[i] + 4 + 5 * (i == 0)) * 25.0
    s["radius"], s["perfused"] = 20, 1
    patch.vessels = Vessels(patch.region.coords, s, 25.0, 12.0)
    patch.scatter(patch.row(*coords[13]), np.repeat(np.arange(512), 2), rng, emt=200, adhesion=20)
    _, shed, _ = assert_like_twin(patch)
    assert len(shed) > 3


# --- order and off -------------------------------------------------------------------------------------

def test_order_of_the_cells_inside_a_voxel_has_no_meaning():
    results = []
    for shuffle in range(3):
        patch, rng = busy_patch(9), np.random.default_rng(shuffle)
        for row in range(len(patch.arena.n)):
            place = rng.permuted(np.arange(patch.arena.n[row]))
            voxel = np.repeat(np.arange(512), patch.counts[row])
            block = patch.arena.block(row)
            block[:] = block[place[np.argsort(voxel[place], kind="stable")]]
        migrants, shed, tally = patch.advance(1, 0.5)
        results.append((all_lists(patch), sorted(m.tobytes() for m in migrants),
                        sorted(c.tobytes() for c in shed), tally))
    assert results[0] == results[1] == results[2]


def test_a_step_in_which_nothing_can_happen_changes_nothing():
    patch = busy_patch(**{name: value for name, value in QUIET.items() if name in OFF}, coords=[(0, 0, 0)])
    before = voxel_lists(patch, 0)
    migrants, shed, tally = patch.advance(3, 1.0)
    assert len(migrants) == len(shed) == 0 and not any(tally.values())
    assert voxel_lists(patch, 0) == before


def test_immotile_cells_do_not_move_without_crowding():
    patch = Patch([(0, 0, 0)], **dict(BUSY, birth_per_h=0.0, death_per_h=0.0, hypoxia_per_h=0.0, enter_per_h=0.0,
                                      capacity=50))
    patch.scatter(0, np.repeat(np.arange(512), 5), np.random.default_rng(1), emt=0, clone=7)
    before = voxel_lists(patch, 0)
    patch.advance(0, 0.0)
    assert voxel_lists(patch, 0) == before


@pytest.mark.parametrize("name", sorted(set(OFF) - {"cluster_fraction"}))
def test_a_mechanism_that_is_off_leaves_no_trace(name):
    """Its other parameters do not matter then, to any bit."""
    other = {"lean": dict(gradient_half=77.0), "push_gain": dict(push_limit=5), "amplitude": {},
             "birth_per_h": dict(oxygen_half_mmHg=50.0), "death_per_h": {},
             "hypoxia_per_h": dict(hypoxia_threshold_mmHg=60.0, hypoxia_full_mmHg=59.0),
             "enter_per_h": dict(permeability_mature=0.9, cluster_fraction=0.0)}[name]
    patches = [busy_patch(12, **{name: OFF[name]}, **more) for more in ({}, other)]
    for patch in patches:
        patch.advance(1, 0.0)
    assert all_lists(patches[0]) == all_lists(patches[1])
