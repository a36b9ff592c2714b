"""The walk of the cells against the theory of diffusion: D = v^2 tau / 3, and the drift up a gradient.

Each test follows n = 60 000 cells, told apart by their clone. Bounds are Z = 4.5 standard deviations of the
law that is named: false alarm 7e-6 for each number that is compared.
"""
import numpy as np
import pytest

from tiles import Patch, only, with_margin

pytestmark = pytest.mark.statistical
N, Z = 60_000, 4.5
SPEED, PERSISTENCE, HALF = 15.0, 0.25, 0.1          # um/h, h, mmHg/um: the defaults
HOURS = 8
DIFFUSION = SPEED**2 * PERSISTENCE / 3


def walkers(step_s, emt=255, **migration):
    """Cells all over the tile at the origin of a patch, with nothing but migration."""
    patch = Patch(with_margin(1, 1, 1), **only(
        run=dict(step_s=step_s, seed=step_s), migration=dict(bias=0.0, **migration)))
    patch.scatter(patch.row(0, 0, 0), np.arange(N) % 512, np.random.default_rng(1), emt=emt, clone=np.arange(N))
    return patch


def by_clone(patch):
    cells, places = patch.places()
    assert len(cells) == N
    return places[np.argsort(cells["clone"])]


def displacements(patch):
    """[um] of each cell in HOURS hours, shape (N, 3)."""
    before = by_clone(patch)
    for _ in range(round(HOURS / patch.parameters["dt_h"])):
        patch.step()
    return by_clone(patch) - before


def assert_diffuses(moved, diffusion):
    """Mean square displacement 2 D t along each axis: sd of the estimate at most sqrt(2 / N) of it, as for a
    normal law (the steps' own law has lighter tails); the step's width is rounded to 1/1000."""
    ratio = (moved**2).mean(axis=0) / (2 * diffusion * HOURS)
    assert (np.abs(ratio - 1) < Z * (2 / N) ** 0.5 + 2e-3).all(), f"axes: {ratio} of 2 D t"
    ratio = (moved**2).sum(axis=1).mean() / (6 * diffusion * HOURS)
    assert abs(ratio - 1) < Z * (2 / (3 * N)) ** 0.5 + 2e-3, f"{ratio} of 6 D t"


def assert_mean(moved, expected, diffusion):
    """Mean displacement: sd sqrt(2 D t / N) along each axis."""
    sd = (2 * diffusion * HOURS / N) ** 0.5
    assert (np.abs(moved.mean(axis=0) - expected) < Z * sd + 0.002 * np.abs(expected)).all(), moved.mean(axis=0)


@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_mean_square_displacement_is_6_d_t_for_any_step(minutes):
    moved = displacements(walkers(60 * minutes))
    assert_diffuses(moved, DIFFUSION)
    assert_mean(moved, [0, 0, 0], DIFFUSION)


def test_axes_are_independent():
    """Correlation of two axes: sd 1 / sqrt(N)."""
    moved = displacements(walkers(1800))
    off = np.corrcoef(moved.T)[np.triu_indices(3, 1)]
    assert (np.abs(off) < Z / N**0.5).all(), off


def test_steps_of_a_cell_are_independent():
    """Correlation of a cell's successive steps along an axis: sd 1 / sqrt(3 N)."""
    patch = walkers(1800)
    places = [by_clone(patch)]
    for _ in range(2):
        patch.step()
        places.append(by_clone(patch))
    one, two = (np.diff(places, axis=0)[k].ravel() for k in (0, 1))
    assert abs(np.corrcoef(one, two)[0, 1]) < Z / (3 * N) ** 0.5


@pytest.mark.parametrize(("emt", "motile"), [(128, 129 / 256), (64, 64 / 256)])
def test_a_half_mesenchymal_cell_is_half_as_fast(emt, motile):
    """Speed in proportion to EMT, so D to its square (512 levels of a step's width: 0.2 % more)."""
    moved = displacements(walkers(1800, emt=emt))
    assert_diffuses(moved, DIFFUSION * motile**2)


def test_an_epithelial_cell_stays_where_it_is():
    assert not displacements(walkers(1800, emt=0)).any()


def slope(patch, gradient):
    """Oxygen that rises linearly, `gradient` [mmHg/um]."""
    v = np.arange(512)
    voxel = 8 * patch.region.coords[:, None, :] + np.stack([v & 7, v >> 3 & 7, v >> 6], axis=1) + 0.5
    patch.oxygen.value[:] = 1000 + (voxel * patch.parameters["edge_um"]) @ gradient


@pytest.mark.parametrize("steepness", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("direction", [(1, 0, 0), (1 / 3, -2 / 3, 2 / 3)])
def test_drift_up_a_gradient(steepness, direction):
    """bias * speed * g / (g + half) along the gradient, besides the same diffusion."""
    patch, direction = walkers(1800), np.array(direction)
    patch.parameters["biases"] = only(run=dict(step_s=1800), migration=dict(bias=0.3))["biases"]
    slope(patch, steepness * HALF * direction)
    moved = displacements(patch)
    drift = 0.3 * SPEED * HOURS * steepness / (steepness + 1) * direction
    assert_mean(moved, drift, DIFFUSION)
    assert_diffuses(moved - drift, DIFFUSION)


def test_drift_of_a_half_mesenchymal_cell_is_half_as_fast():
    patch = walkers(1800, emt=128)
    patch.parameters["biases"] = only(run=dict(step_s=1800), migration=dict(bias=0.8))["biases"]
    slope(patch, np.array([HALF, 0, 0]))
    motile = 129 / 256
    assert_mean(displacements(patch), [0.8 * SPEED * HOURS / 2 * motile, 0, 0], DIFFUSION * motile**2)


def test_no_drift_in_flat_oxygen_however_strong_the_bias():
    patch = walkers(1800)
    patch.parameters["biases"] = only(run=dict(step_s=1800), migration=dict(bias=0.8))["biases"]
    moved = displacements(patch)
    assert_mean(moved, [0, 0, 0], DIFFUSION)
