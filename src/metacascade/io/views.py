"""Datasets that show the rows of other files: what lets results.h5 be small, and whole, while a run goes on."""
import h5py
import numpy as np


def nothing(dtype):
    """What a view shows where a file is missing: every byte 255, so that no number in it can be taken for a result."""
    return np.frombuffer(b"\xff" * np.dtype(dtype).itemsize, dtype)[0]


def show(group, name, dtype, pieces, column=None):
    """Create the dataset `name` as the rows of other files end to end; `pieces`: (file, dataset in it, rows).

    `column`: (i, n), the i-th of the n columns of these datasets. The low-level calls of h5py take a quarter of the
    time of its VirtualLayout.
    """
    pieces = [piece for piece in pieces if piece[2]]
    total = sum(rows for _, _, rows in pieces)
    if not total:
        return group.create_dataset(name, (0,), dtype)
    layout, space, start = h5py.h5p.create(h5py.h5p.DATASET_CREATE), h5py.h5s.create_simple((total,)), 0
    layout.set_fill_value(np.array(nothing(dtype)))
    for file, dataset, rows in pieces:
        space.select_hyperslab((start,), (rows,))
        layout.set_virtual(space, file.encode(), dataset.encode(), _source(rows, column))
        start += rows
    kind = h5py.h5t.py_create(np.dtype(dtype), logical=True)
    return h5py.Dataset(h5py.h5d.create(group.id, name.encode(), kind, h5py.h5s.create_simple((total,)), layout))


def _source(rows, column):
    """All rows of a dataset, or one column of them."""
    if column is None:
        return h5py.h5s.create_simple((rows,))
    space = h5py.h5s.create_simple((rows, column[1]))
    space.select_hyperslab((0, column[0]), (rows, 1))
    return space
