"""HDF5 files whose datasets all ranks fill at the same time, with any build of h5py.

Rank 0 lets HDF5 lay out the file in memory (names, types, attributes, contiguous datasets of the
global size); every rank then writes its rows straight to the place that HDF5 gave them
(``H5Dget_offset``). So no rank waits for its turn and nothing is gathered, a full disk is met before
the first row is written (the space is reserved first) and never inside HDF5, and no byte of the file
depends on the number of ranks.
"""
import contextlib
import errno
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import h5py
import numpy as np

from metacascade.io import sealed, structure
from metacascade.io.atomic import reading, removed_on_error, replace, temporary, writing
from metacascade.ranks.parallel import serial_world
from metacascade.state.state import raw

LIBVER = ("earliest", "v110")     # can be read by HDF5 1.10 and later


@dataclass
class Table:
    """A dataset whose rows are spread over the ranks, in the order of ranks.

    `slabs` yields arrays of `dtype` that add up to this rank's `rows` rows of shape `shape`.
    `name`, `dtype`, `shape` and `attributes` are the same on every rank.
    """

    name: str
    dtype: np.dtype
    rows: int = 0
    shape: tuple = ()
    slabs: Callable[[], Iterable[np.ndarray]] = tuple
    attributes: dict = field(default_factory=dict)

    @classmethod
    def of(cls, name, data, **attributes):
        """A table of the rows of one array on each rank."""
        return cls(name, data.dtype, len(data), data.shape[1:], lambda: [data], attributes)


def units(table):
    """The attribute ``units`` of a dataset of records: a JSON text, field -> unit."""
    return {"units": json.dumps(table)}


def write(world, path, tables, head=None, seal=None, before_replace=None, apart=(), ordered=()):
    """Write the file `path` with `tables`, whole or not at all. Collective.

    Parameters
    ----------
    head : callable, optional
        ``head(h5)`` adds attributes and small datasets to the open file, on rank 0.
    seal : (kind, version), optional
        Seal the file (`metacascade.io.sealed`).
    before_replace : callable, optional
        Called on rank 0 when the new file is whole and about to get its name.
    apart : sequence of str, optional
        Names of tables that stand apart in the seal: the rest can be checked without their rows.
    ordered : sequence of str, optional
        Names of groups that keep the order of what is in them.

    Raises
    ------
    RunError
        On every rank, if one cannot write; the unfinished file is removed.
    """
    draft = temporary(path)
    with removed_on_error(draft) if world.rank == 0 else contextlib.nullcontext():
        starts = [world.exscan(table.rows) for table in tables]
        totals = world.sum([table.rows for table in tables])
        offsets = None
        with world.together(), writing(path):
            if world.rank == 0:
                image, offsets = _lay_out(tables, totals, head, sealed.BLOCK if seal else 0, ordered)
                _reserve(draft, image)
        offsets = world.bcast(offsets)
        with world.together(), writing(path):
            _fill(draft, tables, starts, offsets, sync=world.rank > 0 or not seal)  # rank 0 syncs with the seal
        if seal:
            sealed.seal(world, draft, *seal, _ranges(tables, totals, offsets, apart))
        with world.together(), writing(path):
            if world.rank == 0:
                if before_replace:
                    before_replace()
                replace(path)


def write_small(path, head, seal=None):
    """Write a file that one process fills by ``head(h5)``, whole or not at all."""
    write(serial_world(), path, [], head, seal)


def open_file(path):
    """The HDF5 file `path`, open to read: InputError if HDF5 refuses it, or it holds what we do not write.

    A sealed one is to be verified first: damaged input can keep HDF5 busy for ever.
    """
    with reading(path), structure.understood(path):
        # Whole files are never written again: nobody needs a lock on them, and some file systems have none.
        h5 = h5py.File(path, "r", locking=False)
    try:
        structure.check(h5, path)
    except BaseException:
        h5.close()
        raise
    return h5


class Opened(contextlib.ExitStack):
    """Files that stay open to its end, so that each is opened, and looked through, once for all of its tables."""

    def __init__(self):
        super().__init__()
        self._files = {}

    def file(self, path):
        """What `open_file` gives."""
        if path not in self._files:
            self._files[path] = self.enter_context(open_file(path))
        return self._files[path]


