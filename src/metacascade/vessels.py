"""The vessels of the tumor: a network of segments, and what each voxel has of it."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metacascade._kernels._vessels import SEGMENT

__all__ = ["SEGMENT", "Network", "VesselMap", "voxelize"]


@dataclass
class VesselMap:
    """What the tiles of a rank have of the network; row t is tile t of the list it was made of.

    Voxel v of tile t may be reached from the segments ``segments[index[first[j]:first[j + 1]]]``
    with j = 512 t + v. Segments are in canonical order; each tile has its own copies.
    """

    supply: np.ndarray    # float32 (k, 512), [1/h]: exchange with the blood
    first: np.ndarray     # int32 (512 k + 1,)
    index: np.ndarray     # int32 (first[-1],): rows of `segments`
    segments: np.ndarray  # SEGMENT

    def append(self, more: VesselMap) -> None:
        """Add the tiles of `more` behind these: ``map.append(voxelize(new_tiles, ...))``."""
        raise NotImplementedError


class Network:
    """Vessel segments in space, generated without end or imported from a file."""

    imported: np.ndarray | None  #: SEGMENT array of an imported network; None: generated

    @staticmethod
    def from_config(vessels, seed: int) -> Network:
        """The network that section `vessels` asks for; reads ``vessels.file`` if given (rank 0)."""
        raise NotImplementedError

    @staticmethod
    def from_segments(segments: np.ndarray) -> Network:
        """The imported network, from the SEGMENT array of a checkpoint or of another rank."""
        raise NotImplementedError

    def segments_near(self, tile_coords: np.ndarray, edge_um: float, margin_um: float) -> np.ndarray:
        """Segments whose bounding box comes within `margin_um` of a tile: sorted, no duplicates."""
        raise NotImplementedError


def voxelize(tile_coords: np.ndarray, edge_um: float, network: Network, reach_um: float,
             wall_um_per_h: float) -> VesselMap:
    """What the tiles (int32, shape (k, 3)) have of the network; see VesselMap."""
    raise NotImplementedError
