"""Cells are pushed where pressure falls, at the rate that it says, and crowded cells spread; none is lost.

Bounds are Z = 4.5 standard deviations of the law that is named: false alarm 7e-6 for each number compared.
"""

import numpy as np
import pytest

from binomial import assert_binomial
from metacascade.space.pressure import Pressure
from tiles import Patch, only, with_margin

pytestmark = pytest.mark.statistical
CENTER = 64 * 4 + 8 * 4 + 4
MOBILITY, EDGE = 3000.0, 30.0


def patch_with(voxels, seed=1, step_s=1800, mobility=MOBILITY, **columns):
    """Cells in the middle tile of 27, with nothing but crowding, in pressure that a test sets."""
    patch = Patch(with_margin(1, 1, 1), **only(run=dict(step_s=step_s), crowding=dict(mobility_um2_per_h=mobility)))
    patch.scatter(patch.row(0, 0, 0), voxels, np.random.default_rng(seed), **columns)
    return patch


class Pressed(Patch):
    """Cells whose own pressure pushes them."""

    def press(self, mobility=7220.0, relaxation=2.0, sweeps=40):
        """Solve for the pressure before each step from now on."""
        self.pressure = Pressure(capacity=self.parameters["capacity"], edge_um=EDGE, mobility_um2_per_h=mobility,
                                 relaxation_h=relaxation, smoothing_um=30.0, sweeps=sweeps, initial_sweeps=0)
        self.pressure.arrays.grow(0, len(self.counts))
        return self

    def step(self):
        self.pressure.advance(self.counts, self.region.mesh)
        return super().step()


def pressed(voxels, step_s=1800, **columns):
    patch = Pressed(with_margin(1, 1, 1), **only(run=dict(step_s=step_s), crowding={}))
    patch.scatter(patch.row(0, 0, 0), voxels, np.random.default_rng(1), **columns)
    return patch.press()



# --- hops in given pressure -----------------------------------------------------------------------------

@pytest.mark.parametrize("minutes", [15, 30])
def test_a_hop_has_the_chance_mobility_times_fall_of_pressure(minutes):
    """20 000 cells of one voxel with another pressure on each side: to each face mobility dt fall / edge^2."""
    n, around = 20_000, {-1: 0.0, 1: 0.02, -8: 0.05, 8: 0.09, -64: 0.1, 64: 0.2}
    patch = patch_with([CENTER] * n, step_s=60 * minutes)
    pressure = patch.pressure.value[patch.row(0, 0, 0)]
    pressure[:] = pressure[CENTER] = 0.1
    for step, value in around.items():
        pressure[CENTER + step] = value
    _, tally = patch.step()
    counts = patch.counts[patch.row(0, 0, 0)]
    chances = {step: MOBILITY * minutes / 60 * max(0.0, 0.1 - value) / EDGE**2 for step, value in around.items()}
    for step, chance in chances.items():
        if chance:
            assert_binomial(int(counts[CENTER + step]), n, chance)
        else:
            assert counts[CENTER + step] == 0
    assert tally["hopped"] == tally["changed_voxel"] == n - counts[CENTER] and tally["cut"] == 0


def test_a_cell_keeps_its_place_in_the_voxel_when_it_hops():
    patch = patch_with([CENTER] * 500, clone=np.arange(500))
    patch.pressure.value[patch.row(0, 0, 0), CENTER] = 0.06
    before = {c["clone"]: p for c, p in zip(*patch.places())}
    patch.step()
    moved = np.array([p - before[c["clone"]] for c, p in zip(*patch.places())])
    hopped = np.abs(moved).max(axis=1) > 1
    assert 100 < hopped.sum() < 500
    np.testing.assert_allclose(np.sort(np.abs(moved), axis=1)[hopped], np.tile([0, 0, EDGE], (hopped.sum(), 1)), atol=1e-9)
    assert not moved[~hopped].any()


def test_cells_hop_into_the_tiles_around():
    """A corner voxel with six lower neighbors: half of them in other tiles; each gets the same, binomially."""
    n = 12_000
    patch = patch_with([511] * n)
    patch.pressure.value[patch.row(0, 0, 0), 511] = 0.05
    patch.step()
    got = [patch.counts[patch.row(0, 0, 0), 511 - step] for step in (1, 8, 64)] + [
        patch.counts[patch.row(*place), 511 - 7 * step] for place, step in
        (((1, 0, 0), 1), ((0, 1, 0), 8), ((0, 0, 1), 64))]
    for found in got:
        assert_binomial(int(found), n, MOBILITY * 0.5 * 0.05 / EDGE**2)
    assert patch.cells == n


