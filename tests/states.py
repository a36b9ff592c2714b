"""Invented states for the tests of files: the whole, and the share of each rank."""
import numpy as np

from metacascade.ranks.parallel import owner_of_id
from metacascade.state.state import CELL, CLONE, CTC, LESION, MEMBER, State, canonical, slabs_of

SEGMENT = np.dtype([(n, "f8") for n in ("ax", "ay", "az", "bx", "by", "bz")]
                   + [("radius", "f4"), ("maturity", "f4"), ("perfused", "u1")], align=True)


def random_records(rng, kind, n):
    """n records of random bytes with distinct ascending ids (no float is a number to be relied on)."""
    records = rng.integers(0, 256, n * kind.itemsize).astype(np.uint8).view(kind)
    records["id"] = np.sort(rng.choice(1 << 62, n, replace=False).astype(np.uint64) * np.uint64(4))
    return records


def members_of(rng, ctcs):
    """Members of random bytes, sorted: of every third CTC three. The CTCs get as many cells."""
    ctcs["n"] = np.where(np.arange(len(ctcs)) % 3, 1, 4)
    members = np.repeat(rng.integers(0, 256, (1, MEMBER.itemsize)).astype(np.uint8).view(MEMBER)[0], 3 * len(ctcs[::3]))
    members["id"], members["index"] = np.repeat(ctcs["id"][::3], 3), np.resize([1, 2, 3], len(members))
    members["clone"] = rng.integers(0, 7, len(members))
    return members


def random_clones(rng, n):
    """A table of n clones with random parents and traits."""
    table = np.zeros(n, CLONE)
    table["id"], table["parent"] = rng.integers(0, 1 << 62, n), rng.integers(0, np.arange(n) + 1) - (np.arange(n) == 0)
    table["parent"] = np.minimum(table["parent"], np.arange(n) - 1)
    table["traits"] = rng.integers(0, 256, table["traits"].shape)
    return table


def whole_state(tiles=20, density=1.0, ctcs=300, lesions=40, seed=1, segments=5, clones=7):
    """A state of random bytes: some tiles are empty, some voxels crowded."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(density * rng.integers(0, 4, (tiles, 1)), (tiles, 512)).astype(np.uint16)
    cells = rng.integers(0, 256, int(counts.sum()) * CELL.itemsize).astype(np.uint8).view(CELL)
    meta = {"config": {"title": "invented"}, "step": 7, "time_s": 12600, "seed": 5, "parent": None, "parts": 2,
            "traits": ["resistance"], "bits": [], "redraws": False, "redraws_lesions": False, "since_h": 0.0,
            "shed_distances": [0] * 31, "first_times": {"detected_s": 0, "first_shed_s": -1, "first_lesion_s": -1},
            "ledger": {"initial": int(counts.sum()), "divided": 0}, "fates": {}, "events": {}}
    side, ctcs = 2 + round(tiles**(1 / 3)), random_records(rng, CTC, ctcs)
    places = np.unravel_index(rng.choice(side**3, tiles, replace=False), (side,) * 3)
    return State(
        meta, np.sort(rng.choice(1 << 60, tiles, replace=False).astype(np.uint64)),
        np.stack(places, axis=1).astype(np.int32) - side // 2,
        dict(counts=counts, oxygen=rng.random((tiles, 512), np.float32), factor=rng.random((tiles, 64), np.float32)),
        slabs_of(canonical(cells, counts), counts), ctcs, members_of(rng, ctcs), random_records(rng, LESION, lesions),
        random_clones(rng, clones), np.zeros(segments, SEGMENT), dict(counts="cells", oxygen="mmHg", factor="nM"))


def share_of(whole, rank, size, seed=3):
    """The share of one of `size` ranks, cut at random tiles, so that some have none."""
    tiles = len(whole.tile_key)
    cuts = np.sort(np.random.default_rng(seed + size).integers(0, tiles + 1, size - 1))
    first, last = [0, *cuts.tolist(), tiles][rank:rank + 2]
    own = {name: getattr(whole, name)[owner_of_id(getattr(whole, name)["id"], size) == rank]
           for name in ("ctcs", "members", "lesions")}
    return State(whole.meta, whole.tile_key[first:last], whole.tile_coords[first:last],
                 {name: array[first:last] for name, array in whole.arrays.items()},
                 lambda a, b: whole.cells(first + a, first + b), units=whole.units, clones=whole.clones,
                 segments=whole.segments if rank == 0 else None, **own)


def assert_same(state, other):
    """Every array of two states has the same bytes."""
    assert state.meta == other.meta
    assert state.arrays.keys() == other.arrays.keys() and state.units == other.units
    plain = ("tile_key", "tile_coords", "ctcs", "members", "lesions", "clones")
    for name in (*plain, *state.arrays):
        a, b = (getattr(one, name) if name in plain else one.arrays[name] for one in (state, other))
        assert a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes(), name
    tiles = len(state.tile_key)
    assert state.cells(0, tiles).tobytes() == other.cells(0, tiles).tobytes()
