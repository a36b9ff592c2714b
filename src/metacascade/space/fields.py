"""Fields on the voxels: oxygen, by diffusion, supply from vessels and uptake by cells."""
from __future__ import annotations

import math

import numpy as np

from metacascade._kernels import _field
from metacascade.space.relaxation import Mesh, NoHalo, relax, schedule

VOXELS = 512
GAIN = 10.0                   # by which the sweeps of a step are to reduce an error


class Field:
    """A substance that diffuses from the vessels and is taken up by the cells, on this rank's voxels.

    dc/dt = D lap c - U (n / capacity) c / (K + c) + s (P - c), no flux where the tiles end. Backward
    Euler in time, uptake linearized at the old value; seven-point stencil in space (order 1 and 2);
    the linear system is solved by a fixed number of red-black relaxation sweeps (`relaxation.relax`), so that the result
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
        self.params = dict(per_dt=1.0 / step_h, decay=0.0, linear=0.0, uptake=uptake / capacity, michaelis=michaelis,
                           vessel=vessel, source=0.0)
        self.visits = schedule(6.0 * self.rate / (6.0 * self.rate + 1.0 / step_h), sweeps, GAIN)
        self.rounds = math.ceil(initial_sweeps / sweeps)
        self.value = np.empty((0, VOXELS), np.float32)

    def keep(self, rows: np.ndarray) -> None:
        """Forget all rows but these."""
        self.value = self.value[rows]

    def grow(self, tiles: int, rows: int) -> None:
        """Have so many rows; those behind the first `tiles` begin with the initial value."""
        self.value.resize((rows, VOXELS), refcheck=False)      # in place where the system can remap it
        self.value[tiles:] = self.initial

    def settle(self, counts, supply, mesh: Mesh, halo=NoHalo()) -> None:
        """Come near the steady state at the start of a run: ``initial_sweeps`` sweeps, as steps."""
        for _ in range(self.rounds):
            self.advance(counts, supply, mesh, halo)

    def advance(self, counts: np.ndarray, supply: np.ndarray, mesh: Mesh, halo=NoHalo()) -> None:
        """One time step, in place.

        Parameters
        ----------
        counts : ndarray of uint16, shape (n_owned or more, 512)
            Cells of each voxel, n.
        supply : ndarray of float32, shape (n_owned, 512)
            s [1/h], of VesselMap.
        halo : exchange.Halo
            As in `relaxation.relax`. Collective.

        Raises
        ------
        ValueError
            If the arrays do not fit together.
        FloatingPointError
            If c or s is negative or not a number.
        """
        if not self.enabled:
            return
        owned = len(mesh.neighbors)
        mesh.check(len(self.value))
        if supply.shape != (owned, VOXELS) or counts.shape[1:] != (VOXELS,) or not owned <= len(counts):
            raise ValueError(f"{owned} tiles, but counts {counts.shape} and supply {supply.shape}")
        decay, rhs = np.empty((2, owned, VOXELS), np.float32)
        _field.coefficients(self.value, counts, None, supply, decay, rhs, self.params)
        relax(self.value, decay, rhs, mesh, halo, rate=self.rate, visits=self.visits, mirror=True)


class Oxygen(Field):
    """Partial pressure of oxygen [mmHg] in the voxels of this rank."""

    def __init__(self, oxygen, *, step_h: float, edge_um: float, capacity: int):
        """`oxygen`: the config section; `capacity`: cells of a full voxel."""
        super().__init__(
            enabled=oxygen.enabled, diffusion=oxygen.diffusion_um2_per_h, uptake=oxygen.uptake_mmHg_per_h,
            michaelis=oxygen.michaelis_mmHg, vessel=oxygen.vessel_mmHg, initial=oxygen.stroma_mmHg,
            capacity=capacity, step_h=step_h, edge_um=edge_um, sweeps=oxygen.sweeps,
            initial_sweeps=oxygen.initial_sweeps)
