"""Checkpoints: written whole or not at all, refused unless every byte is as it was written.

A checkpoint is a sealed HDF5 file (`metacascade.io.sealed`) laid out by tile in curve order and by id,
so that any number of ranks can read it; each takes its share, none ever holds the whole.
"""
import bisect
import json
import os
from pathlib import Path

import numpy as np

from metacascade.base.errors import InputError, on_all_ranks
from metacascade.base.numerals import size
from metacascade.base.screen import one_line
from metacascade.base.tiles import VALUES, VOXELS
from metacascade.io import datasets, sealed
from metacascade.io.atomic import also_named, keep_former, writing
from metacascade.io.datasets import Table, units
from metacascade.io.structure import understood
from metacascade.ranks.balance import TILE_COST
from metacascade.ranks.parallel import owner_of_id, serial_world
from metacascade.state.digest import digest
from metacascade.state.state import (
    CELL,
    CELL_UNITS,
    CLONE,
    CLONE_UNITS,
    CTC,
    CTC_UNITS,
    LESION,
    LESION_UNITS,
    MEMBER,
    MEMBER_UNITS,
    ByTile,
    State,
    empty,
)

KIND, FORMAT = "CHECKPOINT", 8
BY_ID = ("ctcs", "members", "lesions")
ARRAYS = "tiles"              # the group of what there is of each voxel
VESSELS = "vessels"           # the group of vessels that live
NAME, FORMER, DAMAGED = "checkpoint.h5", "checkpoint.prev.h5", "checkpoint.h5.damaged"
META = {"config": (dict,), "step": (int,), "time_s": (int,), "seed": (int,), "ledger": (dict,), "fates": (dict,),
        "events": (dict,), "traits": (list,), "bits": (list,), "redraws": (bool,), "redraws_lesions": (bool,),
        "since_h": (float,),
        "shed_distances": (list,), "first_times": (dict,), "parent": (str, type(None)), "parts": (int,)}


def found(directory):
    """The checkpoints in a run directory, newest first: a list of paths. They may be damaged."""
    return [path for name in (NAME, FORMER) if (path := Path(directory) / name).exists()]


def write(world, directory, state, also=None):
    """Write `state` to ``directory/checkpoint.h5``; the former one stays as ``checkpoint.prev.h5``.

    `also`: another name in the directory under which this one stays (`metacascade.io.kept`); it is there before
    checkpoint.h5 is, so that no kill can come between. Collective. Raises RunError on every rank if it cannot be
    written; the former files stay.
    """
    path, former = Path(directory) / NAME, Path(directory) / FORMER
    with world.together():
        _check(state, world.rank, world.size)
        text = json.dumps(state.meta, sort_keys=True, allow_nan=False, default=lambda number: number.item())

    def head(h5):
        h5.attrs.update(kind=KIND.lower(), format_version=FORMAT)
        h5["meta"] = text

    def keep():
        if also:
            also_named(path, path.with_name(also))
        keep_former(path, former)

    datasets.write(world, path, _tables(world, state), head, (KIND, FORMAT), keep)


def _tables(world, state):
    """The datasets of a checkpoint."""
    def cells():
        return (state.cells(first, last) for first, last in state.slabs())

    before = world.exscan(state.first_cell[-1])
    segments = state.segments if world.rank == 0 else None
    kind = world.bcast(None if segments is None else segments.dtype)
    return [
        Table.of("tile_key", state.tile_key, unit="1"),
        Table.of("tile_coords", state.tile_coords, unit="tile"),
        Table.of("tile_first", state.first_cell[:-1] + before, unit="cells"),
        Table("cells", CELL, int(state.first_cell[-1]), slabs=cells, attributes=units(CELL_UNITS)),
        *(Table.of(f"{ARRAYS}/{name}", array, unit=state.units.get(name, "1")) for name, array in state.arrays.items()),
        *_vessel_tables(world, state),
        Table.of("ctcs", state.ctcs, **units(CTC_UNITS)),
        Table.of("members", state.members, **units(MEMBER_UNITS)),
        Table.of("lesions", state.lesions, **units(LESION_UNITS)),
        Table.of("clones", state.clones if world.rank == 0 else state.clones[:0], **units(CLONE_UNITS)),
    ] + ([] if kind is None else [Table.of("segments", empty(kind) if segments is None else segments)])


def _vessel_tables(world, state):
    """The pieces and tips of vessels that live, and before which of them each tile begins."""
    for name, part in state.vessels.items():
        before = world.exscan(int(part.first[-1]))
        yield Table.of(f"{VESSELS}/{name}", part.records, **units(part.units))
        yield Table.of(f"{VESSELS}/first_{name}", np.asarray(part.first[:-1], np.int64) + before, unit=name)


