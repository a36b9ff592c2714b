"""Some tiles of cells for tests: what Tissue does, with oxygen and vessels given by hand."""
import math
from collections import Counter

import numpy as np

from metacascade._kernels._layout import CELL, FACTOR, MIGRANT, RATE
from metacascade._kernels._vessels import SEGMENT
from metacascade.base.limits import MOST_CLONES
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.mechanisms.compile import TissueRates, founder, tissue_rates
from metacascade.model import tissue
from metacascade.model.clones import spectrum
from metacascade.model.outbox import Outbox
from metacascade.model.tissue import Tissue
from metacascade.ranks.exchange import Exchange
from metacascade.ranks.parallel import serial_world
from metacascade.space.arena import Arena
from metacascade.space.outline import ZONE
from metacascade.space.region import Region, keys_of
from metacascade.space.tile_arrays import COUNTS, TileArrays

QUIET = dict(        # parameters of the kernel with which nothing moves
    seed=1, dt_h=0.5, edge_um=30.0, capacity=8.0, amplitude=0, biases=(), mobility=0.0, resists=None, resistance=0.0,
    smoothing=(0, 0.0), reach_um=10.0, permeability_mature=0.1, cluster_fraction=0.0, cluster_log_more=math.log(2 / 3))
SPEED = np.rint(256 * np.arange(256) / 255).astype(np.int32)
ALONG = np.stack([np.ones(256), np.arange(256) / 255]).astype(np.float32)
CLONES = 300                      # of the tables of rates, and of the cells of a busy patch
FIELDS = ("oxygen", "pressure", "coarse", "coarsest")


def rates_of(listed, causes=(), clones=CLONES):
    """Rates (base, action, detail, factors) with factors (signal, shape, a, b); nothing by clone and state."""
    rates, factors = np.zeros(len(listed), RATE), [factor for *_, own in listed for factor in own]
    for row, (base, action, detail, own) in enumerate(listed):
        first = sum(len(before) for *_, before in listed[:row])
        rates[row] = base, 1.0, first, len(own), action, detail
    ones = np.ones((len(listed), 3, 256), np.float32)
    return TissueRates((), np.ones((len(listed), clones), np.float32), ones, rates, np.array(factors, FACTOR), FIELDS, causes)


NOTHING = rates_of([])


class Field:
    """Oxygen or pressure that stays as it is."""

    def __init__(self, value):
        self.value = value


class Vessels:
    """The vessel map of tiles, each voxel with the segments that reach its bounding ball."""

    def __init__(self, coords, segments, edge_um, reach_um):
        self.segments = segments
        v = np.arange(512)
        voxel = 8 * coords[:, None, :] + np.stack([v & 7, v >> 3 & 7, v >> 6], axis=1)
        center = (voxel.reshape(-1, 3) + 0.5) * edge_um
        near = [distances(center, s) <= s["radius"] + reach_um + edge_um * 0.8661 for s in segments]
        listed = np.array(near, bool).reshape(len(segments), len(center)).T
        self.first = np.concatenate([[0], np.cumsum(listed.sum(axis=1))]).astype(np.int32)
        self.index = np.nonzero(listed)[1].astype(np.int32)


def distances(points, segment):
    """Of points (n, 3) from the center line of a segment."""
    a, b = (np.array([segment[end + axis] for axis in "xyz"]) for end in "ab")
    along = ((points - a) * (b - a)).sum(axis=1) / ((b - a) ** 2).sum()
    return np.linalg.norm(points - a - np.clip(along, 0, 1)[:, None] * (b - a), axis=1)


