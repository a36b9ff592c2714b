"""Fields on the voxels: oxygen, by diffusion, supply from vessels and uptake by cells."""
from __future__ import annotations

import math

import numpy as np

from metacascade._kernels import _field

VOXELS = 512
RED, BLACK = 0, 1
GAIN = 100.0                  # by which the sweeps of a step are to reduce an error


class NoHalo:
    """The halo exchange of a run on one rank: there is nothing to fill."""

    def begin(self, array: np.ndarray, color: int | None = None) -> None:
        pass

    def end(self) -> None:
        pass


def relaxation_factors(ratio: float, sweeps: int) -> list[float]:
    """Over-relaxation of each half sweep: Chebyshev acceleration of m = 2 `sweeps` half sweeps.

    `ratio` is the spectral radius of Jacobi's method, 6 r / (6 r + 1/dt). For errors up to rho the
    factors are 1, 1 / (1 - rho^2 / 2), then omega <- 1 / (1 - rho^2 omega / 4), and the error falls by
    cosh(m arcosh(1 / rho)). Where `ratio` is so near to 1 that this would be less than GAIN, a smaller
    rho is taken: then all but the longest waves fall by GAIN in each step, and those follow within
    some steps (Golub and Varga 1961, doi:10.1007/BF01386013).
    """
    rho = min(ratio, 1.0 / math.cosh(math.acosh(GAIN) / (2 * sweeps)))
    factors = [1.0, 1.0 / (1.0 - 0.5 * rho**2)]
    while len(factors) < 2 * sweeps:
        factors.append(1.0 / (1.0 - 0.25 * rho**2 * factors[-1]))
    return factors


class Field:
    """A substance that diffuses from the vessels and is taken up by the cells, on this rank's voxels.

    dc/dt = D lap c - U (n / capacity) c / (K + c) + s (P - c), no flux where the tiles end. Backward
    Euler in time, uptake linearized at the old value; seven-point stencil in space (order 1 and 2);
    the linear system is solved by a fixed number of red-black relaxation sweeps, so that the result
    is bitwise the same on any number of ranks.

    Attributes
    ----------
    value : ndarray of float32, shape (n_all, 512)
        c of each voxel, never negative: first the tiles of this rank, then ghost tiles.
    """

    def __init__(self, *, enabled: bool, diffusion: float, uptake: float, michaelis: float, vessel: float,
                 initial: float, capacity: int, step_h: float, edge_um: float, sweeps: int,
                 initial_sweeps: int):
        """Rates per hour, lengths in um, c in the unit of `vessel`."""
        self.enabled = enabled
        self.initial = initial
        self.rate = diffusion / edge_um**2
        self.params = dict(per_dt=1.0 / step_h, uptake=uptake / capacity, michaelis=michaelis, vessel=vessel)
        self.factors = relaxation_factors(6.0 * self.rate / (6.0 * self.rate + 1.0 / step_h), sweeps)
        self.rounds = math.ceil(initial_sweeps / sweeps)
        self.value = np.empty((0, VOXELS), np.float32)

    def keep(self, rows: np.ndarray) -> None:
        """Forget all rows but these."""
        self.value = self.value[rows]

    def grow(self, tiles: int, rows: int) -> None:
        """Have so many rows; those behind the first `tiles` begin with the initial value."""
        self.value.resize((rows, VOXELS), refcheck=False)      # in place where the system can remap it
        self.value[tiles:] = self.initial

    def settle(self, counts, supply, neighbors, halo=NoHalo()) -> None:
        """Come near the steady state at the start of a run: ``initial_sweeps`` sweeps, as steps."""
        for _ in range(self.rounds):
            self.advance(counts, supply, neighbors, halo)

    def advance(self, counts: np.ndarray, supply: np.ndarray, neighbors: np.ndarray,
                halo=NoHalo()) -> None:
        """One time step, in place.

        Parameters
        ----------
        counts : ndarray of uint16, shape (n_owned or more, 512)
            Cells of each voxel, n.
        supply : ndarray of float32, shape (n_owned, 512)
            s [1/h], of VesselMap.
        neighbors : ndarray of int32, shape (n_owned, 6)
            Row of the tile at -x, +x, -y, +y, -z, +z, or -1 where there is none: no flux.
        halo : exchange.Halo
            Fills the ghost voxels of one color, while the tiles that have no ghost beside them are swept. Collective.
            After the step the ghosts are not those of the last half sweeps: whoever reads them fills them first.

        Raises
        ------
        ValueError
            If the arrays do not fit together.
        FloatingPointError
            If c or s is negative or not a number.
        """
        if not self.enabled:
            return
        owned = len(neighbors)
        self._check(counts, supply, neighbors)
        decay, rhs = np.empty((2, owned, VOXELS), np.float32)
        _field.coefficients(self.value, counts, supply, decay, rhs, self.params)
        at_ghosts = (neighbors >= owned).any(axis=1)
        inner, border = (np.flatnonzero(which).astype(np.int32) for which in (~at_ghosts, at_ghosts))
        for half, factor in enumerate(self.factors):
            color = (RED, BLACK)[half % 2]
            halo.begin(self.value, 1 - color)
            _field.sweep(self.value, decay, rhs, neighbors, self.rate, factor, color, inner)
            halo.end()
            _field.sweep(self.value, decay, rhs, neighbors, self.rate, factor, color, border)

    def _check(self, counts, supply, neighbors) -> None:
        owned, rows = len(neighbors), len(self.value)
        if supply.shape != (owned, VOXELS) or counts.shape[1:] != (VOXELS,) or not owned <= len(counts):
            raise ValueError(f"{owned} tiles, but counts {counts.shape} and supply {supply.shape}")
        if neighbors.shape != (owned, 6) or not owned <= rows:
            raise ValueError(f"neighbors {neighbors.shape} do not fit {rows} rows of values")
        if owned and not -1 <= neighbors.min() <= neighbors.max() < rows:
            raise ValueError(f"a neighbor lies outside of the {rows} rows of values")


class Oxygen(Field):
    """Partial pressure of oxygen [mmHg] in the voxels of this rank."""

    def __init__(self, oxygen, *, step_h: float, edge_um: float, capacity: int):
        """`oxygen`: the config section; `capacity`: cells of a full voxel."""
        super().__init__(
            enabled=oxygen.enabled, diffusion=oxygen.diffusion_um2_per_h, uptake=oxygen.uptake_mmHg_per_h,
            michaelis=oxygen.michaelis_mmHg, vessel=oxygen.vessel_mmHg, initial=oxygen.stroma_mmHg,
            capacity=capacity, step_h=step_h, edge_um=edge_um, sweeps=oxygen.sweeps,
            initial_sweeps=oxygen.initial_sweeps)
