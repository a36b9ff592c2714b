"""Fields on the voxels: oxygen, by diffusion, supply from vessels and uptake by cells."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np


def no_halo(array: np.ndarray) -> None:
    """The halo exchange of a run on one rank: there is nothing to fill."""


class Oxygen:
    """Partial pressure of oxygen [mmHg] in the voxels of this rank: ``value``, float32 (n_all, 512)."""

    def __init__(self, oxygen, *, step_h: float, edge_um: float, capacity: int,
                 mean_supply_per_h: float = 0.0):
        """`oxygen`: the config section; `capacity`: cells of a full voxel; `mean_supply_per_h`: the
        supply per volume of the whole network, used only to choose the relaxation factor."""
        self.value = np.empty((0, 512), np.float32)

    def arrange(self, source: np.ndarray) -> None:
        """New rows: row i is the present row ``source[i]``, or a new tile at stroma_mmHg for -1."""
        raise NotImplementedError

    def settle(self, counts, supply, neighbors, halo: Callable = no_halo) -> None:
        """Bring the field to its steady state at the start of a run (``initial_sweeps``)."""
        raise NotImplementedError

    def advance(self, counts, supply, neighbors, halo: Callable = no_halo) -> None:
        """One step. counts uint16 (n_all or n_owned, 512), supply float32 (n_owned, 512),
        neighbors int32 (n_owned, 6); ``halo(array)`` fills the ghost rows of `array`."""
        raise NotImplementedError
