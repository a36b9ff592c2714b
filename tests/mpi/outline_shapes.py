"""The outlines of tumors of many shapes on these ranks; rank 0 writes what each voxel is to a file.

Usage: outline_shapes.py FILE [SEED]: the curve is cut at random, so that some ranks may have no tiles.
"""
import sys

import numpy as np

import shapes
from metacascade.ranks import parallel
from metacascade.ranks.exchange import Exchange
from metacascade.space import masses, outline
from metacascade.space.region import Region, keys_of

WORLD = parallel.start()


def region_of(tiles, rng):
    """The tiles of this rank, in any order and in two goes."""
    keys = np.sort(keys_of(tiles))
    cuts = np.sort(rng.choice(np.concatenate([keys, keys[:1], keys[:1]]), WORLD.size - 1))
    region = Region(Exchange(WORLD), np.array([0, *cuts.tolist(), 2**63], np.uint64))
    mine = tiles[region.owner(keys_of(tiles)) == WORLD.rank]
    for part in (mine[:len(mine) // 2], mine[len(mine) // 2:]):
        region.add(part)
    return region


def counts_of(cells, region):
    """The cells of each voxel of the tiles of this rank, with room for ghosts."""
    counts = np.zeros((region.rows, 512), np.uint16)
    for row, tile in enumerate(map(tuple, region.coords.tolist())):
        counts[row] = cells.get(tile, 0)
    return counts


def gathered(region, values):
    """On rank 0 coords and values of all tiles in the order of the curve, and the tiles of each rank; else None."""
    parts = WORLD.gather((region.keys, region.coords, values))
    if WORLD.rank:
        return None
    keys, coords, values = (np.concatenate([part[i] for part in parts]) for i in range(3))
    order = np.argsort(keys)
    return coords[order], values[order], [len(part[0]) for part in parts]


def of_shape(name, rng):
    """Each voxel of the tissue: is it inside, deep, how far outside, of the body, dense with those of its cube and the 26
    round that; the number of sprouts, and how far they reach."""
    tiles, cells = shapes.SHAPES[name]()
    region = region_of(tiles, rng)
    counts = counts_of(cells, region)
    own = len(region.keys)
    inside = outline.inside(counts, shapes.CAPACITY, region)
    deep = outline.deeper_than(inside, shapes.DEPTH, region)
    far = outline.Distances(inside, region, beyond=False)
    farthest = far.complete(counts[:own] > 0)
    body = outline.body(inside, shapes.RADIUS, region)
    found, reach = outline.sprouts(inside | (counts[:own] > 0), body, shapes.LENGTH, region)
    cubes = outline.dense(counts, shapes.CAPACITY, region, cube=2)
    values = np.stack([inside, deep, np.where(counts[:own] > 0, far.squared, 0), body, cubes], axis=1).astype(np.uint16)
    return region, values, [found.total, reach, farthest]


def of_noise(share, rng):
    """Each voxel of random masks: the size, and the first voxel, of its mass; and the number of masses."""
    tiles = shapes.box(4, 3, 2)
    region = region_of(tiles, rng)
    mask, marks = (np.array([np.random.default_rng(int(key)).random((2, 512)) < share for key in region.keys])
                   .reshape(-1, 2, 512).swapaxes(0, 1).astype(np.uint8).copy())
    found = masses.find(mask, marks, region)
    whole = np.append(found.whole, np.zeros(1, masses.MASS))[found.labels]
    values = np.stack([whole[name].astype(np.int64) for name in ("size", "marked", "key", "voxel")], axis=1)
    return region, values, [found.total, int(found.largest(WORLD).sum())]


if __name__ == "__main__":
    rng = np.random.default_rng([int(sys.argv[2]) if len(sys.argv) > 2 else 1, WORLD.size])
    results = {}
    for name in (*shapes.SHAPES, *shapes.NOISE):
        region, values, numbers = (of_noise(shapes.NOISE[name], rng) if name in shapes.NOISE else of_shape(name, rng))
        found, told = gathered(region, values), WORLD.gather(numbers)
        if WORLD.rank == 0:
            if name in shapes.NOISE:
                numbers = [numbers[0], sum(one[1] for one in told)]
            results |= dict(zip((f"{name}/coords", f"{name}/values", f"{name}/ranks"), found)) | {f"{name}/numbers": numbers}
    if WORLD.rank == 0:
        np.savez(sys.argv[1], **results)
