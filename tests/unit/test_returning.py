"""The places where returning cells may lodge."""
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import small
from metacascade._kernels._layout import CTC, MEMBER, Flag
from metacascade.model.selfseeding import FULL, LODGED, _one_of, become_cells, places, places_of_tiles
from metacascade.ranks.parallel import serial_world
from metacascade.run.api import Simulation

SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("cells, places", [
    ((5, 9, 0), (7, 0, 0)),         # beside the cells
    ((0, 9, 0), (7, 0, 3)),         # no vessel is near the cells that are left: anywhere
    ((0, 0, 0), (7, 0, 3))])        # no cell is left
def test_places_lie_beside_cells_if_there_are_any(cells, places):
    tissue = SimpleNamespace(exchange=SimpleNamespace(world=serial_world()), reachable=np.array([7, 0, 3]),
                             arena=SimpleNamespace(n=np.array(cells)))
    assert places_of_tiles(tissue).tolist() == list(places)


@given(SEEDS, st.one_of(st.integers(1, 3000), st.integers(1, 2**62)))
def test_a_place_is_the_share_of_the_random_number(seed, total):
    words = np.random.default_rng(seed).integers(0, 2**32, (50, 4)).astype(np.uint32)
    words[0], words[1] = 0, 2**32 - 1
    exact = [(int(a) | int(b) << 32) * total >> 64 for a, b, *_ in words]
    assert _one_of(words, total).tolist() == exact and max(exact) < total


def a_tissue(rng, tiles=4, capacity=2):
    """Tiles of which some voxels are within reach of a vessel, some of them full."""
    listed = rng.integers(0, 3, (tiles, 512)) * (rng.random((tiles, 512)) < 0.02)
    first = np.concatenate([[0], np.cumsum(listed)]).astype(np.int32)
    counts = rng.integers(0, 2 * FULL * capacity, (tiles, 512)).astype(np.uint16)
    return SimpleNamespace(
        exchange=SimpleNamespace(world=serial_world()), reachable=(listed > 0).sum(axis=1), counts=counts,
        arena=SimpleNamespace(n=np.ones(tiles)), vessels=SimpleNamespace(first=first),
        region=SimpleNamespace(keys=rng.permutation(tiles).astype(np.uint64) * np.uint64(7)),
        config=SimpleNamespace(tissue=SimpleNamespace(capacity=capacity)))


@given(SEEDS, st.integers(0, 400))
@settings(max_examples=50, deadline=None)
def test_cells_lodge_one_after_the_other_until_a_voxel_is_full_and_the_others_wait(seed, n):
    rng = np.random.default_rng(seed)
    tissue, lodged = a_tissue(rng), np.zeros(n, LODGED)
    listed = [(row, v) for row in np.argsort(tissue.region.keys)
              for v in np.flatnonzero(np.diff(tissue.vessels.first[512 * row:512 * row + 513]))]
    lodged["place"] = rng.integers(0, len(listed), n)
    lodged["ctc"]["id"], lodged["ctc"]["n"] = rng.permutation(n), rng.choice([1, 1, 1, 5], n)
    lodged["ctc"]["emt"] = rng.integers(0, 256, n)
    members = np.zeros(4 * (lodged["ctc"]["n"] == 5).sum(), MEMBER)
    members["id"] = np.repeat(lodged["ctc"]["id"][lodged["ctc"]["n"] == 5], 4)
    members["index"], members["emt"] = np.resize([1, 2, 3, 4], len(members)), rng.integers(0, 256, len(members))
    members = members[rng.permutation(len(members))]
    room, expected, left = tissue.counts.astype(int), [], []
    for one in np.sort(lodged, order=["place", "ctc"]) if n else ():
        row, v = listed[one["place"]]
        if room[row, v] < 2 * FULL:
            own = members[members["id"] == one["ctc"]["id"]]["emt"].tolist()
            expected += [(int(tissue.region.keys[row]), v, emt) for emt in (one["ctc"]["emt"], *own)]
        else:
            left.append(one["ctc"]["id"])
        room[row, v] += one["ctc"]["n"]
    cells, waiting, their_members = become_cells(tissue, lodged, members, 5)
    assert sorted(zip(cells["key"], cells["voxel"], cells["cell"]["emt"])) == sorted(expected)
    assert sorted(waiting["id"]) == sorted(left)
    assert sorted(their_members.tolist()) == sorted(members[np.isin(members["id"], left)].tolist())
    assert (cells["cell"]["flags"] == Flag.RETURNED).all()


def test_without_any_place_all_wait_with_their_members():
    """A branch may have vessels that reach no voxel, and CTCs that wait from before."""
    tissue, ctcs = a_tissue(np.random.default_rng(1)), np.zeros(3, CTC)
    tissue.reachable[:] = 0
    ctcs["id"], ctcs["n"] = [5, 6, 7], [1, 2, 1]
    members = np.zeros(1, MEMBER)
    members["id"], members["index"] = 6, 1
    sent = places(tissue, ctcs, members, 3, 5)
    (lodged, ranks), (along, their_ranks) = sent["lodged"], sent["lodged_members"]
    assert ranks.tolist() == [0, 0, 0] and their_ranks.tolist() == [0]
    cells, waiting, their_members = become_cells(tissue, lodged, along, 5)
    assert len(cells) == 0 and waiting.tobytes() == ctcs.tobytes() and their_members.tobytes() == members.tobytes()


def test_a_crowd_that_comes_home_to_one_cell_lodges_as_places_come_free():
    """More cells than its voxels hold: none is lost, no voxel is stuffed, and the tumor grows from them."""
    sim = Simulation(small.EXAMPLE, small.settings(**small.CROWD))
    seen = []
    for _ in range(6):
        sim.step()
        waiting, counts = sim.model.returning, sim.model.tissue.counts
        seen.append((len(waiting), sim.ledger["tissue"], counts.max()))
        assert (waiting["n"] > 0).all() and waiting.dtype == CTC
    waited, cells, most = zip(*seen)
    assert max(waited) > 10_000 and waited[-1] < max(waited)
    assert cells[-1] > 2 * cells[2] > 200
    assert max(most) < 200
