"""The rates of vessels at the voxels where their pieces and tips are."""
from __future__ import annotations

import numpy as np

from metacascade._kernels._layout import LARGEST_RATIO, draws
from metacascade.base.tiles import EDGE, VALUE_OF_VOXEL, cube_of
from metacascade.mechanisms.terms import DENSITY, Shape
from metacascade.space.region import FACES

ONE = np.float32(1.0)


class Places:
    """Places in the tiles of a rank, and the signals there.

    Parameters
    ----------
    tissue : Tissue
    row : ndarray of int64, shape (n,)
        The tile of each.
    place_um : ndarray, shape (n, 3)
    """

    def __init__(self, tissue, row, place_um):
        self.tissue, self.row = tissue, row
        self.inside = place_um / tissue.config.tissue.edge_um - EDGE * tissue.region.coords[row].astype(float)
        self.voxel = self._number(self._cube(EDGE), EDGE)

    def _cube(self, along):
        """The cube, of `along` along the edge of a tile, in which each place lies: int64, shape (n, 3) of x, y, z."""
        return np.clip(np.floor(self.inside * (along / EDGE)).astype(np.int64), 0, along - 1)

    def signal(self, name):
        """A field, or the density, at each place: float32."""
        if name == DENSITY:
            return self.density()
        value = self.tissue.microenvironment[name].value
        return value[self.row, VALUE_OF_VOXEL[value.shape[1]][self.voxel]]

    def density(self):
        """Cells over capacity in the cube about each place over which density is taken: float32."""
        tissue = self.tissue.config.tissue
        voxels = cube_of(tissue.edge_um)
        first = voxels * self._cube(EDGE // voxels)
        cells = np.zeros(len(self.row), np.uint32)
        for x, y, z in np.ndindex((voxels,) * 3):
            cells += self.tissue.counts[self.row, self._number(first + (x, y, z), EDGE)]
        return cells.astype(np.float32) / np.float32(voxels**3 * tissue.capacity)

    def rate(self, name, scales, which=slice(None)):
        """A rate, base x scale x factors of the place, single precision in the order of the plan: float64."""
        plan = self.tissue.plan
        value = np.full(len(self.row[which]), np.float32(plan.number(name, scales)))
        for factor in plan.factors_of(name):
            if isinstance(factor, Shape):
                value *= shaped(factor, self.signal(factor.signal)[which])
        return value.astype(float)

    def gradient(self, name):
        """(value, gradient [1/um]) of a field, float64 of shapes (n,) and (n, 3).

        Central differences over the cubes of its grid; where no tile is the field goes to its level in the stroma.
        """
        field = self.tissue.microenvironment[name]
        value, rim = field.value, field.rim(self.tissue.terms[name].stroma)
        along = round(value.shape[1] ** (1 / 3))
        step = self.tissue.config.tissue.edge_um * EDGE / along
        cube = self._cube(along)
        here = value[self.row, self._number(cube, along)].astype(float)
        slope = [(self._beside(value, rim, cube, k, 1) - self._beside(value, rim, cube, k, -1)) / (2.0 * step)
                 for k in range(3)]
        return here, np.stack(slope, axis=1)

    def _beside(self, value, rim, cube, axis, side):
        """The field in the next cube along an axis; `rim`: of Field."""
        (mirror, outside), along, here, cube = rim, round(value.shape[1] ** (1 / 3)), cube, cube.copy()
        cube[:, axis] += side
        out = (cube[:, axis] < 0) | (cube[:, axis] >= along)
        other = self.tissue.region.neighbors[self.row, FACES[2 * axis + (side > 0)]]
        row, nothing = np.where(out & (other >= 0), other, self.row), out & (other < 0)
        cube[:, axis] = np.where(nothing, here[:, axis], cube[:, axis] % along)
        there = value[row, self._number(cube, along)].astype(float)
        return np.where(nothing, outside + mirror * (there - outside), there)

    @staticmethod
    def _number(cube, along):
        return (cube[:, 2] * along + cube[:, 1]) * along + cube[:, 0]


def shaped(factor: Shape, s: np.ndarray) -> np.ndarray:
    """A factor of signals, in single precision and in the order of rates.h."""
    a, b = np.float32(factor.a.number), np.float32(factor.b.number)
    if factor.kind == "ramp":
        return np.minimum(np.maximum((s - a) / (b - a), np.float32(0.0)), ONE)
    if factor.kind == "boost":
        return ONE + b * (s / (s + a))
    if factor.power == 1:
        return s / (s + a) if factor.kind == "hill" else a / (a + s)
    ratio = np.minimum(s / a, np.float32(LARGEST_RATIO))
    power = ratio * ratio
    power = power * power if factor.power == 4 else power
    return power / (power + ONE) if factor.kind == "hill" else ONE / (ONE + power)


def words(seed: int, use: int, a: np.ndarray, step: int) -> np.ndarray:
    """Four random words for each number of `a`: uint32, shape (n, 4)."""
    return draws(seed, int(use), np.ascontiguousarray(a, np.uint64), np.full(len(a), step, np.uint32))


def unit(words_: np.ndarray) -> np.ndarray:
    """Doubles in (0, 1) from words."""
    return (words_ + 0.5) * (1.0 / 4294967296.0)
