"""The parts of results: sealed files ``parts/part.NNNNNN.h5``, each whole, never changed once written."""
import contextlib
import os
from pathlib import Path

import h5py
import numpy as np

from metacascade import datasets, sealed
from metacascade.atomic import writing
from metacascade.datasets import Table
from metacascade.errors import InputError
from metacascade.parallel import serial_world
from metacascade.screen import one_line
from metacascade.state import CTC, empty
from metacascade.structure import PART, understood

FOLDER, KIND, FORMAT = "parts", "PART", 1
NO_CELL = np.frombuffer(b"\xff" * CTC.itemsize, CTC)[0]     # what HDF5 shows of a part that is gone: NaN, fate 255
SLAB_ROWS = 1 << 18               # shed cells that are merged at a time: 16 MiB


class Parts:
    """The parts of one run.

    Attributes
    ----------
    series, draws : ndarray
        The rows of all parts; on rank 0.
    shed : list of int
        Rows of /shed in each part; on every rank.
    """

    def __init__(self, world, directory, series, draws):
        self.world, self.directory = world, Path(directory) / FOLDER
        self.series, self.draws, self.shed = empty(series), empty(draws), []

    def __len__(self):
        return len(self.shed)

    def path(self, number):
        return self.directory / f"part.{number:06d}.h5"

    def load(self, number):
        """Take over the first `number` parts of a run that goes on, and remove all others. Collective.

        Raises InputError if one is missing, damaged, or has other columns.
        """
        with self.world.together():
            if self.world.rank == 0:
                remove(self.directory, number)
        for i in range(number):
            sealed.verify(self.world, self.path(i), KIND, FORMAT)
        counts = None
        with self.world.together(), writing(self.directory):
            if self.world.rank == 0:
                self.directory.mkdir(parents=True, exist_ok=True)
                counts = [self._take(self.path(i)) for i in range(number)]
        self.shed = self.world.bcast(counts)

    def _take(self, path):
        """Append the small tables of a part to those in memory; return its rows of /shed."""
        with datasets.open_file(path) as h5, understood(path):
            if h5["series"].dtype != self.series.dtype or h5["draws"].dtype != self.draws.dtype:
                raise InputError(f"{path} was written by a version of metacascade with other columns")
            self._append(h5["series"][:], h5["draws"][:])
            return len(h5["shed"])

    def _append(self, series, draws):
        self.series = np.concatenate([self.series, series])
        self.draws = np.concatenate([self.draws, draws])

    def add(self, series, draws, shed):
        """Write the next part, unless all is empty on every rank. Collective.

        `series` and `draws` of rank 0 count; `shed` are the rows of this rank, in the order of ranks.
        """
        if self.world.rank > 0:
            series, draws = series[:0], draws[:0]
        rows, number = self.world.sum([len(series) + len(draws) + len(shed), len(shed)]).tolist()
        if rows == 0:
            return
        datasets.write(self.world, self.path(len(self)), [
            Table.of("series", series), Table.of("draws", draws), Table.of("shed", shed)], seal=(KIND, FORMAT))
        self._append(series, draws)
        self.shed.append(number)

    def view(self, h5):
        """Create /shed in a file beside ``parts/`` as a view of the rows of all parts."""
        layout = h5py.VirtualLayout((sum(self.shed),), CTC)
        start = 0
        for i, rows in enumerate(self.shed):
            if rows:
                layout[start:start + rows] = h5py.VirtualSource(f"{FOLDER}/{self.path(i).name}", "shed", (rows,), CTC)
            start += rows
        if start == 0:
            return h5.create_dataset("shed", (0,), CTC)
        return h5.create_virtual_dataset("shed", layout, fillvalue=NO_CELL)

    def merged(self):
        """/shed of all parts as one table, a run of rows for each rank to copy."""
        total, rank, size = sum(self.shed), self.world.rank, self.world.size
        first, last = total * rank // size, total * (rank + 1) // size
        return Table("shed", CTC, last - first, slabs=lambda: self._slabs(first, last))

    def _slabs(self, first, last):
        """The rows first .. last - 1 of all parts laid end to end, some at a time."""
        start = 0
        for i, rows in enumerate(self.shed):
            a, b = max(first - start, 0), min(last - start, rows)
            if a < b:
                with datasets.open_file(self.path(i)) as h5:
                    for row in range(a, b, SLAB_ROWS):
                        yield h5["shed"][row:min(row + SLAB_ROWS, b)]
            start += rows


def remove(directory, number=0):
    """Remove all parts in `directory` but the first `number`, and it too if nothing is left. One process."""
    with writing(directory):
        for path in Path(directory).glob("part.*.h5"):
            ours = PART.fullmatch(f"{FOLDER}/{path.name}") and not path.is_dir()
            if ours and int(path.name.split(".")[1]) >= number:
                path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        os.rmdir(directory)


def verify(path, rows):
    """Raise InputError unless a part is intact and holds so many rows of /shed. One process."""
    sealed.verify(serial_world(), path, KIND, FORMAT)
    with datasets.open_file(path) as h5, understood(path):
        if len(h5["shed"]) != rows:
            raise InputError(f"{path} holds {len(h5['shed'])} rows of /shed, and not {rows}: it is of another run")


def describe(path):
    """What is in a part, as text."""
    sealed.verify(serial_world(), path, KIND, FORMAT)
    with datasets.open_file(path) as h5, understood(path):
        rows = ", ".join(f"{len(h5[name])} rows in /{one_line(name)}" for name in h5)
    return f"{path}: intact part of results, format {FORMAT}\n  {rows}"
