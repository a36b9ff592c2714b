"""Fields on the voxels: what diffuses from vessels and cells and is taken up by cells, oxygen the first of them."""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from metacascade._kernels import _field
from metacascade.base.spent import Spent
from metacascade.base.tiles import EDGE, VOXELS
from metacascade.space.pressure import Pressure
from metacascade.space.relaxation import Kept, Mesh, NoHalo, Solved, System, relax, schedule
from metacascade.space.tile_arrays import TileArray, TileArrays
from metacascade.space.vessels import COARSE

GAIN = 10.0                   # by which the sweeps of a step are to reduce an error
HEAVIEST = 255                # weight of a cell that secretes most
STEADY_H = 1e6                # a step without end


class Field:
    """A substance that diffuses, on this rank's voxels.

    dc/dt = D lap c - d c - (n / capacity) (l c + U c / (K + c)) + (m / (255 capacity)) Q + s (P - c) + terms; n cells
    of the voxel, m their weights (0..255), added up, s the exchange with vessels. Terms by place multiply Q or s, are
    added, or lose c. Where the tiles end there is stroma: `rim`. Backward Euler in time, uptake linearized at the old
    value (Newton); seven-point stencil in space (order 1 and 2); the linear system is solved by a fixed number of
    red-black relaxation sweeps (`relaxation.relax`), so that the result is bitwise the same on any number of ranks. It
    is never negative. Its values are those of the array `name` of the register `arrays`.
    """

    def __init__(self, *, diffusion: float, capacity: float, step_h: float, edge_um: float, sweeps: int,
                 initial_sweeps: int = 0, name: str = "field", unit: str = "1", decay: float = 0.0, linear: float = 0.0,
                 uptake: float = 0.0, michaelis: float = 1.0, vessel: float = 0.0, source: float = 0.0,
                 initial: float = 0.0, wall: float | None = None, coarse: int = EDGE, every: int = 1,
                 steady_start: bool = False, arrays: TileArrays | None = None):
        """Rates per hour, lengths in um, c in `unit`.

        Parameters
        ----------
        linear, uptake : float
            l [1/h] and U [unit/h] of a voxel filled to capacity.
        source : float
            Q [unit/h], secretion of a voxel filled to capacity with cells of the greatest weight.
        vessel : float
            P, in the vessels.
        wall : float, optional
            Permeability of the wall of vessels [um/h]; left out: nothing comes out of them.
        initial : float
            Of a tile when it is added.
        coarse : int
            Values along the edge of a tile: 8, 4 or 2.
        every : int
            Steps between two solutions.
        steady_start : bool
            Do the steps before the first have no end? Else they are as long as the others.
        """
        self.name, self.every, self.wall, self.diffusion = name, every, wall, diffusion
        self.arrays = arrays or TileArrays()
        self.arrays.add(TileArray(name, unit, values=coarse**3, start=initial))
        self.capacity, self.steady_start = capacity, steady_start
        self.across = edge_um * EDGE / coarse
        self.rate = diffusion / self.across**2
        per_dt = 1.0 / (every * step_h)
        self.params = dict(per_dt=per_dt, decay=decay, linear=linear / capacity, uptake=uptake / capacity,
                           michaelis=michaelis, vessel=vessel, source=source / (HEAVIEST * capacity))
        self.visits = schedule(6.0 * self.rate / (6.0 * self.rate + per_dt + decay), sweeps, GAIN)
        self.sweeps, self.initial_sweeps = sweeps, initial_sweeps
        self._decay, self._rhs = Kept(coarse**3), Kept(coarse**3)

    @property
    def value(self) -> np.ndarray:
        """c of each voxel: float32, shape (n_all, 512 or 64 or 8); first the tiles of this rank, then ghosts."""
        return self.arrays[self.name]

    def rim(self, stroma=None, decay: float = 0.0) -> tuple[float, float]:
        """(mirror, outside): where no tile is there is outside + mirror (c - outside), c what is beside it.

        So the field goes to its level in stroma without end as exp(-x sqrt(loss / D)); nothing flows where it does not.

        Parameters
        ----------
        stroma : Stroma, optional
            Of mechanisms.stroma. Left out: what no vessels give goes to 0, lost by `decay` [1/h].
        """
        level, loss = (stroma.level, stroma.loss) if stroma else (0.0, decay if self.wall is None else 0.0)
        if not (self.diffusion and loss):
            return 1.0, 0.0
        return math.exp(-self.across * math.sqrt(loss / self.diffusion)), level

    def advance(self, counts: np.ndarray, supply: np.ndarray | None, mesh: Mesh, halo=NoHalo(),
                moments: np.ndarray | None = None) -> None:
        """One time step of this field alone, in place. Collective."""
        relax([self.system(counts, moments, supply, mesh, halo)], mesh, halo)

    def system(self, counts: np.ndarray, moments: np.ndarray | None, supply: np.ndarray | None, mesh: Mesh,
               halo, scales: Mapping[str, float] = {}, terms=None, signals: Sequence[np.ndarray] = (),
               steady: bool = False, fed: np.ndarray | None = None) -> System | Solved:
        """The linear system of a step, or without diffusion what comes of it.

        Parameters
        ----------
        counts : ndarray of uint16, shape (n_owned or more, 512)
            Cells of each voxel, n.
        moments : ndarray of uint32, shape (n_owned or more, 512), optional
            Weights of the cells of each voxel, m; left out: they secrete nothing.
        supply : ndarray of float32, shape (n_owned, 512), or (n_owned, 64) of a field with fewer values, optional
            s [1/h], of VesselMap.
        scales : dict of str to float
            By which coefficients are multiplied in this step: ``name.vessel``, ``name.uptake``, ``name.decay``, ...
        terms : FieldTerms, optional
            Of mechanisms.compile; their signals are numbers of `signals`.
        signals : sequence of ndarray of float32, shape (n_owned or more, 512 or 64 or 8)
            The values of all fields.
        steady : bool
            Is it a step without end?
        fed : ndarray of float32, shape (n_owned, 512), optional
            The share of s that comes in, where what is in the blood falls along vessels: fed P - s c; left out: s. Only
            of a field with a value in each voxel, and in one array with `supply`.

        Raises
        ------
        ValueError
            If the arrays do not fit together.
        FloatingPointError
            If c or s is negative or not a number.
        """
        owned = len(mesh.neighbors)
        mesh.check(len(self.value))
        for array in (counts, moments):
            if array is not None and (array.shape[1:] != (VOXELS,) or len(array) < owned):
                raise ValueError(f"{owned} tiles, but cells of shape {array.shape}")
        if supply is not None and supply.shape not in ((owned, VOXELS), (owned, COARSE)):
            raise ValueError(f"{owned} tiles, but supply of shape {supply.shape}")
        params = {key: number * scales.get(f"{self.name}.{key}", 1.0) for key, number in self.params.items()}
        placed = None
        if terms is not None:
            params["source"] = terms.secreted / (HEAVIEST * self.capacity)
            placed = (terms.rates, terms.factors, list(signals)) if len(terms.rates) else None
        if steady:
            params["per_dt"] = 1.0 / STEADY_H
        decay, rhs = (self._decay.rows(owned), self._rhs.rows(owned)) if self.diffusion else (
            None, np.empty((owned, self.value.shape[1]), np.float32))
        _field.coefficients(self.value, counts, moments, supply, decay, rhs, params, placed, self.capacity, fed)
        if not self.diffusion:
            return Solved(self.value, rhs)
        mirror, outside = self.rim(terms and terms.stroma, params["decay"])
        return System(self.value, decay, rhs, self.rate, self.visits, mirror, outside, self.name)


