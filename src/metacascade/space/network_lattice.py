"""The generated vessel network: a jittered cubic lattice, a pure function of its seed and the place."""
from __future__ import annotations

import functools
import math
from dataclasses import asdict, dataclass

import numpy as np

from metacascade._kernels import _lattice
from metacascade._kernels._vessels import SEGMENT

# Gauss and Legendre's rule of three points on -1..1: exact for polynomials of degree 5.
GAUSS = ((-math.sqrt(0.6), 5 / 9), (0.0, 8 / 9), (math.sqrt(0.6), 5 / 9))
PIECES = 4                    # of 0..2 jitter, each with three points
RADIUS_LIMIT = 3.0            # standard deviations of ln(radius)


@functools.lru_cache(maxsize=64)
def mean_edge(jitter: float) -> float:
    """Mean length of an edge in units of the spacing: E |(1 + u, v, w)|.

    u, v, w are differences of two displacements uniform in -jitter..jitter, so triangular on
    -2 jitter..2 jitter. Summed exactly by fsum and sqrt: the same bits on every machine.
    """
    if jitter == 0.0:
        return 1.0
    h = 2.0 * jitter / PIECES
    half = [((i + 0.5 + 0.5 * x) * h, 0.5 * w * h) for i in range(PIECES) for x, w in GAUSS]
    law = [(x, w * (2.0 * jitter - x) / (2.0 * jitter) ** 2) for x, w in half]   # of |u|, one side
    along = [(1.0 + x, w) for x, w in law] + [(1.0 - x, w) for x, w in law]
    across = [(x * x, 2.0 * w) for x, w in law]
    return math.fsum(p * q * r * math.sqrt(x * x + y + z)
                     for x, p in along for y, q in across for z, r in across)


@dataclass(frozen=True)
class Lattice:
    """Nodes on a cubic lattice, displaced; vessels to the next node along x, y and z, some missing.

    Fields are the members of ``lattice_t`` in ``_lattice.pyx``: lengths in um, spreads as standard
    deviations, `jitter` and `drop` as shares.
    """

    spacing: float
    jitter: float
    drop: float
    radius: float
    radius_spread: float
    radius_limit: float
    maturity_mean: float
    maturity_spread: float
    seed: int

    @classmethod
    def from_config(cls, vessels, seed: int) -> Lattice:
        """Spacing such that three edges per node, less the missing ones, have the wanted density.

        L = 3 (1 - drop) mean_edge s / s^3. A radius is cut at three standard deviations of its
        logarithm and at half the spacing, where neighbors would touch.
        """
        spacing = math.sqrt(3.0 * (1.0 - vessels.drop) * mean_edge(vessels.jitter)
                            / vessels.length_density_per_um2)
        widest = vessels.radius_um * math.exp(RADIUS_LIMIT * vessels.radius_spread)
        return cls(spacing=spacing, jitter=vessels.jitter, drop=vessels.drop, radius=vessels.radius_um,
                   radius_spread=vessels.radius_spread, radius_limit=min(widest, 0.5 * spacing),
                   maturity_mean=vessels.maturity_mean, maturity_spread=vessels.maturity_spread, seed=seed)

    def collect(self, tiles: np.ndarray, edge_um: float, margin_um: float) -> tuple[np.ndarray, np.ndarray]:
        """Segments near each tile, int32 (k, 3): those of tile t are rows ``first[t]:first[t + 1]``.

        Near: the wall of the vessel comes within `margin_um` of the tile.
        The order within a tile is that of the lattice, (k, j, i, axis).
        """
        params = asdict(self)
        room = _lattice.lattice_room(params, edge_um, margin_um)
        nodes = np.empty((room, 3))
        first = np.empty(len(tiles) + 1, np.int32)
        segments = np.empty(3 * room * max(len(tiles), 1), SEGMENT)
        n = _lattice.lattice_segments(params, tiles, edge_um, margin_um, nodes, segments, first)
        return segments[:n], first
