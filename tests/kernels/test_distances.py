"""How much of the vessels lies in which zone, and how far cells are from the nearest, against plain Python."""
import numpy as np
import pytest

from metacascade._kernels import _distances
from metacascade._kernels._vessels import SEGMENT
from reference import distances as twin
from tiles import random_cells

EDGE = 20.0
TILES = np.array([(0, 0, 0), (1, 0, 0), (0, -1, 0)], np.int32)


def random_segments(seed, n):
    rng = np.random.default_rng(seed)
    s = np.zeros(n, SEGMENT)
    for name in ("ax", "ay", "az", "bx", "by", "bz"):
        s[name] = rng.uniform(-250, 350, n)
    s["radius"], s["maturity"], s["perfused"] = 4, rng.random(n), rng.random(n) < 0.6
    s[0]["bx"], s[0]["by"], s[0]["bz"] = s[0]["ax"], s[0]["ay"], s[0]["az"]      # one without length
    return s


@pytest.mark.parametrize("n", [1, 12])
def test_lengths_by_zone_equal_their_twin(n):
    segments = np.concatenate([random_segments(k, n) for k in range(3)])
    near = np.arange(4, dtype=np.int32) * n
    zones = np.random.default_rng(9).integers(0, 4, (3, 512)).astype(np.uint8)
    zones[1] = 3
    sums = np.zeros((4, 3), np.int64)
    _distances.lengths(TILES, segments, near, zones, EDGE, sums)
    np.testing.assert_array_equal(sums, twin.lengths(TILES, segments, near, zones, EDGE))


def test_a_vessel_through_tiles_that_all_list_it_counts_once():
    segment = np.zeros(1, SEGMENT)
    segment["ax"], segment["bx"], segment["ay"], segment["by"], segment["perfused"] = 3.0, 311.0, 1.0, 57.0, 1
    segments, near = np.repeat(segment, 3), np.arange(4, dtype=np.int32)
    sums = np.zeros((4, 3), np.int64)
    _distances.lengths(TILES, segments, near, np.ones((3, 512), np.uint8), EDGE, sums)
    assert sums[1, 0] / 1024 == pytest.approx(np.hypot(308, 56), rel=1e-4) and sums[1, 1] == sums[1, 0]


@pytest.mark.parametrize("n", [0, 1, 40])
def test_cells_are_counted_by_the_nearest_center_line(n):
    rng = np.random.default_rng(n)
    counts = rng.poisson(1.0, (3, 512)).astype(np.uint16)
    start = np.array([5, 2000, 4000], np.int64)
    cells = random_cells(rng, 6000)
    segments = random_segments(4, 2 * n) if n else np.zeros(0, SEGMENT)
    rows, near = np.array([2, 0], np.int32), np.array([0, n, 2 * n], np.int32)
    chosen = (rng.random((2, 512)) < 0.2).astype(np.uint8)
    bins, expected = np.zeros((2, 11), np.int64)
    _distances.histogram(cells, start, counts, TILES, rows, chosen, segments, near, EDGE, 7.0, np.empty(n + 1), bins)
    for i, t in enumerate(rows):
        voxel = np.repeat(np.arange(512), counts[t])
        for v, cell in zip(voxel, cells[start[t]:]):
            if chosen[i, v]:
                k = 8 * TILES[t] + (v & 7, v >> 3 & 7, v >> 6)
                at = (k + (np.array([cell[axis] for axis in "xyz"]) + 0.5) / 65536) * EDGE
                expected[twin.bin_of(at, segments[near[i]:near[i + 1]], 7.0, 11)] += 1
    np.testing.assert_array_equal(bins, expected)
    assert bins.sum() > 100 and (n < 2 or bins[:-1].sum() > 0)


def test_arrays_that_do_not_fit_are_refused():
    none = np.zeros(0, SEGMENT)
    with pytest.raises(ValueError, match="3 tiles"):
        _distances.lengths(TILES, none, np.zeros(3, np.int32), np.zeros((3, 512), np.uint8), EDGE, np.zeros((4, 3), np.int64))
