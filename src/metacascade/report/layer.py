"""The layer at the center of the tumor, out of a checkpoint: cells, oxygen, zones; vessels and entries near it."""
from functools import cached_property

import numpy as np

from metacascade.base.tiles import EDGE, VOXELS, of_voxels, places_in
from metacascade.io import needs
from metacascade.io.needs import Missing
from metacascade.ranks.parallel import serial_world
from metacascade.space.network_read import network_of
from metacascade.space.pieces import JOINED

SLAB_UM, ENTRIES_H = 30.0, 24.0     # vessels and entries so near to the layer are drawn with it; entries so late
VOXEL = places_in(EDGE)
MOTILE = 127                        # EMT from which on a cell moves


class Layer:
    """The layer z of a state; arrays have shape (y, x), places are in um.

    Attributes
    ----------
    counts, oxygen, zone : ndarray or None
        Of each voxel; NaN where no tile is; None where the state has no such.
    extent : (left, right, bottom, top) [um], as matplotlib takes it
    middle_um : z of its middle
    """

    def __init__(self, told):
        config, self.state = told.config, told.state
        if not config.has_tissue or not len(self.state.tile_coords):
            raise Missing("the tumor has no cells by place: it is lumped, or there is none")
        self.told, self.edge_um, self.center = told, config.tissue.edge_um, np.array(config.tumor.center_um)
        z = int(np.floor(self.center[2] / self.edge_um))
        self.here = np.flatnonzero(self.state.tile_coords[:, 2] == z // EDGE)
        if not len(self.here):
            raise Missing("no tile of the tumor is left in the layer of its center")
        self.voxels, self.middle_um = np.flatnonzero(VOXEL[:, 2] == z % EDGE), (z + 0.5) * self.edge_um
        place = (EDGE * self.state.tile_coords[self.here][:, None] + VOXEL[self.voxels]).reshape(-1, 3)[:, :2]
        self.low, self._at = place.min(axis=0), tuple((place - place.min(axis=0)).T[::-1])
        self.size = (place.max(axis=0) - self.low + 1)[::-1]
        (left, bottom), (right, top) = self.low * self.edge_um, (self.low + self.size[::-1]) * self.edge_um
        self.extent = left, right, bottom, top
        self.counts, self.oxygen, self.zone = map(self._plane, ("counts", "oxygen", "zone"))

    def _plane(self, name):
        if name not in self.state.arrays:
            return None
        plane = np.full(self.size, np.nan)
        plane[self._at] = of_voxels(np.asarray(self.state.arrays[name])[self.here])[:, self.voxels].ravel()
        return plane

    @property
    def axes_um(self):
        """x and y of the middles of the voxels."""
        return tuple((np.arange(n) + 0.5 + low) * self.edge_um for n, low in zip(self.size[::-1], self.low))

    @cached_property
    def inside(self):
        """Which voxels lie inside of the outline, or, without one, are at least half full."""
        if self.zone is not None and np.any(self.zone < 3):
            return self.zone < 3
        return np.nan_to_num(self.counts) >= max(self.told.config.tissue.capacity / 2, 1)

    def cells(self):
        """(x, y [um] of the cells in the layer, shape (n, 2); which of them move)."""
        found = [self._cells_of(row) for row in self.here]
        return np.concatenate([xy for xy, _ in found]), np.concatenate([moves for _, moves in found])

    def _cells_of(self, row):
        cells, voxel = self.state.cells(row, row + 1), np.repeat(np.arange(VOXELS), self.state.counts[row])
        kept = np.isin(voxel, self.voxels)
        cells, voxel = cells[kept], voxel[kept]
        xy = [(EDGE * self.state.tile_coords[row, k] + VOXEL[voxel, k] + cells["xy"[k]] / 65536) * self.edge_um
              for k in (0, 1)]
        return np.stack(xy, axis=1).reshape(-1, 2), cells["emt"] > MOTILE

    @cached_property
    def all_vessels(self):
        """Pieces of the vessels of all these tiles."""
        if self.state.vessels:
            return self.state.vessels["pieces"].records
        network = network_of(self.told.config, serial_world(), self.state.segments)
        return network.segments_near(self.state.tile_coords[self.here], self.edge_um, 0.0)

    def vessels(self, within_um=SLAB_UM):
        """Pieces whose middle is so near to the layer."""
        all_ = self.all_vessels
        return all_[np.abs((all_["az"] + all_["bz"]) / 2 - self.middle_um) < within_um]

    def growing(self, pieces):
        """Which pieces are of sprouts that carry no blood yet."""
        return pieces["flags"] & JOINED == 0 if self.state.vessels else np.zeros(len(pieces), bool)

    @cached_property
    def entries(self):
        """Cells and clusters that entered vessels near the layer in the hours before this state: x, y, zone, n."""
        results, until_h, found = self.told.results, self.state.meta["time_s"] / 3600, []
        for rows in needs.shed_rows(results, ["x", "y", "z", "t_shed", "zone", "n", *needs.OF_TUMOR]):
            late = (rows["t_shed"] > until_h - ENTRIES_H) & (rows["t_shed"] <= until_h)
            near = late & (np.abs(rows["z"] - self.middle_um) < SLAB_UM)
            found.append(rows[near & needs.of_tumor(results, rows)])
        return np.concatenate(found)

    def farthest(self):
        """The place in the layer where the tumor reaches farthest out of its center: x, y [um]."""
        x, y = np.meshgrid(*self.axes_um)
        out = np.where(self.inside, np.hypot(x - self.center[0], y - self.center[1]), -1.0)
        far = np.unravel_index(out.argmax(), out.shape)
        return np.array([x[far], y[far]])


def ends(pieces):
    """Both ends of each piece in the plane: shape (n, 2, 2)."""
    return np.stack([pieces["ax"], pieces["ay"], pieces["bx"], pieces["by"]], axis=1).reshape(-1, 2, 2)


def outside_of(xy, pieces, room_um):
    """Which points are farther from the line of every piece than its radius and `room_um`: seen from above, outside."""
    free = np.ones(len(xy), bool)
    for (a, b), radius in zip(ends(pieces), pieces["radius"]):
        near = np.flatnonzero(free & np.all(np.abs(xy - (a + b) / 2) < np.abs(b - a) / 2 + radius + room_um, axis=1))
        along = np.clip((xy[near] - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-12), 0.0, 1.0)
        free[near] = np.hypot(*(xy[near] - a - along[:, None] * (b - a)).T) > radius + room_um
    return free
