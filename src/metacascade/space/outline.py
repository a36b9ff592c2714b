"""The outline of the tumor, and on which side of it and how far from it voxels are. Read-outs: they feed no rate."""
from __future__ import annotations

import math

import numpy as np

from metacascade._kernels import _outline
from metacascade._kernels._layout import Zone
from metacascade._kernels._outline import FAR
from metacascade.base.limits import FARTHEST
from metacascade.base.tiles import VOXELS, in_cubes, of_voxels
from metacascade.space import masses
from metacascade.space.masses import FACES
from metacascade.space.tile_arrays import TileArray

ZONE = TileArray("zone", "1", np.uint8, start=Zone.OUTSIDE, ghosts=False)
LOOK = 2                            # rounds between two looks whether distances are complete


def inside(counts: np.ndarray, capacity: float, region, gap: float = 0.0, cube: int = 1) -> np.ndarray:
    """The voxels inside of the outline: bool, shape (tiles, 512). Collective.

    A cube is dense if the 27 cubes round it, itself among them, hold at least half of the cells that fill them; where
    no tile is there are none. The tumor is the largest mass of dense voxels joined by faces (of equals, the one whose
    first voxel the curve meets first), with its holes: what no ball of the radius `gap` [voxels] covers that has come
    from a place without a tile, from voxel to voxel through faces, and touches nothing dense.

    Parameters
    ----------
    counts : ndarray of uint16, shape (rows, 512)
        Cells of each voxel; the ghosts are filled here.
    capacity : float
        Cells of a full voxel.
    gap : float
        Under 1 a way of one voxel leads in.
    cube : int
        Voxels along the edge of a cube: 1, 2 or 4.
    """
    full = dense(counts, capacity, region, cube)
    tumor = masses.find(full, full, region).largest(region.world)
    return ~_reached(tumor, math.floor(gap * gap), region)


def _reached(tumor: np.ndarray, within: int, region) -> np.ndarray:
    """What a ball from outside covers without the mass `tumor`, of the squared radius `within` [voxels]. Collective."""
    middle = masses.outside(_bytes(~_near(tumor, within, region, beyond=False)), region)
    return ~tumor & _near(middle, within, region, beyond=True)


def dense(counts: np.ndarray, capacity: float, region, cube: int = 1) -> np.ndarray:
    """Where the mean density of 3 x 3 x 3 cubes is a half or more: uint8, shape (tiles, 512). Collective."""
    neighbors = region.mesh.neighbors
    region.halo(counts)
    sums = in_cubes(counts, cube).astype(np.uint32, copy=False)
    totals = np.zeros(sums.shape, np.uint32)
    for axis in range(3):
        if axis or cube > 1:                 # of a ghost counts has the face alone, and not whole cubes
            region.halo(sums)
        _outline.add_neighbors(sums, totals, neighbors, axis)
        sums, totals = totals, sums
    return of_voxels(_bytes(sums[:len(neighbors)] >= math.ceil(13.5 * cube**3 * capacity)))


def _bytes(mask):
    return mask.view(np.uint8)


class Distances:
    """Squared distances of voxels from the nearest of some others, center to center, in voxels.

    They grow from round to round: after n rounds those of n voxels and less are exact, along each axis.

    Parameters
    ----------
    sources : ndarray of bool, shape (tiles, 512)
        The voxels to which distances are taken.
    beyond : bool
        Are places without a tile such, too?

    Attributes
    ----------
    squared : ndarray of uint16, shape (tiles, 512)
        0 for the sources, FAR for what is not reached yet.
    rounds : int
    """

    def __init__(self, sources: np.ndarray, region, beyond: bool):
        self.region, self.beyond, self.rounds = region, 0 if beyond else FAR, 0
        self._all = np.full((region.rows, VOXELS), FAR, np.uint16)
        self.squared = self._all[:len(sources)]
        self.squared[sources] = 0
        self._most = np.where(sources.all(axis=1), 0, FAR).astype(np.uint16)
        self._reached = sources.any(axis=1).astype(np.uint8)
        self._faces = np.empty((region.rows, 2 * FACES.shape[1]), np.uint16)

    def go_on(self, rounds: int) -> None:
        """Some rounds more. Collective."""
        neighbors = self.region.mesh.neighbors
        for _ in range(rounds):
            self.rounds += 1
            for axis in range(3):
                self.region.halo(self._all)
                _outline.spread(self._all, self._reached, self._most, self._faces, neighbors, axis,
                                2 * self.rounds - 1, self.beyond)

    def complete(self, wanted: np.ndarray) -> int:
        """Go on until the distance of each voxel that is `wanted` is exact; the largest of their squares. Collective.

        FAR is the largest that there is: voxels farther away than FARTHEST, or never reached, have it.
        """
        while True:
            largest = self.region.world.max(int(self.squared[wanted].max(initial=0)))
            if largest <= self.rounds**2 or self.rounds >= FARTHEST:
                return largest
            self.go_on(min(LOOK, FARTHEST - self.rounds))


def _near(sources: np.ndarray, within: int, region, beyond: bool) -> np.ndarray:
    """The voxels no farther than a distance, squared, from some others (`Distances`): bool. Collective."""
    distances = Distances(sources, region, beyond)
    distances.go_on(math.isqrt(within))
    return distances.squared <= within


def deeper_than(hull: np.ndarray, depth: float, region) -> np.ndarray:
    """The voxels inside whose centers lie deeper than `depth` [voxels] under the outline: bool. Collective.

    The outline runs halfway between a voxel inside and one outside: a center lies half a voxel less than its distance
    to the center of the nearest voxel outside under it.
    """
    least = math.floor((depth + 0.5)**2)          # the square of what is just not deeper
    return hull & ~_near(~hull, least, region, beyond=True)


def body(hull: np.ndarray, radius: float, region) -> np.ndarray:
    """The inside of the outline without what is thin: its opening by a ball, the largest mass of it. Collective.

    A voxel belongs to it if a ball round the center of some voxel, of `radius` [voxels] and all inside, holds it; so
    what is narrower than the ball does not. Where no ball fits, all that is inside does.
    """
    within = math.floor(max(radius - 0.5, 0.0)**2)         # centers of the outermost voxels of a ball
    middle = hull & ~_near(~hull, within, region, beyond=True)
    if not region.world.max(int(middle.any())):
        return hull
    opened = _bytes(hull & _near(middle, within, region, beyond=False))
    return masses.find(opened, opened, region).largest(region.world)


def sprouts(occupied: np.ndarray, base: np.ndarray, length: float, region) -> tuple[masses.Masses, int]:
    """Masses of occupied voxels that reach farther than `length` [voxels] out of the body of the tumor. Collective.

    Counted are the parts that lie farther than that from it, of what is joined to it by occupied voxels, by faces.

    Parameters
    ----------
    occupied : ndarray of bool, shape (tiles, 512)
        Voxels with cells, or with several.
    base : ndarray of bool, the same shape
        The body.

    Returns
    -------
    tuple
        These parts, and the largest squared distance from the body of what is joined to it, center to center.
    """
    rooted = masses.find(_bytes(occupied | base), _bytes(base), region)
    out = rooted.where(rooted.whole["marked"] > 0) & ~base
    beyond = Distances(base, region, beyond=False)
    farthest = beyond.complete(out)
    far = beyond.squared > math.floor((length + 0.5)**2)
    return masses.find(_bytes(out & far), _bytes(base), region), farthest
