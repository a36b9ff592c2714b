"""The index of a network: it finds what brute force finds, and its cost grows with length, not with boxes."""
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from metacascade._kernels._vessels import box_distances2
from metacascade.space.network_check import _without_joined, overlaps, segment_distance
from metacascade.space.network_imported import Imported, ends
from metacascade.space.network_index import FEW, Index, pieces
from metacascade.space.vessels import SEGMENT, Network, voxelize

SEEDS = st.integers(0, 2**32 - 1)
MiB = 2**20


def boxes(rng, n):
    """Boxes of all sizes, most of them small, some of them flat, in a crowded space."""
    size = (2.0 ** rng.uniform(-1, 8, (n, 1)) * rng.random((n, 3))).astype(np.int32)
    low = rng.integers(-130, 130, (n, 3)).astype(np.int32)
    return low, low + size


def network(rng, n):
    """Vessels from tenths of um to meters, thin and giant, about the origin."""
    s = np.zeros(n, SEGMENT)
    a = rng.normal(0, 10.0 ** rng.uniform(1, 5, (n, 1)), (n, 3))
    b = a * rng.choice([1.0, -1.0], (n, 1)) + rng.normal(0, 10.0 ** rng.uniform(-1, 5.5, (n, 1)), (n, 3))
    for k, name in enumerate("xyz"):
        s["a" + name], s["b" + name] = a[:, k], b[:, k]
    s["radius"], s["maturity"], s["perfused"] = 10.0 ** rng.uniform(0, 3.5, n), 0.5, 1
    return s


