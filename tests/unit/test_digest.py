import hashlib
import json
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade.ranks.parallel import serial_world
from metacascade.state import digest as module
from metacascade.state.digest import digest
from metacascade.state.state import CELL, State, canonical, slabs_of
from states import share_of, whole_state


def twin(state):
    """The digest in plain Python: one item after the other."""
    ledger = {name: n for name, n in state.meta["ledger"].items() if n}
    header = dict(format=6, time_s=state.meta["time_s"], step=state.meta["step"], ledger=ledger,
                  arrays=["counts", "factor", "oxygen"])
    text = json.dumps(header, sort_keys=True).encode() + b"clones" + len(state.clones).to_bytes(8, "little")
    text += state.clones.tobytes()
    tiles = [state.tile_key[i].tobytes() + state.cells(i, i + 1).tobytes()
             + b"".join(state.arrays[name][i].tobytes() for name in ("counts", "factor", "oxygen"))
             for i in range(len(state.tile_key))]
    sections = {b"tiles": tiles, b"ctcs": buckets(state.ctcs),
                b"members": buckets(state.members), b"lesions": buckets(state.lesions)}
    for name, items in sections.items():
        added = sum(int.from_bytes(hashlib.sha256(item).digest(), "little") for item in items) % 2**256
        text += name + len(items).to_bytes(8, "little") + added.to_bytes(32, "little")
    return hashlib.sha256(text).hexdigest()


def buckets(records):
    found = {}
    for record in records:
        bucket = int(record["id"]) >> 48
        found[bucket] = found.get(bucket, bucket.to_bytes(8, "little")) + record.tobytes()
    return list(found.values())


def test_it_is_what_a_plain_loop_over_the_items_gives():
    state = whole_state()
    assert digest(serial_world(), state) == twin(state)


@pytest.mark.parametrize("records", [1, 2, 7])
def test_buckets_that_fall_into_several_slabs_are_one_item(monkeypatch, records):
    state = whole_state(ctcs=200)
    for kind in (state.ctcs, state.members):
        kind["id"] = np.sort(kind["id"] >> np.uint64(12))
    monkeypatch.setattr(module, "RECORDS", records)
    assert digest(serial_world(), state) == twin(state)


def test_slabs_of_any_size_give_the_same(monkeypatch):
    state = whole_state()
    expected = digest(serial_world(), state)
    monkeypatch.setattr(State.slabs, "__defaults__", (1,))
    assert digest(serial_world(), state) == expected


@pytest.mark.parametrize("size", [2, 3, 5, 40])
def test_shares_of_any_decomposition_add_up_to_the_same(size):
    whole = whole_state()
    shares = [[module._tiles(s), *map(module._buckets, (s.ctcs, s.members, s.lesions))]
              for s in (share_of(whole, rank, size) for rank in range(size))]
    everyone = SimpleNamespace(together=serial_world().together, allgather=lambda own: shares)
    assert digest(everyone, share_of(whole, 0, size)) == digest(serial_world(), whole)


@pytest.mark.parametrize("name", ["tile_key", "counts", "oxygen", "factor", "ctcs", "members", "lesions", "clones"])
def test_any_changed_byte_changes_it(name):
    rng = np.random.default_rng(4)
    state = whole_state(tiles=3, ctcs=20, lesions=5)
    state.cells = lambda a, b, kept=state.cells: kept(a, b)
    before, array = twin(state), state.arrays[name] if name in state.arrays else getattr(state, name)
    if name == "counts":      # a cell more here, a cell less there: the cells stay as many
        array[0, array[0].argmax()] -= 1
        array[0, 5] += 1
    else:
        array.view(np.uint8).reshape(-1)[rng.integers(array.nbytes)] ^= 1
    assert digest(serial_world(), state) != before


@pytest.mark.parametrize("key, value", [("step", 8), ("time_s", 1), ("ledger", {"initial": 1})])
def test_time_step_and_ledger_are_in_it(key, value):
    state = whole_state(tiles=1)
    before = digest(serial_world(), state)
    state.meta[key] = value
    assert digest(serial_world(), state) != before


@pytest.mark.parametrize("key", ["config", "seed", "parts", "parent", "traits"])
def test_config_and_output_are_not_in_it(key):
    state = whole_state(tiles=1)
    before = digest(serial_world(), state)
    state.meta[key] = "other"
    assert digest(serial_world(), state) == before


def test_cells_of_a_voxel_have_one_canonical_order():
    rng = np.random.default_rng(2)
    counts = rng.integers(0, 6, (3, 512)).astype(np.uint16)
    cells = rng.integers(0, 3, (counts.sum(), CELL.itemsize)).astype(np.uint8).view(CELL)[:, 0]
    voxel = np.repeat(np.arange(counts.size), counts.ravel())
    shuffled = cells[np.lexsort([rng.random(len(cells)), voxel])]
    first = canonical(cells, counts)
    assert canonical(shuffled, counts).tobytes() == first.tobytes()
    each = [c.tobytes() for c in first]
    assert all(a <= b for a, b, v, w in zip(each, each[1:], voxel, voxel[1:]) if v == w)


def test_cells_that_do_not_match_the_counts_are_an_error():
    state = whole_state(tiles=3)
    state.cells = lambda a, b: np.zeros(1, CELL)
    with pytest.raises(ValueError, match="bytes of cells"):
        digest(serial_world(), state)
    with pytest.raises(ValueError, match="counts add up"):
        slabs_of(np.zeros(1, CELL), state.counts)