def test_more_than_certain_is_cut_to_certain_and_counted():
    patch = patch_with([CENTER] * 1000)
    patch.pressure.value[patch.row(0, 0, 0), CENTER] = 10.0
    _, tally = patch.step()
    assert tally["hopped"] == tally["cut"] == 1000
    counts = patch.counts[patch.row(0, 0, 0)]
    for step in (1, 8, 64):
        assert_binomial(int(counts[CENTER + step]), 1000, 1 / 6)


def test_events_come_before_hops_where_both_are_more_than_certain():
    """A division time of half a step makes division certain, and leaves nothing for hops."""
    patch = Patch(with_margin(1, 1, 1), oxygen=1e9, **only(
        run=dict(step_s=86400), growth=dict(division_time_h=12.0, death_per_h=0.0), crowding=dict(pressure_max=10)))
    patch.scatter(13, [CENTER] * 1000, np.random.default_rng(1))
    patch.pressure.value[13, CENTER] = 0.1
    _, tally = patch.step()
    assert tally["divided"] == tally["cut"] == 1000 and tally["hopped"] == 0


def test_epithelial_and_mesenchymal_cells_are_pushed_alike():
    for emt in (0, 255):
        patch = patch_with([CENTER] * 5000, emt=emt)
        patch.pressure.value[patch.row(0, 0, 0), CENTER] = 0.06
        _, tally = patch.step()
        assert_binomial(tally["hopped"], 5000, 6 * MOBILITY * 0.5 * 0.06 / EDGE**2)


def test_in_level_pressure_nothing_moves():
    patch = patch_with(np.repeat(np.arange(512), 8))
    patch.pressure.value[:] = 0.2
    before = patch.places()[1]
    _, tally = patch.step()
    assert not any(tally.values())
    np.testing.assert_array_equal(patch.places()[1], before)


def test_crowding_off_leaves_an_overfull_voxel_alone():
    patch = Patch(with_margin(1, 1, 1), **only())
    patch.pressure.value[patch.row(0, 0, 0), CENTER] = 10.0
    patch.scatter(patch.row(0, 0, 0), [CENTER] * 600, np.random.default_rng(1))
    before = patch.places()[1]
    patch.step()
    np.testing.assert_array_equal(patch.places()[1], before)


# --- crowded cells --------------------------------------------------------------------------------------

def test_an_overfull_voxel_spreads_until_hardly_any_is_overfull_and_no_cell_is_lost():
    patch = pressed([CENTER] * 600)
    top = [600]
    for _ in range(200):
        shed, tally = patch.step()
        assert patch.cells == 600 and len(shed) == 0
        assert sum(n for name, n in tally.items() if name not in ("changed_voxel", "hopped", "looked_at", "cut")) == 0
        top.append(int(patch.counts.max()))
    assert top[-1] <= 2 * patch.parameters["capacity"]
    assert (patch.counts > 0).sum() >= 600 // (2 * patch.parameters["capacity"])


def test_it_spreads_evenly_to_all_sides():
    """1000 cells of one voxel in empty space become a ball at capacity: center of mass in place within 0.15 of an edge (its
    sd is sqrt(hops / 3) / n edges, about 0.03), and along each axis the extent of that ball, R / sqrt(5), within 10 %."""
    patch = pressed([CENTER] * 1000)
    before = patch.places()[1].mean(axis=0)
    for _ in range(100):
        patch.step()
    places = patch.places()[1]
    assert np.abs(places.mean(axis=0) - before).max() < 0.15 * EDGE
    radius = EDGE * (3 * 1000 / patch.parameters["capacity"] / (4 * np.pi)) ** (1 / 3)
    assert places.std(axis=0) == pytest.approx(radius / 5**0.5, rel=0.1)


def test_up_to_capacity_nothing_moves():
    patch = pressed(np.repeat(np.arange(512), 8))              # capacity is 8.1
    before = patch.places()[1]
    for _ in range(3):
        _, tally = patch.step()
        assert not any(tally.values())
    np.testing.assert_array_equal(patch.places()[1], before)


def test_halving_the_step_gives_the_same_spread():
    """Extent of 300 cells 10 h after they left one voxel, with steps of 60, 30 and 15 minutes: the same within 8 %."""
    extents = []
    for step_s in (3600, 1800, 900):
        patch = pressed([CENTER] * 300, step_s=step_s)
        for _ in range(36000 // step_s):
            patch.step()
        extents.append(patch.places()[1].std())
    assert extents == pytest.approx([extents[-1]] * 3, rel=0.08)
    assert extents[0] > 1.5 * EDGE / 12**0.5, "it did not spread at all"
