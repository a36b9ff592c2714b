"""The cells of the primary tumor on this rank: their tiles, one step of their life, and arrivals."""
from collections import Counter

import numpy as np

from metacascade._kernels import _tissue
from metacascade.base.columns import ALIVE, BORN, PASSED, Column, ReportLine, cells
from metacascade.base.errors import RunError
from metacascade.base.records import chosen, joined
from metacascade.base.tiles import VOXELS
from metacascade.mechanisms.compile import field_terms, tissue_rates
from metacascade.model import computed, vessel_oxygen
from metacascade.model.clones import thresholds
from metacascade.model.kernelerrors import crowded, finite
from metacascade.model.microenvironment import secretions
from metacascade.model.motion import resisting, speed_factors, speeds
from metacascade.model.outbox import Outbox
from metacascade.model.tissue_parameters import along, of_kernel, parameters, reach_um, refuse_wide
from metacascade.space.arena import Arena
from metacascade.space.fields import Still
from metacascade.space.outline import ZONE
from metacascade.space.region import Region
from metacascade.space.vasculature import Vasculature
from metacascade.space.vessels import voxelize

COLUMNS = (
    cells("initial", BORN, "in the tumor at the start"), cells("divided_tissue", BORN, "by division in tissue"),
    cells("tissue", ALIVE, "in tissue"),
    cells("shed", PASSED, "entered the blood from the tumor"),
    Column("shed_ctcs", "CTCs", "the same, in single cells and clusters"),
    cells("changed_voxel", PASSED, "went to another voxel"))
REPORT = (
    ReportLine("tumor", "{tissue:,} cells (started with {initial:,}; {divided_tissue:,} divisions)"),
    ReportLine("shed", "{shed:,} cells in {shed_ctcs:,} single cells and clusters; {injected:,} injected; "
                       "{self_seeded:,} came back to the tumor"))
ARRIVALS = np.iinfo(np.int32).max       # cells that come to the tiles of a rank in one step, at most


