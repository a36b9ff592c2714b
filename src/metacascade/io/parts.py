"""The parts of results: sealed files ``parts/part.*.h5``, never changed once written, joined as they age."""
import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from metacascade.base.errors import InputError
from metacascade.base.records import joined
from metacascade.base.screen import one_line
from metacascade.io import datasets, joins, sealed, views
from metacascade.io.atomic import DRAFT, writing
from metacascade.io.datasets import Table
from metacascade.io.structure import PART, understood
from metacascade.ranks.parallel import owner_of_id, serial_world
from metacascade.state.state import SHED, empty

FOLDER, KIND, FORMAT = "parts", "PART", 7
KINDS = ("int64", "float64")      # of columns of the time series: those of one kind are one dataset of a part
APART = ("shed",)                 # whose rows are checked when they are read
SLAB_ROWS = 1 << 18               # shed cells that are copied at a time: 19 MiB


@dataclass(frozen=True)
class Part:
    """One file: the writings first .. last - 1. `rows`: table -> rows. `early`: see `Parts.add`."""

    first: int
    last: int
    rows: dict
    level: int = 0
    early: bool = False

    @property
    def name(self):
        """Name of the file."""
        return _name(self.first, self.last)


class Parts:
    """The parts of one run, on every rank the same.

    `small`: tables beside the series, name -> Layout, of which rank 0 has all rows.

    Only parts are joined that no checkpoint lies between: those `behind` both checkpoints, and those that are
    `fresh`, since the last. What was joined stays until the next writing, for those who just read it.

    Attributes
    ----------
    behind, recent, fresh : list of Part
        In this order: before the former checkpoint, between it and the last, after that.
    count : int
        Writings so far.
    """

    def __init__(self, world, directory, series, small):
        self.world, self.directory, self.columns = world, Path(directory) / FOLDER, series
        self.series = {kind: names for kind in KINDS if (names := [n for n in series.names if series[n] == kind])}
        self.small = {name: layout.dtype for name, layout in small.items()}
        self.tables = {kind: (np.dtype(kind), (len(names),)) for kind, names in self.series.items()} | {
            name: (np.dtype(dtype), ()) for name, dtype in (*self.small.items(), ("shed", SHED))}
        self.behind, self.recent, self.fresh, self.replaced = [], [], [], []
        self.early, self.count = None, 0

    @property
    def all(self):
        """Those that hold all rows, in order."""
        return [*self.behind, *self.recent, *([self.early] if self.early else []), *self.fresh]

    def path(self, part):
        """The file of a part."""
        return self.directory / part.name

    # --- a run that goes on ------------------------------------------------------------------------------

    def load(self, count):
        """Take over the first `count` writings of a run that goes on, and remove all others. Collective.

        Raises InputError if one is missing, damaged, or has other columns.
        """
        chosen = None
        with self.world.together():
            if self.world.rank == 0:
                chosen = self._chosen(count)
        chosen = self.world.bcast(chosen)
        for first, last in chosen:
            sealed.verify(self.world, self.directory / _name(first, last), KIND, FORMAT)
        found = None
        with self.world.together(), writing(self.directory):
            if self.world.rank == 0:
                self.directory.mkdir(parents=True, exist_ok=True)
                found = [self._look(first, last) for first, last in chosen]
        self.recent, self.count = self.world.bcast(found), count
        if self.recent and self.recent[-1].early:
            self.early = self.recent.pop()

    def _chosen(self, count):
        """The ranges of files that hold the first `count` writings; all other parts are removed."""
        there = _there(self.directory)
        chosen, missing = joins.cover(list(there), count)
        if missing:
            raise InputError(f"no {self.directory / _name(*missing)}: put it back, or `branch` from the checkpoint")
        with writing(self.directory):
            for span in there.keys() - set(chosen):
                there[span].unlink(missing_ok=True)
        return chosen

    def _look(self, first, last):
        path = self.directory / _name(first, last)
        with datasets.open_file(path) as h5, understood(path):
            found = {name: (table.dtype, table.shape[1:]) for name, table in h5.items()}
            if found != self.tables or json.loads(h5.attrs["columns"]) != self.series:
                raise InputError(f"{path} was written by a version of metacascade with other columns")
            return Part(first, last, {name: len(h5[name]) for name in self.tables}, early=bool(h5.attrs["early"]))

    def last(self, name):
        """The last value of a column of the time series in the parts, None if there is no row. One process."""
        kind = str(self.columns[name])
        for part in reversed(self.all):
            if part.rows[kind]:
                with datasets.open_file(self.path(part)) as h5:
                    return h5[kind][-1, self.series[kind].index(name)].item()
        return None

    def take_back(self):
        """(rows of the series, of small tables, rows of /shed of CTCs owned here) of the part that an early stop left.

        It is written anew.
        """
        if not self.early:
            return [], {name: [] for name in self.small}, empty(SHED)
        with datasets.open_file(self.path(self.early)) as h5:
            values = {name: column.tolist() for name, column in self._columns(h5)}
            series = list(zip(*(values[name] for name in self.columns.names)))
            small, shed = {name: h5[name][:].tolist() for name in self.small}, h5["shed"]
            slabs = (shed[row:row + SLAB_ROWS] for row in range(0, len(shed), SLAB_ROWS))
            mine = [slab[owner_of_id(slab["id"], self.world.size) == self.world.rank] for slab in slabs]
        return series, small, joined(empty(SHED), *mine)

    # --- writing -----------------------------------------------------------------------------------------

    def add(self, series, small, shed, early=False):
        """Write the next part, unless all is empty on every rank. Collective.

        `series` and the tables `small` of rank 0 count; `shed` are the rows of this rank, in the order of ranks.
        `early`: a run that had not stopped here would have gone on without; a resumed one takes these rows back, and
        its next part has them, too.
        """
        if self.world.rank > 0:
            series, small = series[:0], {name: table[:0] for name, table in small.items()}
        numbers = self.world.sum([len(series), *map(len, small.values()), len(shed)]).tolist()
        if not any(numbers) and not self.early:
            return
        self._remove_replaced()
        rows = dict.fromkeys(self.tables, numbers[0]) | dict(zip((*small, "shed"), numbers[1:]))
        part = Part(self.early.first if self.early else self.count, self.count + 1, rows, early=early)
        kinds = [Table.of(kind, np.array([series[name] for name in names], kind).reshape(len(names), -1).T)
                 for kind, names in self.series.items()]
        self.write(part, [*kinds, *(Table.of(name, table) for name, table in small.items()), Table.of("shed", shed)])
        self.fresh.append(part)
        self.count, self.early = self.count + 1, None
        for parts in self.behind, self.fresh:
            self._join(parts)

    def written(self):
        """Rows of all parts but a last one that is early, and of that one: a list of one or two {table: rows}."""
        last = [part for part in self.all[-1:] if part.early]
        pieces = [self.all[:len(self.all) - len(last)], *([last] if last else [])]
        return [{name: self._rows(name, piece) for name in self.tables} for piece in pieces]

    def checkpointed(self):
        """A checkpoint was written after the last part: the former one no longer needs parts of its own."""
        self.behind += [Part(part.first, part.last, part.rows) for part in self.recent]
        self.recent, self.fresh = self.fresh, []

    def _join(self, parts):
        """Let parts at the end of a list become one, if it is time."""
        number, level = joins.to_join([part.level for part in parts])
        if number == 0:
            return
        old = parts[-number:]
        new = Part(old[0].first, old[-1].last, {name: self._rows(name, old) for name in self.tables}, level)
        with datasets.Opened() as files:
            self.write(new, [self.table(name, old, files) for name in self.tables])
        parts[-number:] = [new]
        self.replaced += old

    def write(self, part, tables):
        """Write the file of a part; `tables` in the order of `self.tables`. Collective."""
        attributes = dict(early=part.early, columns=json.dumps(self.series))
        datasets.write(self.world, self.path(part), tables, lambda h5: h5.attrs.update(attributes), (KIND, FORMAT),
                       apart=APART)

    def _remove_replaced(self):
        """Remove what was joined before the last writing: by now results.h5 shows the joined part."""
        with self.world.together(), writing(self.directory):
            for part in self.replaced if self.world.rank == 0 else ():
                self.path(part).unlink(missing_ok=True)
        self.replaced = []

    # --- reading -----------------------------------------------------------------------------------------

    def view(self, h5, units):
        """Create all tables in a file beside ``parts/``, as views of the rows of all parts; `units` of the series."""
        files = [(f"{FOLDER}/{part.name}", part.rows) for part in self.all]
        series = h5.create_group("series", track_order=True)
        for name in self.columns.names:
            kind = str(self.columns[name])
            views.show(series, name, kind, [(file, kind, rows[kind]) for file, rows in files],
                       column=(self.series[kind].index(name), len(self.series[kind]))).attrs["unit"] = units[name]
        for name in (*self.small, "shed"):
            views.show(h5, name, self.tables[name][0], [(file, name, rows[name]) for file, rows in files])

    def copy_small(self, h5, units):
        """Write the time series, in these units, and the small tables of all parts; one process."""
        with datasets.Opened() as files:
            whole = {name: joined(np.empty((0, *shape), dtype), *self._slabs(
                        name, self.all, 0, self._rows(name, self.all), files))
                     for name, (dtype, shape) in self.tables.items() if name != "shed"}
        series, columns = h5.create_group("series", track_order=True), dict(self._columns(whole))
        for name in self.columns.names:
            series.create_dataset(name, data=columns[name]).attrs["unit"] = units[name]
        for name in self.small:
            h5[name] = whole[name]

    def _columns(self, tables):
        """(name, values) of the columns of the time series in tables of a part."""
        for kind, names in self.series.items():
            yield from zip(names, tables[kind][:].T)

    def rows_for_good(self, name):
        """Rows of a table that no part has which is taken back."""
        return self._rows(name, [*self.behind, *self.recent, *self.fresh])

    @staticmethod
    def _rows(name, parts):
        return sum(part.rows[name] for part in parts)

    def table(self, name, parts=None, files=None):
        """A table of all parts, or of some, a run of rows for each rank to copy; `files`: Opened."""
        parts = self.all if parts is None else parts
        total, rank, size = self._rows(name, parts), self.world.rank, self.world.size
        first, last = total * rank // size, total * (rank + 1) // size
        dtype, shape = self.tables[name]
        return Table(name, dtype, last - first, shape, lambda: self._slabs(name, parts, first, last, files))

    def _slabs(self, name, parts, first, last, files=None):
        """The rows first .. last - 1 of parts laid end to end, some at a time; `files`, if any, keeps them open."""
        start = 0
        for part in parts:
            rows = part.rows[name]
            a, b = max(first - start, 0), min(last - start, rows)
            if a < b:
                with contextlib.nullcontext(files) if files else datasets.Opened() as opened:
                    h5 = opened.file(self.path(part))
                    for row in range(a, b, SLAB_ROWS):
                        yield h5[name][row:min(row + SLAB_ROWS, b)]
            start += rows


