"""What an HDF5 file may hold to be read: only what metacascade writes.

A file may come from anywhere, and its seal keeps out chance, not intent. So nothing in it is followed to other
files but parts beside it, no size in it is believed that the file does not have, and no type in it but numbers,
records of numbers, and texts.
"""
import contextlib
import math
import re

import h5py

from metacascade.base.errors import InputError, RunError

DEEPEST, MOST = 4, 20_000         # groups inside groups; objects and attributes of a file
NUMBER = r"(\d{6}|[1-9]\d{6,})"       # as f"{number:06d}" writes it
PART = re.compile(rf"parts/part\.{NUMBER}(?:-{NUMBER})?\.h5", re.ASCII)     # the only files that one may look into
CONTRADICTIONS = (LookupError, ValueError, TypeError, AttributeError, RuntimeError, ArithmeticError, OSError)


@contextlib.contextmanager
def understood(path):
    """What fails in the body, because a file is not as we write it, becomes an InputError that names it."""
    try:
        yield
    except (InputError, RunError):
        raise
    except CONTRADICTIONS as error:
        raise InputError(f"{path} is not as metacascade writes it: {type(error).__name__}: {error}") from error


def check(h5, path):
    """Raise InputError unless the open file holds only what may be read; no data of it is read, no link followed."""
    size, left = h5.id.get_filesize(), [MOST]
    with understood(path):
        _group(h5, size, DEEPEST, left)


def _refuse(item, what):
    raise InputError(f"{item.file.filename} is not as metacascade writes it: {item.name} {what}")


def _group(group, size, deepest, left):
    _attributes(group, size, left)
    for name in group:
        if group.id.links.get_info(name.encode(errors="surrogateescape")).type != h5py.h5l.TYPE_HARD:
            _refuse(group, f"has a link to elsewhere, {name!r}, which is not followed")
        item = group[name]
        if isinstance(item, h5py.Group) and deepest:
            _group(item, size, deepest - 1, left)
        elif isinstance(item, h5py.Dataset):
            _dataset(item, size)
            _attributes(item, size, left)
        else:
            _refuse(group, f"holds {name!r}, which is neither a dataset nor a group near the root")


def _attributes(item, size, left):
    number = h5py.h5a.get_num_attrs(item.id)
    left[0] -= 1 + number
    if left[0] < 0:
        _refuse(item, f"comes after {MOST} other objects and attributes")
    for i in range(number):
        attribute = h5py.h5a.open(item.id, index=i)
        _kind(item, attribute.dtype, attribute.shape)
        if math.prod(attribute.shape) * attribute.dtype.itemsize > size:
            _refuse(item, "has an attribute that is larger than the file")


def _kind(item, dtype, shape):
    """Only numbers, records of numbers, texts of a fixed length, and single texts of any."""
    text = h5py.check_string_dtype(dtype)
    if not (text and text.length is None and shape == ()) and not _plain(dtype):
        _refuse(item, f"has the type {dtype}, which is not read")


def _plain(dtype):
    if dtype.names:
        return all(_plain(dtype[name]) for name in dtype.names)
    return dtype.base.kind in "iufbS"       # base: a field may be a row of numbers


def _dataset(dataset, size):
    shape, layout = dataset.shape, dataset.id.get_create_plist()
    _kind(dataset, dataset.dtype, shape)
    kind = layout.get_layout()
    if kind not in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT, h5py.h5d.VIRTUAL) or layout.get_nfilters():
        _refuse(dataset, "is in chunks or has a filter")
    if kind == h5py.h5d.VIRTUAL:
        return _view(dataset)
    if layout.get_external_count():
        _refuse(dataset, "has its data in another file, which is not followed")
    length = math.prod(shape) * dataset.id.get_type().get_size()
    start = 0 if kind == h5py.h5d.COMPACT else dataset.id.get_offset()
    if length and (start is None or start + length > size):
        _refuse(dataset, f"has {length} bytes, which the file does not hold")


def _view(dataset):
    """A virtual dataset must be rows of parts beside the file, one behind the other."""
    start = 0
    for source in dataset.virtual_sources():
        if not PART.fullmatch(source.file_name):
            _refuse(dataset, f"looks into {source.file_name!r}, which is not followed")
        rows = source.vspace.get_select_npoints()
        if source.vspace.get_select_bounds() != ((start,), (start + rows - 1,)) \
                or not _all_or_a_column(source.src_space, rows):
            _refuse(dataset, "does not show its parts one behind the other")
        start += rows
    if dataset.shape != (start,):
        _refuse(dataset, f"has {dataset.shape[0]} rows, and its parts {start}")


def _all_or_a_column(space, rows):
    """Does a selection of a part take all of a dataset, or so many rows of one column, from the first on?"""
    if space.get_select_type() == h5py.h5s.SEL_ALL:
        return True
    first, last = space.get_select_bounds()
    return len(first) == 2 and space.get_select_npoints() == rows and (first[0], *last) == (0, rows - 1, first[1])