class _Image:
    """A sparse file in memory, to which HDF5 writes what it knows of a file: all but the rows."""

    PAGE = 1 << 16

    def __init__(self):
        self.pages, self.size, self.at = {}, 0, 0

    def seek(self, offset, whence=os.SEEK_SET):
        self.at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.at, os.SEEK_END: self.size}[whence]
        return self.at

    def tell(self):
        return self.at

    def _spans(self, length):
        """(page, from, to, done) for each page that the next `length` bytes touch."""
        done = 0
        while done < length:
            number, start = divmod(self.at + done, self.PAGE)
            stop = min(self.PAGE, start + length - done)
            yield self.pages.setdefault(number, bytearray(self.PAGE)), start, stop, done
            done += stop - start

    def write(self, data):
        data = memoryview(data).cast("B")
        for page, start, stop, done in self._spans(len(data)):
            page[start:stop] = data[done:done + stop - start]
        self.at += len(data)
        self.size = max(self.size, self.at)
        return len(data)

    def readinto(self, buffer):
        buffer = memoryview(buffer).cast("B")
        for page, start, stop, done in self._spans(len(buffer)):
            buffer[done:done + stop - start] = page[start:stop]
        self.at += len(buffer)
        return len(buffer)

    def read(self, length):
        data = bytearray(length)
        self.readinto(data)
        return bytes(data)

    def truncate(self, size):
        self.size = size

    def flush(self):
        pass

    def pieces(self):
        """(position, bytes) of what was written, in order, none beyond the end."""
        for number in sorted(self.pages):
            position = number * self.PAGE
            if position < self.size:
                yield position, self.pages[number][:self.size - position]


def _lay_out(tables, totals, head, user_block, ordered):
    """The file as HDF5 makes it, without rows, and the offset in it of each table's first row."""
    image = _Image()
    with h5py.File(image, "w", libver=LIBVER, userblock_size=user_block) as h5:
        for name in ordered:
            h5.create_group(name, track_order=True)
        offsets = [_create(h5, table, int(total)) for table, total in zip(tables, totals)]
        if head:
            head(h5)
    return image, offsets


def _create(h5, table, total):
    """Create a contiguous dataset that has its place in the file at once; return its offset."""
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_layout(h5py.h5d.CONTIGUOUS)
    layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    dataset = h5.create_dataset(table.name, (total, *table.shape), table.dtype, dcpl=layout)
    dataset.attrs.update(table.attributes)
    return dataset.id.get_offset() if total else 0


def _ranges(tables, totals, offsets, names):
    """(first byte, end) of the rows of the tables of these names, ascending; without those that are empty."""
    return sorted((offset, offset + int(total) * _row_bytes(table)) for table, total, offset
                  in zip(tables, totals, offsets) if table.name in names and total)


def _row_bytes(table):
    return table.dtype.itemsize * int(np.prod(table.shape, dtype=np.int64))


def _reserve(path, image):
    """Create the file `path` of the size of `image`, with its disk space, and write `image` to it."""
    with open(path, "wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, image.size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise
            file.truncate(image.size)
        for position, data in image.pieces():
            file.seek(position)
            file.write(data)


def _fill(path, tables, starts, offsets, sync):
    """Write this rank's rows of every table to their places."""
    with open(path, "r+b", buffering=0) as file:
        for table, start, offset in zip(tables, starts, offsets):
            row = _row_bytes(table)
            written = _write_at(file.fileno(), offset + start * row, table)
            if written != table.rows * row:
                raise ValueError(f"{table.name}: {written} bytes came for {table.rows} rows of {row}")
        if sync:
            os.fsync(file.fileno())


def _write_at(handle, position, table):
    """Write the slabs of a table one behind the other; return how many bytes they had."""
    written, room = 0, table.rows
    for slab in table.slabs():
        room -= len(slab)
        if slab.dtype != table.dtype or room < 0:
            raise ValueError(f"{table.name}: got {len(slab)} rows of {slab.dtype}, {room} too many of {table.dtype}")
        data = memoryview(raw(slab))
        while data:
            done = os.pwrite(handle, data, position + written)
            written, data = written + done, data[done:]
    return written
