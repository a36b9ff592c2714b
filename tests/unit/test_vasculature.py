"""Vessels that live: pieces of tiles cut at their faces, and the map that is made of them."""
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade.base.errors import InputError
from metacascade.model import sprouts
from metacascade.ranks.exchange import Exchange
from metacascade.ranks.parallel import serial_world
from metacascade.space.network_imported import ends
from metacascade.space.pieces import HOST, JOINED, host_pieces, lengths, tiles_of
from metacascade.space.region import Region
from metacascade.space.vasculature import TIP, Vasculature, refuse_wide
from metacascade.space.vessels import SEGMENT, Network, voxelize

EDGE, REACH, WALLS = 30.0, 10.0, [(1.2e6, 6e6)]
SECTION = dict(length_density_per_um2=1.5e-4, radius_um=5.0, radius_spread=0.5, maturity_mean=0.3, maturity_spread=0.2,
               jitter=0.3, drop=0.2, file=None, seed=None)


def cube(n):
    r = np.arange(-n, n)
    return np.stack(np.meshgrid(r, r, r, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.int32)


def imported():
    """Long segments through many tiles, some in and along faces, one without flow, one twice."""
    rng = np.random.default_rng(5)
    s = np.zeros(60, SEGMENT)
    a = rng.uniform(-300, 300, (60, 3))
    b = a + rng.normal(0, 400, (60, 3))
    a[:4], b[:4] = [(0, 0, 0), (240, 0, 10), (-480, -480, -480), (10, 20, 30)], [(0, 0, 900), (240, 700, 10), (480, 480, 480), (10, 20, 31)]
    for k, axis in enumerate("xyz"):
        s["a" + axis], s["b" + axis] = a[:, k], b[:, k]
    s["radius"], s["maturity"], s["perfused"] = rng.uniform(2, 25, 60), 0.5, 1
    s["perfused"][7] = 0
    s[8] = s[9]
    return s


NETWORKS = {"generated": Network.from_config(SimpleNamespace(**SECTION), 3), "imported": Network.from_segments(imported())}


def vasculature(network, coords):
    region = Region(Exchange(serial_world()), np.array([0, 2**63], np.uint64))
    vessels = Vasculature(network, region, EDGE, REACH, WALLS)
    for some in coords:
        before = len(region.keys)
        region.add(some)
        vessels.add(np.arange(before, len(region.keys)))
    return vessels


@pytest.mark.parametrize("name", NETWORKS)
def test_cut_into_tiles_no_length_is_lost_or_doubled_and_pieces_meet_in_the_same_bits(name):
    network, coords = NETWORKS[name], cube(8)
    pieces, row = host_pieces(network, coords, EDGE)
    whole = network.segments_near(coords, EDGE, 0.0)
    inside = (np.abs(np.concatenate([*(np.stack([whole[e + x] for x in "xyz"], axis=1) for e in "ab")], axis=1)) < 1900).all(axis=1)
    assert np.array_equal(tiles_of(pieces, EDGE), coords[row])
    a, b = ends(pieces)
    corner = coords[row] * 240.0
    assert (np.minimum(a, b) >= corner - 1e-9).all() and (np.maximum(a, b) <= corner + 240 + 1e-9).all()
    seen = 0
    for segment in whole[inside][:200]:
        a0, b0 = (np.array([segment[e + x] for x in "xyz"]) for e in "ab")
        mine = _pieces_of(pieces, a0, b0)
        order = np.argsort(pieces["index"][mine])
        mine = mine[order]
        assert len(mine) and pieces["vessel"][mine[0]] == pieces["vessel"][mine].max()
        np.testing.assert_array_equal(np.concatenate([[a0], b[mine]]), np.concatenate([a[mine], [b0]]))
        seen += len(mine) > 1
    assert seen > 20, "hardly anything was cut"


def _pieces_of(pieces, a, b):
    """The pieces of the vessel that begins at `a` and ends at `b`, one copy of each."""
    start, end = ends(pieces)
    vessel = np.intersect1d(pieces["vessel"][(start == a).all(axis=1)], pieces["vessel"][(end == b).all(axis=1)])
    rows = np.flatnonzero(np.isin(pieces["vessel"], vessel))
    return rows[np.unique(pieces["index"][rows], return_index=True)[1]]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_map_of_pieces_is_that_of_the_network(name):
    network, coords = NETWORKS[name], cube(2)
    vessels = vasculature(network, [coords])
    made, fixed = vessels.map(np.arange(64)), voxelize(vessels.region.coords, EDGE, network, REACH, WALLS)
    np.testing.assert_allclose(made.supply, fixed.supply, rtol=1e-5, atol=1e-6)
    assert np.array_equal(np.diff(made.first) > 0, np.diff(fixed.first) > 0)
    assert fixed.supply.max() > 1 and len(made.index) > len(fixed.index) > 1000


def test_a_tile_has_the_same_map_whenever_its_neighbors_came():
    network, coords = NETWORKS["generated"], cube(2)
    together = vasculature(network, [coords])
    one_by_one = vasculature(network, [coords[32:], coords[:10], coords[10:32]])
    rows = np.argsort(together.region.keys), np.argsort(one_by_one.region.keys)
    one, other = (vessels.map(row) for vessels, row in zip((together, one_by_one), rows))
    for name in ("supply", "first", "index", "segments", "near"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    alone = vasculature(network, [coords[5:6]])
    row = np.flatnonzero((together.region.coords == coords[5]).all(axis=1))
    np.testing.assert_array_equal(alone.map([0]).supply, together.map(row).supply)


def test_vessels_of_the_host_are_joined_if_blood_flows_in_them():
    pieces, _ = host_pieces(NETWORKS["imported"], cube(3), EDGE)
    assert set(pieces["flags"]) == {HOST, HOST | JOINED}
    assert np.array_equal(pieces["flags"] & JOINED > 0, pieces["perfused"] > 0)


def test_tiles_that_leave_take_their_pieces_and_tips_along():
    vessels = vasculature(NETWORKS["generated"], [cube(2)])
    tips = np.zeros(3, TIP)
    tips["x"], tips["vessel"] = [-300.0, 10.0, 300.0], [5, 6, 7]
    vessels.tips = vessels.tips.more(tips, *_rows(vessels, tips), 64)
    going, staying = np.arange(0, 64, 2), np.arange(1, 64, 2)
    before, sent = vessels.pieces.all.copy(), vessels.leaving(going, np.full(32, 3))
    vessels.keep(staying)
    both = np.concatenate([sent["pieces"][0], vessels.pieces.all])
    assert np.array_equal(np.sort(both, order=["vessel", "index"]), np.sort(before, order=["vessel", "index"]))
    assert len(sent["tips"][0]) + len(vessels.tips.all) == 3 and set(sent["pieces"][1]) == {3}
    assert lengths(*ends(both)).sum() == pytest.approx(1.5e-4 * 64 * 240**3, rel=0.1)


def _rows(vessels, tips):
    coords = vessels.place_of(tips)
    return [np.array([np.flatnonzero((vessels.region.coords == one).all(axis=1))[0] for one in coords])]


def test_vessels_that_reach_beyond_the_next_tile_are_refused():
    segments = imported()
    segments["radius"][3] = 231.0
    refuse_wide(Network.from_segments(imported()), EDGE, REACH)
    with pytest.raises(InputError, match="radius of up to 231 um, .* make tissue.voxel larger"):
        refuse_wide(Network.from_segments(segments), EDGE, REACH)


def test_the_length_of_a_way_is_the_same_whatever_other_ways_a_rank_has():
    """A sum over all ways rounds differently on other ranks; `along` of pieces is part of the state."""
    rng = np.random.default_rng(3)
    pieces = rng.integers(1, 5, 20_000)
    length, nth = rng.uniform(0.0, 30.0, pieces.sum()), np.concatenate([np.arange(n) for n in pieces])
    each = [sprouts._before(length[at:at + n], nth[at:at + n]) for at, n in zip(np.cumsum(pieces) - pieces, pieces)]
    assert sprouts._before(length, nth).tobytes() == np.concatenate(each).tobytes()
    wanted = np.concatenate([np.cumsum([0.0, *length[at:at + n]])[:n] for at, n in zip(np.cumsum(pieces) - pieces, pieces)])
    np.testing.assert_allclose(np.concatenate(each), wanted, rtol=1e-14)
