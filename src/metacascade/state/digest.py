"""The digest of a state: the same hex text for the same state on any number of ranks.

SHA-256 over a header (format, time, step, what is not zero of the ledger, and what a change of the config has left to
do), the table of clones, and, for tiles, CTCs, members of clusters and lesions, the number of items and the sum modulo
2^256 of the items' SHA-256 (a sum has no order, so ranks add what they have; Bellare and Micciancio 1997). A tile's
item is its key, canonical cells, arrays by name and, where vessels live, their pieces and tips; that of CTCs, members
or lesions is a bucket ``id >> 48`` with all its records in order, which one rank owns whole. Neither the config nor
wall times, ranks or output are in it.
"""
import hashlib
import itertools
import json
import operator

import numpy as np

from metacascade.state.state import CELL, raw

FORMAT = 6
RECORDS = 1 << 18                 # CTCs or lesions that are hashed at a time: 24 MiB at most


def digest(world, state):
    """Hex digest of the whole state, from every rank's share. Collective.

    The arrays of `state` are only sliced, so those of a file will do as well (`checkpoint.digest_of`).
    """
    with world.together():
        own = [_tiles(state), _buckets(state.ctcs), _buckets(state.members), _buckets(state.lesions)]
    everyone = world.allgather(own)
    total = hashlib.sha256(_header(state))
    total.update(b"clones" + len(state.clones).to_bytes(8, "little") + raw(state.clones[:]).tobytes())
    for name, shares in zip((b"tiles", b"ctcs", b"members", b"lesions"), zip(*everyone)):
        number = sum(count for count, _ in shares)
        added = sum(hashes for _, hashes in shares) % (1 << 256)
        total.update(name + number.to_bytes(8, "little") + added.to_bytes(32, "little"))
    return total.hexdigest()


def _header(state):
    meta = state.meta
    ledger = {name: int(value) for name, value in meta["ledger"].items() if value}
    header = {"format": FORMAT, "time_s": int(meta["time_s"]), "step": int(meta["step"]), "ledger": ledger,
              "arrays": sorted(state.arrays)}
    header |= {name: meta[name] for name in ("redraws", "redraws_lesions", "since_h") if meta[name]}
    if state.vessels:
        header["vessels"] = sorted(state.vessels)
    return json.dumps(header, sort_keys=True).encode()


def _number(item):
    return int.from_bytes(item.digest(), "little")


def _tiles(state):
    """(number of tiles, sum of their hashes) of this share."""
    added = 0
    for first, last in state.slabs():
        cells = memoryview(raw(state.cells(first, last)))
        ends = ((state.first_cell[first:last + 1] - state.first_cell[first]) * CELL.itemsize).tolist()
        if ends[-1] != len(cells):
            raise ValueError(f"tiles {first}..{last - 1}: {len(cells)} bytes of cells instead of {ends[-1]}")
        keys = _rows(state.tile_key[first:last])
        arrays = [_rows(state.arrays[name][first:last]) for name in sorted(state.arrays)]
        vessels = [_pieces_of(state.vessels[name], first, last) for name in sorted(state.vessels)]
        for i in range(last - first):
            item = hashlib.sha256(keys[i])
            item.update(cells[ends[i]:ends[i + 1]])
            for array in (*arrays, *vessels):
                item.update(array[i])
            added += _number(item)
    return len(state.tile_key), added


def _pieces_of(part, first, last):
    """The bytes of the records of each of some tiles."""
    bounds = np.asarray(part.first[first:last + 1])
    records = part.records[bounds[0]:bounds[-1]]
    data, at = memoryview(raw(records)), ((bounds - bounds[0]) * part.records.dtype.itemsize).tolist()
    return [data[a:b] for a, b in itertools.pairwise(at)]


def _rows(array):
    """The bytes of each row of an array: uint8, shape (rows, bytes)."""
    return raw(array).reshape(len(array), -1)


def _buckets(records):
    """(number of buckets that are not empty, sum of their hashes) of records sorted by id."""
    number, added = 0, 0
    for bucket, pieces in itertools.groupby(_pieces(records), key=operator.itemgetter(0)):
        item = hashlib.sha256(bucket.to_bytes(8, "little"))
        for _, data in pieces:
            item.update(data)
        number, added = number + 1, added + _number(item)
    return number, added


def _pieces(records):
    """(bucket, bytes of its records) in order; a bucket may come in several pieces."""
    for start in range(0, len(records), RECORDS):
        slab = records[start:start + RECORDS]
        buckets = slab["id"] >> np.uint64(48)
        data = memoryview(raw(slab))
        cuts = [0, *(np.flatnonzero(np.diff(buckets)) + 1).tolist(), len(slab)]
        for a, b in itertools.pairwise(cuts):
            yield int(buckets[a]), data[a * slab.itemsize:b * slab.itemsize]
