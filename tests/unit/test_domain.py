"""Tiles and their neighbors on one rank; for more ranks see tests/mpi."""
import numpy as np
import pytest

from metacascade.ranks.exchange import Exchange, face_values
from metacascade.ranks.parallel import serial_world
from metacascade.space.region import FACES, OFFSETS, Region, keys_of

OPPOSITE = [1, 0, 3, 2, 5, 4]


def region():
    return Region(Exchange(serial_world()), np.array([0, 2**63], np.uint64))


def random_tiles(seed, n, reach=4):
    every = (np.stack(np.unravel_index(np.arange((2 * reach) ** 3), (2 * reach,) * 3), axis=1) - reach)
    return np.random.default_rng(seed).permutation(every)[:n].astype(np.int32)


def check(region, places):
    """Rows, keys and all 27 neighbors, place by place."""
    row_of = {tuple(c): row for row, c in enumerate(region.coords.tolist())}
    assert set(row_of) == {tuple(c) for c in places.tolist()} and len(row_of) == len(region.keys)
    np.testing.assert_array_equal(region.keys, keys_of(region.coords))
    expected = [[row_of.get(tuple(c), -1) for c in (place + OFFSETS).tolist()] for place in region.coords]
    np.testing.assert_array_equal(region.neighbors, np.array(expected, np.int32).reshape(-1, 27))
    np.testing.assert_array_equal(region.mesh.neighbors, region.neighbors[:, FACES])
    assert region.neighbors.dtype == region.mesh.neighbors.dtype == np.int32
    assert region.rows == len(region.keys) and len(region.ghost_keys) == len(region.ghost_owner) == 0


@pytest.mark.parametrize("n", [0, 1, 2, 60, 512])
def test_neighbors_of_random_tiles(n):
    tiles, here = random_tiles(n, n), region()
    here.add(tiles)
    check(here, tiles)


def test_tiles_added_piece_by_piece_keep_their_rows():
    tiles, here, rows = random_tiles(5, 90), region(), 0
    for some in np.array_split(tiles, 6):
        before = here.coords.copy()
        added = here.add(some)
        np.testing.assert_array_equal(here.coords[:rows], before)
        np.testing.assert_array_equal(here.coords[rows:], added)
        assert (np.diff(keys_of(added)) > 0).all(), "new rows are in the order of the curve"
        rows += len(some)
        check(here, tiles[:rows])


def test_the_middle_place_is_the_tile_itself():
    here = region()
    here.add(random_tiles(1, 40))
    np.testing.assert_array_equal(here.neighbors[:, 13], np.arange(40))


def test_faces_point_where_their_name_says():
    expected = [(-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)]
    assert [tuple(o) for o in OFFSETS[list(FACES)].tolist()] == expected


def test_voxels_of_opposite_faces_lie_side_by_side():
    """Voxel k of a face touches voxel k of the opposite face of the tile beyond it."""
    v = np.arange(512)
    place = np.stack([v & 7, v >> 3 & 7, v >> 6], axis=1)
    for face, offset in enumerate(OFFSETS[list(FACES)]):
        beyond = place[face_values(8)[OPPOSITE[face]]] + 8 * offset
        np.testing.assert_array_equal(beyond, place[face_values(8)[face]] + offset)


def test_rows_of_keys_and_an_error_for_a_tile_that_is_elsewhere():
    here = region()
    here.add(random_tiles(2, 30))
    order = np.random.default_rng(1).permutation(30)
    np.testing.assert_array_equal(here.rows_of(here.keys[order]), order)
    with pytest.raises(KeyError, match="does not own its tile"):
        here.rows_of(np.array([here.keys[3], keys_of(np.array([[99, 99, 99]]))[0]]))
    assert len(here.rows_of(np.empty(0, np.uint64))) == 0


def test_rows_of_a_region_without_tiles():
    with pytest.raises(KeyError):
        region().rows_of(np.array([5], np.uint64))


def test_missing_places_round_some_tiles():
    here = region()
    here.add(random_tiles(3, 50))
    rows = np.array([0, 7, 30])
    have = {tuple(c) for c in here.coords.tolist()}
    expected = sorted({tuple(c) for row in rows for c in (here.coords[row] + OFFSETS).tolist()} - have)
    places, owner = here.missing_around(np.isin(np.arange(50), rows))
    assert [tuple(p) for p in places.tolist()] == expected
    assert places.dtype == np.int32 and not owner.any() and len(owner) == len(places)


def test_nothing_is_missing_inside_a_block_or_round_no_tiles():
    here = region()
    here.add(OFFSETS)
    center = np.flatnonzero(~here.coords.any(axis=1))
    for rows in (center, np.empty(0, int)):
        places, owner = here.missing_around(np.isin(np.arange(27), rows))
        assert places.shape == (0, 3) and len(owner) == 0


def test_owner_of_keys_skips_ranks_without_tiles():
    here = region()
    here.cuts = np.array([0, 0, 100, 100, 2**63], np.uint64)      # ranks 0 and 2 own nothing
    keys = np.array([0, 99, 100, 2**63 - 1], np.uint64)
    np.testing.assert_array_equal(here.owner(keys), [1, 1, 3, 3])


def test_halo_on_one_rank_does_nothing():
    here = region()
    here.add(OFFSETS)
    values = np.random.default_rng(1).random((27, 512), np.float32)
    before = values.copy()
    here.halo(values)
    np.testing.assert_array_equal(values, before)