def _check(state, rank, size):
    """Raise ValueError if the arrays of a share do not belong together: a bug of the caller."""
    tiles = len(state.tile_key)
    for name, kind, shape in (("tile_key", np.uint64, (tiles,)), ("tile_coords", np.int32, (tiles, 3)),
                              ("ctcs", CTC, (len(state.ctcs),)), ("members", MEMBER, (len(state.members),)),
                              ("lesions", LESION, (len(state.lesions),)),
                              ("clones", CLONE, (len(state.clones),))):
        array = getattr(state, name)
        if array.dtype != kind or array.shape != shape:
            raise ValueError(f"{name}: {array.dtype} of shape {array.shape} instead of {np.dtype(kind)} of {shape}")
    for name, array in state.arrays.items():
        kind = np.uint16 if name == "counts" else array.dtype
        if array.dtype != kind or array.shape not in [(tiles, values) for values in VALUES]:
            raise ValueError(f"{name}: {array.dtype} of shape {array.shape}, of {tiles} tiles")
    for name, part in state.vessels.items():
        first = part.first
        if first.shape != (tiles + 1,) or first[0] or first[-1] != len(part.records) or np.any(np.diff(first) < 0):
            raise ValueError(f"{name} of {tiles} tiles: {len(part.records)} records do not fit")
    if state.counts.shape != (tiles, VOXELS):
        raise ValueError(f"counts of shape {state.counts.shape}, of {tiles} tiles")
    _check_order(state, rank, size)


def _check_cells(state):
    """Raise ValueError unless every tile has as many cells as its voxels say."""
    if not np.array_equal(state.counts.sum(axis=1, dtype=np.int64), np.diff(state.first_cell)):
        raise ValueError("the cells of a tile are not those of its voxels")


def _check_order(state, rank, size):
    """Raise ValueError unless keys and ids ascend and the ids are those of this rank."""
    for name, keys in (("tile_key", state.tile_key), ("ctcs", state.ctcs["id"]), ("lesions", state.lesions["id"])):
        if np.any(keys[1:] <= keys[:-1]):
            raise ValueError(f"{name} are not in ascending order")
    ids, index = state.members["id"], state.members["index"]
    if np.any((ids[1:] < ids[:-1]) | ((ids[1:] == ids[:-1]) & (index[1:] <= index[:-1]))):
        raise ValueError("members are not in ascending order")
    for name in BY_ID:
        ids = getattr(state, name)["id"]
        if np.any(owner_of_id(ids, size) != rank):
            raise ValueError(f"{name} of other ranks on rank {rank}")


def read(world, path):
    """This rank's share of the state in the file `path`, for any number of ranks. Collective.

    Rank r takes the tiles from the one whose cumulative work (see ``balance.work``) is nearest to
    r/size of the whole, and the CTCs and lesions that it owns by id. The cells stay in the file:
    ``state.cells(first, last)`` reads them, also after the file got another name.

    Raises
    ------
    InputError
        On every rank, if the file is not an intact checkpoint of this format; HDF5 has not seen it then.
    """
    sealed.verify(world, path, KIND, FORMAT)
    with world.together(), understood(path):
        state = _Stored(path).share(world.rank, world.size)
        _check(state, world.rank, world.size)
        _check_cells(state)
    return state


def read_newest(world, directory):
    """The newest intact checkpoint of a run that goes on: (state, path, remark). Collective.

    `remark` is None, or says why it is not checkpoint.h5; that file then becomes checkpoint.h5.damaged,
    lest the next write puts it in the place of the intact one. Raises InputError if none is intact.
    """
    newest, former = Path(directory) / NAME, Path(directory) / FORMER
    try:
        return read(world, newest), newest, None
    except InputError as error:
        first = error
    try:
        state = read(world, former)
    except InputError as second:
        raise on_all_ranks(InputError(f"no checkpoint to go on from:\n{first}\n{second}")) from None
    with world.together(), writing(newest):
        if world.rank == 0 and newest.exists():
            os.replace(newest, newest.with_name(DAMAGED))
    return state, former, f"{first}; going on from {former}"


def digest_of(path):
    """The digest of the state in a checkpoint file, by one process, in bounded memory."""
    world = serial_world()
    sealed.verify(world, path, KIND, FORMAT)
    with understood(path):
        return digest(world, _Stored(path).whole())


def meta_of(path):
    """The description of the state in a checkpoint, by one process, which checks the whole file and reads little."""
    sealed.verify(serial_world(), path, KIND, FORMAT)
    with understood(path):
        return _Stored(path).meta


