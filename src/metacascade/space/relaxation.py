"""Solving for a field by a fixed number of sweeps, tile by tile, with the same bits on any number of ranks."""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from metacascade._kernels import _field
from metacascade.base.spent import Spent

INNER = 2                     # sweeps of a tile at a visit


class NoHalo:
    """The halo exchange of a run on one rank: there is nothing to fill."""

    def __call__(self, *arrays: np.ndarray, color: int | None = None) -> None:
        """Nothing is filled."""

    def begin(self, *arrays: np.ndarray, color: int | None = None) -> None:
        """Nothing is sent."""

    def end(self) -> None:
        """Nothing is waited for."""


class Mesh:
    """The tiles of a rank as fields see them.

    Attributes
    ----------
    neighbors : ndarray of int32, shape (n_owned, 6)
        Row of the tile at -x, +x, -y, +y, -z, +z, or -1 where there is none; rows from n_owned on are ghosts.
    inner, border : pair of ndarray of int32
        Rows by color of the tile, (x + y + z) & 1: those without a ghost beside them, and those with one.
    """

    def __init__(self, coords: np.ndarray, neighbors: np.ndarray):
        self.neighbors = np.ascontiguousarray(neighbors, np.int32)
        color = colors(coords)
        at_ghosts = (self.neighbors >= len(self.neighbors)).any(axis=1)
        self.inner, self.border = (
            tuple(np.flatnonzero(which & (color == k)).astype(np.int32) for k in (0, 1))
            for which in (~at_ghosts, at_ghosts))

    def check(self, rows: int) -> None:
        """Raise ValueError if there are not so many rows of values as the tiles and their neighbors need."""
        owned = len(self.neighbors)
        if self.neighbors.shape != (owned, 6) or not owned <= rows:
            raise ValueError(f"neighbors {self.neighbors.shape} do not fit {rows} rows of values")
        if owned and not -1 <= self.neighbors.min() <= self.neighbors.max() < rows:
            raise ValueError(f"a neighbor lies outside of the {rows} rows of values")


def colors(coords: np.ndarray) -> np.ndarray:
    """Color of each tile: tiles that share a face differ in it."""
    return (np.asarray(coords).sum(axis=1) & 1).astype(np.uint8)


def schedule(ratio: float, sweeps: int, gain: float) -> list[np.ndarray]:
    """Over-relaxation of each half sweep, float32, cut where a tile looks at its neighbors again.

    Chebyshev acceleration of m = 2 `sweeps` half sweeps. `ratio` is the spectral radius of Jacobi's method,
    6 r / (6 r + decay). For errors up to rho the factors are 1, 1 / (1 - rho^2 / 2), then
    omega <- 1 / (1 - rho^2 omega / 4), and the error falls by cosh(m arcosh(1 / rho)). Where `ratio` is so near to 1
    that this would be less than `gain`, a smaller rho is taken: then all but the longest waves fall by `gain` in each
    step, and those follow within some steps (Golub and Varga 1961, doi:10.1007/BF01386013). Then a tile takes
    INNER sweeps at a time, while it is in the cache, and what it sees of its neighbors is of before: errors fall nearly
    as fast.
    """
    rho = min(ratio, 1.0 / math.cosh(math.acosh(gain) / (2 * sweeps)))
    factors = [1.0, 1.0 / (1.0 - 0.5 * rho**2)]
    while len(factors) < 2 * sweeps:
        factors.append(1.0 / (1.0 - 0.25 * rho**2 * factors[-1]))
    together = 2 * (INNER if rho < ratio else 1)
    return [np.array(factors[k:k + together], np.float32) for k in range(0, 2 * sweeps, together)]


@dataclass
class System:
    """c >= 0 with decay c - rate sum(neighbor - c) = rhs, and how to come near it from what `value` holds.

    Attributes
    ----------
    value : ndarray of float32, shape (n_owned and ghosts, 512 or 64 or 8)
    decay, rhs : ndarray of float32, shape (n_owned, as many)
        As `_field.coefficients` makes them; decay None is 1 everywhere.
    visits : list of ndarray of float32
        Over-relaxation of the half sweeps of a tile, at each visit to it: `schedule`.
    mirror, outside : float
        Where there is no tile there is outside + mirror (what is beside it - outside): a mirror of 1 lets nothing flow.
    name : str
        Of the field.
    """

    value: np.ndarray
    decay: np.ndarray | None
    rhs: np.ndarray
    rate: float
    visits: list[np.ndarray]
    mirror: float
    outside: float = 0.0
    name: str = ""


@dataclass
class Solved:
    """A field in which nothing diffuses: `new` is what `value` comes to in each tile of this rank."""

    value: np.ndarray
    new: np.ndarray


class Kept:
    """Rows of float32 without meaning, kept from step to step: to get them anew takes as long as to fill them.

    Many rows are not kept, which costs 2 % of a step. They take 3 bytes of some 24 for each cell, and memory decides
    whether so large a run fits into a machine: with them at hand, steps in which most cells go to another voxel, tiles
    that move to other ranks, and checkpoints would need so much more than the fields do.
    """

    MORE = 0.03                   # rows to spare, as a share: tiles come now and then
    MOST = 1 << 28                # bytes of one array, 0.8 GB of the three of a step: of a rank with some 2e8 cells

    def __init__(self, values: int):
        self._rows = np.empty((0, values), np.float32)

    def rows(self, n: int) -> np.ndarray:
        """n of them."""
        values = self._rows.shape[1]
        if n * values * self._rows.itemsize > self.MOST:
            self._rows = self._rows[:0].copy()
            return np.empty((n, values), np.float32)
        if not n <= len(self._rows) <= n * (1 + 4 * self.MORE) + 64:
            self._rows = np.empty((int(n * (1 + self.MORE)) + 16, values), np.float32)
        return self._rows[:n]


def relax(systems: list[System | Solved], mesh: Mesh, halo, spent: Spent | None = None) -> None:
    """Bring the values of some fields, in place, to those of their systems, all at the same visit of the tiles.
    Collective.

    `halo` fills the ghosts of one color of tiles, in one message a neighbor for all fields, while the tiles that have
    no ghost beside them are swept. Afterwards the ghosts are not those of the last sweeps: whoever reads them fills
    them first. `spent`: to which the sweeps are added, by the name of the field.
    """
    spent = Spent() if spent is None else spent
    coupled = [one for one in systems if isinstance(one, System)]
    for k in range(max((len(one.visits) for one in coupled), default=0)):
        some = [one for one in coupled if k < len(one.visits)]
        for color in (0, 1):
            halo.begin(*(one.value for one in some), color=1 - color)
            _sweep(some, mesh, mesh.inner[color], k, spent)
            halo.end()
            _sweep(some, mesh, mesh.border[color], k, spent)
    for one in systems:
        if isinstance(one, Solved):
            one.value[:len(one.new)] = one.new


def _sweep(systems, mesh, rows, k, spent):
    for one in systems:
        with spent.on(one.name):
            _field.relax(one.value, one.decay, one.rhs, mesh.neighbors, rows, one.rate, one.visits[k], one.mirror,
                         one.outside)