class Tissue:
    """Cells, oxygen and vessels of the tiles of this rank.

    Attributes
    ----------
    region : Region
        Which tiles are here; row i of everything below is its tile i.
    arena : Arena
        The cells.
    arrays : TileArrays
        What there is of each voxel; rows of ghosts behind those of the tiles.
    microenvironment : Fields
        Oxygen, pressure and what else the plan has.
    oxygen, pressure : Field, Pressure or, where they are off, Still
    vessels : VesselMap
    vasculature : Vasculature or None
        The vessels that live, or have `lived` before; None: they are those of the network, for ever.
    counted : Counter
        What the kernel has counted in all steps so far, by `outbox.TALLIES` and causes of death.
    reachable : ndarray of int64, shape (tiles,)
        Voxels of each tile that are within reach of a perfused vessel.
    """

    def __init__(self, config, plan, exchange, fields, network, cuts, lived=False):
        self.config, self.plan = config, plan
        self.exchange = exchange
        self.microenvironment, self.arrays = fields, fields.arrays
        self.oxygen = fields["oxygen"] if "oxygen" in fields else Still(config.oxygen.stroma_mmHg, self.arrays)
        self.pressure = fields["pressure"] if "pressure" in fields else Still(0.0, self.arrays)
        if config.outline.enabled:
            self.arrays.add(ZONE)
        self.network = network
        self.region = Region(exchange, cuts)
        self.arena = Arena()
        if plan.rate("vessel.oxygen_length") and "oxygen" in fields.supplied:
            fields.let_fall("oxygen")
        self.vasculature = self._make_vasculature() if lived or plan.vessels_live else None
        self.vessels = self.voxelize_tiles(np.empty((0, 3), np.int32))
        self.reachable = reachable(self.vessels)
        self.speed, self.along = speeds(self.plan), along(self.plan)
        self.clones = None                  # that of the founder
        self.set_rates()
        self.counted, self.outbox = Counter(), Outbox()

    @property
    def counts(self):
        """Cells per voxel: uint16, shape (rows, 512)."""
        return self.arrays["counts"]

    @counts.setter
    def counts(self, counts):
        self.arrays["counts"] = counts

    @property
    def zones(self):
        """Where each voxel lies by the outline: uint8, shape (tiles, 512), of Zone; None if there is no outline."""
        return self.arrays["zone"] if "zone" in self.arrays else None

    @property
    def cells(self):
        """Cells of this rank, counted from the tiles."""
        return int(self.arena.n.sum(dtype=np.int64))

    # --- tiles come into being -------------------------------------------------------------------------

    def add_tiles(self, coords, counts=None, vessels=None):
        """Add tiles (any order), with room for ``counts`` cells per voxel. Collective; returns their rows.

        `vessels`: the pieces and tips in them, of a Vasculature; left out: those of the host.
        """
        before = len(self.region.keys)
        order = np.argsort(self.region.keys_of(coords))
        coords = self.region.add(coords)
        rows = np.arange(before, len(self.region.keys))
        self.arrays.grow(before, len(self.region.keys), len(self.region.ghost_keys))
        if counts is not None:
            self.counts[rows] = counts[order]
        self.arena.add(self.counts[rows].sum(axis=1, dtype=np.int64))
        if self.vasculature:
            self.vasculature.add(rows, vessels)
        new = self.vasculature.map(rows, self.shares) if self.vasculature else self.voxelize_tiles(coords)
        self.vessels.append(new)
        self.reachable = np.concatenate([self.reachable, reachable(new)])
        return rows

    @property
    def shares(self):
        """Share of its oxygen that the blood still has in pieces, a function of them; None: all of it."""
        if not self.microenvironment.falls:
            return None
        critical = self.plan.number("vessel.oxygen_critical") / self.config.oxygen.vessel_mmHg
        return vessel_oxygen.shares(self.plan.number("vessel.oxygen_length"), critical)

    def _make_vasculature(self):
        edge, reach = self.config.tissue.edge_um, reach_um(self.config, self.plan)
        refuse_wide(self.config, self.plan, self.network)
        return Vasculature(self.network, self.region, edge, reach, *self.microenvironment.walls_by_size)

    def voxelize_tiles(self, coords):
        """The vessels of the network in tiles, as `voxelize` gives them."""
        return voxelize(coords, self.config.tissue.edge_um, self.network, reach_um(self.config, self.plan),
                        *self.microenvironment.walls_by_size)

    def vessels_here(self):
        """Segments that come near the tiles of this rank, without duplicates, or the pieces that are in them."""
        if self.vasculature:
            return self.vasculature.pieces.all
        return self.network.segments_near(self.region.coords, self.config.tissue.edge_um, 0.0)

    def vessels_by_tile(self):
        """Segments near each tile, perfused or not: those of tile t are segments[near[t]:near[t + 1]]."""
        if self.vasculature:
            return self.vasculature.segments_in_tiles()
        return self.vessels.segments, self.vessels.near

    def vessels_within(self, rows, margin_um):
        """Perfused segments whose wall comes within a margin of tiles: of rows[i] segments[near[i]:near[i + 1]]."""
        if self.vasculature:
            return self.vasculature.segments_within(rows, margin_um)
        return self.network.source.collect(self.region.coords[rows], self.config.tissue.edge_um, margin_um)

    def add_margin(self):
        """Where a tile has cells, all 26 places round it become tiles, for cells to move into. Collective.

        Returns the number of new tiles on all ranks.
        """
        places, owner = self.region.missing_around(self.arena.n > 0)
        if not (new := int(self.exchange.world.sum([len(places)])[0])):
            return 0
        wanted = self.exchange.route({"places": (places, owner)})["places"]
        places = np.unique(wanted, axis=0).astype(np.int32).reshape(-1, 3)
        self.microenvironment.begin(self.add_tiles(places), self.terms)
        return new

    def settle(self):
        """Bring the fields to their steady state, at the start of a run."""
        self.microenvironment.settle(self.counts, self.vessels, self.region.mesh, self.region.halo,
                                     self.secretions(0), self.scales, self.terms)

    # --- a step --------------------------------------------------------------------------------------

    def breathe(self, step):
        """Fields for the cells as they are, and the ghosts that the cells look at."""
        self.microenvironment.advance(step, self.counts, self.vessels, self.region.mesh, self.region.halo,
                                      self.secretions(step), self.scales, self.terms)

    def secretions(self, step):
        """The weights of cells that secrete, by field, of those that are due in this step."""
        return secretions(self.plan, self.arena, self.counts, self.clones, step, self.microenvironment.spent)

    def take_clones(self, traits):
        """Compute the rates with the traits of all clones: name -> ndarray of uint8."""
        self.clones = traits
        self._rate_clones()

    def set_rates(self, scales=()):
        """Take the rates of the plan times `scales`, a dict by name."""
        self.scales = dict(scales)
        self.terms = field_terms(self.plan, scales)
        self.parameters = parameters(self.config, self.plan, scales)
        self._rate_clones()

    def rescale(self, scales):
        """The same, if the scales are others than so far."""
        if scales != self.scales:
            self.set_rates(scales)

    def _rate_clones(self):
        """What depends on the traits of clones."""
        self.rates = tissue_rates(self.plan, self.scales, self.clones)
        self.mutation = thresholds(self.plan, self.scales, self.clones)
        self.speed_factors = speed_factors(self.plan, self.clones)

    def advance(self, step, t_h):
        """One step of all cells: (migrants, shed CTCs, members of the clusters among them, tally).

        A migrant's ``key`` is the row, here, of the tile to which it goes (a ghost's row is another rank's).
        """
        a, rates, out = self.arena, self.rates, self.outbox
        out.begin(rates.causes)
        if not len(self.region.keys):           # and a step without tissue may be longer than the kernel takes
            return *out.taken(), out.tally
        params = of_kernel(self.parameters, step, t_h)
        fields = self.fields()
        signals = [fields[name] for name in rates.signals]
        signals += [computed.evaluate(factor, fields, a.n, self.counts, params["capacity"])
                    for factor in rates.computed]
        tables = (rates.rates, rates.factors, signals, rates.clone, rates.state, self.speed, self.along, self.mutation,
                  *self.motion(fields))
        while True:
            with crowded(), finite((*rates.names, "tissue.hop")):
                cells, waiting = a.unsettled()
                row = _tissue.advance(
                    cells, a.start, a.n, a.capacity, self.counts, self.pressure.value, self.region.neighbors,
                    self.region.keys, self.region.coords,
                    (self.vessels.first, self.vessels.index, self.vessels.segments), tables, params,
                    out.scratch, out.migrants, out.shed, out.members, out.progress, self.zones, waiting)
            if row < 0:
                break
            if not out.make_room(int(a.n[row])):        # it stopped before a tile
                a.reserve(np.array([row]), np.array([int(a.capacity[row]) * 5 // 4 + 8]))
        tally = out.tally
        self.counted.update(tally)
        return *out.taken(), tally

    def motion(self, fields):
        """The gradients that cells follow, what besides EMT acts on speed, and what resists them. Collective."""
        followed = tuple((fields[name], *numbers) for name, *numbers in self.parameters["biases"])
        resists = resisting(fields.get(self.parameters["resists"]), *self.parameters["smoothing"], self.region)
        *tables, ground, per_bin = self.speed_factors or (None, None)
        factors = self.speed_factors and (*tables, None if ground is None else fields[ground], per_bin)
        return followed, factors, resists

    def fields(self):
        """The fields that factors may name."""
        return {one.name: one.value for one in self.microenvironment.each}

    def leaving(self, migrants):
        """Split migrants: those that stay on this rank, and those for others with their ranks."""
        tiles = len(self.region.keys)
        away = migrants["key"] >= tiles
        gone = chosen(migrants, away)
        ghost = (gone["key"] - np.uint64(tiles)).astype(np.int64)
        gone["key"] = self.region.ghost_keys[ghost]
        return chosen(migrants, ~away), gone, self.region.ghost_owner[ghost]

    def arrive(self, here, *from_others):
        """Take migrants in: `here` name rows, the others name curve keys."""
        for part in from_others:
            part["key"] = self.region.rows_of(part["key"])
        arrivals = joined(here, *from_others)
        if len(arrivals) == 0:
            return
        if len(arrivals) > ARRIVALS:
            raise RunError(f"{len(arrivals):,} cells come to the tiles of one rank in one step, more than "
                           f"{ARRIVALS:,}: use more ranks")
        more = np.bincount(arrivals["key"].astype(np.int64), minlength=len(self.arena.n))
        rows = np.flatnonzero(more)
        self.arena.reserve(rows, self.arena.n[rows] + more[rows])
        with crowded():
            self.arena.take_in(arrivals, self.counts)


def reachable(vessels):
    """Voxels of each tile that have a vessel within reach."""
    return (np.diff(vessels.first) > 0).reshape(-1, VOXELS).sum(axis=1)
