"""Copying records as bytes: NumPy copies structured arrays field by field, ten times slower and more."""
import numpy as np


def as_bytes(records):
    """The same memory as opaque items, one per record; `records` is contiguous. Plain arrays stay as they are."""
    if records.dtype.names is None:
        return records
    return records.view(np.dtype((np.void, records.dtype.itemsize)))


def joined(first, *more):
    """Arrays of one structured dtype, one behind the other."""
    return np.concatenate([as_bytes(np.ascontiguousarray(a)) for a in (first, *more)]).view(first.dtype)


def chosen(records, which):
    """``records[which]`` for an array of indices or of bool: a copy."""
    return as_bytes(np.ascontiguousarray(records))[which].view(records.dtype)


def by_id(records):
    """A copy sorted by id."""
    return chosen(records, np.argsort(records["id"], kind="stable"))


def copy(target, source):
    """``target[:] = source`` for contiguous records of one dtype; they may overlap."""
    as_bytes(target)[:] = as_bytes(source)
