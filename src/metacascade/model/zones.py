"""Where cells lie by the outline of the tumor, and what is told by it: read-outs, on which nothing depends."""
import numpy as np

from metacascade._kernels._layout import Zone
from metacascade.base.columns import NOW, PASSED, Column, ReportLine, cells, measured
from metacascade.base.limits import FARTHEST
from metacascade.base.tiles import EDGE, cube_of, in_cubes, of_voxels
from metacascade.space import distances, outline

WHERE = {Zone.CORE: "in the core", Zone.BORDER: "in the border", Zone.OUTSIDE: "outside of the outline"}
INSIDE = (Zone.CORE, Zone.BORDER)
COLUMNS = (
    *(cells(f"shed_{zone.name.lower()}", PASSED, f"entered the blood from the tumor {where}")
      for zone, where in WHERE.items()),
    *(Column(f"cells_{zone.name.lower()}", "cells", f"in tissue, {where}", NOW) for zone, where in WHERE.items()),
    Column("sprouts", "sprouts", "masses of cells joined to the body of the tumor that reach farther than "
           "outline.sprout out of it", NOW),
    Column("sprout_cells", "cells", "in tissue, in sprouts, farther than outline.sprout out of the body", NOW),
    measured("sprout_reach", "um", "distance out of the body of the tumor, the largest of masses joined to it"),
    measured("radius", "um", "of the ball that is as large as the inside of the outline"),
    measured("extent", "um", "of the inside of the outline, along the axis where that is largest"),
    measured("invasion_max", "um", f"distance out of the outline, the largest of the cells there; {FARTHEST} voxels at "
             "most are told"),
    measured("invasion_mean", "um", "distance out of the outline, the mean of the cells there, as told"),
    *(column for zone in INSIDE for column in (
        measured(f"vessels_{zone.name.lower()}", "mm/mm^3", f"length of vessels per volume {WHERE[zone]}"),
        measured(f"maturity_{zone.name.lower()}", "1", f"of the vessels {WHERE[zone]}, the mean by length"),
        measured(f"perfused_{zone.name.lower()}", "1", f"of the vessels {WHERE[zone]}, the share by length"))))
REPORT = (ReportLine("", "{shed_core:,} of them in the core, {shed_border:,} in the border, {shed_outside:,} outside",
                     if_any=("shed_core", "shed_border", "shed_outside")),)
NOTHING = {column.name: np.nan if column.real else 0 for column in COLUMNS if column.part == NOW}
LONE = 1 / 8        # of capacity: fewer cells of a cube are no mass of cells, but loose ones
PER_UM = 1024       # lengths and distances are added up in 1/1024 um
SHED, ALL = 0, 1    # of whom a row of the table of distances tells


