"""A measured network that is repeated without end: its box and mirror images of it, a pure function of the place.

Along each axis the boxes with an odd number are mirror images of those beside them, so vessels that are cut at a face
go on in their image beyond it. For a point in a box the image of a vessel is never nearer than the vessel itself: the
distances to the nearest vessel in every box are those in the box alone, and so are length per volume and radii.
"""
from __future__ import annotations

import itertools

import numpy as np

from metacascade._kernels._vessels import SEGMENT, SLACK_UM, box_distances2
from metacascade.base.errors import InputError
from metacascade.base.records import joined
from metacascade.base.tiles import EDGE
from metacascade.space.network_imported import ends, set_ends

GRID_UM = 2.0**-20            # places in a box are multiples of it, so that images meet at its faces bit for bit
THINNEST_UM = 1.0             # of a box


def chosen_box(found, vessels):
    """Low and high corner [um] of what is repeated: the box of the file or of `vessels.box`, else of the vessels."""
    low, high = (op(*ends(found.segments)) for op in (np.minimum, np.maximum))
    low, high = low.min(axis=0), high.max(axis=0)
    given = np.array(vessels.box_um, float)
    if found.box is not None:
        return np.zeros(3), given if given.any() else np.array(found.box)
    if given.any():
        low = 0.5 * (low + high - given)
        return low, low + given
    return low, high


def cut(segments: np.ndarray, low, high) -> np.ndarray:
    """The segments inside of a box, cut at its faces, behind a row of its diagonal, of radius 0: see `box_of`.

    Raises InputError if the box has no volume, or no segment lies in it.
    """
    low, high = np.asarray(low, float), np.asarray(high, float)
    if (high - low < THINNEST_UM).any():
        size = " x ".join(f"{length:g}" for length in high - low)
        raise InputError(f"vessels.tile: the box of the network is {size} um, and cannot be repeated: give "
                         "vessels.box, the size of the tissue that was measured")
    a, b = ends(segments)
    first, last = _inside(a, b, low, high)
    kept = first < last
    if not kept.any():
        raise InputError("vessels.tile: no segment lies in the box of the network: look at vessels.box")
    found = np.zeros(1 + kept.sum(), SEGMENT)
    found[1:] = segments[kept]
    a, b, step = a[kept], b[kept], (b - a)[kept]
    first, last = first[kept, None], last[kept, None]
    set_ends(found[1:], np.where(first > 0.0, np.clip(a + first * step, low, high), a),
         np.where(last < 1.0, np.clip(a + last * step, low, high), b))
    set_ends(found[:1], low[None], high[None])
    return found


def _inside(a, b, low, high):
    """The shares of the way from a to b at which segments enter and leave a box (Liang and Barsky 1984)."""
    step = b - a
    with np.errstate(divide="ignore", invalid="ignore"):
        at_low, at_high = (low - a) / step, (high - a) / step
    still = step == 0.0
    out = still & ((a < low) | (a > high))
    enters = np.where(still, 0.0, np.minimum(at_low, at_high)).max(axis=1)
    leaves = np.where(still, 1.0, np.maximum(at_low, at_high)).min(axis=1)
    enters, leaves = np.maximum(enters, 0.0), np.minimum(leaves, 1.0)
    return np.where(out.any(axis=1), 1.0, enters), np.where(out.any(axis=1), 0.0, leaves)


def box_of(segments: np.ndarray):
    """Low and high corner [um] of the box of a network that is repeated, from its first row; None of any other."""
    if not len(segments) or segments["radius"][0] != 0.0:
        return None
    low, high = ends(segments[:1])
    return low[0], high[0]


class Tiled:
    """The segments of a box, as of `cut`, in all boxes of space.

    A segment that lies in a face belongs to the even one of the two boxes there.
    """

    def __init__(self, segments: np.ndarray):
        self.segments = np.ascontiguousarray(segments, SEGMENT)
        self.low, high = box_of(segments)
        self.size = _on_grid(high - self.low)
        self._inner = self.segments[1:]
        self._a, self._b = (_on_grid(end - self.low) for end in ends(self._inner))
        self._in_face = (self._a == self._b) & ((self._a == 0.0) | (self._a == self.size))
        self._wide = self._inner["radius"].astype(float)[:, None]

    def collect(self, tiles: np.ndarray, edge_um: float, margin_um: float) -> tuple[np.ndarray, np.ndarray]:
        """Segments near each tile, as Lattice.collect; within a tile box by box, and then as in the file."""
        near = [self._near(tile, EDGE * edge_um, margin_um) for tile in np.asarray(tiles, float)]
        first = np.zeros(len(near) + 1, np.int32)
        np.cumsum([len(found) for found in near], out=first[1:])
        return joined(np.empty(0, SEGMENT), *near), first

    def _near(self, tile, side: float, margin_um: float) -> np.ndarray:
        """The segments near one tile."""
        reach = self._wide.max() + margin_um + 2.0 * SLACK_UM
        low = side * tile - self.low
        boxes = [range(int(np.floor((p - reach) / size)), int(np.floor((p + side + reach) / size)) + 1)
                 for p, size in zip(low, self.size)]
        found = [self._of_box(np.array(box), low, side, margin_um) for box in itertools.product(*boxes)]
        near = joined(np.empty(0, SEGMENT), *found)
        wide = near["radius"].astype(float) + margin_um + SLACK_UM
        return near[box_distances2(np.broadcast_to(side * tile, (len(near), 3)).copy(), side, near) <= wide * wide]

    def _of_box(self, box, low, side: float, margin_um: float) -> np.ndarray:
        """The segments of one box whose own boxes come near a tile at `low`, seen from the corner of box 0."""
        odd = box % 2 == 1
        near, far = low - box * self.size, low + side - box * self.size        # of the tile, from the corner of the box
        near, far = np.where(odd, self.size - far, near), np.where(odd, self.size - near, far)
        wide = self._wide + margin_um + 2.0 * SLACK_UM
        meets = (np.minimum(self._a, self._b) - wide <= far) & (np.maximum(self._a, self._b) + wide >= near)
        rows = np.flatnonzero(meets.all(axis=1) & ~(self._in_face & odd).any(axis=1))
        found = self._inner[rows]
        start = np.where(odd, box * self.size + (self.size - self._a[rows]), box * self.size + self._a[rows])
        end = np.where(odd, box * self.size + (self.size - self._b[rows]), box * self.size + self._b[rows])
        set_ends(found, self.low + start, self.low + end)
        return found


def _on_grid(places_um):
    return np.round(places_um / GRID_UM) * GRID_UM
