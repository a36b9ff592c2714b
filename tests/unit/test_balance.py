"""Cuts of the curve for equal work. One process plays all ranks: the others hold no tiles."""
import numpy as np
import pytest

from metacascade.ranks.balance import LAST_KEY, TILE_COST, cut, cut_again, work


class Played:
    """A world of `size` ranks, of which all but this one have nothing."""

    def __init__(self, size, others=0):
        self.size, self.others = size, others

    def sum(self, values):
        return np.asarray(values, np.int64) + self.others

    def max(self, value):
        return max(value, self.others)


def shares(keys, weights, cuts):
    """Work of each rank."""
    owner = np.searchsorted(cuts, keys, side="right") - 1
    assert ((owner >= 0) & (owner < len(cuts) - 1)).all()
    return np.bincount(owner, weights, minlength=len(cuts) - 1).astype(int)


def random_keys(n, seed=1):
    return np.random.default_rng(seed).integers(0, 2**63, n, np.uint64)


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 7, 64])
@pytest.mark.parametrize("tiles", [1, 2, 50, 2000])
def test_no_rank_has_more_than_its_share_and_one_tile(ranks, tiles):
    keys, weights = random_keys(tiles), np.random.default_rng(2).integers(1, 5000, tiles)
    cuts = cut(Played(ranks), keys, weights)
    assert cuts.dtype == np.uint64 and cuts.shape == (ranks + 1,)
    assert cuts[0] == 0 and cuts[-1] == LAST_KEY and (np.diff(cuts.astype(object)) >= 0).all()
    mine = shares(keys, weights, cuts)
    assert mine.sum() == weights.sum()
    assert mine.max() <= weights.sum() / ranks + weights.max() + 1


@pytest.mark.parametrize("ranks", [2, 5])
def test_a_cut_is_the_smallest_key_with_enough_work_before_it(ranks):
    keys, weights = random_keys(300, 3), np.random.default_rng(3).integers(0, 9, 300)
    cuts = cut(Played(ranks), keys, weights)
    total = int(weights.sum())
    for r, key in enumerate(cuts[1:-1].tolist(), 1):
        assert weights[keys < key].sum() >= total * r // ranks
        assert weights[keys < key - 1].sum() < total * r // ranks


def test_equal_tiles_are_cut_evenly():
    keys = np.arange(64, dtype=np.uint64) + np.uint64(2**62)
    assert shares(keys, np.ones(64, int), cut(Played(4), keys, np.ones(64, int))).tolist() == [16] * 4


def test_order_of_the_tiles_has_no_meaning():
    keys, weights = random_keys(100, 4), np.random.default_rng(4).integers(1, 99, 100)
    order = np.random.default_rng(5).permutation(100)
    np.testing.assert_array_equal(cut(Played(5), keys, weights), cut(Played(5), keys[order], weights[order]))


@pytest.mark.parametrize("keys", [[], [0], [2**63 - 1], [0, 2**63 - 1]])
def test_first_and_last_keys_and_no_tiles(keys):
    keys = np.array(keys, np.uint64)
    cuts = cut(Played(3), keys, np.full(len(keys), 10))
    assert shares(keys, np.full(len(keys), 10), cuts).sum() == 10 * len(keys)


def test_one_heavy_tile_leaves_the_other_ranks_the_rest():
    keys = np.arange(10, dtype=np.uint64)
    weights = np.array([1, 1, 1, 1, 1000, 1, 1, 1, 1, 1])
    mine = shares(keys, weights, cut(Played(3), keys, weights))
    assert sorted(mine.tolist()) == [0, 5, 1004]


class Ranges:
    """Ranks that hold ranges of the curve, one after the other: what each tells, and what all know then."""

    def __init__(self, work_of):
        self.work_of, self.size, self.told = work_of, len(work_of), []

    def sum(self, values):
        self.told.append(values.copy())
        return values

    def exscan(self, value):
        return sum(self.work_of[:len(self.told)])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ranks", [1, 2, 3, 8, 40])
def test_cutting_again_gives_the_cuts_that_are_found_by_halving(ranks, seed):
    rng = np.random.default_rng(seed)
    n = (0, 1, 5, 100, 500, 2000)[seed]
    keys, weights = np.sort(random_keys(n, seed)), rng.integers(1, 900, n)
    bounds = np.sort(rng.integers(0, n + 1, ranks - 1))                 # some ranks have no tile
    pieces = list(zip(np.split(keys, bounds), np.split(weights, bounds)))
    world = Ranges([int(w.sum()) for _, w in pieces])
    total = sum(world.work_of)
    for k, w in pieces:
        order = rng.permutation(len(k))
        cut_again(world, k[order], w[order], total)
    told = np.sum(world.told, axis=0, dtype=np.int64).view(np.uint64)
    assert (np.count_nonzero(world.told, axis=0) <= 1).all(), "two ranks tell of the same cut"
    expected = cut(Played(ranks), keys, weights)
    np.testing.assert_array_equal(told[:-1], expected[:-1])
    assert cut_again(world, keys[:0], weights[:0], total)[-1] == expected[-1] == LAST_KEY


def test_an_empty_tile_is_work_too():
    assert work([0, 5]).tolist() == [TILE_COST, TILE_COST + 5]