class Zones:
    """The newest outline of the tumor. Nothing here is known to tissue, blood or lesions.

    Parameters
    ----------
    shed : sequence of int, optional
        Cells shed so far by their distance to the vessel, over all ranks: of a saved state.

    Attributes
    ----------
    on : bool
        Is there an outline?
    shed : ndarray of int64
        Cells shed so far by their distance to the center line of the vessel that they entered.
    """

    def __init__(self, config, tissue, shed=()):
        self.config, self.tissue = config, tissue
        self.on = tissue.zones is not None
        self.edge_um = config.tissue.edge_um
        self.shed = np.zeros(distances.BINS, np.int64)
        if len(shed):
            self.shed += shed

    def renew(self, time_s, anyway=False):
        """The outline as it is now, if it is due, or if there is none yet. Collective."""
        if self.on and (anyway or self.is_due(time_s)):
            self.tissue.arrays["zone"] = self._now()

    def is_due(self, time_s):
        """Is there an outline of this time?"""
        return time_s % self.config.outline.interval_s == 0

    def _now(self):
        """The zone of each voxel by the cells as they are: uint8 (tiles, 512). Collective."""
        tissue = self.tissue
        of = self.config.outline
        hull = outline.inside(tissue.counts, self.config.tissue.capacity, tissue.region, of.gap_um / self.edge_um,
                              cube_of(self.edge_um))
        deep = outline.deeper_than(hull, of.depth_um / self.edge_um, tissue.region)
        return np.uint8(Zone.OUTSIDE) - hull.view(np.uint8) - deep.view(np.uint8)      # core 1, border 2, outside 3

    def of_shed(self, ctcs):
        """Cells of this rank that were shed, by zone: name of a column -> cells."""
        return {f"shed_{zone.name.lower()}": int(ctcs["n"][ctcs["zone"] == zone].sum(dtype=np.int64)) for zone in WHERE}

    def by_distance(self, ctcs):
        """Cells of this rank that were shed, by distance: a list of integers, for `add`."""
        found = np.zeros(distances.BINS, np.int64)
        np.add.at(found, distances.bins_of(ctcs["distance"]), ctcs["n"].astype(np.int64))
        return found.tolist()

    def add(self, by_distance):
        """Add the sums over ranks of what `by_distance` has given."""
        self.shed += by_distance

    # --- at an output ------------------------------------------------------------------------------------

    def row(self, time_s):
        """What the columns say now: name -> number, the same on all ranks. Collective."""
        if not self.on:
            return dict(NOTHING)
        zones = self.tissue.zones if self.is_due(time_s) else self._now()
        counts = self.tissue.counts[:len(zones)]
        own = [[(counts * there).sum(dtype=np.int64), np.count_nonzero(there)]
               for there in (zones == zone for zone in WHERE)]
        sums = np.concatenate([np.ravel(own), distances.lengths(self.tissue, zones)[list(INSIDE)].ravel()])
        sums = self.tissue.exchange.world.sum(sums)
        of_cells, voxels = sums[:6].reshape(3, 2).T
        told = NOTHING | {f"cells_{zone.name.lower()}": int(n) for zone, n in zip(WHERE, of_cells)}
        if not voxels[:2].any():
            return told
        hull = zones != Zone.OUTSIDE
        for zone, volume, vessels in zip(INSIDE, voxels, sums[6:].reshape(2, 3)):
            told |= self._vessels(zone.name.lower(), int(volume), *vessels.tolist())
        volume_um3 = int(voxels[:2].sum()) * self.edge_um**3
        return told | self._invasion(hull, counts) | self._sprouts(hull, counts) | dict(
            radius=(0.75 * volume_um3 / np.pi)**(1 / 3), extent=self._extent(hull) * self.edge_um)

    def _vessels(self, zone, voxels, length, perfused, maturity):
        """The columns of the vessels of a zone."""
        volume_mm3 = voxels * (self.edge_um / 1000)**3
        return {f"vessels_{zone}": length / PER_UM / 1000 / volume_mm3 if voxels else np.nan,
                f"maturity_{zone}": maturity / 255 / length if length else np.nan,
                f"perfused_{zone}": perfused / length if length else np.nan}

    def _invasion(self, hull, counts):
        """How far cells are out of the outline. Collective."""
        region, there = self.tissue.region, counts > 0
        far = outline.Distances(hull, region, beyond=False)
        farthest = far.complete(there & ~hull)
        outside = there & ~hull
        um = np.rint((np.sqrt(far.squared[outside].astype(float)) - 0.5) * (self.edge_um * PER_UM)).astype(np.int64)
        own = [(um * counts[outside]).sum(), counts[outside].sum(dtype=np.int64)]
        total, n = region.world.sum(own).tolist()
        return dict(invasion_max=(np.sqrt(farthest) - 0.5) * self.edge_um if n else 0.0,
                    invasion_mean=total / n / PER_UM if n else 0.0)

    def find_sprouts(self, hull, counts):
        """What `outline.sprouts` finds in the tumor, of its inside and its cells, and its body. Collective."""
        config, region = self.config.outline, self.tissue.region
        body = outline.body(hull, config.opening_um / self.edge_um, region)
        cube = cube_of(self.edge_um)
        several = of_voxels(in_cubes(counts, cube) > LONE * cube**3 * self.config.tissue.capacity)
        return *outline.sprouts(hull | several, body, config.sprout_um / self.edge_um, region), body

    def _sprouts(self, hull, counts):
        """How many sprouts there are, what is in them, and how far they reach. Collective."""
        region = self.tissue.region
        found, farthest, _ = self.find_sprouts(hull, counts)
        cells_, = region.world.sum([counts[found.labels >= 0].sum(dtype=np.int64)]).tolist()
        return dict(sprouts=found.total, sprout_cells=cells_,
                    sprout_reach=(np.sqrt(farthest) - 0.5) * self.edge_um if farthest else 0.0)

    def _extent(self, hull):
        """Voxels along the axis where the inside has most, from the first to the last. Collective."""
        reach = np.full(6, -2**40, np.int64)
        rows = np.flatnonzero(hull.any(axis=1))
        for axis in range(3) if len(rows) else ():
            there = hull[rows].reshape(-1, EDGE, EDGE, EDGE).any(axis=tuple(k for k in (1, 2, 3) if k != 3 - axis))
            tile, k = np.nonzero(there)
            places = EDGE * self.tissue.region.coords[rows[tile], axis].astype(np.int64) + k
            reach[axis], reach[3 + axis] = places.max(), -places.min()
        reach = self.tissue.exchange.world.maxima(reach)
        return int((reach[:3] + reach[3:] + 1).max())

    def distances(self, time_s, cells_):
        """(of whom, upper edge of the bin [um], cells) of each bin that has any, over all ranks. Collective.

        `cells_`: those in tissue, over all ranks.
        """
        if not self.on:
            return []
        about, world = self.config.outline.sampled_cells, self.tissue.exchange.world
        found = np.zeros(distances.BINS, np.int64)
        if about:
            tiles, = world.sum([np.count_nonzero(self.tissue.arena.n)]).tolist()
            found = world.sum(distances.histogram(self.tissue, cells_, tiles, about))
        return [(time_s, edge, int(n), whom) for whom, counted in ((ALL, found), (SHED, self.shed))
                for edge, n in zip(distances.upper_edges(), counted) if n]
