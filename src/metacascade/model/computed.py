"""Factors that a user computes in Python, from the arrays of one tile at a time."""
import traceback

import numpy as np

from metacascade.base.errors import RunError
from metacascade.base.tiles import VALUE_OF_VOXEL, VOXELS
from metacascade.mechanisms.terms import DENSITY, PythonFactor


def evaluate(factor: PythonFactor, fields, n, counts, capacity) -> np.ndarray:
    """The factor in every voxel: float32, shape (tiles, 512); 1 in tiles without cells.

    The function sees one tile at a time, always in the same memory, so its result is the same on any ranks.

    Parameters
    ----------
    fields : dict of str and ndarray of float32, shape (tiles or more, 512 | 64 | 8)
    n : ndarray of int, shape (tiles,)
        Cells of each tile.
    counts : ndarray of uint16, shape (tiles or more, 512)
        Cells of each voxel.
    capacity : float
        Cells of a voxel at density 1.

    Raises
    ------
    RunError
        With file and line, if the function fails, or if a value is negative or not finite.
    """
    given = np.empty((len(factor.signals), VOXELS), np.float32)
    found, rows = np.ones((len(n), VOXELS), np.float32), np.flatnonzero(n)

    def of_tile(row):
        given.flags.writeable = True
        _show(given, factor, fields, counts, capacity, row)
        given.flags.writeable = False
        return _called(factor, given)

    for row in rows:
        found[row] = of_tile(row)
    if len(rows) and not np.array_equal(of_tile(rows[0]), found[rows[0]]):
        raise RunError(f"{place(factor.function)}the factor {factor.text} on {factor.rate} is not the same if it is "
                       "computed again: results would depend on the ranks")
    return found


def _show(given, factor, fields, counts, capacity, row):
    """Fill in what the function is given of a tile."""
    absent = dict(factor.absent)
    for own, name in zip(given, factor.signals):
        if name == DENSITY:
            np.divide(counts[row], np.float32(capacity), out=own)
        elif name in absent:
            own[:] = absent[name]
        else:
            own[:] = fields[name][row][VALUE_OF_VOXEL[fields[name].shape[1]]]


def _numbers(value):
    """What a function returns, as numbers of single precision."""
    value = np.asarray(value)
    if value.dtype.kind not in "biuf":
        raise TypeError(f"returns {value.dtype.name}, not real numbers")
    if value.shape not in ((), (1,), (VOXELS,)):
        raise ValueError(f"returns an array of shape {value.shape}; there must be {VOXELS}, one a voxel, or one number")
    return value.astype(np.float32)


def _called(factor, shown):
    """What the function makes of a tile."""
    try:
        value = np.broadcast_to(_numbers(factor.function(*shown)), (VOXELS,))
    except (Exception, SystemExit) as error:
        raise RunError(f"{place(factor.function, error)}the factor {factor.text} on {factor.rate}: "
                       f"{type(error).__name__}: {error}") from None
    wrong = value[~((value >= 0.0) & (value < np.inf))]
    if wrong.size:
        raise RunError(f"{place(factor.function)}the factor {factor.text} on {factor.rate} is {wrong[0]:g} in "
                       f"{wrong.size} of {VOXELS} voxels of a tile: it must not be negative, and must be finite")
    return value


def place(function, error=None):
    """File and line of a function of a user; of an error, the line of its file in which it came up."""
    code = getattr(function, "__code__", None)
    if code is None:
        return ""
    lines = [at.lineno for at in traceback.extract_tb(error and error.__traceback__) if at.filename == code.co_filename]
    return f"{code.co_filename}:{(lines or [code.co_firstlineno])[-1]}: "
