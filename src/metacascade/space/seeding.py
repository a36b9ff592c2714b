"""The tumor at the start: a ball of voxels, filled with an exact number of cells."""
import math

import numpy as np

from metacascade.base.errors import InputError, on_all_ranks
from metacascade.base.tiles import EDGE, VOXELS
from metacascade.ranks.balance import cut, work
from metacascade.space.region import keys_of

CHUNK = 4096      # tiles looked at together


def ball_radius(tumor, tissue):
    """Radius [edges] of the ball that holds ``tumor.cells`` at ``tissue.capacity`` cells per voxel."""
    return (3.0 * tumor.cells / (4.0 * math.pi * tissue.capacity)) ** (1.0 / 3.0)


def voxels_inside(coords, center, radius):
    """Which voxels have their center in the ball [edges]: bool, shape (tiles, 512).

    The voxel at the center belongs to it, so that one cell is a tumor too.
    """
    at = [EDGE * coords[:, axis, None] + np.arange(EDGE) + 0.5 - center[axis] for axis in range(3)]
    inside = _by_voxel(np.add, [along**2 for along in at]) <= radius**2
    inside |= _by_voxel(np.logical_and, [np.floor(along + 0.5 - 1e-12) == 0 for along in at])
    return inside.reshape(len(coords), VOXELS)


def _by_voxel(join, along):
    """Join what holds along x, y and z, each of shape (tiles, 8), for every voxel: shape (tiles, z, y, x)."""
    x, y, z = along
    return join(join(x[:, None, None, :], y[:, None, :, None]), z[:, :, None, None])


def tiles_of_ball(world, center, radius):
    """This rank's share of the tiles that have a voxel in the ball, and the number of such voxels of each."""
    low = np.floor((center - radius - 1) / EDGE).astype(np.int64)
    size = np.floor((center + radius + 1) / EDGE).astype(np.int64) - low + 1
    total = int(np.prod(size))
    first, last = total * world.rank // world.size, total * (world.rank + 1) // world.size
    found, inside = [np.empty((0, 3), np.int32)], [np.empty(0, np.int64)]
    for at in range(first, last, CHUNK):
        index = np.unravel_index(np.arange(at, min(at + CHUNK, last)), size)
        coords = (np.stack(index, axis=1) + low).astype(np.int32)
        nearest = np.clip(center, EDGE * coords, EDGE * coords + EDGE)
        coords = coords[((nearest - center) ** 2).sum(axis=1) <= (radius + 1) ** 2]
        n = voxels_inside(coords, center, radius).sum(axis=1)
        found.append(coords[n > 0])
        inside.append(n[n > 0])
    return np.concatenate(found), np.concatenate(inside)


def seed_region(exchange, config):
    """Cut the curve for the first tumor and bring each tile to its rank: (cuts, coords)."""
    world = exchange.world
    center = np.array(config.tumor.center_um) / config.tissue.edge_um
    coords, inside = tiles_of_ball(world, center, ball_radius(config.tumor, config.tissue))
    keys = keys_of(coords)
    cuts = cut(world, keys, work(np.rint(inside * config.tissue.capacity).astype(np.int64)))
    owner = np.searchsorted(cuts, keys, side="right") - 1
    return cuts, exchange.route({"coords": (coords, owner)})["coords"]


def first_counts(world, config, keys, coords):
    """Cells per voxel, uint16 (tiles, 512): as even as can be, the total exactly ``tumor.cells``.

    Each voxel of the ball gets the mean, rounded down; the cells left over go, one each, to voxels at even distances
    along the curve, so that no side of the ball is denser than another.
    """
    center = np.array(config.tumor.center_um) / config.tissue.edge_um
    order = np.argsort(keys)
    inside = np.empty((len(keys), VOXELS), bool)
    for at in range(0, len(keys), CHUNK):
        some = order[at:at + CHUNK]
        inside[at:at + CHUNK] = voxels_inside(coords[some], center, ball_radius(config.tumor, config.tissue))
    mine = int(inside.sum())
    total = int(world.sum([mine])[0])
    each, left = divmod(config.tumor.cells, total)
    if each >= 65535:
        raise on_all_ranks(InputError(f"tumor.cells: {each:,} cells to a voxel; at most 65,535 can be counted: lower "
                                      "tissue.capacity"))
    position = world.exscan(mine) + np.cumsum(inside.ravel()).reshape(inside.shape) - 1
    counts = np.empty((len(keys), VOXELS), np.uint16)
    counts[order] = inside * (each + (share(position + 1, left, total) - share(position, left, total)))
    return counts


def share(k, left, total):
    """k left / total, rounded down, of integers below 2^37: ndarray of int64."""
    whole, rest = np.divmod((k >> 16) * left, total)
    return (whole << 16) + ((rest << 16) + (k & 0xFFFF) * left) // total
