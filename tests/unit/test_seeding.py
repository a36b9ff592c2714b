"""The first ball of cells: exactly so many, in a ball, and the same however the tiles are dealt out."""
import math
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade.base.errors import InputError
from metacascade.ranks.exchange import Exchange
from metacascade.ranks.parallel import serial_world
from metacascade.space.region import keys_of
from metacascade.space.seeding import ball_radius, first_counts, seed_region, share, tiles_of_ball, voxels_inside

WORLD = serial_world()


def config(cells, center=(0.0, 0.0, 0.0), capacity=8, edge=30.0):
    return SimpleNamespace(tumor=SimpleNamespace(cells=cells, center_um=center),
                           tissue=SimpleNamespace(capacity=capacity, edge_um=edge))


def ball(c):
    """(coords, counts) of the first tumor."""
    _, coords = seed_region(Exchange(WORLD), c)
    return coords, first_counts(WORLD, c, keys_of(coords), coords)


def voxel_centers(coords):
    v = np.arange(512)
    return 8 * coords[:, None, :] + np.stack([v & 7, v >> 3 & 7, v >> 6], axis=1) + 0.5


@pytest.mark.parametrize("cells", [1, 2, 7, 8, 9, 100, 4097, 300_000])
@pytest.mark.parametrize("center", [(0.0, 0.0, 0.0), (15.0, -100.0, 1e4), (-1e6, 1e6, 29.999999)])
def test_exactly_so_many_cells_spread_as_evenly_as_can_be(cells, center):
    coords, counts = ball(config(cells, center))
    assert counts.sum(dtype=np.int64) == cells
    assert counts.dtype == np.uint16 and counts.any(axis=1).sum() <= len(coords)
    full = counts[counts > 0]
    assert full.max() - full.min() <= 1 or full.max() == 1


@pytest.mark.parametrize("cells", [5000, 80_000])
def test_the_ball_is_round_and_of_the_right_size(cells):
    """All voxels whose centers lie within the radius of the volume cells / capacity, and no others."""
    c = config(cells, (77.0, 10.0, -3.0))
    coords, counts = ball(c)
    distance = np.linalg.norm(voxel_centers(coords) - np.array(c.tumor.center_um) / 30, axis=2)
    radius = ball_radius(c.tumor, c.tissue)
    assert 4 / 3 * math.pi * radius**3 == pytest.approx(cells / 8)
    np.testing.assert_array_equal(counts > 0, distance <= radius)
    assert (distance <= radius).sum() == pytest.approx(cells / 8, rel=0.05)


def test_every_tile_that_the_ball_touches_is_there_once():
    radius, center = 23.7, np.array([3.3, -100.2, 41.0])
    coords, inside = tiles_of_ball(WORLD, center, radius)
    low, high = np.floor((center - radius) / 8).astype(int) - 2, np.floor((center + radius) / 8).astype(int) + 3
    every = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high)), indexing="ij"), axis=-1)
    every = every.reshape(-1, 3)
    expected = voxels_inside(every, center, radius).sum(axis=1)
    found = {tuple(c): n for c, n in zip(coords.tolist(), inside.tolist())}
    assert found == {tuple(c): n for c, n in zip(every.tolist(), expected.tolist()) if n}


@pytest.mark.parametrize("center", [(0.0, 0.0, 0.0), (0.5, -0.5, 7.999), (8.0, -8.0, 100.0), (1e6 / 30, 1e6 / 7, -0.1)])
def test_the_smallest_tumor_is_the_voxel_at_its_center(center):
    coords, inside = tiles_of_ball(WORLD, np.array(center), 1e-6)
    assert inside.sum() == 1
    v = voxel_centers(coords)[voxels_inside(coords, np.array(center), 1e-6)]
    assert (np.abs(v - np.array(center)) <= 0.5).all()


@pytest.mark.parametrize("ranks", [1, 2, 3, 5, 40])
def test_ranks_look_at_different_tiles_that_together_are_all(ranks):
    center, radius = np.array([5.0, 0.0, -20.0]), 18.0
    parts = [tiles_of_ball(SimpleNamespace(rank=r, size=ranks), center, radius) for r in range(ranks)]
    whole = tiles_of_ball(WORLD, center, radius)
    np.testing.assert_array_equal(np.concatenate([coords for coords, _ in parts]), whole[0])
    np.testing.assert_array_equal(np.concatenate([inside for _, inside in parts]), whole[1])


def test_cells_left_over_are_spread_evenly_along_the_curve():
    """They once went to the first voxels: at 2.4 cells a voxel one side of the ball was half as dense again."""
    coords, counts = ball(config(10_001, capacity=2.4))
    along = counts[np.argsort(keys_of(coords))]
    filled = along[along > 0].astype(int)
    assert filled.sum() == 10_001 and set(filled) == {2, 3}
    due = np.arange(1, len(filled) + 1) * (10_001 / len(filled))
    assert np.abs(np.cumsum(filled) - due).max() <= 1.0


@pytest.mark.parametrize("total", [1, 2, 7, 2**16, 2**16 + 1, 10**9, 2**37 - 1])
def test_shares_are_those_of_exact_integers(total):
    rng = np.random.default_rng(total % 1000)
    k = np.unique(np.concatenate([rng.integers(0, total + 1, 500), [0, total // 2, total]]))
    for left in {0, total // 3, total // 2, total - 1}:
        assert share(k, left, total).tolist() == [int(i) * left // total for i in k]


def test_order_of_the_tiles_has_no_meaning():
    c = config(3000)
    coords, counts = ball(c)
    order = np.random.default_rng(1).permutation(len(coords))
    np.testing.assert_array_equal(first_counts(WORLD, c, keys_of(coords[order]), coords[order]), counts[order])


def test_too_many_cells_for_the_voxels_is_an_error():
    c = config(1)
    coords, _ = ball(c)
    c.tumor.cells = 10**6
    with pytest.raises(InputError, match="tumor.cells.*lower tissue.capacity"):
        first_counts(WORLD, SimpleNamespace(tumor=c.tumor, tissue=SimpleNamespace(capacity=10**6, edge_um=30.0)),
                     keys_of(coords), coords)
