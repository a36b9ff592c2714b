"""The register of what a rank keeps of each voxel: growth, moves between ranks, files and the digest loop over it."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from metacascade.base.errors import InputError
from metacascade.base.tiles import VALUES, VOXELS


@dataclass(frozen=True)
class TileArray:
    """One array of the tiles: row t is what tile t has.

    Attributes
    ----------
    name, unit, dtype
    values : int
        Values of a tile, one of VALUES.
    start : float
        Of a tile when it is added.
    ghosts : bool
        Are there rows for the ghosts behind those of the tiles?
    saved : bool
        Is it part of the state? Else it is derived from what is.
    """

    name: str
    unit: str
    dtype: type = np.float32
    values: int = VOXELS
    start: float = 0.0
    ghosts: bool = True
    saved: bool = True


COUNTS = TileArray("counts", "cells", np.uint16)


class TileArrays:
    """The arrays of the tiles of a rank, by name, in the order in which they were added."""

    def __init__(self, *kinds: TileArray):
        self.kinds: dict[str, TileArray] = {}
        self._arrays: dict[str, np.ndarray] = {}
        for kind in kinds:
            self.add(kind)

    def add(self, kind: TileArray) -> None:
        """A further array, while there are no tiles."""
        if kind.name in self.kinds or kind.values not in VALUES:
            raise ValueError(f"the array {kind.name} is there twice, or has {kind.values} values a tile")
        self.kinds[kind.name] = kind
        self._arrays[kind.name] = np.empty((0, kind.values), kind.dtype)

    def __contains__(self, name: str) -> bool:
        return name in self.kinds

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def __setitem__(self, name: str, array: np.ndarray) -> None:
        """Put another array in the place of one, of as many rows."""
        kind, shape = self.kinds[name], self._arrays[name].shape
        if array.dtype != kind.dtype or array.shape != shape:
            raise ValueError(
                f"{name}: {array.dtype} of shape {array.shape} instead of {np.dtype(kind.dtype)} of {shape}")
        self._arrays[name] = array

    def saved(self) -> Iterator[TileArray]:
        """Those that are part of the state."""
        return (kind for kind in self.kinds.values() if kind.saved)

    def units(self) -> dict[str, str]:
        """Of what is part of the state."""
        return {kind.name: kind.unit for kind in self.saved()}

    def grow(self, before: int, tiles: int, ghosts: int = 0) -> None:
        """Have rows for so many tiles and ghosts; those behind the first `before` begin with the start value."""
        for name, kind in self.kinds.items():
            array = self._arrays[name]
            array.resize((tiles + ghosts * kind.ghosts, kind.values), refcheck=False)  # in place where the system can
            array[before:] = kind.start

    def keep(self, rows: np.ndarray) -> None:
        """Forget all rows but these."""
        for name, array in self._arrays.items():
            self._arrays[name] = array[rows]

    def record(self) -> np.dtype:
        """What a tile takes with it to another rank."""
        return np.dtype([("coords", np.int32, 3)] + [(kind.name, kind.dtype, kind.values) for kind in self.saved()])

    def take(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Copies of these rows of what is part of the state."""
        return {kind.name: self._arrays[kind.name][rows] for kind in self.saved()}

    def put(self, rows: np.ndarray, values) -> None:
        """Fill rows from a mapping or a structured array by name; what it lacks keeps its start value.

        Raises InputError for what is not laid out as here: it is of a file that metacascade did not write.
        """
        have = values.dtype.names if isinstance(values, np.ndarray) else values
        for kind in self.saved():
            if kind.name not in have:
                continue
            array = values[kind.name]
            if array.dtype != kind.dtype or array.shape != (len(rows), kind.values):
                raise InputError(f"{kind.name} of the state is {array.dtype} of shape {array.shape}, not "
                                 f"{np.dtype(kind.dtype)} with {kind.values} values a tile: it was saved with another "
                                 "resolution; begin anew, or give the setting of then")
            self._arrays[kind.name][rows] = array
