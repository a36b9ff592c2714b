"""The pressure of crowded cells, which stops division and pushes cells outward."""
from __future__ import annotations

import math

import numpy as np

from metacascade._kernels import _field, _pressure
from metacascade.base.tiles import VOXELS
from metacascade.space.relaxation import Kept, Mesh, NoHalo, System, relax, schedule
from metacascade.space.tile_arrays import TileArray, TileArrays

GAIN = 5.0                    # by which the few sweeps of a step are to reduce an error; what is left goes in the next
SHARE = 1.0 / 7.0             # of the difference to a neighbor that one pass of smoothing takes, at most


class Pressure:
    """Pressure of the voxels of a rank, a strain: with f = n / capacity - 1 over a fixed length,

        p >= 0,  (1 - L^2 lap) p >= f,  one of the two an equality;  L^2 = mobility x relaxation,

    an obstacle problem, solved by projected red-black relaxation from the pressure of the step before; p = 0 where no
    tile is. With cells that flow by -mobility grad p, density in the bulk is 1 + p + relaxation x (rate of expansion):
    relaxation is a bulk viscosity (Brinkman's law; Perthame and Vauchelet 2015, arXiv:1409.6007). The length over which
    f is taken makes the noise at the rim the same for every edge h below it: f + share sum(neighbor - f) with
    share = (length^2 - h^2) / (24 h^2) has the variance length^2 / 12 of a voxel of that length.

    Its values are those of the array `name` of the register `arrays`.
    """

    def __init__(self, *, capacity: float, edge_um: float, mobility_um2_per_h: float, relaxation_h: float,
                 smoothing_um: float, sweeps: int, initial_sweeps: int, name: str = "pressure",
                 every: int = 1, arrays: TileArrays | None = None):
        self.name, self.every, self.arrays = name, every, arrays or TileArrays()
        self.arrays.add(TileArray(name, "1"))
        self.per_capacity = 1.0 / capacity
        self.rate = mobility_um2_per_h * relaxation_h / edge_um**2
        self.visits = schedule(6.0 * self.rate / (6.0 * self.rate + 1.0), sweeps, GAIN)
        self.initial_sweeps, self.sweeps = initial_sweeps, sweeps
        self.passes, self.share = passes_over(smoothing_um, edge_um)
        self._kept = Kept(VOXELS)

    @property
    def value(self) -> np.ndarray:
        """p of each voxel: float32, shape (n_all, 512); first the tiles of this rank, then ghosts."""
        return self.arrays[self.name]

    def advance(self, counts: np.ndarray, mesh: Mesh, halo=NoHalo()) -> None:
        """The pressure of the cells as they are, in place, from that of before. Collective."""
        relax([self.system(counts, None, None, mesh, halo)], mesh, halo)

    def system(self, counts: np.ndarray, moments, supply, mesh: Mesh, halo, scales=None) -> System:
        """What is to be solved for. Collective.

        Parameters
        ----------
        counts : ndarray of uint16, shape (n_all, 512)
            Cells of each voxel, n, those of ghosts filled.
        moments, supply, scales
            Of other fields; not used.

        Raises
        ------
        FloatingPointError
            If a pressure is negative or not a number.
        """
        owned = len(mesh.neighbors)
        mesh.check(len(self.value))
        if counts.shape != self.value.shape:
            raise ValueError(f"counts {counts.shape} do not fit the pressure {self.value.shape}")
        _pressure.check(self.value[:owned])
        excess = self._excess(counts, mesh, halo)[:owned]
        _field.fold(excess)
        return System(self.value, None, excess, self.rate, self.visits, mirror=0.0, name=self.name)

    def _excess(self, counts, mesh, halo):
        """f of our voxels, smoothed; and what is needed of ghosts."""
        rows = len(counts) if self.passes else len(mesh.neighbors)
        excess = self._kept.rows(rows)
        _pressure.excess(counts, excess, self.per_capacity)
        return over_length(excess, self.passes, self.share, mesh.neighbors, halo)


def passes_over(length_um: float, edge_um: float) -> tuple[int, float]:
    """(passes of smoothing, share of each) by which a voxel has what a cube of that length has; 0 if it is longer."""
    share = max(0.0, (length_um**2 - edge_um**2) / (24.0 * edge_um**2))
    passes = math.ceil(share / SHARE)
    return passes, share / max(passes, 1)


def over_length(values: np.ndarray, passes: int, share: float, neighbors: np.ndarray, halo,
                mirror: bool = False) -> np.ndarray:
    """Values of voxels, smoothed; without passes `values` itself. Collective.

    Where no tile is there is a mirror, or -1. Ghosts are filled before, and not after.
    """
    for k in range(passes):
        if k:
            halo(values)
        smoothed = np.empty_like(values)
        _pressure.smooth(values, smoothed, neighbors, share, mirror)
        values = smoothed
    return values
