"""One step of the tissue against its twin, bit for bit, and the promises of the kernel at its edges."""
from collections import Counter

import numpy as np
import pytest

from metacascade import tissue
from metacascade._kernels import _tissue
from metacascade._kernels._layout import CTC, MIGRANT
from metacascade._kernels._vessels import SEGMENT
from metacascade.domain import OFFSETS
from reference.tissue import step_tile
from tiles import QUIET, Patch, Vessels, random_cells, voxel_lists, with_margin

BUSY = dict(         # every mechanism, with rates at which each happens to some cells of a small tile
    seed=0x9E3779B97F4A7C15, dt_h=0.75, edge_um=25.0, capacity=5, amplitude=3000, lean=9000.0, gradient_half=1.5,
    push_gain=700, birth_per_h=0.3, death_per_h=0.1, hypoxia_per_h=0.2, enter_per_h=0.4, reach_um=12.0,
    cluster_fraction=0.7, cluster_log_more=np.log(0.75))
OFF = {"lean": 0.0, "push_gain": 0, "amplitude": 0, "birth_per_h": 0.0, "death_per_h": 0.0, "hypoxia_per_h": 0.0,
       "enter_per_h": 0.0, "cluster_fraction": 0.0}


def vessels(rng, n, edge):
    """Random straight vessels through the tile at the origin."""
    s = np.zeros(n, SEGMENT)
    for name in ("ax", "ay", "az", "bx", "by", "bz"):
        s[name] = rng.uniform(-4 * edge, 12 * edge, n)
    s["radius"], s["maturity"], s["perfused"] = rng.uniform(2, 15, n), rng.random(n), 1
    return s


def busy_patch(layout=3, mean=3.0, coords=None, **parameters):
    """Cells of random bytes in four tiles, most in the one at the origin, on uneven oxygen."""
    rng = np.random.default_rng(layout)
    p = dict(BUSY, **parameters)
    patch = Patch(with_margin(2, 2, 1) if coords is None else coords, vessels(rng, 6, p["edge_um"]), **p)
    patch.oxygen.value[:] = np.exp(rng.normal(1.5, 0.8, patch.oxygen.value.shape))
    for row in np.flatnonzero(((patch.region.coords >= 0) & (patch.region.coords < (2, 2, 1))).all(axis=1)):
        density = mean if not patch.region.coords[row].any() else 0.2 * mean
        n = rng.poisson(density * rng.integers(0, 3, 512))
        n[rng.integers(0, 512, 3)] += int(12 * density)             # some crowded voxels
        voxels = np.repeat(np.arange(512), n)
        cells = random_cells(rng, len(voxels))
        patch.put(row, voxels, **{name: cells[name] for name in cells.dtype.names})
    return patch


def all_lists(patch):
    return [voxel_lists(patch, row) for row in range(len(patch.arena.n))]


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


@pytest.mark.parametrize("voxel", [0, 255, 511])
def test_a_voxel_as_full_as_the_kernel_takes(voxel):
    patch = Patch(OFFSETS, **dict(BUSY, push_gain=300))
    patch.scatter(patch.row(0, 0, 0), [voxel] * 1024 + [voxel ^ 1] * 3, np.random.default_rng(0), emt=100)
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


# --- order, rooms and off -------------------------------------------------------------------------------

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


def call(patch, words=20000, migrants=9999, shed=9999, room=None, progress=None):
    """One call of the kernel with given room: (its answer, progress, migrants)."""
    a = patch.arena
    progress = np.zeros(3 + len(tissue.TALLIES), np.int64) if progress is None else progress
    after = np.zeros_like(patch.counts)
    box = np.zeros(migrants, MIGRANT)
    answer = _tissue.advance(
        a.cells, a.start, a.n, a.capacity if room is None else room, patch.counts, after, patch.oxygen.value,
        patch.region.neighbors, patch.region.keys, patch.region.coords,
        (patch.vessels.first, patch.vessels.index, patch.vessels.segments), patch.detach,
        dict(patch.parameters, step=2, t_h=1.0), *tissue.scratch(words), box, np.zeros(shed, CTC), progress)
    return answer, progress, after


