"""The compiled weights of the cells of each voxel against their twin, and that no order shows in them."""
import numpy as np
import pytest

from metacascade._kernels import _moments
from reference import moments as twin
from tiles import random_cells


def tiles(seed):
    """Cells of three tiles, the second empty, with gaps between their blocks; weights of five clones."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson([[3.0], [0.0], [0.4]], (3, 512)).astype(np.uint16)
    n = counts.sum(axis=1).astype(np.int32)
    start = np.array([7, 3, 20 + n[0]], np.int64)
    cells = random_cells(rng, int(start[2] + n[2] + 5))
    cells["clone"] = rng.integers(0, 6, len(cells))           # the sixth has no weight
    return cells, start, n, counts, rng.integers(0, 256, 5).astype(np.uint8), rng.integers(0, 256, 256).astype(np.uint8)


@pytest.mark.parametrize("bits", [0, 1, 0b101])
def test_the_sums_equal_their_twin(bits):
    cells, start, n, counts, clone, emt = tiles(1)
    sums = np.full((3, 512), 99, np.uint32)
    _moments.moments(cells, start, n, counts, clone, emt, bits, sums)
    for t in range(3):
        block = cells[start[t]:start[t] + n[t]]
        np.testing.assert_array_equal(sums[t], twin.moments(block, counts[t], clone, emt, bits))
    assert sums.any() and not sums[1].any()


def test_the_greatest_weights_fill_no_more_than_a_byte_each():
    cells, start, n, counts, _, _ = tiles(2)
    cells["clone"] = 0
    sums = np.empty((3, 512), np.uint32)
    _moments.moments(cells, start, n, counts, np.array([255], np.uint8), np.full(256, 255, np.uint8), 0, sums)
    np.testing.assert_array_equal(sums, 255 * counts.astype(np.uint32))


def test_the_order_of_the_cells_of_a_voxel_has_no_meaning():
    cells, start, n, counts, clone, emt = tiles(3)
    first, second = np.empty((2, 3, 512), np.uint32)
    _moments.moments(cells, start, n, counts, clone, emt, 0, first)
    at = start[0]
    for count in counts[0].tolist():
        cells[at:at + count] = cells[at:at + count][::-1].copy()
        at += count
    _moments.moments(cells, start, n, counts, clone, emt, 0, second)
    np.testing.assert_array_equal(first, second)


def test_cells_that_are_not_those_of_the_voxels_are_refused():
    cells, start, n, counts, clone, emt = tiles(4)
    sums = np.empty((3, 512), np.uint32)
    with pytest.raises(ValueError, match="tile 0 has"):
        _moments.moments(cells, start, n - 1, counts, clone, emt, 0, sums)
    with pytest.raises(ValueError, match="tile 2 has"):
        _moments.moments(cells[:-10], start, n, counts, clone, emt, 0, sums)