@given(SEEDS, st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_the_index_finds_exactly_the_boxes_of_a_place_and_those_that_meet(seed, n):
    rng = np.random.default_rng(seed)
    low, high = boxes(rng, n)
    places = rng.integers(-140, 400, (40, 3)).astype(np.int32)
    index = Index(low, high)
    i, box = index.at(places)
    inside = ((low <= places[:, None]) & (places[:, None] <= high)).all(axis=2)
    assert set(zip(i.tolist(), box.tolist())) == set(zip(*(x.tolist() for x in np.nonzero(inside))))
    meet = ((low[:, None] <= high) & (low <= high[:, None])).all(axis=2)
    found = {tuple(sorted(pair)) for i, j in index.meeting() for pair in zip(i.tolist(), j.tolist())}
    assert found == {(i, j) for i in range(n) for j in range(i + 1, n) if meet[i, j]}


def test_pairs_come_in_blocks_that_bound_the_memory(monkeypatch):
    low, high = boxes(np.random.default_rng(1), 300)
    whole = list(Index(low, high).meeting())
    monkeypatch.setattr("metacascade.space.network_index.BLOCK", 100)
    parts = list(Index(low, high).meeting())
    assert len(parts) > 2 * len(whole)
    for k in range(2):
        np.testing.assert_array_equal(np.concatenate([pair[k] for pair in parts]),
                                      np.concatenate([pair[k] for pair in whole]))


@given(SEEDS, st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_pieces_cover_their_segment_and_are_not_many(seed, n):
    rng = np.random.default_rng(seed)
    s = network(rng, n)
    (a, b), wide = ends(s), s["radius"].astype(float)
    row, low, high = pieces(a, b, wide, 240.0)
    assert len(row) <= 2 * n + FEW and set(row.tolist()) == set(range(n))
    for t in (0.0, rng.random(), 1.0):
        at = (a + t * (b - a))[row]
        inside = ((low <= at - 0.999999 * wide[row, None]) & (at + 0.999999 * wide[row, None] <= high)).all(axis=1)
        assert set(row[inside].tolist()) == set(range(n))


@given(SEEDS, st.sampled_from([0.0, 10.0]))
@settings(max_examples=40, deadline=None)
def test_a_tile_gets_every_vessel_near_it_however_long_or_wide(seed, margin):
    """As if each tile were held against each segment; vessels are taken by their exact distance."""
    rng = np.random.default_rng(seed)
    segments, tiles = network(rng, 60), rng.integers(-30, 30, (25, 3)).astype(np.int32)
    near, first = Imported(segments).collect(tiles, 30.0, margin)
    for t, tile in enumerate(tiles):
        np.testing.assert_array_equal(near[first[t]:first[t + 1]], touching(segments, tile, 240.0, margin))


def touching(segments, tile, side, margin):
    low = np.tile(side * tile, (len(segments), 1))
    return segments[box_distances2(low, side, segments) <= (segments["radius"].astype(float) + margin) ** 2]


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_overlaps_are_those_of_all_pairs(seed):
    s = network(np.random.default_rng(seed), 40)
    (a, b), radius = ends(s), s["radius"].astype(float)
    i, j = np.triu_indices(len(s), 1)
    distance = segment_distance(a[i], b[i], a[j], b[j])
    close = distance < 0.5 * np.minimum(radius[i], radius[j])
    pairs = list(zip(i[close].tolist(), j[close].tolist(), distance[close].tolist()))
    assert [(i, j) for i, j, _ in overlaps(s)] == [(i, j) for i, j, _ in _without_joined(
        pairs, [*map(tuple, a.tolist())], [*map(tuple, b.tolist())], radius.tolist())]


# --- cost -----------------------------------------------------------------------------------------------

def beside_a_long_one(radius, n=4000):
    """Small vessels in a cubic millimeter, and one that leads through them across a meter."""
    rng = np.random.default_rng(3)
    a = rng.uniform(-500, 500, (n, 3)).round(1)
    b = (a + rng.normal(0, 40, (n, 3))).round(1)
    rows = [(*p, *q, 0.1) for p, q in zip(a.tolist(), b.tolist())]
    return [*rows, (-3e5, -3e5, -3e5, 7e5, 7e5, 7e5, radius)]


NETWORKS = {
    "one long and wide": [(-100, 0, 0, 100, 0, 0, 10), (30000, 30000, 30000, 500000, 500000, 500000, 5000)],
    "across two meters": [(-1e6, -1e6, -1e6, 1e6, 1e6, 1e6, 1), (-10, 0, 0, 100, 0, 0, 5)],
    "one long among many small": beside_a_long_one(5.0),
    "one wide among many small": [*beside_a_long_one(0.1), (0, 2e4, 0, 1e3, 2e4, 0, 1e4)],
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_long_vessel_costs_by_its_length_and_by_the_tiles_that_exist(name):
    """The search for overlaps and the map: the peak of the memory, and what a tile has of it."""
    segments = np.array([(*row, 0.5, 1, 0, 0, 0) for row in NETWORKS[name]], SEGMENT)
    r = np.arange(-3, 3)
    tiles = np.stack(np.meshgrid(r, r, r, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.int32)
    tracemalloc.start()
    try:
        overlaps(segments)
        made = voxelize(tiles, 30.0, Network.from_segments(segments), 10.0, [(1e6, 6e6)])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 * MiB
    for t in (0, 100, 129, 215):
        np.testing.assert_array_equal(made.segments[made.near[t]:made.near[t + 1]],
                                      touching(segments, tiles[t], 240.0, 10.0))


def test_the_vessels_of_a_tile_are_as_few_as_they_are_however_many_could_reach_its_voxels():
    """Room is made for the vessels listed, not for 512 voxels times the vessels near the tile."""
    rng = np.random.default_rng(5)
    s = np.zeros(20_000, SEGMENT)
    a = rng.uniform(0, 240, (len(s), 3))
    for k, name in enumerate("xyz"):
        s["a" + name], s["b" + name] = a[:, k], a[:, k] + 1.0
    s["radius"], s["perfused"] = 1.0, 1
    tracemalloc.start()
    try:
        made = voxelize([[0, 0, 0]], 30.0, Network.from_segments(s), 1.0, [(1e6, 6e6)])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(made.segments) == len(s) and peak < 24 * MiB


@pytest.mark.parametrize("room", [1, 300])
def test_lists_that_outgrow_their_room_are_the_same(room, monkeypatch):
    rng = np.random.default_rng(7)
    segments, tiles = network(rng, 200), rng.integers(-3, 3, (30, 3)).astype(np.int32)
    whole = voxelize(tiles, 30.0, Network.from_segments(segments), 10.0, [(1e6, 6e6)])
    monkeypatch.setattr("metacascade.space.vessels.FIRST_ROOM", room)
    grown = voxelize(tiles, 30.0, Network.from_segments(segments), 10.0, [(1e6, 6e6)])
    for name in ("supply", "first", "index", "segments", "near"):
        np.testing.assert_array_equal(getattr(grown, name), getattr(whole, name), err_msg=name)
