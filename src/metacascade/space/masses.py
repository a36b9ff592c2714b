"""Connected masses of voxels over all tiles and ranks: which voxels they have, and what the whole of each is."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metacascade._kernels import _outline
from metacascade.base.tiles import EDGE, VOXELS
from metacascade.ranks.exchange import face_values

FACES = face_values(EDGE)
NO_KEY = np.uint64(2**64 - 1)
# What a mass is: its number (of this rank, or over all), voxels, those of them that are marked, and its first voxel.
MASS = np.dtype([("number", "i8"), ("size", "i8"), ("marked", "i8"), ("key", "u8"), ("voxel", "i4")])


@dataclass
class Masses:
    """The masses of a mask on all ranks, as this rank sees them.

    Attributes
    ----------
    labels : ndarray of int32, shape (tiles, 512)
        The mass of each voxel, -1 for none: a row of `whole`.
    whole : ndarray of MASS
        Of each mass that has voxels here what it is over all ranks; two rows may be one mass.
    total : int
        Masses over all ranks.
    """
    labels: np.ndarray
    whole: np.ndarray
    total: int

    def where(self, chosen: np.ndarray) -> np.ndarray:
        """The voxels of the masses that are chosen, a boolean for each of `whole`: bool (tiles, 512)."""
        mask = np.empty(self.labels.shape, np.uint8)
        _outline.select(self.labels, np.ascontiguousarray(chosen, np.uint8), mask)
        return mask.view(bool)

    def largest(self, world) -> np.ndarray:
        """The voxels of the mass with most of them; of equals, the one whose first voxel is first. Collective."""
        best = min((_rank(mass) for mass in self.whole), default=None)
        every = [one for one in world.allgather(best) if one is not None]
        if not every:
            return np.zeros(self.labels.shape, bool)
        _, key, voxel = min(every)
        return self.where((self.whole["key"] == key) & (self.whole["voxel"] == voxel))


def _rank(mass):
    """A large mass comes first, then by its first voxel."""
    return -int(mass["size"]), int(mass["key"]), int(mass["voxel"])


def find(mask: np.ndarray, marks: np.ndarray, region) -> Masses:
    """The masses of a mask, of voxels that are joined by faces, also over tiles and ranks. Collective.

    Parameters
    ----------
    mask : ndarray of uint8, shape (tiles, 512)
    marks : the same
        Voxels that are counted apart.
    region : space.region.Region

    A mass of this rank that touches no ghost is whole. Of the others each rank tells all what they are and which touch:
    what is sent grows with the masses at the faces between ranks, not with their voxels, and there is one round however
    winding they are.
    """
    tiles = len(region.keys)
    labels = np.empty((region.rows, VOXELS), np.int32)
    labels[tiles:] = -1
    number = _outline.label(mask, region.mesh.neighbors, labels)
    whole = np.zeros(number, MASS)
    parts = [np.zeros(number, whole[name].dtype) for name in ("size", "marked", "key", "voxel")]
    parts[2][:] = NO_KEY
    _outline.measure(labels, marks, region.keys, *parts)
    whole["number"] = np.arange(number)
    for name, values in zip(("size", "marked", "key", "voxel"), parts):
        whole[name] = values
    if region.world.size == 1:
        return Masses(labels, whole, number)      # no ghosts: there are no others
    return _joined(labels, tiles, whole, region)


def outside(mask: np.ndarray, region) -> np.ndarray:
    """The voxels of a mask that are joined by faces to a place without a tile: bool, shape (tiles, 512). Collective."""
    beside = np.zeros((len(region.keys), VOXELS), np.uint8)
    row, face = np.nonzero(region.mesh.neighbors < 0)
    beside[row[:, None], FACES[face]] = 1
    around = find(mask, beside, region)
    return around.where(around.whole["marked"] > 0)


def _joined(labels, tiles, whole, region):
    """Masses that touch at the faces between ranks become one."""
    world = region.world
    before = np.cumsum([0, *world.allgather(len(whole))])
    mine, theirs = _touching(labels, tiles, before, region)
    outer = np.unique(mine)
    told = whole[outer]
    told["number"] += before[world.rank]
    pairs = np.unique(np.stack([mine + before[world.rank], theirs], axis=1), axis=0)
    everyone = world.allgather((told, pairs))
    joined, group = join(np.concatenate([one for one, _ in everyone]), np.concatenate([one for _, one in everyone]))
    at = np.searchsorted(joined["number"], told["number"])
    for name in ("size", "marked", "key", "voxel"):
        whole[name][outer] = joined[name][at]
    inner, = world.sum([len(whole) - len(outer)]).tolist()
    return Masses(labels[:tiles], whole, inner + len(np.unique(group)))


def _touching(labels, tiles, before, region):
    """Masses of this rank, and what they touch on others, by its number over all ranks: two arrays of int64."""
    region.halo(labels)
    row, face = np.nonzero(region.mesh.neighbors >= tiles)
    ghost = region.mesh.neighbors[row, face]
    mine = labels[row[:, None], FACES[face]].astype(np.int64)
    theirs = labels[ghost[:, None], FACES[face ^ 1]].astype(np.int64)
    both = (mine >= 0) & (theirs >= 0)
    theirs += before[region.ghost_owner[ghost - tiles]][:, None]
    return mine[both], theirs[both]


def join(masses: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each of `masses` (MASS, by ascending number) as the whole that it is part of, and a number for that whole.

    `pairs`: int64 (n, 2), numbers of masses that touch.
    """
    parent = np.arange(len(masses), dtype=np.int32)
    a, b = np.searchsorted(masses["number"], pairs.T).astype(np.int32)
    _outline.join(parent, a, b)
    whole = masses.copy()
    for name in ("size", "marked"):
        total = np.zeros(len(masses), np.int64)
        np.add.at(total, parent, masses[name])
        whole[name] = total[parent]
    order = np.lexsort((masses["voxel"], masses["key"]))
    found, first = np.unique(parent[order], return_index=True)
    first = order[first][np.searchsorted(found, parent)]
    for name in ("key", "voxel"):
        whole[name] = masses[name][first]
    return whole, parent
