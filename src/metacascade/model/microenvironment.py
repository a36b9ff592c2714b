"""The fields of a config: what its plan declares, made into arrays and solvers."""
import numpy as np

from metacascade._kernels import _moments
from metacascade.base.spent import Spent
from metacascade.base.tiles import VOXELS
from metacascade.config.config import Config
from metacascade.mechanisms import compile
from metacascade.mechanisms.fields import Diffusing, Pressure
from metacascade.mechanisms.plan import Plan
from metacascade.mechanisms.terms import SECRETE
from metacascade.space import pressure
from metacascade.space.arena import Arena
from metacascade.space.fields import Field, Fields
from metacascade.space.tile_arrays import COUNTS, TileArrays


def fields_of(config: Config, plan: Plan) -> Fields:
    """The fields of the tissue, in the order of the plan, and the register of the arrays of its tiles."""
    arrays = TileArrays(COUNTS)
    make = {Diffusing: _diffusing, Pressure: _pressure}
    return Fields([make[type(one)](one, plan, config, arrays) for one in plan.fields], arrays)


def _diffusing(field: Diffusing, plan: Plan, config: Config, arrays: TileArrays) -> Field:
    return Field(
        name=field.name, unit=field.unit, diffusion=field.diffusion.number, decay=field.decay.number,
        uptake=field.uptake.number, michaelis=field.michaelis.number, vessel=field.vessel.number,
        wall=field.wall and field.wall.number, initial=field.start.number, sweeps=field.sweeps,
        initial_sweeps=field.start_sweeps, steady_start=field.steady_start, coarse=field.coarse, every=field.every,
        capacity=config.tissue.capacity, edge_um=config.tissue.edge_um, step_h=config.run.step_h, arrays=arrays)


def _pressure(field: Pressure, plan: Plan, config: Config, arrays: TileArrays) -> pressure.Pressure:
    return pressure.Pressure(
        name=field.name, mobility_um2_per_h=field.mobility.number, relaxation_h=field.relaxation.number,
        smoothing_um=field.smoothing.number, sweeps=field.sweeps, initial_sweeps=field.start_sweeps,
        every=field.every, capacity=config.tissue.capacity, edge_um=config.tissue.edge_um, arrays=arrays)


def secretions(plan: Plan, arena: Arena, counts: np.ndarray, clones, step: int, spent: Spent) -> dict[str, np.ndarray]:
    """For each field that cells secrete, and that is due in a step, their weights, added up by voxel: `moments`.

    `clones`: traits of all clones. `spent`: to which it is added, by the name of the field.
    """
    found = {}
    for rate in plan.of("field"):
        if rate.action == SECRETE and step % plan.field(rate.field).every == 0:
            with spent.on(rate.field):
                found[rate.field] = _weights(arena, counts, *compile.secretion(plan, rate.name, clones))
    return found


def _weights(arena, counts, clone, emt):
    """As `moments`; cells that all have the same weight need not be looked at."""
    if clone.min() == clone.max() and emt.min() == emt.max():
        weight = (np.uint32(clone[0]) * np.uint32(emt[0]) + 127) // 255
        return counts[:len(arena.n)] * np.uint32(weight)
    return moments(arena, counts, clone, emt)


def moments(arena: Arena, counts: np.ndarray, clone: np.ndarray, emt: np.ndarray, bits: int = 0,
            rows: slice = slice(None)) -> np.ndarray:
    """Weights of the cells of each voxel, added up; uint32, shape (tiles, 512). As `Fields.advance` takes them, of what
    cells secrete.

    Parameters
    ----------
    clone, emt : ndarray of uint8, shape (clones,) and (256,)
        The weight of a cell is the product of these over 255, rounded: 0..255.
    bits : int
        Only cells that have all these bits count.
    rows : slice
        Which tiles.
    """
    start, n = arena.start[rows], arena.n[rows]
    sums = np.empty((len(n), VOXELS), np.uint32)
    _moments.moments(arena.cells, start, n, counts[rows], clone, emt, bits, sums)
    return sums