def _name(first, last):
    """The name of a part."""
    return f"part.{first:06d}.h5" if last == first + 1 else f"part.{first:06d}-{last - 1:06d}.h5"


def _there(directory):
    """(first, last) -> path of the parts in a directory."""
    found = {}
    for path in Path(directory).glob("part.*.h5"):
        if (match := PART.fullmatch(f"{FOLDER}/{path.name}")) and not path.is_dir():
            found[int(match[1]), int(match[2] or match[1]) + 1] = path
    return found


def remove(directory):
    """Remove all parts in `directory`, also unfinished ones, and it too if nothing is left. One process."""
    with writing(directory):
        for path in Path(directory).glob("part.*"):
            if PART.fullmatch(f"{FOLDER}/{path.name.removesuffix(DRAFT)}") and not path.is_dir():
                path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        os.rmdir(directory)


def verify(path, table, rows):
    """Raise InputError unless a part is intact, as far as a table needs it, and has so many rows of it. One process."""
    sealed.verify(serial_world(), path, KIND, FORMAT, head_only=table not in APART)
    with datasets.open_file(path) as h5, understood(path):
        if len(h5[table]) != rows:
            raise InputError(f"{path} holds {len(h5[table])} rows of /{table}, and not {rows}: it is of another run")


def describe(path):
    """What is in a part, as text."""
    sealed.verify(serial_world(), path, KIND, FORMAT)
    with datasets.open_file(path) as h5, understood(path):
        rows = ", ".join(f"{len(h5[name])} rows in /{one_line(name)}" for name in h5)
    return f"{path}: intact part of results, format {FORMAT}\n  {rows}"