def describe(path):
    """What is in a checkpoint, as text."""
    sealed.verify(serial_world(), path, KIND, FORMAT)
    with understood(path):
        return _described(path, _Stored(path))


def outlined(path) -> str:
    """A line of what is in a checkpoint, once all its bytes have been verified."""
    sealed.verify(serial_world(), path, KIND, FORMAT)
    with understood(path):
        stored = _Stored(path)
        return (f"{path}: intact checkpoint, format {FORMAT}, day {stored.meta['time_s'] / 86400:g}, "
                f"{size(os.stat(path).st_size)}")


def _described(path, stored):
    h5, meta = stored.h5, stored.meta
    ledger = "".join(f"\n    {one_line(name):24} {one_line(value)}" for name, value in meta["ledger"].items())
    return (f"{path}: intact checkpoint, format {FORMAT}, {os.stat(path).st_size} bytes\n"
            f"  step {one_line(meta['step'])}, {meta['time_s'] / 3600:g} h, seed {one_line(meta['seed'])}\n"
            f"  {len(h5['cells'])} cells in {len(h5['tile_key'])} tiles, "
            f"{len(h5['ctcs'])} single cells and clusters circulating or arrested, "
            f"{len(h5['lesions'])} lesions, {len(h5['clones'])} clones\n  ledger{ledger}")


class _Stored:
    """An intact checkpoint, open to read."""

    def __init__(self, path):
        self.h5 = datasets.open_file(path)
        self.meta = json.loads(self.h5["meta"].asstr()[()])
        for name, kind in META.items():
            if type(self.meta[name]) not in kind:
                raise InputError(f"{path} contradicts itself: meta.{name} is a {type(self.meta[name]).__name__}")
        self.first, self.cells = self.h5["tile_first"], self.h5["cells"]

    def whole(self):
        """The state of all ranks; its arrays are datasets of the file, to be sliced."""
        return self._state(0, len(self.first), lambda name: self.h5[name], in_file=True)

    def share(self, rank, size):
        """The share of one of `size` ranks, in memory but for the cells."""
        first, last = self._tile_bound(rank, size), self._tile_bound(rank + 1, size)

        def rows(name):
            if name in BY_ID:
                return self.h5[name][self._id_bound(name, rank, size):self._id_bound(name, rank + 1, size)]
            return self.h5[name][first:last]

        return self._state(first, last, rows)

    def _state(self, first, last, rows, in_file=False):
        names, stored = ("tile_key", "tile_coords", *BY_ID), self.h5[ARRAYS]
        segments, clones = self.h5["segments"][:] if "segments" in self.h5 else None, self.h5["clones"][:]
        cells = np.append(self.first[first:last], self._cells_before(last))
        state = State(self.meta, cells=lambda a, b: self.cells[cells[a]:cells[b]], segments=segments, clones=clones,
                      arrays={name: rows(f"{ARRAYS}/{name}") for name in stored},
                      units={name: stored[name].attrs["unit"] for name in stored},
                      vessels=self._vessels(first, last, in_file),
                      **{name: rows(name) for name in names})
        state.first_cell = cells - cells[0]
        return state

    def _vessels(self, first, last, in_file):
        """What lives of the vessels of some tiles, in memory or as datasets of the file."""
        found = {}
        for name in [name for name in self.h5.get(VESSELS, ()) if not name.startswith("first_")]:
            records, begin = self.h5[f"{VESSELS}/{name}"], self.h5[f"{VESSELS}/first_{name}"]
            at = np.append(begin[first:last], begin[last] if last < len(begin) else len(records))
            found[name] = ByTile(at - at[0], records if in_file else records[at[0]:at[-1]],
                                 json.loads(records.attrs["units"]))
        return found

    def _cells_before(self, tile):
        return int(self.first[tile]) if tile < len(self.first) else len(self.cells)

    def _tile_bound(self, rank, size):
        """The first tile of `rank`: where the cumulative work is nearest to rank/size of the whole."""
        def excess(tile):
            return size * (self._cells_before(tile) + TILE_COST * tile) - goal

        tiles = len(self.first)
        goal = rank * (len(self.cells) + TILE_COST * tiles)
        bound = bisect.bisect_left(range(tiles), 0, key=excess)
        return bound - 1 if bound and -excess(bound - 1) <= excess(bound) else bound

    def _id_bound(self, name, rank, size):
        """The first row whose id belongs to `rank` or a later one."""
        records = self.h5[name]
        return bisect.bisect_left(range(len(records)), rank, key=lambda i: owner_of_id(records[i]["id"], size))