class Still:
    """What stands in for a field that is off: one level everywhere."""

    def __init__(self, level: float, arrays: TileArrays):
        self.level, self.arrays = level, arrays

    @property
    def value(self) -> np.ndarray:
        """The level in every voxel: float32, shape (n_all, 512)."""
        return np.full(self.arrays["counts"].shape, self.level, np.float32)


class Fields:
    """All fields of the tissue of a rank.

    Attributes
    ----------
    each : list of Field and Pressure
        In the order of their declaration, which is that of the signals of rates.
    supplied, coarse_supplied : list of str
        Fields that vessels supply: those with a value in each voxel, and others.
    walls, coarse_walls : list of (float, float)
        Permeability of vessels and diffusion of each of these: `vessels.voxelize`.
    falls : str
        The field that falls along vessels; what comes in of it is behind all others in the supply. Nothing: none does.
    spent : Spent
        On the solutions, without ghosts, by the name of the field.
    """

    def __init__(self, each: Sequence[Field | Pressure], arrays: TileArrays):
        self.each, self.arrays = list(each), arrays
        self.falls = ""
        self.spent = Spent()
        (self.supplied, self.walls), (self.coarse_supplied, self.coarse_walls) = (
            ([one.name for one in some], [(one.wall, one.diffusion) for one in some]) for some in self._supplied())

    def _supplied(self):
        """The fields that vessels supply: those with a value in each voxel, and others."""
        some = [one for one in self.each if getattr(one, "wall", None) is not None]
        fine = [one for one in some if one.value.shape[1] == VOXELS]
        return fine, [one for one in some if one not in fine]

    @property
    def walls_by_size(self) -> tuple[list, list]:
        """`walls` and `coarse_walls`."""
        return self.walls, self.coarse_walls

    def __getitem__(self, name: str) -> Field | Pressure:
        return next(one for one in self.each if one.name == name)

    def __contains__(self, name: str) -> bool:
        return any(one.name == name for one in self.each)

    def let_fall(self, name: str) -> None:
        """Let a field fall along vessels, from before there is a supply."""
        self.falls = name
        self.walls.append((*self.walls[self.supplied.index(name)], 1.0))

    @property
    def signals(self) -> list[np.ndarray]:
        """The values of each field, with those of ghosts."""
        return [one.value for one in self.each]

    def begin(self, rows: np.ndarray, terms: Mapping) -> None:
        """Give new tiles the level that fields have where no tile is: those that have one of their own there."""
        for one in self.each:
            if one.name in terms and one.rim(terms[one.name].stroma) != (1.0, 0.0):
                one.value[rows] = terms[one.name].stroma.level

    def due(self, step: int) -> list[Field | Pressure]:
        """Those that are solved in a step: a field with `every` = k in steps 0, k, 2 k, ..."""
        return [one for one in self.each if step % one.every == 0]

    def settle(self, counts, vessels, mesh: Mesh, halo, moments: Mapping[str, np.ndarray] = {},
               scales: Mapping[str, float] = {}, terms: Mapping = {}) -> None:
        """Come near the steady state at the start of a run: ``initial_sweeps`` sweeps of each, as steps. Collective."""
        halo(counts)
        rounds = {one.name: math.ceil(one.initial_sweeps / one.sweeps) for one in self.each}
        for k in range(max(rounds.values(), default=0)):
            self._relax([one for one in self.each if k < rounds[one.name]], counts, vessels, mesh, halo, moments,
                        scales, terms, settling=True)

    def advance(self, step: int, counts, vessels, mesh: Mesh, halo, moments: Mapping[str, np.ndarray] = {},
                scales: Mapping[str, float] = {}, terms: Mapping = {}) -> None:
        """A step of those that are due, and the ghosts of all. Collective.

        Parameters
        ----------
        step : int
            Its number: `due`.
        counts : ndarray of uint16, shape (n_all, 512)
        vessels : VesselMap
            For the fields of `walls` and `coarse_walls`; None: there are none.
        moments : dict of str to ndarray of uint32
            By field, where cells secrete it: their weights, added up by voxel.
        scales : dict of str to float
            As in `Field.system`.
        terms : dict of str to FieldTerms
            By field.
        """
        halo(counts)
        self._relax(self.due(step), counts, vessels, mesh, halo, moments, scales, terms)
        if self.each:
            halo(*self.signals)

    def _relax(self, some, counts, vessels, mesh, halo, moments, scales, terms, settling=False):
        systems = []
        for one in some:
            given = counts, moments.get(one.name), self._supply(one, vessels), mesh, halo
            by_place = dict(terms=terms[one.name], signals=self.signals) if one.name in terms else {}
            steady = dict(steady=True) if settling and getattr(one, "steady_start", False) else {}
            fed = dict(fed=vessels.supply[:, -1]) if self.falls == one.name else {}
            with self.spent.on(one.name):
                systems.append(one.system(*given, scales, **by_place, **steady, **fed))
        relax(systems, mesh, halo, self.spent)

    def _supply(self, field, vessels):
        if vessels is not None and field.name in self.supplied:
            return vessels.supply[:, self.supplied.index(field.name)]
        here = vessels is not None and field.name in self.coarse_supplied
        return vessels.coarse[:, self.coarse_supplied.index(field.name)] if here else None
