"""Checks of route, Halo and Region on these ranks; each that has passed is printed by rank 0.

Every rank knows the whole (the same random numbers everywhere) and compares its share with what a single
process would get. An error on any rank ends all, with its traceback.
"""
import time

import numpy as np

from metacascade._kernels._layout import CTC, MEMBER, MIGRANT
from metacascade.base.errors import CellsLost
from metacascade.model.selfseeding import LODGED, _at_ranks
from metacascade.ranks import parallel
from metacascade.ranks.balance import cut
from metacascade.ranks.exchange import Exchange, face_values
from metacascade.space.region import FACES, OFFSETS, Region, keys_of

WORLD = parallel.start()
RANK, SIZE = WORLD.rank, WORLD.size


# --- route ----------------------------------------------------------------------------------------------

def everyone(n, seed, dtype=MIGRANT, shape=()):
    """n records for each rank, the same on all ranks, with the rank that each goes to."""
    rng = np.random.default_rng([seed, n])
    size = SIZE * n * int(np.prod(shape, dtype=int)) * np.dtype(dtype).itemsize
    records = rng.integers(0, 256, size).astype(np.uint8).view(dtype).reshape(SIZE, n, *shape)
    return records, rng.integers(0, SIZE, (SIZE, n))


def assert_mine(got, records, to):
    """The records for this rank in the order of the ranks that sent them, and of their places there."""
    expected = np.concatenate([records[r][to[r] == RANK] for r in range(SIZE)])
    assert got.dtype == expected.dtype and got.shape == expected.shape
    assert got.tobytes() == expected.tobytes()


def check_each_rank_receives_exactly_its_own():
    for n in (0, 1, 3, 1000):
        records, to = everyone(n, 1)
        assert_mine(Exchange(WORLD).route({"a": (records[RANK], to[RANK])})["a"], records, to)


def check_sections_of_every_kind_travel_together():
    sections = {"migrants": everyone(50, 2), "none": everyone(0, 3, CTC), "ctcs": everyone(9, 4, CTC),
                "places": everyone(20, 5, np.int32, (3,)), "bytes": everyone(7, 6, np.uint8)}
    sent = {name: (records[RANK], to[RANK]) for name, (records, to) in sections.items()}
    copies = {name: records.copy() for name, (records, _) in sent.items()}
    got = Exchange(WORLD).route(sent)
    for name, (records, to) in sections.items():
        assert_mine(got[name], records, to)
        assert sent[name][0].tobytes() == copies[name].tobytes(), "what was sent was changed"


def check_one_for_all_all_for_one_and_only_to_oneself():
    records, _ = everyone(40, 7)
    for to in (np.zeros((SIZE, 40), int), np.full((SIZE, 40), SIZE - 1), np.tile(np.arange(SIZE)[:, None], 40),
               np.tile((np.arange(SIZE)[:, None] + 1) % SIZE, 40)):
        assert_mine(Exchange(WORLD).route({"a": (records[RANK], to[RANK])})["a"], records, to)
    alone = [records[r][:0] if r else records[r] for r in range(SIZE)]      # only rank 0 has anything
    to = [np.arange(len(a)) % SIZE for a in alone]
    assert_mine(Exchange(WORLD).route({"a": (alone[RANK], to[RANK])})["a"], alone, to)


def check_messages_go_only_where_there_is_something():
    exchange = Exchange(WORLD)
    records, _ = everyone(30, 8)
    exchange.route({"a": (records[RANK], np.full(30, RANK)), "b": (records[RANK], np.full(30, RANK))})
    sent = exchange.traffic["route"]
    assert sent.count == sent.bytes == 0
    exchange.route({"a": (records[RANK], np.full(30, (RANK + 1) % SIZE)), "b": (records[RANK], np.full(30, RANK))})
    assert sent.count == (SIZE > 1)
    assert sent.bytes == (SIZE > 1) * (2 * 8 + 30 * MIGRANT.itemsize)


