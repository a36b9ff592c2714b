"""What a simulation is asked at an output: the columns of the time series, and tables by organ and by clone.

Columns are declared by whoever owns what they count; here they are only put together. All figures are sums of integers
over ranks, or ratios of such sums.
"""
from itertools import chain

import numpy as np

from metacascade._kernels._layout import CTC, LESION, Flag, Place
from metacascade.base.columns import CTCS, LESIONS, NOW, Column, in_order, mean_over_cells
from metacascade.base.errors import InputError, RunError
from metacascade.base.limits import MOST_CLONES
from metacascade.base.records import joined
from metacascade.base.tiles import of_voxels
from metacascade.mechanisms.terms import LOWER, RAISE
from metacascade.model import (
    blood,
    clones,
    injection,
    interventions,
    lesions,
    lumped,
    lymph,
    physiology,
    staging,
    tissue,
    zones,
)
from metacascade.model.computed import place
from metacascade.model.microenvironment import moments
from metacascade.model.outbox import TALLIES
from metacascade.state import observed
from metacascade.state.observed import OTHERS, PLACES

OF_RUN = (
    Column("returned", "cells", "in tissue, came back through the blood, or descend from such", NOW),
    Column("step", "steps", "steps done", NOW), Column("time_s", "s", "simulated time", NOW),
    Column("tiles", "tiles", "tiles of 8 x 8 x 8 voxels that exist", NOW))
REPORT = tuple(chain.from_iterable(
    part.REPORT for part in (tissue, lumped, zones, lymph, blood, lesions, interventions, clones)))
LABELED = {"tissue": "in tissue", "blood": "in the blood, flowing or held, and in lymph", "lesions": "in lesions"}
OTHER_NAME = "give that of the mechanism another name"
TILES = 1024        # whose cells are counted at a time
EMT_MEAN = mean_over_cells("emt_mean", "1", "EMT of the cells in tissue, 0 to 1, their mean", "emt", 1 / 255)
ADHESION_MEAN = mean_over_cells(
    "adhesion_mean", "1", "adhesion of the cells in tissue to their neighbors, 0 to 1, their mean", "adhesion", 1 / 255)
EACH, OF_EMT = np.ones(256, np.uint8), np.arange(256, dtype=np.uint8)       # weights by the byte of EMT
ANY_CLONE = np.full(MOST_CLONES, 255, np.uint8)


def columns(plan) -> tuple:
    """Every column of the time series, in its order: those of the model, and what the mechanisms of a plan bring.

    Raises
    ------
    InputError
        For a name that is there already.
    """
    of_model = (
        part.COLUMNS for part in (tissue, blood, lesions, injection, interventions, clones, zones, staging))
    if counted := [cause.name for cause in plan.causes if cause.name in TALLIES]:
        raise InputError(f"{', '.join(counted)}: a cause of death by the name of a count of the tissue: {OTHER_NAME}")
    try:
        return in_order([*plan.causes, *chain.from_iterable(of_model), *lymph.columns(plan), *lumped.columns(plan),
                         *OF_RUN, *plan.columns, *of_states(plan), *of_labels(plan)])
    except ValueError as error:
        raise InputError(f"{error}: {OTHER_NAME}") from None


def of_states(plan) -> list:
    """Columns of what events change in cells: of each bit that a mechanism which is on declares, EMT, and adhesion."""
    changed = {rate.byte for rate in plan.rates if rate.action in (RAISE, LOWER)}
    columns_ = [Column(f"tissue_{name}", "cells", f"in tissue, with {name}", NOW) for name, _ in plan.bits]
    return columns_ + [column for column in (EMT_MEAN, ADHESION_MEAN) if column.mean.field in changed]


def of_labels(plan) -> list:
    """Columns of the clones that injections bring."""
    return [Column(f"{label}_{where}", "cells", f"{what}, of the clone that is labeled {label}", NOW)
            for label in plan.labels for where, what in LABELED.items()]


def by_node(plan) -> tuple:
    """Every column of the table by organ: those of the model, and what the mechanisms of a plan bring.

    Raises
    ------
    InputError
        For a name that is there already, and for a count that fails where nothing is.
    """
    of_model = (*blood.BY_NODE, *lesions.by_node(plan))
    taken = {*observed.organs(()).units, *(column.name for column in of_model)}
    for column in plan.by_node:
        if column.name in taken:
            raise InputError(f"organs/{column.name}: declared as a column twice: {OTHER_NAME}")
        counted(column, np.zeros(1, {CTCS: CTC, LESIONS: LESION}[column.records]), InputError)
    return (*of_model, *plan.by_node)


