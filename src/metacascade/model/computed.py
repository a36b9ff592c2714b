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
    shown = given.view()
    shown.flags.writeable = False
    absent = dict(factor.absent)
    found = np.ones((len(n), VOXELS), np.float32)
    for row in np.flatnonzero(n):
        for own, name in zip(given, factor.signals):
            if name == DENSITY:
                np.divide(counts[row], np.float32(capacity), out=own)
            elif name in absent:
                own[:] = absent[name]
            else:
                own[:] = fields[name][row][VALUE_OF_VOXEL[fields[name].shape[1]]]
        found[row] = _called(factor, shown)
    return found


def _called(factor, shown):
    """What the function makes of a tile."""
    try:
        value = np.broadcast_to(np.asarray(factor.function(*shown), np.float32), (VOXELS,))
    except Exception as error:
        raise RunError(f"{_place(factor.function, error)}the factor {factor.text} on {factor.rate}: "
                       f"{type(error).__name__}: {error}") from None
    wrong = value[~((value >= 0.0) & (value < np.inf))]
    if wrong.size:
        raise RunError(f"{_place(factor.function)}the factor {factor.text} on {factor.rate} is {wrong[0]:g} in "
                       f"{wrong.size} of {VOXELS} voxels of a tile: it must not be negative, and must be finite")
    return value


def _place(function, error=None):
    """File and line of a function of a user; of an error, the line of its file in which it came up."""
    code = getattr(function, "__code__", None)
    if code is None:
        return ""
    lines = [at.lineno for at in traceback.extract_tb(error and error.__traceback__) if at.filename == code.co_filename]
    return f"{code.co_filename}:{(lines or [code.co_firstlineno])[-1]}: "
