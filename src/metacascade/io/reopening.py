"""A finished run becomes one that can go on: the rows of its results.h5 become parts again."""
import json
from pathlib import Path

import numpy as np

from metacascade.base.errors import InputError
from metacascade.io import datasets, parts, results, sealed
from metacascade.io.atomic import writing
from metacascade.io.datasets import Table
from metacascade.io.structure import understood

WRITTEN = "written"     # attribute of complete results: `Parts.written`; /shed has the open CTCs behind those rows


def reopen(world, directory, made, count):
    """Write the parts anew that a finished run had at its last checkpoint, with `count` writings. Collective.

    `made` : Parts of the run, not yet loaded. results.h5 stays as it is: killed now, the run is the finished one.
    Once an `Output` has loaded these parts results.h5 shows them, and the run is like one that was killed
    after its last checkpoint.
    """
    path = Path(directory) / results.NAME
    sealed.verify(world, path, results.KIND, results.FORMAT)
    with world.together(), writing(made.directory):
        written = _written(path, made)
        made.directory.mkdir(parents=True, exist_ok=True)
    done = dict.fromkeys(made.tables, 0)
    ends = [count - 1, count] if len(written) == 2 else [count]
    for first, last, rows in zip([0, *ends], ends, written):
        part = parts.Part(first, last, rows, early=len(written) == 2 and last == count)
        if last > first:
            made.write(part, _tables(world, path, made, done, rows))
        done = {name: done[name] + rows[name] for name in rows}


def _written(path, made):
    """The rows of each table that were in parts, once they are seen to be there."""
    with datasets.open_file(path) as h5, understood(path):
        if WRITTEN not in h5.attrs:
            raise InputError(f"{path} is of a version of metacascade whose runs could not be made longer; "
                             "go on in another directory: metacascade branch")
        written = json.loads(h5.attrs[WRITTEN])
        numbers = {name: [int(rows[name]) for rows in written] for name in made.tables}
        there = {name: len(h5[name]) for name in (*made.small, "shed")} | {
            kind: len(h5["series"][names[0]]) for kind, names in made.series.items()}
        for name, rows in numbers.items():
            if not (len(rows) in (1, 2) and min(rows) >= 0 and sum(rows) <= there[name]
                    and (name == "shed" or sum(rows) == there[name])):
                raise ValueError(f"{rows} rows of {name} were in parts, and there are {there[name]}")
        return written


def _tables(world, path, made, done, rows):
    """The tables of a part from the rows `done` .. `done + rows` - 1 of results.h5."""
    small = []
    with world.together(), understood(path):
        for name, (dtype, shape) in made.tables.items():
            first, last = done[name], done[name] + rows[name] * (world.rank == 0)
            if name != "shed":
                small.append(Table.of(name, _small(path, made, name, first, last).astype(dtype).reshape(-1, *shape)))
    first = done["shed"] + rows["shed"] * world.rank // world.size
    last = done["shed"] + rows["shed"] * (world.rank + 1) // world.size
    dtype, shape = made.tables["shed"]
    return [*small, Table("shed", dtype, last - first, shape, lambda: _slabs(path, first, last))]


def _small(path, made, name, first, last):
    """Rows of a small table, or of the columns of the time series that are of one kind."""
    with datasets.open_file(path) as h5:
        if name in made.series:
            return np.array([h5["series"][column][first:last] for column in made.series[name]]).T
        return h5[name][first:last]


def _slabs(path, first, last):
    """Rows of /shed, some at a time."""
    with datasets.open_file(path) as h5:
        for row in range(first, last, parts.SLAB_ROWS):
            yield h5["shed"][row:min(row + parts.SLAB_ROWS, last)]