def counted(column, records, error=RunError) -> np.ndarray:
    """What each of an array of records counts for in a column of the table by organ: int64, shape (records,).

    Raises `error`, with file and line, if that is no whole number for each.
    """
    try:
        numbers = np.asarray(column.count(records))
    except Exception as wrong:
        raise error(f"{place(column.count, wrong)}the column organs/{column.name}: "
                    f"{type(wrong).__name__}: {wrong}") from None
    if numbers.shape != records.shape or numbers.dtype.kind not in "biu":
        raise error(f"{place(column.count)}the column organs/{column.name}: its count must be a whole number for "
                    f"each of {len(records)} records, not {numbers.dtype} of shape {numbers.shape}")
    return numbers.astype(np.int64)


def volumes(simulation) -> dict:
    """Blood by node [mL]; of the tumor, which grows, for each of its cells."""
    circuit = simulation.circuit
    per_cell = physiology.TUMOR_BLOOD_mL_PER_G / physiology.CELLS_PER_G if simulation.config.tumor else 0.0
    return dict(zip(circuit.names, circuit.volume_mL.tolist())) | {"tumor": per_cell}


def tables(plan) -> dict:
    """The tables beside the time series: name -> Layout."""
    return observed.layouts(by_node(plan), [trait.name for trait in plan.traits])


class Observables:
    """The figures of a simulation. Every method is collective."""

    def __init__(self, simulation):
        self.simulation, self.world = simulation, simulation.world
        self.means = [column for column in simulation.columns if column.mean]
        self.by_node, self.layouts = by_node(simulation.plan), tables(simulation.plan)

    def row(self) -> dict:
        """A row of the time series: column -> value, the same on all ranks."""
        sim = self.simulation
        own = [len(sim.tissue.region.keys), *(sum_over_cells(sim.tissue, column.mean) for column in self.means),
               *(sum_of_states(sim.tissue, EACH, mask) for _, mask in sim.plan.bits), self._returned()]
        tiles, *sums, returned = self.world.sum(own).tolist()
        with_bits = {f"tissue_{name}": n for (name, _), n in zip(sim.plan.bits, sums[len(self.means):])}
        cells = sim.ledger.totals["tissue"]
        means = {column.name: total / cells * column.mean.resolution if cells else np.nan
                 for column, total in zip(self.means, sums)}
        return dict(sim.ledger.totals, step=sim.step_number, time_s=sim.time_s, tiles=tiles, clones=len(sim.clones),
                    returned=returned, **means, **with_bits, **self._of_tumor(), **self._of_labels())

    def _returned(self):
        """Cells in tissue of this rank that came back, or descend from such: residual cells are the others."""
        if not self.simulation.ledger.totals["self_seeded"]:
            return 0
        arena = self.simulation.tissue.arena
        return sum(int((arena.block(row)["flags"] & Flag.RETURNED > 0).sum()) for row in np.flatnonzero(arena.n))

    def _of_labels(self):
        """The columns of labeled clones."""
        labels = self.simulation.clones.labels
        if not self.simulation.plan.labels:
            return {}
        counts = self.world.sum(count_clones(self.simulation)[list(labels.values())])
        by_place = np.stack([counts[:, 0], counts[:, 1:len(PLACES)].sum(axis=1), counts[:, len(PLACES):].sum(axis=1)])
        return {f"{label}_{where}": n for label, row in zip(labels, by_place.T.tolist())
                for where, n in zip(LABELED, row)}

    def _of_tumor(self):
        """The columns of the outline and of the stage."""
        sim = self.simulation
        told = sim.zones.row(sim.time_s)
        largest_lesion = self.world.max(int(sim.lesions.records["n"].max(initial=0)))
        stage = sim.staging.stage(told["radius"], told["invasion_max"], largest_lesion) if sim.zones.on else -1
        return told | sim.staging.times | dict(stage=stage)

    def distances(self):
        """Rows of the table of distances: cells by their distance to the nearest vessel."""
        sim = self.simulation
        rows = sim.zones.distances(sim.time_s, sim.ledger.totals["tissue"])
        return np.array(rows, self.layouts["distances"].dtype)

    def organs(self):
        """Rows of the table by organ: what is in each node of the circuit where anything is."""
        sim = self.simulation
        records = {CTCS: sim.blood.records, LESIONS: joined(sim.lesions.records, sim.lumped.records)}
        own = np.zeros((len(self.by_node), len(sim.circuit.names)), np.int64)
        for counts, column in zip(own, self.by_node):
            here = records[column.records]
            np.add.at(counts, here["node"], counted(column, here))
        total = self.world.sum(own)
        here = np.flatnonzero(total.any(axis=0))
        rows = np.zeros(len(here), self.layouts["organs"].dtype)
        rows["time_s"], rows["node"] = sim.time_s, here
        for column, counts in zip(self.by_node, total):
            rows[column.name] = counts[here]
        return rows

    def events(self):
        """Rows of the table of events: cells by what happened to them in the blood so far, and in which node."""
        total = self.simulation.events.table()
        event, node = np.nonzero(total)
        rows = np.zeros(len(event), self.layouts["events"].dtype)
        rows["time_s"], rows["event"], rows["node"] = self.simulation.time_s, event, node
        rows["cells"] = total[event, node]
        return rows

    def clone_cells(self):
        """Rows of cells by clone: living cells in each place where there are any, the smaller clones put together.

        The memory that it takes is that of a table of all clones by all places, 12 MB at most.
        """
        sim = self.simulation
        clone, total = largest(self.world.sum(count_clones(sim)), sim.config.output.clones, sim.clones.labels.values())
        row, place = np.nonzero(total)
        rows = np.zeros(len(row), self.layouts["clone_cells"].dtype)
        rows["time_s"], rows["clone"], rows["place"] = sim.time_s, clone[row], place
        rows["cells"] = total[row, place]
        return rows


