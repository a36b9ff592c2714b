"""Arrivals: every one comes to lie in its voxel, and nothing else changes."""
import numpy as np
import pytest

from metacascade._kernels import _deliver
from metacascade._kernels._layout import CELL, MIGRANT
from reference import deliver
from tiles import random_cells

GUARD = 5      # records between the blocks of tiles, that no one may touch


def tiles_with(counts, room, rng):
    """Cells of random bytes in blocks with room: (cells, start, n)."""
    n = counts.sum(axis=1).astype(np.int32)
    start = np.concatenate([[0], np.cumsum(n + room + GUARD)]).astype(np.int64)
    return random_cells(rng, int(start[-1])), start[:-1], n


def lists(cells, start, n, counts):
    """Per tile and voxel the sorted records."""
    result = []
    for row in range(len(n)):
        words = cells[start[row]:start[row] + n[row]].view(np.uint32).reshape(-1, 3).tolist()
        ends = np.cumsum(counts[row]).tolist()
        assert ends[-1] == n[row], "the counts do not add up to the cells of the tile"
        result.append([sorted(map(tuple, words[a:b])) for a, b in zip([0] + ends[:-1], ends)])
    return result


def insert(cells, start, n, counts, arrivals):
    """Count arrivals in, and put them to their places."""
    waiting = (np.empty(len(arrivals), CELL), np.empty(len(arrivals), np.int32), np.zeros(len(n), np.int64),
               np.zeros(len(n), np.int32))
    _deliver.count_in(n, counts, arrivals, *waiting)
    assert waiting[3].sum() == len(arrivals)
    _deliver.insert(cells, start, n, np.arange(len(n)), waiting)
    assert not waiting[3].any()


def check(counts, rows, voxels, seed=0):
    """Insert random arrivals and compare with the twin."""
    rng = np.random.default_rng(seed)
    counts = np.asarray(counts, np.uint16).reshape(-1, 512)
    arrivals = np.zeros(len(rows), MIGRANT)
    arrivals["key"], arrivals["voxel"], arrivals["cell"] = rows, voxels, random_cells(rng, len(rows))
    room = np.bincount(arrivals["key"].astype(int), minlength=len(counts))
    cells, start, n = tiles_with(counts, room, rng)
    before, whole = lists(cells, start, n, counts), cells.copy()
    words = np.ascontiguousarray(arrivals["cell"]).view(np.uint32).reshape(-1, 3).tolist()
    expected = deliver.insert(before, zip(rows, voxels, map(tuple, words)))
    insert(cells, start, n, counts, arrivals)
    assert lists(cells, start, n, counts) == expected
    for row, first in enumerate(start + n):
        assert cells[first:first + GUARD].tobytes() == whole[first:first + GUARD].tobytes(), f"behind tile {row}"


@pytest.mark.parametrize("arrivals", [0, 1, 2, 40, 3000])
@pytest.mark.parametrize("mean", [0.0, 0.01, 3.0])
def test_random_arrivals(arrivals, mean):
    rng = np.random.default_rng(arrivals)
    check(rng.poisson(mean, (4, 512)), rng.integers(0, 4, arrivals).tolist(), rng.integers(0, 512, arrivals).tolist())


@pytest.mark.parametrize("voxels", [[0], [511], [0, 511], [0] * 30, [511] * 30, [5, 4, 5, 4], list(range(512)) * 2])
@pytest.mark.parametrize("here", [0, 1, 7])
def test_first_last_same_and_all_voxels(voxels, here):
    check([[here] * 512, [here] * 512], [1] * len(voxels), voxels)


def test_a_crowded_voxel():
    counts = np.zeros((1, 512), int)
    counts[0, 200] = 5000
    check(counts, [0] * 3000, [200] * 2990 + [199] * 5 + [201] * 5)


def test_order_of_arrivals_has_no_meaning_beyond_the_order_in_a_voxel():
    rng = np.random.default_rng(5)
    arrivals = np.zeros(500, MIGRANT)
    arrivals["key"], arrivals["voxel"] = rng.integers(0, 3, 500), rng.integers(0, 512, 500)
    arrivals["cell"] = random_cells(rng, 500)
    results = []
    for _ in range(2):
        counts = np.zeros((3, 512), np.uint16)
        cells, start, n = tiles_with(counts, np.array([500] * 3), np.random.default_rng(1))
        insert(cells, start, n, counts, arrivals)
        results.append(lists(cells, start, n, counts))
        arrivals = rng.permutation(arrivals)
    assert results[0] == results[1]


def test_by_tile_and_voxel_is_a_stable_sort():
    rng = np.random.default_rng(6)
    arrivals = np.zeros(2000, MIGRANT)
    arrivals["key"], arrivals["voxel"] = rng.integers(0, 5, 2000), rng.integers(0, 512, 2000)
    expected = np.lexsort((arrivals["voxel"], arrivals["key"]))
    np.testing.assert_array_equal(_deliver.by_tile_and_voxel(arrivals, 5), expected)