class Patch(Tissue):
    """Tiles at `coords` without cells; all stages of Tissue but those that need a config.

    On several ranks each takes the tiles that are its own by `cuts`. `more` are fields besides oxygen and pressure.
    """

    def __init__(self, coords, segments=None, oxygen=40.0, pressure=0.0, rates=NOTHING, speed=SPEED, along=ALONG,
                 speed_factors=(), mutation=0, exchange=None, cuts=(0, 2**63), **parameters):
        self.speed_factors, self.mutation = speed_factors, np.full(rates.clone.shape[1], mutation, np.uint64)
        self.parameters, self.rates, self.speed, self.along = dict(QUIET, **parameters), rates, speed, along
        self.exchange = exchange or Exchange(serial_world())
        self.region = Region(self.exchange, np.array(cuts, np.uint64))
        coords = np.array(coords, np.int32).reshape(-1, 3)
        mine = self.region.owner(keys_of(coords)) == self.exchange.world.rank
        self.region.add(coords[mine])
        tiles = len(self.region.keys)
        self.arena = Arena()
        self.arena.add(np.zeros(tiles, int))
        self.arrays = TileArrays(COUNTS, ZONE)
        self.arrays.grow(0, tiles, self.region.rows - tiles)
        self.arrays["zone"][:] = (self.region.keys[:, None] + np.arange(512, dtype=np.uint64)) % np.uint64(3) + np.uint64(1)
        self.oxygen = Field(np.full((self.region.rows, 512), oxygen, np.float32))
        self.vessels = Vessels(self.region.coords, np.empty(0, SEGMENT) if segments is None else segments,
                               self.parameters["edge_um"], self.parameters["reach_um"])
        self.pressure = Field(np.full((self.region.rows, 512), pressure, np.float32))
        self.counted, self.outbox = Counter(), Outbox(migrants=1024, shed=64, members=64)
        self.more = {"coarse": np.ones((self.region.rows, 64), np.float32),
                     "coarsest": np.ones((self.region.rows, 8), np.float32),
                     "matrix": np.ones((self.region.rows, 512), np.float32)}
        self.step_done = 0

    def fields(self):
        """The fields that factors may name."""
        return {"oxygen": self.oxygen.value, "pressure": self.pressure.value, **self.more}

    def row(self, *tile):
        """Row of the tile at a place."""
        return int(np.flatnonzero((self.region.coords == tile).all(axis=1))[0])

    def put(self, row, voxels, **columns):
        """Add cells to a tile: one voxel for each, and their fields (0 where not given)."""
        arrivals = np.zeros(len(voxels), MIGRANT)
        arrivals["key"], arrivals["voxel"] = row, voxels
        for name, values in columns.items():
            arrivals["cell"][name] = values
        self.arrive(arrivals)

    def scatter(self, row, voxels, rng, **columns):
        """Add cells at random places of their voxels."""
        place = {axis: rng.integers(0, 65536, len(voxels)) for axis in "xyz"}
        self.put(row, voxels, **{**place, **columns})

    def step(self):
        """A whole step: (shed, tally). Collective."""
        self.region.halo(self.counts)
        self.region.halo(self.oxygen.value)
        self.region.halo(self.pressure.value)
        migrants, shed, _, tally = self.advance(self.step_done, self.step_done * self.parameters["dt_h"])
        here, gone, to = self.leaving(migrants)
        self.arrive(here, self.exchange.route({"migrants": (gone, to)})["migrants"])
        self.step_done += 1
        return shed, tally

    def everyone(self):
        """All cells, with their rows and voxels: (CELL array, rows, voxels)."""
        tiles = range(len(self.region.keys))
        cells = [self.arena.block(row) for row in tiles]
        row = np.repeat(np.arange(len(self.region.keys)), self.arena.n)
        voxel = np.concatenate([np.repeat(np.arange(512), self.counts[i]) for i in tiles])
        return np.concatenate(cells), row, voxel

    def places(self):
        """All cells and where they are [um], shape (n, 3)."""
        cells, row, v = self.everyone()
        inside = (np.stack([cells[axis] for axis in "xyz"], axis=1) + 0.5) / 65536
        voxel = 8 * self.region.coords[row] + np.stack([v & 7, v >> 3 & 7, v >> 6], axis=1)
        return cells, (voxel + inside) * self.parameters["edge_um"]


def only(**sections):
    """Parameters of the kernel and rates, from a config in which of the mechanisms of the tissue only these are on.

    All clones are like the founder: a test may tell cells apart by their clones.
    """
    every = ("growth", "hypoxia", "migration", "crowding", "intravasation")
    tables = {name: dict(enabled=name in sections) for name in every}
    for name, values in sections.items():
        tables.setdefault(name, {}).update(values)
    config = Config.from_dict(tables)
    plan = plan_of(config)
    clones = {name: np.repeat(byte, MOST_CLONES) for name, byte in {"": np.zeros(1, np.uint8), **founder(plan)}.items()}
    return dict(tissue.parameters(config, plan), rates=tissue_rates(plan, clones=clones), speed=tissue.speeds(plan),
                along=tissue.along(plan), speed_factors=tissue.speed_factors(plan, clones),
                mutation=spectrum(plan.traits).threshold())


def with_margin(*size):
    """Coordinates of a block of tiles from the origin, and of all tiles round it."""
    size = np.array(size) + 2
    return (np.stack(np.unravel_index(np.arange(np.prod(size)), size), axis=1) - 1).astype(np.int32)


def voxel_lists(patch, row):
    """The cells of each voxel of a tile as sorted triples of words."""
    words = patch.arena.block(row).view(np.uint32).reshape(-1, 3).tolist()
    ends = np.cumsum(patch.counts[row]).tolist()
    return [sorted(map(tuple, words[a:b])) for a, b in zip([0] + ends[:-1], ends)]


def random_cells(rng, n):
    """Cells of random bytes."""
    return rng.integers(0, 256, n * CELL.itemsize).astype(np.uint8).view(CELL)
