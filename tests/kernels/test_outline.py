"""The kernels of the outline against their twins, on tiles some of which are missing and some belong to others."""
import numpy as np
import pytest

from metacascade._kernels import _outline
from reference import outline as twin

FAR = _outline.FAR


def patch(seed, tiles=(3, 2, 2), missing=3, ghosts=2):
    """Neighbors of the tiles of a box in any order, without some, and with some that are ghosts; how many are ours."""
    rng = np.random.default_rng(seed)
    places = rng.permutation(np.stack(np.meshgrid(*map(np.arange, tiles), indexing="ij"), axis=-1).reshape(-1, 3))[missing:]
    row = {tuple(at): i for i, at in enumerate(places.tolist())}
    own = len(places) - ghosts
    return np.array([[row.get((x + a, y + b, z + c), -1) for a, b, c in twin.BESIDE]
                     for x, y, z in places[:own].tolist()], np.int32), len(places)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("along", [8, 4, 2])
def test_the_sums_along_an_axis_equal_their_twin(axis, along):
    neighbors, rows = patch(axis)
    values = np.random.default_rng(axis).integers(0, 2**16, (rows, along**3)).astype(np.uint32)
    totals = np.zeros(values.shape, np.uint32)
    _outline.add_neighbors(values, totals, neighbors, axis)
    np.testing.assert_array_equal(totals[:len(neighbors)], twin.add_neighbors(values, neighbors, axis))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("beyond", [0, FAR])
def test_a_pass_of_distances_equals_its_twin(axis, beyond):
    neighbors, rows = patch(axis)
    tiles = len(neighbors)
    rng = np.random.default_rng(axis)
    squared = np.full((rows, 512), FAR, np.uint16)
    squared[:-3][rng.random((rows - 3, 512)) < 0.05] = 0        # some tiles have none near
    most, reached = squared[:tiles].max(axis=1), (squared[:tiles] < FAR).any(axis=1).astype(np.uint8)
    for k in range(1, 4):
        expected = twin.spread(squared, neighbors, axis, 2 * k - 1, beyond)
        _outline.spread(squared, reached, most, np.empty((rows, 128), np.uint16), neighbors, axis, 2 * k - 1, beyond)
        np.testing.assert_array_equal(squared[:tiles], expected)
        assert np.all(expected.max(axis=1) == most)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.32, 0.4, 0.7, 1.0])
def test_masses_equal_those_of_a_flood_fill(share):
    """Near the threshold of site percolation, 0.31, masses are as winding as they get."""
    neighbors, rows = patch(7)
    mask = (np.random.default_rng(3).random((rows, 512)) < share).astype(np.uint8)
    mask[:2] = [[share > 0], [0]]
    labels = np.full((rows, 512), -7, np.int32)
    number = _outline.label(mask, neighbors, labels)
    expected, found = twin.label(mask[:len(neighbors)], neighbors)
    assert number == found
    np.testing.assert_array_equal(labels[:len(neighbors)], expected)
    assert (labels[len(neighbors):] == -7).all()


def test_masses_are_measured():
    neighbors, rows = patch(8, ghosts=0)
    rng = np.random.default_rng(8)
    mask, marks = (rng.random((2, rows, 512)) < 0.3).astype(np.uint8)
    keys = rng.permutation(rows).astype(np.uint64) + np.uint64(2**62)
    labels = np.empty((rows, 512), np.int32)
    number = _outline.label(mask, neighbors, labels)
    size, marked = np.zeros((2, number), np.int64)
    key, voxel = np.full(number, 2**64 - 1, np.uint64), np.zeros(number, np.int32)
    _outline.measure(labels, marks, keys, size, marked, key, voxel)
    for k in range(0, number, 7):
        t, v = np.nonzero(labels == k)
        assert size[k] == len(t) and marked[k] == marks[t, v].sum()
        assert (key[k], voxel[k]) == min(zip(keys[t].tolist(), v.tolist()))


def test_masses_are_selected():
    labels = np.random.default_rng(2).integers(-1, 5, (3, 512)).astype(np.int32)
    mask = np.full((3, 512), 7, np.uint8)
    _outline.select(labels, np.array([0, 1, 0, 1, 1], np.uint8), mask)
    np.testing.assert_array_equal(mask, np.isin(labels, (1, 3, 4)))


def test_sets_are_joined():
    parent = np.arange(10, dtype=np.int32)
    _outline.join(parent, np.array([7, 3, 9, 1], np.int32), np.array([3, 5, 9, 2], np.int32))
    assert parent.tolist() == [0, 1, 1, 3, 4, 3, 6, 3, 8, 9]


def test_without_tiles_there_is_nothing():
    none = np.empty((0, 512), np.uint8)
    assert _outline.label(none, np.empty((0, 6), np.int32), np.empty((0, 512), np.int32)) == 0
