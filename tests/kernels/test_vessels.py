"""The compiled vessel maps against their twins, and against brute force."""
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from metacascade._kernels import _vessels
from metacascade.space.network_check import point_distance2
from metacascade.space.network_imported import Imported, ends
from metacascade.space.network_lattice import Lattice
from metacascade.space.vessels import SEGMENT, Network, map_of, supply_of, voxelize
from reference import vessels as twin

EDGE, REACH, WALLS = 30.0, 10.0, [(1.2e6, 6e6), (2e4, 1e5)]


def section(**changed):
    """A section [vessels] of the config, as the network reads it."""
    values = dict(length_density_per_um2=1.5e-4, radius_um=5.0, radius_spread=0.5, maturity_mean=0.3,
                  maturity_spread=0.2, jitter=0.3, drop=0.2, file=None, seed=None)
    return SimpleNamespace(**values | changed)


def random_segments(rng, n, span=400.0, length=150.0):
    s = np.zeros(n, SEGMENT)
    a = rng.uniform(-span, span, (n, 3))
    b = a + rng.normal(0, length / 2, (n, 3))
    for k, name in enumerate("xyz"):
        s["a" + name], s["b" + name] = a[:, k], b[:, k]
    s["radius"], s["maturity"], s["perfused"] = rng.uniform(2, 25, n), rng.random(n), 1
    return s


def along_the_grid():
    """Segments that run in faces and edges of voxels, end on them, or have no length along an axis."""
    a = [(0, 0, 0), (30, 60, 10), (-240, 15, 15), (60, 60, 60), (240, 240, 240), (10, 20, 30), (-30, -30, -30)]
    b = [(0, 0, 210), (30, 90, 10), (240, 15, 15), (90, 90, 90), (240, 480, 240), (10, 20, 30.5), (-90, -90, -30)]
    s = np.zeros(len(a), SEGMENT)
    for row, (p, q) in enumerate(zip(a, b)):
        s[row] = (*p, *q, 6.0, 0.5, 1, 0, 0, 0)
    return s


