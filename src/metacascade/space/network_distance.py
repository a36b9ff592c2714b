"""Distances of tissue to its vessels, at points that lie evenly in a box."""
from __future__ import annotations

import numpy as np

from metacascade.base.tiles import EDGE
from metacascade.space.network_check import point_distance2
from metacascade.space.network_imported import ends

BLOCKS = 12                 # of points along the longest side of the box: their vessels are looked for together
FARTHEST_UM = 1e5           # beyond it there is no vessel


def extravascular(network, low, high, number, seed=1):
    """Distances [um] to the nearest center line of those of `number` random points in a box that lie in no vessel."""
    points = low + (high - low) * np.random.default_rng(seed).random((number, 3))
    side = float((high - low).max()) / BLOCKS
    tile = np.floor(points / side).astype(np.int32)
    tiles, of = np.unique(tile, axis=0, return_inverse=True)
    found = [_nearest(network, points[of.ravel() == row], tiles[row:row + 1], side) for row in range(len(tiles))]
    nearest, wall = np.concatenate(found, axis=1)
    return nearest[wall > 0.0]


def _nearest(network, points, tile, side):
    """Distances of points in a tile to the nearest center line and to the nearest wall [um], shape (2, n)."""
    margin = side
    while True:
        near = network.source.collect(tile, side / EDGE, margin)[0]
        a, b = ends(near)
        center = np.array([np.sqrt(point_distance2(point, a, b)) for point in points]).reshape(len(points), -1)
        nearest = center.min(axis=1, initial=np.inf)
        if (nearest <= margin).all() or margin > FARTHEST_UM:
            return nearest, (center - near["radius"]).min(axis=1, initial=np.inf)
        margin *= 2.0