def check_the_kth_of_all_places_is_found_at_the_rank_that_has_it():
    rng = np.random.default_rng(9)
    for places in (rng.integers(1, 1000, SIZE), np.ones(SIZE, int), np.arange(SIZE) * (np.arange(SIZE) % 2 == 0) + (
            np.arange(SIZE) == SIZE - 1), np.where(np.arange(SIZE) == SIZE // 2, 10**14, 0)):
        first = np.concatenate([[0], np.cumsum(places)])
        wanted = np.array([rng.integers(0, first[-1], 20) for _ in range(SIZE)])
        wanted[:, 0], wanted[:, 1] = 0, first[-1] - 1
        lodged = np.zeros(20 * (RANK % 2 == 0), LODGED)                  # odd ranks look for none
        lodged["ctc"]["id"] = RANK * 100 + np.arange(len(lodged))
        lodged["place"] = wanted[RANK, :len(lodged)]
        got, rank = _at_ranks(Exchange(WORLD), lodged, np.empty(0, MEMBER), int(places[RANK]), int(first[-1]))["lodged"]
        told = WORLD.allgather(list(zip(got["ctc"]["id"].tolist(), got["place"].tolist(), rank.tolist())))
        found = {id: place_and_rank for rows in told for id, *place_and_rank in rows}
        for r in range(0, SIZE, 2):
            owner = np.array([np.flatnonzero(first[1:] > place)[0] for place in wanted[r]])
            expected = np.stack([wanted[r] - first[owner], owner], axis=1)
            assert [found[r * 100 + k] for k in range(20)] == expected.tolist()


def check_rounds_in_a_row_with_ranks_in_and_out_of_step():
    exchange = Exchange(WORLD)
    for k in range(30):
        records, to = everyone(k % 7, 100 + k)
        if (RANK + k) % 5 == 0:
            time.sleep(0.002)
        assert_mine(exchange.route({"a": (records[RANK], to[RANK])})["a"], records, to)


def check_a_large_message():
    records, to = everyone(100_000, 9)
    assert_mine(Exchange(WORLD).route({"a": (records[RANK], to[RANK])})["a"], records, to)


def loses(buffer):
    """Exchange._buffer with a bug: the last record of the first section is not sent."""
    def without_last(parts, sections):
        return buffer({k: part[:-1] if k == 0 else part for k, part in parts.items()}, sections)
    return without_last


def doubles(buffer):
    def twice(parts, sections):
        return buffer({k: np.concatenate([part, part[:1]]) if k == 0 else part for k, part in parts.items()}, sections)
    return twice


def check_a_record_lost_or_doubled_by_one_rank_is_an_error_on_every_rank():
    if SIZE == 1:
        return
    records, _ = everyone(10, 10)
    to = np.arange(10) % SIZE
    for bug, change in ((loses, -(SIZE - 1)), (doubles, SIZE - 1)):
        exchange = Exchange(WORLD)
        if RANK == SIZE - 1:
            exchange._buffer = bug(Exchange._buffer)
        try:
            exchange.route({"cells": (records[RANK], to), "others": (records[RANK], to)})
        except CellsLost as error:
            assert f"cells {change:+d}" in str(error) and "others +0" in str(error)
        else:
            raise AssertionError(f"rank {RANK} did not notice")
    got = Exchange(WORLD).route({"cells": (records[RANK], to)})["cells"]      # the ranks are still in step
    assert_mine(got, records, np.tile(to, (SIZE, 1)))


# --- Region and Halo ------------------------------------------------------------------------------------

def random_tiles(seed, n, reach=3):
    every = np.stack(np.unravel_index(np.arange((2 * reach) ** 3), (2 * reach,) * 3), axis=1) - reach
    return np.random.default_rng(seed).permutation(every)[:n].astype(np.int32)


def random_cuts(seed, tiles):
    """Cuts at random tiles, so that some ranks have none."""
    inner = np.random.default_rng(seed).choice(keys_of(tiles), SIZE - 1) if len(tiles) else np.zeros(SIZE - 1)
    return np.concatenate([[0], np.sort(inner), [2**63]]).astype(np.uint64)


def owned(region, tiles):
    return tiles[region.owner(keys_of(tiles)) == RANK]


def regions():
    """Regions of many kinds, with all tiles of all ranks: (Region, tiles)."""
    for n in (0, 1, 8, 60, 216):
        for seed in range(2):
            tiles = random_tiles(seed, n)
            region = Region(Exchange(WORLD), random_cuts(seed, tiles))
            for some in np.array_split(tiles, 3):            # in pieces: ghosts come to be before and after
                region.add(owned(region, some))
            yield region, tiles
    tiles = random_tiles(9, 512, 4)
    key = np.sort(keys_of(tiles))
    corner = key[[3, 26, 60][:SIZE - 1]].tolist()            # a tile lies between two tiles of one other rank
    for cuts in ([0] + [2**63] * SIZE, [0] * SIZE + [2**63], [0, *corner, 2**63]):
        region = Region(Exchange(WORLD), np.array(cuts, np.uint64))
        region.add(owned(region, tiles))
        yield region, tiles


def check_neighbors_and_ghosts_are_those_of_the_whole():
    for region, tiles in regions():
        exists = {int(key) for key in keys_of(tiles)}
        assert len(region.coords) == len(owned(region, tiles))
        every_key = np.concatenate([region.keys, region.ghost_keys])
        for row, coord in enumerate(region.coords):
            for key, neighbor in zip(keys_of(coord + OFFSETS).tolist(), region.neighbors[row].tolist()):
                assert neighbor == -1 if key not in exists else every_key[neighbor] == key
        np.testing.assert_array_equal(region.owner(region.ghost_keys), region.ghost_owner)
        assert RANK not in region.ghost_owner and len(set(region.ghost_keys.tolist())) == len(region.ghost_keys)
        np.testing.assert_array_equal(region.mesh.neighbors, region.neighbors[:, FACES])


def check_missing_places_are_those_of_the_whole():
    for region, tiles in regions():
        exists = {tuple(c) for c in tiles.tolist()}
        rows = np.arange(len(region.keys))[::2]
        around = {tuple(c) for row in rows for c in (region.coords[row] + OFFSETS).tolist()}
        places, owner = region.missing_around(np.isin(np.arange(len(region.keys)), rows))
        assert [tuple(p) for p in places.tolist()] == sorted(around - exists)
        np.testing.assert_array_equal(owner, region.owner(keys_of(places)))


def values_of(keys, dtype, salt):
    """A value for every voxel of the tiles, that each rank can compute; neighbors differ."""
    v = keys[:, None] * np.uint64(512) + np.arange(512, dtype=np.uint64) + np.uint64(salt)
    return (v * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)).astype(dtype)


def check_halo_fills_the_faces_toward_us_and_nothing_else():
    for region, _ in regions():
        tiles, every_key = len(region.keys), np.concatenate([region.keys, region.ghost_keys])
        for salt, dtype in enumerate((np.float32, np.uint16, np.float32, np.float64)):
            array = values_of(every_key, dtype, salt)
            expected = array.copy()
            array[tiles:] = 1                                        # a value that is nowhere else
            faces = np.zeros(array.shape, bool)
            for row, face in zip(*np.nonzero(region.mesh.neighbors >= tiles)):
                faces[region.mesh.neighbors[row, face], face_values(8)[face ^ 1]] = True
            expected[tiles:][~faces[tiles:]] = 1
            one_color = array.copy()
            region.halo(array)
            assert array.tobytes() == expected.tobytes()
            odd = np.zeros((len(every_key), 1), bool)
            odd[:tiles, 0] = region.coords.sum(axis=1) % 2 == 1
            for row, face in zip(*np.nonzero(region.mesh.neighbors >= tiles)):
                odd[region.mesh.neighbors[row, face]] = not odd[row]
            before = one_color.copy()
            region.halo(one_color, color=1)
            assert one_color.tobytes() == np.where(odd, expected, before).tobytes()


def check_one_halo_fills_arrays_of_several_kinds():
    for region, _ in regions():
        keys = np.concatenate([region.keys, region.ghost_keys])
        arrays = [values_of(keys, np.uint16, 6)] + [values_of(keys, np.float32, k)[:, :k].copy() for k in (8, 64, 512)]
        for array in arrays:
            array[len(region.keys):] = 1
        alone = [array.copy() for array in arrays]
        for array in alone:
            region.halo(array)
        before = region.exchange.traffic["halo"].count
        region.halo(*arrays)
        assert region.exchange.traffic["halo"].count - before == len(region.halo.send), "one message a neighbor"
        for array, expected in zip(arrays, alone):
            assert array.tobytes() == expected.tobytes()
            assert (array[len(region.keys):] != 1).any() == bool(region.halo.receive)


def check_voxels_may_change_while_a_halo_is_under_way():
    for region, _ in regions():
        array = values_of(np.concatenate([region.keys, region.ghost_keys]), np.float32, 5)
        array[len(region.keys):] = 1
        expected = array.copy()
        region.halo(expected)
        region.halo.begin(array)
        array[:len(region.keys)] = -1
        region.halo.end()
        assert array[len(region.keys):].tobytes() == expected[len(region.keys):].tobytes()
        assert (array[:len(region.keys)] == -1).all()


def check_cuts_are_those_that_one_process_would_make():
    tiles = random_tiles(4, 150)
    keys, weights = keys_of(tiles), np.random.default_rng(4).integers(1, 900, 150)
    for seed in range(3):
        holder = np.random.default_rng(seed).integers(0, SIZE, 150)
        cuts = cut(WORLD, keys[holder == RANK], weights[holder == RANK])
        order = np.argsort(keys)
        for r, at in enumerate(cuts[1:-1].tolist(), 1):
            goal = weights.sum() * r // SIZE
            first = int(np.searchsorted(np.cumsum(weights[order]), goal)) if goal else -1
            assert at == (int(keys[order][first]) + 1 if goal else 0)
        assert cuts[0] == 0 and cuts[-1] == 2**63 and len(cuts) == SIZE + 1


def main():
    for name, check in list(globals().items()):
        if name.startswith("check_"):
            check()
            WORLD.barrier()
            if RANK == 0:
                print("passed", name, flush=True)


if __name__ == "__main__":
    main()