def tiles_around(n=2):
    r = np.arange(-n, n)
    return np.stack(np.meshgrid(r, r, r, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.int32)


def test_a_segment_is_64_bytes_with_doubles_aligned():
    assert SEGMENT.itemsize == 64 and SEGMENT.fields["radius"][1] == 48


@pytest.mark.parametrize("seed", [1, 2])
def test_the_distance_is_the_smallest_over_a_fine_walk_along_the_line(seed):
    rng = np.random.default_rng(seed)
    s, p = random_segments(rng, 200), rng.uniform(-500, 500, (200, 3))
    a, b = ends(s)
    t = np.linspace(0, 1, 4001)[:, None, None]
    walked = ((a + t * (b - a) - p) ** 2).sum(axis=2).min(axis=0)
    ours = _vessels.distances2(p, s)
    assert (ours <= walked * (1 + 1e-12)).all(), "a point of the line is nearer than the distance"
    np.testing.assert_allclose(np.sqrt(ours), np.sqrt(walked), atol=0.1)
    np.testing.assert_allclose(ours, point_distance2(p, a, b), rtol=1e-12, atol=1e-9)


def test_the_distance_from_a_segment_without_length_is_that_from_its_point():
    s = random_segments(np.random.default_rng(3), 5, length=0.0)
    p = np.zeros((5, 3))
    np.testing.assert_allclose(_vessels.distances2(p, s), (ends(s)[0] ** 2).sum(axis=1))


def test_the_distance_from_a_voxel_equals_its_twin_and_a_fine_walk():
    rng = np.random.default_rng(4)
    s = np.concatenate([random_segments(rng, 300, span=60.0), along_the_grid()])
    low = np.concatenate([rng.uniform(-60, 60, (300, 3)), np.zeros((len(s) - 300, 3))])
    ours = _vessels.box_distances2(low, EDGE, s)
    a, b = ends(s)
    theirs = [twin.box_distance2(p.tolist(), (q - p).tolist(), c.tolist(), EDGE) for p, q, c in zip(a, b, low)]
    np.testing.assert_array_equal(ours, theirs)
    points = a + np.linspace(0, 1, 4001)[:, None, None] * (b - a)
    off = np.maximum(np.maximum(low - points, points - low - EDGE), 0.0)
    walked = (off**2).sum(axis=2).min(axis=0)
    assert (ours <= walked + 1e-9).all(), "a point of the line is nearer than the distance"
    np.testing.assert_allclose(np.sqrt(ours), np.sqrt(walked), atol=0.1)


@pytest.mark.parametrize("changed", [{}, dict(jitter=0.0, drop=0.0), dict(jitter=0.5, radius_spread=2.0)])
def test_the_generated_segments_of_a_tile_equal_their_twin(changed):
    lattice = Lattice.from_config(section(**changed), seed=11)
    tiles = np.array([[0, 0, 0], [-3, 2, 1]], np.int32)
    ours, first = lattice.collect(tiles, EDGE, REACH)
    for t, tile in enumerate(tiles.tolist()):
        np.testing.assert_array_equal(ours[first[t]:first[t + 1]], twin.lattice_tile(lattice, tile, EDGE, REACH))


@pytest.mark.parametrize("source", ["generated", "random", "along the grid", "none perfused"])
def test_supply_and_lists_equal_their_twin(source):
    segments = {"random": random_segments(np.random.default_rng(5), 60), "along the grid": along_the_grid()}.get(source)
    if source == "none perfused":
        segments = random_segments(np.random.default_rng(6), 10)
        segments["perfused"] = 0
    network = Network.from_config(section(), 3) if segments is None else Network.from_segments(segments)
    tiles = np.array([[0, 0, 0], [-1, 0, 0], [1, 0, -1]], np.int32)
    made = voxelize(tiles, EDGE, network, REACH, WALLS, WALLS[::-1])
    for t, tile in enumerate(tiles):
        near = network.source.collect(tiles[t:t + 1], EDGE, REACH)[0]
        supply, lists = twin.map_tile(tile, near, EDGE, REACH, WALLS)
        np.testing.assert_array_equal(made.supply[t], supply)
        np.testing.assert_array_equal(made.coarse[t], twin.map_cubes(tile, near, EDGE, WALLS[::-1]))
        for v in range(512):
            listed = made.segments[made.index[made.first[512 * t + v]:made.first[512 * t + v + 1]]]
            np.testing.assert_array_equal(listed, near[lists[v]])


def test_what_comes_in_counts_by_the_share_of_each_segment():
    rng, tile = np.random.default_rng(12), np.zeros((1, 3), np.int32)
    segments, shares = random_segments(rng, 60), rng.random(60).astype(np.float32)
    walls = [WALLS[0], (*WALLS[0], 1)]
    made = map_of(tile, EDGE, segments, np.array([0, 60], np.int32), REACH, walls, shares)
    np.testing.assert_array_equal(made.supply[0], twin.map_tile(tile[0], segments, EDGE, REACH, walls, shares)[0])
    assert 0.3 < made.supply[0, 1].sum() / made.supply[0, 0].sum() < 0.7
    alone = supply_of(tile, EDGE, segments, np.array([0, 60], np.int32), walls[1:], shares)
    np.testing.assert_array_equal(alone[0, 0], made.supply[0, 1])


def long_segments(rng, n, on_planes):
    """Through the tile at the origin, from and to anywhere far away; in planes of the grid, or along them, if asked."""
    s = random_segments(rng, n)
    through = rng.uniform(0, 240, (n, 3))
    way = rng.normal(0, 1, (n, 3)) * (rng.random((n, 3)) < (0.6 if on_planes else 1.0))
    a, b = through - way * 10.0 ** rng.uniform(0, 4.5, (n, 1)), through + way * 10.0 ** rng.uniform(0, 4.5, (n, 1))
    if on_planes:
        a, b = EDGE / 3 * np.round(3 * a / EDGE), EDGE / 3 * np.round(3 * b / EDGE)
    for k, name in enumerate("xyz"):
        s["a" + name], s["b" + name] = a[:, k], b[:, k]
    return s


@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_long_segment_is_cut_alike_however_far_from_its_end_a_tile_lies(seed, on_planes):
    """The kernel begins its walk at the tile, its twin at the end of the segment: the same bits."""
    rng = np.random.default_rng(seed)
    segments = long_segments(rng, 4, on_planes)
    tiles = np.concatenate([np.zeros((1, 3), np.int32), rng.integers(-2, 3, (1, 3)).astype(np.int32)])
    made = voxelize(tiles, EDGE, Network.from_segments(segments), REACH, WALLS)
    for t, tile in enumerate(tiles):
        near = made.segments[made.near[t]:made.near[t + 1]]
        np.testing.assert_array_equal(made.supply[t], twin.map_tile(tile, near, EDGE, REACH, WALLS)[0])


@pytest.mark.parametrize("segments", [along_the_grid(), random_segments(np.random.default_rng(7), 80, span=200.0)],
                         ids=["along the grid", "random"])
def test_no_length_is_lost_or_doubled_between_voxels(segments):
    a, b = ends(segments)
    expected = (np.sqrt(((b - a) ** 2).sum(axis=1)) * 2 * np.pi * segments["radius"]).sum() * 1.2e6
    made = voxelize(tiles_around(4), EDGE, Network.from_segments(segments), REACH, [(1.2e6, np.inf)])
    assert made.supply.sum(dtype=float) * EDGE**3 == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("network", [
    Network.from_config(section(radius_spread=0.7), 5),
    Network.from_segments(random_segments(np.random.default_rng(8), 200))], ids=["generated", "imported"])
def test_every_vessel_in_reach_of_a_cell_is_listed_for_its_voxel(network):
    tiles = tiles_around(1)
    made = voxelize(tiles, EDGE, network, REACH, WALLS)
    every = network.segments_near(tiles, EDGE, 200.0)
    rng = np.random.default_rng(9)
    reached = 0
    for t, v in zip(rng.integers(0, len(tiles), 300), rng.integers(0, 512, 300)):
        voxel = 8 * tiles[t] + np.array([v & 7, v >> 3 & 7, v >> 6])
        p = (voxel + rng.integers(0, 65536, 3) / 65536.0) * EDGE
        distance = np.sqrt(_vessels.distances2(np.tile(p, (len(every), 1)), every))
        inside = every[distance <= every["radius"] + REACH]
        listed = made.segments[made.index[made.first[512 * t + v]:made.first[512 * t + v + 1]]]
        assert np.isin(inside, listed).all(), f"voxel {v} of tile {tiles[t]} lacks a vessel that its cells touch"
        reached += len(inside)
    assert reached > 20, "the test looked at no vessels"


def test_a_tile_has_the_same_map_whichever_tiles_come_with_it():
    network, tiles = Network.from_config(section(), 21), tiles_around(3)
    together = voxelize(tiles, EDGE, network, REACH, WALLS, WALLS[:1])
    grown = voxelize(tiles[:50], EDGE, network, REACH, WALLS, WALLS[:1])
    grown.append(voxelize(tiles[50:], EDGE, network, REACH, WALLS, WALLS[:1]))
    assert_same(grown, together)
    alone = voxelize(tiles[200:201], EDGE, network, REACH, WALLS, WALLS[:1])
    np.testing.assert_array_equal(alone.supply[0], together.supply[200])
    mine = slice(together.first[512 * 200], together.first[512 * 201])
    np.testing.assert_array_equal(alone.segments[alone.index], together.segments[together.index[mine]])


def assert_same(a, b):
    for name in ("supply", "coarse", "first", "index", "segments", "near"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
        assert getattr(a, name).dtype == getattr(b, name).dtype


def test_tiles_of_another_map_take_the_place_of_some():
    network, tiles = Network.from_config(section(), 23), tiles_around(2)
    other = Network.from_config(section(), 24)
    rows = np.array([5, 6, 40])
    mixed = voxelize(tiles, EDGE, network, REACH, WALLS, WALLS[:1]).with_others(rows, voxelize(tiles[rows], EDGE, other, REACH, WALLS, WALLS[:1]))
    rest = np.setdiff1d(np.arange(64), rows)
    assert_same(mixed.take(rows), voxelize(tiles[rows], EDGE, other, REACH, WALLS, WALLS[:1]))
    assert_same(mixed.take(rest), voxelize(tiles[rest], EDGE, network, REACH, WALLS, WALLS[:1]))


@pytest.mark.parametrize("rows", [[], [3], [40, 2, 2, 7, 63], range(64)], ids=str)
def test_tiles_taken_from_a_map_are_those_that_would_be_made(rows):
    network, tiles = Network.from_config(section(), 23), tiles_around(2)
    taken = voxelize(tiles, EDGE, network, REACH, WALLS, WALLS[:1]).take(np.array(rows, int))
    assert_same(taken, voxelize(tiles[list(rows)], EDGE, network, REACH, WALLS, WALLS[:1]))


def test_the_seed_of_the_section_comes_before_that_of_the_run():
    a, b, c = (Network.from_config(section(seed=s), run) for s, run in ((None, 5), (5, 1), (None, 1)))
    assert a.source == b.source != c.source


def test_segments_near_do_not_depend_on_the_order_of_the_tiles():
    network, tiles = Network.from_config(section(), 22), tiles_around(2)
    near = network.segments_near(tiles, EDGE, 50.0)
    np.testing.assert_array_equal(near, network.segments_near(tiles[::-1], EDGE, 50.0))
    assert len(np.unique(near)) == len(near)


@pytest.mark.parametrize("margin", [0.0, 35.0])
def test_an_imported_network_gives_each_tile_just_what_touches_it(margin):
    segments, tiles = random_segments(np.random.default_rng(10), 300), tiles_around(2)
    near, first = Imported(segments).collect(tiles, EDGE, margin)
    for t, tile in enumerate(tiles):
        low = np.tile(8.0 * EDGE * tile, (len(segments), 1))
        touching = _vessels.box_distances2(low, 8 * EDGE, segments) <= (segments["radius"] + margin) ** 2
        np.testing.assert_array_equal(near[first[t]:first[t + 1]], segments[touching])


def test_no_tiles_have_an_empty_map_that_can_grow():
    network = Network.from_config(section(), 1)
    made = voxelize(np.empty((0, 3), np.int32), EDGE, network, REACH, WALLS)
    assert made.supply.shape == (0, 2, 512) and made.first.tolist() == [0] and not len(made.index)
    made.append(voxelize([[0, 0, 0]], EDGE, network, REACH, WALLS))
    assert made.supply.shape == (1, 2, 512) and made.first[-1] == len(made.index) > 0


def test_an_imported_network_without_segments_supplies_nothing():
    made = voxelize([[0, 0, 0]], EDGE, Network.from_segments(np.empty(0, SEGMENT)), REACH, WALLS)
    assert not made.supply.any() and not made.first.any()
