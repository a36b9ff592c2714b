"""Indexing the rows of a table in a file as NumPy does: HDF5 itself takes only some of that, and only in order."""
import contextlib
import operator

import numpy as np

from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.base.screen import one_line

BLOCK = 1 << 18         # rows read together, of which some are kept
ALLOWED = ('the name of a field, a list of such, a number, a slice, a list of numbers, a boolean for each row, or '
           'both, such as ["fate", :100]')


def split(key, names):
    """What is in the brackets behind a table with the fields `names`: (field, list of fields or None, rows).

    Rows are a number, a slice or an array of numbers or booleans. Raises InputError for anything else.
    """
    parts = list(key) if isinstance(key, tuple) else [key]
    fields = parts.pop(0) if parts and _is_fields(parts[0]) else None
    if len(parts) > 1:
        raise _refused(key)
    return _fields(fields, names), _rows(parts[0] if parts else slice(None))


def read(dataset, fields, rows):
    """What `split` has found, of an HDF5 dataset of records: an array, in the order asked for."""
    table, length = dataset if fields is None else dataset.fields(fields), len(dataset)
    if isinstance(rows, slice):
        first, last, step = rows.indices(length)
        wanted = range(first, last, step)
        if step > 0:
            return table[first:max(first, last):step]
        return table[wanted[-1]:wanted[0] + 1:-step][::-1] if wanted else table[:0]
    if isinstance(rows, int):
        if not -length <= rows < length:
            raise IndexError(f"row {rows} is not there: the table has {length:,} rows")
        return table[rows % length]
    return _picked(table, _numbers(rows, length))


def _is_fields(key):
    if isinstance(key, np.ndarray):
        return key.dtype.kind == "U" and key.ndim == 1 and len(key) > 0
    return isinstance(key, str) or isinstance(key, list) and key != [] and all(isinstance(name, str) for name in key)


def _fields(given, names):
    """A field or a list of fields as HDF5 takes them, None for all."""
    if given is None or isinstance(given, str):
        wanted = [] if given is None else [given]
    else:
        wanted = given = [str(name) for name in given]
    for name in wanted:
        if name not in names:
            raise InputError(f"there is no field '{one_line(name, 60)}'{nearest(name, names)}; "
                             f"fields: {', '.join(names)}")
        if wanted.count(name) > 1:
            raise InputError(f"the field '{name}' is named twice")
    return given


def _rows(given):
    if given is Ellipsis:
        return slice(None)
    if isinstance(given, slice):
        with contextlib.suppress(TypeError, ValueError):
            given.indices(0)
            return given
        raise _refused(given)
    if not isinstance(given, (bool, np.bool_)):
        with contextlib.suppress(TypeError):
            return operator.index(given)
    if isinstance(given, (list, range)) or hasattr(given, "__array__"):
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            array = np.asarray(given)
            if array.ndim == 1 and (array.dtype.kind in "bui" or not array.size):
                return array if array.size else array.astype(np.int64)
    raise _refused(given)


def _numbers(rows, length):
    """Rows by number, from 0, of an array of numbers or booleans."""
    if rows.dtype == bool:
        if len(rows) != length:
            raise InputError(f"a boolean for each row is needed: {length:,}, not {len(rows):,}")
        return np.flatnonzero(rows)
    if len(rows) and not -length <= int(rows.min()) <= int(rows.max()) < length:
        raise IndexError(f"rows {rows.min()} to {rows.max()} are not all there: the table has {length:,} rows")
    rows = rows.astype(np.int64)
    return np.where(rows < 0, rows + length, rows)


def _picked(table, numbers):
    """Rows by number in any order: the table is read block by block, where some are wanted."""
    order = np.argsort(numbers, kind="stable")
    ascending = numbers[order]
    found, at = np.empty(len(numbers), table[:0].dtype), 0
    while at < len(ascending):
        first = int(ascending[at])
        until = int(np.searchsorted(ascending, first + BLOCK))
        inside = ascending[at:until]
        found[order[at:until]] = table[first:int(inside[-1]) + 1][inside - first]
        at = until
    return found


def _refused(given):
    return InputError(f"a table is indexed by {ALLOWED}; not by {one_line(repr(given), 60)} ({type(given).__name__})")
