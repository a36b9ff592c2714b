"""Copying records as bytes: NumPy copies structured arrays field by field, ten times slower and more.

Also what a CTC of a lesion has in the bytes of x and y: `source_of`.
"""
import numpy as np

SHED_BY_LESION = 4      # Flag.LESION: this package knows no kernels


def as_bytes(records):
    """The same memory as opaque items, one per record; `records` is contiguous. Plain arrays stay as they are."""
    if records.dtype.names is None:
        return records
    return records.view(np.dtype((np.void, records.dtype.itemsize)))


def joined(first, *more):
    """Arrays of one structured dtype, one behind the other."""
    return np.concatenate([as_bytes(np.ascontiguousarray(a)) for a in (first, *more)]).view(first.dtype)


def extended(room, have, more):
    """`have` with `more` behind it, at the cost of `more`: (room, the whole), the whole being the front of the room.

    `room`: that of `have`, or None; where it is too small there will be a larger one. `have` is used up: it may be
    extended once.
    """
    n, total = len(have), len(have) + len(more)
    if room is None or len(room) < total:
        room = np.empty((total + total // 16 + 64, *have.shape[1:]), have.dtype)
        copy(room[:n], np.ascontiguousarray(have))
    copy(room[n:total], np.ascontiguousarray(more))
    return room, room[:total]


def chosen(records, which):
    """``records[which]`` for an array of indices or of bool: a copy."""
    return as_bytes(np.ascontiguousarray(records))[which].view(records.dtype)


def by_id(records):
    """A copy sorted by id."""
    return chosen(records, np.argsort(records["id"], kind="stable"))


def cells_in(ctcs, which=slice(None)) -> int:
    """Cells in CTCs, or in some of them: a cluster counts each."""
    return int(ctcs["n"][which].sum(dtype=np.int64))


def source_of(ctcs) -> np.ndarray:
    """The id of the lesion that has shed each of the CTCs, uint64; 0 of those that no lesion has."""
    return np.where(ctcs["flags"] & SHED_BY_LESION, _words_of_x(ctcs), np.uint64(0))


def _words_of_x(ctcs):
    """A view of the bytes of x and y, which lie one behind the other, as uint64."""
    dtype = np.dtype({"names": ["source"], "formats": ["u8"], "offsets": [ctcs.dtype.fields["x"][1]],
                      "itemsize": ctcs.dtype.itemsize})
    return ctcs.view(dtype)["source"]


def copy(target, source):
    """``target[:] = source`` for contiguous records of one dtype; they may overlap."""
    as_bytes(target)[:] = as_bytes(source)
