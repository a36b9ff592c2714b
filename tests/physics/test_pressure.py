"""Pressure of crowded cells against the closed form of the obstacle problem, and what makes it a solution."""
import math

import numpy as np
import pytest

from metacascade.space.pressure import Pressure
from metacascade.space.relaxation import Mesh, NoHalo
from reference.field import _beside, _faces, block, sum_in_order, voxel_places

MOBILITY, RELAXATION = 7220.0, 2.0            # L = 120 um
LENGTH = math.sqrt(MOBILITY * RELAXATION)
FINE = 1000                                   # counts of a voxel filled to capacity


def pressure(tiles, edge_um=30.0, capacity=FINE, sweeps=400, smoothing_um=0.0, initial_sweeps=0):
    made = Pressure(capacity=capacity, edge_um=edge_um, mobility_um2_per_h=MOBILITY, relaxation_h=RELAXATION,
                    smoothing_um=smoothing_um, sweeps=sweeps, initial_sweeps=initial_sweeps)
    made.arrays.grow(0, tiles)
    return made


def residual(made, counts, neighbors):
    """p - max(0, (f + r sum of neighbors) / (1 + 6 r)): zero where p solves the problem; float64 (n, 8, 8, 8)."""
    p = made.value.astype(float)
    cube, f = p.reshape(-1, 8, 8, 8), (counts * made.per_capacity - 1.0).reshape(-1, 8, 8, 8)
    faces = _faces(p, neighbors, np.arange(len(p)), False, 0.0)
    around = sum_in_order([_beside(cube, face, k) for k, face in enumerate(faces)])
    return cube - np.maximum(0.0, (f + made.rate * around) / (1.0 + 6.0 * made.rate))


def slab_in_closed_form(excess, depth):
    """p at `depth` [um] under the surface of a half space of excess e in empty tissue (f = -1), and where p ends.

    Inside p = e - A exp(-depth / L); outside p = cosh((y - s) / L) - 1, which has p = p' = 0 at y = s. Value and slope are
    continuous: e - A = cosh(s / L) - 1 and A = sinh(s / L), so that s = L ln(1 + e).
    """
    end = LENGTH * math.log1p(excess)
    amplitude = math.sinh(end / LENGTH)
    outside = np.cosh((-depth - end) / LENGTH) - 1.0
    return np.where(depth >= 0, excess - amplitude * np.exp(-depth / LENGTH), np.where(-depth < end, outside, 0.0)), end


def slab_error(edge_um, excess=0.2, surface=1800.0):
    """Largest difference from the closed form, of a half space of this excess beside nothing."""
    coords, neighbors = block(round(2400.0 / (8 * edge_um)), 2, 2)
    for face in range(2, 6):                                  # across, two tiles are a ring: one dimension is left
        neighbors[:, face] = np.where(neighbors[:, face] < 0, neighbors[:, face ^ 1], neighbors[:, face])
    x = (voxel_places(coords)[0] + 0.5) * edge_um
    counts = np.where(x < surface, FINE * (1 + excess), 0).astype(np.uint16)
    made = pressure(len(coords), edge_um)
    for _ in range(10):
        made.advance(counts, Mesh(coords, neighbors))
    expected, end = slab_in_closed_form(excess, surface - x)
    assert not made.value[x > surface + end + edge_um].any(), "no pressure where no cells are"
    return np.abs(made.value - expected)[x > 900.0].max()     # away from the other end, where p = 0 is given


def test_at_the_surface_of_crowded_tissue_it_is_the_closed_form():
    """1.2 times capacity beside nothing: p ends L ln(1 + e) = 22 um outside, within a voxel of the surface."""
    errors = [slab_error(edge_um) for edge_um in (30.0, 15.0, 7.5)]
    assert errors[0] < 0.03 * 0.2 and errors[2] < errors[0] / 4, errors


def random_tumor(seed, shape=(3, 3, 3), mean=8.0):
    """A ball of Poisson counts in a block of tiles, with crowded and empty places."""
    coords, neighbors = block(*shape)
    place = np.stack(voxel_places(coords), axis=-1) + 0.5
    far = np.sqrt(((place - 4 * np.array(shape)) ** 2).sum(axis=-1))
    counts = np.random.default_rng(seed).poisson(mean * (far < 9.5) * (1 + 0.3 * np.sin(place[..., 0])))
    return coords, neighbors, counts.astype(np.uint16)


def test_solved_to_the_end_nothing_but_the_obstacle_problem_is_left():
    coords, neighbors, counts = random_tumor(1)
    made = pressure(len(coords), capacity=8.1)
    for _ in range(10):
        made.advance(counts, Mesh(coords, neighbors))
    assert np.abs(residual(made, counts, neighbors)).max() < 1e-6
    assert 0.1 < (made.value > 0).mean() < 0.9, "the test has both: pressure, and none"


@pytest.mark.parametrize("edge_um, sweeps", [(15.0, 8), (20.0, 8), (30.0, 4), (60.0, 4)])
def test_the_sweeps_of_a_step_follow_a_change(edge_um, sweeps):
    """A fifth of the voxels gains or loses a cell: most of the error is gone after a step, and less after each more."""
    capacity = 3e-4 * edge_um**3
    coords, neighbors, counts = random_tumor(2, mean=1.1 * capacity)
    mesh, rng = Mesh(coords, neighbors), np.random.default_rng(3)
    before, exact = (pressure(len(coords), edge_um, capacity) for _ in range(2))
    for _ in range(10):
        before.advance(counts, mesh)
    changed = (rng.random(counts.shape) < 0.2) & (counts > 0)
    counts = (counts + changed * rng.choice([-1, 1], counts.shape)).astype(np.uint16)
    exact.value[:] = before.value
    for _ in range(10):
        exact.advance(counts, mesh)
    few = pressure(len(coords), edge_um, capacity, sweeps)
    few.value[:] = before.value
    errors = [np.sqrt(np.mean((few.value - exact.value) ** 2))]
    for _ in range(4):
        few.advance(counts, mesh)
        errors.append(np.sqrt(np.mean((few.value - exact.value) ** 2)))
    assert errors[1] < 0.5 * errors[0] and errors[4] < 0.1 * errors[0], errors


def test_smoothing_makes_the_noise_of_small_voxels_that_of_30_um():
    """Kernel of the density of a cell: its variance per axis is 30^2 / 12 um^2 for every edge below."""
    for edge_um in (10.0, 15.0, 20.0):
        coords, neighbors = block(3, 3, 3)
        counts = np.zeros((27, 512), np.uint16)
        counts[13, 64 * 4 + 8 * 4 + 4] = 1
        made = pressure(27, edge_um, capacity=1, smoothing_um=30.0)
        f = made._excess(counts, Mesh(coords, neighbors), NoHalo()).astype(float) + 1.0
        x = (voxel_places(coords)[0] + 0.5) * edge_um
        mean = (f * x).sum() / f.sum()
        assert f.sum() == pytest.approx(1.0, rel=1e-4)
        assert (f * (x - mean) ** 2).sum() + edge_um**2 / 12 == pytest.approx(30.0**2 / 12, rel=1e-3)


def test_cells_below_capacity_press_nothing():
    coords, neighbors = block(2, 2, 2)
    made = pressure(8, capacity=8.1, sweeps=4)
    for _ in range(10):
        made.advance(np.full((8, 512), 8, np.uint16), Mesh(coords, neighbors))
    assert not made.value.any()