@pytest.mark.parametrize("small", ["words", "migrants", "shed", "room"])
def test_without_room_the_kernel_stops_before_the_tile_and_changes_nothing_of_it(small):
    """The tile in the middle of the rows lacks room; those before it are done, it and those after it are not."""
    patch = busy_patch(10)
    row, n = patch.row(0, 0, 0), int(patch.arena.n[patch.row(0, 0, 0)])
    assert 0 < row and n > 3 * np.delete(patch.arena.n, row).max()
    whole = busy_patch(10)
    assert call(whole)[0] == -1
    room = patch.arena.capacity.copy()
    room[row] = 10
    limits = {"words": dict(words=n), "migrants": dict(migrants=2 * n - 1), "shed": dict(shed=n - 1),
              "room": dict(room=room)}[small]
    if small == "words":
        limits["words"] = 2 * n + 63
    before = all_lists(patch)
    counts = patch.counts.copy()
    answer, progress, after = call(patch, **limits)
    assert answer == progress[0]
    assert answer == row if small in ("words", "room") else 0 < answer <= row
    patch.counts, whole.counts = after, whole.counts
    assert [int(n) for n in patch.arena.n[answer:]] == counts[answer:].sum(axis=1).tolist()
    assert not after[answer:].any()
    patch.counts = counts
    for i in range(answer, len(before)):
        assert voxel_lists(patch, i) == before[i], f"tile {i} was changed"


def test_a_tissue_with_hardly_any_room_grows_it_and_gives_the_same():
    """Scratch, outboxes and blocks grow while a step is under way."""
    roomy, tight = busy_patch(11, birth_per_h=3.0), busy_patch(11, birth_per_h=3.0)
    tight._scratch, tight._migrants, tight._shed = tissue.scratch(64), np.empty(1, MIGRANT), np.empty(1, CTC)
    tight.arena.keep(np.arange(len(tight.arena.n)))
    for row in range(len(tight.arena.n)):        # blocks without any room, one behind the other
        assert tight.arena.capacity[row] >= tight.arena.n[row]
    tight.arena.capacity[:] = tight.arena.n
    for step in range(3):
        results = [patch.advance(step, float(step)) for patch in (roomy, tight)]
        assert results[0][2] == results[1][2]
        for a, b in zip(results[0][:2], results[1][:2]):
            assert a.tobytes() == b.tobytes()
        for patch, (migrants, _, _) in zip((roomy, tight), results):
            patch.arrive(patch.leaving(migrants)[0])
        assert all_lists(roomy) == all_lists(tight)


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


# --- errors ---------------------------------------------------------------------------------------------

def test_a_cell_that_leaves_the_tiles_is_an_error():
    patch = Patch([(0, 0, 0)], amplitude=8000)
    patch.scatter(0, np.zeros(200, int), np.random.default_rng(1), emt=255)
    with pytest.raises(RuntimeError, match="the margin around the tumor is missing"):
        patch.advance(0, 0.0)


def test_a_voxel_beyond_what_the_kernel_takes_is_an_error():
    patch = Patch(OFFSETS)
    patch.scatter(13, np.full(1025, 9), np.random.default_rng(1))
    with pytest.raises(OverflowError, match="more than 1024 cells"):
        patch.advance(0, 0.0)


@pytest.mark.parametrize("change", ["neighbors", "oxygen", "first"])
def test_arrays_of_different_length_are_refused(change):
    patch = Patch([(0, 0, 0), (1, 0, 0)])
    if change == "neighbors":
        patch.region.neighbors = patch.region.neighbors[:1]
    elif change == "oxygen":
        patch.oxygen.value = patch.oxygen.value[:1]
    else:
        patch.vessels.first = patch.vessels.first[:-1]
    with pytest.raises(ValueError, match="differ in length"):
        call(patch)


def test_no_tiles_at_all():
    patch = Patch(np.empty((0, 3)))
    migrants, shed, tally = patch.advance(0, 0.0)
    assert len(migrants) == len(shed) == 0 and not any(tally.values())
