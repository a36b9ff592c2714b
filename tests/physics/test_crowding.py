"""Crowded cells drift apart, no cell is lost, and nothing overshoots."""
import numpy as np
import pytest

from tiles import Patch, only, with_margin

CAPACITY = 8


def patch_with(voxels, seed=1, mobility=1.0, step_s=1800, **columns):
    """Cells in the middle tile of 27, with nothing but crowding."""
    patch = Patch(with_margin(1, 1, 1), **only(
        run=dict(step_s=step_s), tissue=dict(capacity_given=CAPACITY),
        crowding=dict(mobility_um2_per_h=mobility * 30 * CAPACITY)))
    patch.scatter(patch.row(0, 0, 0), voxels, np.random.default_rng(seed), **columns)
    return patch


def grid(patch):
    """Cells per voxel in space, index (z, y, x) from the lowest corner."""
    out = np.zeros((24, 24, 24), int)
    for (x, y, z), counts in zip(8 * (patch.region.coords + 1), patch.counts):
        out[z:z + 8, y:y + 8, x:x + 8] = counts.reshape(8, 8, 8)
    return out


CENTER = 64 * 4 + 8 * 4 + 4


def test_an_overfull_voxel_spreads_until_hardly_any_is_overfull_and_no_cell_is_lost():
    patch = patch_with([CENTER] * 600)
    top = [600]
    for _ in range(400):
        shed, tally = patch.step()
        assert patch.cells == 600 and len(shed) == 0
        assert sum(n for name, n in tally.items() if name != "changed_voxel") == 0
        top.append(int(patch.counts.max()))
    assert all(b <= a for a, b in zip(top[::20], top[20::20])), "it grew more crowded"
    assert top[-1] <= 2 * CAPACITY
    assert (grid(patch) > 0).sum() >= 600 // (2 * CAPACITY)


def test_it_spreads_evenly_to_all_sides():
    """1000 cells of one voxel in empty space become a ball at capacity: center of mass in place within a tenth of an
    edge, and along each axis the extent of that ball, R / sqrt(5), within 10 %."""
    patch = patch_with([CENTER] * 1000)
    before = patch.places()[1].mean(axis=0)
    for _ in range(200):
        patch.step()
    places = patch.places()[1]
    assert np.abs(places.mean(axis=0) - before).max() < 0.1 * 30
    radius = 30 * (3 * 1000 / CAPACITY / (4 * np.pi)) ** (1 / 3)
    assert places.std(axis=0) == pytest.approx(radius / 5**0.5, rel=0.1)


@pytest.mark.parametrize("mobility", [1.0, 1000.0])
def test_no_cell_drifts_more_than_half_an_edge_in_a_step(mobility):
    patch = patch_with([CENTER] * 900 + [CENTER + 1] * 30, mobility=mobility, clone=np.arange(930))
    for _ in range(5):
        before = {c["clone"]: p for c, p in zip(*patch.places())}
        patch.step()
        moved = np.array([p - before[c["clone"]] for c, p in zip(*patch.places())])
        assert np.abs(moved).max() <= 15.0 + 30 / 32768
        assert np.abs(moved).max() > 1.0


def test_drift_is_mobility_times_the_fall_between_the_faces():
    """A wall of 8 + k cells a voxel beside 8: at the wall's face the drift is mobility * k * dt."""
    k, mobility = 6, 0.5
    v = np.arange(512)
    x = v & 7
    patch = patch_with(np.repeat(v, np.where(x < 4, CAPACITY + k, CAPACITY)), mobility=mobility, step_s=3600)
    patch.arena.cells["clone"] = np.arange(len(patch.arena.cells)) % 65536
    for row in np.flatnonzero(patch.region.coords.any(axis=1)):      # the same in all tiles: no other faces
        assert patch.arena.n[row] == 0
    before = {c["clone"]: p for c, p in zip(*patch.places())}
    inner = {c["clone"] for c, _, w in zip(*patch.everyone()) if w >> 3 & 7 in (2, 3, 4) and w >> 6 in (2, 3, 4)}
    patch.step()
    for c, p in zip(*patch.places()):
        start = before[c["clone"]]
        if c["clone"] not in inner or not 60 < start[0] < 150:
            continue
        slope = max(0.0, 1 - abs(start[0] - 120) / 30)               # linear between the faces of a voxel
        assert p[0] - start[0] == pytest.approx(mobility * k * slope, abs=0.01)
        assert np.abs(p[1:] - start[1:]).max() < 0.01


def test_up_to_capacity_nothing_moves():
    patch = patch_with(np.repeat(np.arange(512), CAPACITY))
    before = patch.places()[1]
    for _ in range(3):
        _, tally = patch.step()
        assert not any(tally.values())
    np.testing.assert_array_equal(patch.places()[1], before)


def test_epithelial_and_mesenchymal_cells_are_pushed_alike():
    a, b = (patch_with([CENTER] * 100, emt=emt) for emt in (0, 255))
    for patch in (a, b):
        patch.step()
    np.testing.assert_array_equal(np.sort(a.places()[1], axis=0), np.sort(b.places()[1], axis=0))


def test_crowding_off_leaves_an_overfull_voxel_alone():
    patch = Patch(with_margin(1, 1, 1), **only())
    patch.scatter(patch.row(0, 0, 0), [CENTER] * 600, np.random.default_rng(1))
    before = patch.places()[1]
    patch.step()
    np.testing.assert_array_equal(patch.places()[1], before)


def test_halving_the_step_gives_the_same_spread():
    """Extent after 10 h from one voxel, with steps of 60, 30 and 15 minutes: the same within 8 %."""
    extents = []
    for step_s in (3600, 1800, 900):
        patch = patch_with([CENTER] * 300, step_s=step_s, mobility=0.02)
        for _ in range(36000 // step_s):
            patch.step()
        extents.append(patch.places()[1].std())
    assert extents == pytest.approx([extents[-1]] * 3, rel=0.08)
    assert extents[0] > 1.5 * 30 / 12**0.5, "it did not spread at all"