@pytest.mark.parametrize(("key", "voxel"), [(2, 0), (2**63, 0), (0, 512), (0, 65535)])
def test_an_arrival_without_a_place_is_refused_before_anything_changes(key, voxel):
    arrivals = np.zeros(2, MIGRANT)
    arrivals["key"][1], arrivals["voxel"][1] = key, voxel
    cells, n, counts = np.zeros(10, CELL), np.zeros(2, np.int32), np.zeros((2, 512), np.uint16)
    with pytest.raises(IndexError, match=f"arrival 1 goes to row {key}, voxel {voxel}"):
        insert(cells, np.array([0, 5]), n, counts, arrivals)
    assert not n.any() and not counts.any()


def test_more_cells_in_a_voxel_than_can_be_counted_is_an_error():
    counts = np.zeros((1, 512), np.uint16)
    counts[0, 3] = 65535
    cells, n = np.zeros(65540, CELL), np.array([65535], np.int32)
    arrivals = np.zeros(1, MIGRANT)
    arrivals["voxel"] = 3
    with pytest.raises(OverflowError, match="more than 65,535 cells"):
        insert(cells, np.array([0]), n, counts, arrivals)


def test_who_waits_comes_once_also_if_there_are_more_tiles_by_then():
    arrivals = np.zeros(3, MIGRANT)
    arrivals["key"], arrivals["voxel"], arrivals["cell"]["clone"] = [1, 0, 1], [9, 3, 4], [1, 2, 3]
    cells, start, n, counts = np.zeros(9, CELL), np.array([0, 3]), np.zeros(2, np.int32), np.zeros((2, 512), np.uint16)
    waiting = np.empty(3, CELL), np.empty(3, np.int32), np.zeros(2, np.int64), np.zeros(2, np.int32)
    _deliver.count_in(n, counts, arrivals, *waiting)
    assert n.tolist() == [1, 2] and counts[1, [4, 9]].tolist() == [1, 1] and not cells["clone"].any()
    for _ in range(2):
        _deliver.insert(cells, np.append(start, 6), np.append(n, 0).astype(np.int32), np.arange(3), waiting)
        assert cells["clone"].tolist() == [2, 0, 0, 3, 1, 0, 0, 0, 0]
    with pytest.raises(ValueError, match="differ in length"):
        _deliver.insert(cells, start[:1], n[:1], np.arange(1), waiting)
    with pytest.raises(IndexError, match="cells wait for row 2 of 2"):
        _deliver.insert(cells, start, n, np.arange(1, 3), waiting)


@pytest.mark.parametrize("back", [False, True], ids=["to the front", "to the back"])
@pytest.mark.parametrize("seed", range(5))
def test_blocks_that_move_over_each_other_keep_their_cells(back, seed):
    """Some blocks, in the order in which places become free, over their own cells and those of blocks that have moved."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(5.0, 30).astype(np.int32) * rng.integers(0, 2, 30, dtype=np.int32)
    gaps = rng.integers(0, 4, 31)
    begin = np.cumsum(gaps[:-1] + np.concatenate([[0], n[:-1]])).astype(np.int64)
    cells = random_cells(rng, int(begin[-1] + n[-1] + gaps[-1]))
    packed = np.concatenate([[0], np.cumsum(n[:-1])]).astype(np.int64) + (len(cells) - int(n.sum())) * back
    order = rng.permutation(30)                     # row i is the block order[i] of those in memory
    start, lengths, rows = begin[order], n[order], np.argsort(order)[::-1 if back else 1].copy()
    expected, at = deliver.move_blocks(cells, start, lengths, rows, packed[order][rows])
    moved = cells.copy()
    _deliver.move_blocks(moved, start, lengths, rows, packed[order][rows])
    np.testing.assert_array_equal(start, at)
    for row in range(30):
        block = slice(at[row], at[row] + lengths[row])
        assert moved[block].tobytes() == expected[block].tobytes() and (not back or block.stop <= len(cells))


def test_blocks_that_do_not_move_touch_nothing():
    rng = np.random.default_rng(8)
    cells, start, n = random_cells(rng, 20), np.array([3, 12], np.int64), np.array([5, 0], np.int32)
    before = cells.tobytes()
    _deliver.move_blocks(cells, start, n, np.array([0, 1]), np.array([3, 20]))
    assert cells.tobytes() == before and start.tolist() == [3, 20]


@pytest.mark.parametrize("row, to", [(2, 0), (-1, 0), (0, -1), (0, 16)])
def test_a_block_without_a_place_is_refused_before_any_moves(row, to):
    cells, start, n = random_cells(np.random.default_rng(9), 20), np.array([0, 10], np.int64), np.array([5, 5], np.int32)
    before = cells.tobytes()
    with pytest.raises(IndexError, match=f"block {row} cannot move to {to}"):
        _deliver.move_blocks(cells, start, n, np.array([1, row]), np.array([12, to]))
    assert cells.tobytes() == before and start.tolist() == [0, 10]
    with pytest.raises(ValueError, match="differ in length"):
        _deliver.move_blocks(cells, start, n, np.array([0, 1]), np.array([0]))
