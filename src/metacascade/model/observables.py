"""What a simulation is asked at an output: the columns of the time series, and tables by organ and by clone.

Columns are declared by whoever owns what they count; here they are only put together. All figures are sums of integers
over ranks, or ratios of such sums.
"""
from itertools import chain

import numpy as np

from metacascade._kernels._layout import LesionState, Place
from metacascade.base.columns import NOW, Column, in_order
from metacascade.model import blood, clones, injection, interventions, lesions, tissue
from metacascade.state.observed import CLONE_CELLS, ORGAN, PLACES

OF_RUN = (
    Column("step", "steps", "steps done", NOW), Column("time_s", "s", "simulated time", NOW),
    Column("tiles", "tiles", "tiles of 8 x 8 x 8 voxels that exist", NOW))
TILES = 1024        # whose cells are counted at a time


def columns(plan) -> tuple:
    """Every column of the time series, in its order: those of the model, and what the mechanisms of a plan bring."""
    of_model = (part.COLUMNS for part in (tissue, blood, lesions, injection, interventions, clones))
    return in_order([*plan.causes, *chain.from_iterable(of_model), *OF_RUN, *plan.columns])


class Observables:
    """The figures of a simulation. Every method is collective."""

    def __init__(self, simulation):
        self.simulation, self.world = simulation, simulation.world
        self.means = [column for column in simulation.columns if column.mean]

    def row(self) -> dict:
        """A row of the time series: column -> value, the same on all ranks."""
        sim = self.simulation
        own = [len(sim.tissue.region.keys), *(sum_over_cells(sim.tissue, column.mean) for column in self.means)]
        tiles, *sums = self.world.sum(own).tolist()
        cells = sim.ledger.totals["tissue"]
        means = {column.name: total / cells * column.mean.resolution if cells else np.nan
                 for column, total in zip(self.means, sums)}
        return dict(sim.ledger.totals, step=sim.step_number, time_s=sim.time_s, tiles=tiles,
                    clones=len(sim.clones), **means)

    def organs(self):
        """ORGAN rows: what is in each node that has lesions or arrested cells."""
        sim, nodes = self.simulation, len(self.simulation.circuit.names)
        ctcs, found = sim.blood.records, sim.lesions.records
        alive, active = found["n"] > 0, found["state"] == LesionState.ACTIVE
        own = np.zeros((4, nodes), np.int64)
        arrested = ctcs["place"] == Place.ARRESTED
        np.add.at(own[0], ctcs["node"][arrested], ctcs["n"][arrested])
        np.add.at(own[1], found["node"][alive], 1)
        np.add.at(own[2], found["node"][alive & active], 1)
        np.add.at(own[3], found["node"], found["n"])
        total = self.world.sum(own)
        here = np.flatnonzero(total.any(axis=0))
        rows = np.zeros(len(here), ORGAN)
        rows["time_s"], rows["node"] = sim.time_s, here
        for name, counts in zip(("arrested", "lesions", "active", "cells"), total):
            rows[name] = counts[here]
        return rows

    def clone_cells(self):
        """CLONE_CELLS rows: living cells of each clone in each place, where there are any.

        The memory that it takes is that of a table of all clones by all places, 12 MB at most.
        """
        total = self.world.sum(count_clones(self.simulation))
        clone, place = np.nonzero(total)
        rows = np.zeros(len(clone), CLONE_CELLS)
        rows["time_s"], rows["clone"], rows["place"] = self.simulation.time_s, clone, place
        rows["cells"] = total[clone, place]
        return rows


def sum_over_cells(tissue_, mean) -> int:
    """The sum of a field over the cells of this rank, in multiples of the resolution of a mean."""
    field, total = tissue_.fields()[mean.field], 0
    for first in range(0, len(tissue_.region.keys), TILES):
        rows = slice(first, min(first + TILES, len(tissue_.region.keys)))
        value = np.rint(of_voxels(field[rows]).astype(np.float64) / mean.resolution).astype(np.int64)
        total += int((value * tissue_.counts[rows]).sum())
    return total


def of_voxels(field):
    """The values of a field in voxels, shape (rows, 512), of which cubes of 2 or 4 voxels' edge may share one."""
    side = {512: 8, 64: 4, 8: 2}[field.shape[1]]
    wide = field.reshape(-1, side, side, side)
    for axis in (1, 2, 3):
        wide = wide.repeat(8 // side, axis=axis)
    return wide.reshape(-1, 512)


def count_clones(simulation):
    """Living cells of this rank by clone and place, int64 (clones, places): counted from the cells."""
    sim, nodes = simulation, len(simulation.circuit.names)
    found = np.zeros((len(sim.clones), len(PLACES) + nodes), np.int64)
    found[:, 0] = count_tissue(sim.tissue, len(sim.clones))
    for ctcs in (sim.blood.records, sim.late.records, sim.returning):
        np.add.at(found, (ctcs["clone"], np.where(ctcs["place"] == Place.ARRESTED, 2, 1)), ctcs["n"].astype(np.int64))
    records = sim.lesions.records
    np.add.at(found, (records["clone"], len(PLACES) + records["node"].astype(np.int64)), records["n"])
    return found


def count_tissue(tissue_, clones_):
    """Cells in the tiles of this rank by clone: int64 (clones,)."""
    arena = tissue_.arena
    if clones_ == 1:
        return np.array([tissue_.cells])
    found = np.zeros(clones_, np.int64)
    rows = np.flatnonzero(arena.n)
    for first in range(0, len(rows), TILES):
        blocks = [arena.block(row)["clone"] for row in rows[first:first + TILES]]
        found += np.bincount(np.concatenate(blocks), minlength=clones_)
    return found