def largest(total, most, named=()):
    """(clones, their cells by place): those `most` with most cells, of equal ones the older, and those `named`; then
    OTHERS, their sum.

    `total`: int64, shape (clones, places), of all clones.
    """
    if len(total) <= most:
        return np.arange(len(total)), total
    keep = np.zeros(len(total), bool)
    keep[np.argsort(-total.sum(axis=1), kind="stable")[:most]] = True
    keep[list(named)] = True
    if keep.all():
        return np.arange(len(total)), total
    return (np.append(np.flatnonzero(keep), OTHERS),
            np.append(total[keep], total[~keep].sum(axis=0, keepdims=True), axis=0))


def sum_over_cells(tissue_, mean) -> int:
    """The sum of a field, or of a byte of state, over the cells of this rank, in multiples of its resolution."""
    if mean == EMT_MEAN.mean:
        return sum_of_states(tissue_, OF_EMT)
    if mean == ADHESION_MEAN.mean:
        return sum_of_adhesion(tissue_.arena)
    field, total = tissue_.fields()[mean.field], 0
    for rows in _some_tiles(tissue_):
        value = np.rint(of_voxels(field[rows]).astype(np.float64) / mean.resolution).astype(np.int64)
        total += int((value * tissue_.counts[rows]).sum())
    return total


def sum_of_states(tissue_, weights, bits=0) -> int:
    """The sum of weights by the byte of EMT, uint8 of shape (256,), over the cells of this rank that have `bits`."""
    return sum(int(moments(tissue_.arena, tissue_.counts, ANY_CLONE, weights, bits, rows).sum(dtype=np.int64))
               for rows in _some_tiles(tissue_))


def sum_of_adhesion(arena) -> int:
    """The sum of the byte of adhesion over the cells of this rank."""
    return sum(int(block["adhesion"].sum(dtype=np.int64)) for block in map(arena.block, np.flatnonzero(arena.n)))


def _some_tiles(tissue_):
    """The rows of the tiles of this rank, TILES at a time."""
    tiles = len(tissue_.region.keys)
    return [slice(first, min(first + TILES, tiles)) for first in range(0, tiles, TILES)]


def count_clones(simulation):
    """Living cells of this rank by clone and place, int64 (clones, places): counted from the cells."""
    sim, nodes = simulation, len(simulation.circuit.names)
    found = np.zeros((len(sim.clones), len(PLACES) + nodes), np.int64)
    found[:, 0] = count_tissue(sim.tissue, len(sim.clones))
    for ctcs in (sim.blood.records, sim.late.records, sim.returning):
        place = np.where(np.isin(ctcs["place"], (Place.BOUND, Place.TRAPPED)), 2, 1)
        members, row = sim.members.of(ctcs)
        np.add.at(found, (ctcs["clone"], place), ctcs["n"])          # as their leaders, unless known to be others
        np.add.at(found, (ctcs["clone"][row], place[row]), -1)
        np.add.at(found, (members["clone"], place[row]), 1)
    records = joined(sim.lesions.records, sim.lumped.records)
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
