"""What is inside of tumors of many shapes with ways in of many widths, on these ranks; rank 0 writes it to a file.

Usage: outline_gaps.py FILE
"""
import sys

import numpy as np
from outline_shapes import WORLD, region_of

import shapes
from metacascade.space import outline

GAPS = 0.0, 1.0, 2.0                # [voxels]
SHAPES = "leaky", "slanted", "single", "ragged", "lumps"


def insides(name, rng):
    """Coords of the tiles of this rank by the curve, and what is inside with each gap: bool (tiles, gaps, 512)."""
    tiles, cells = shapes.SHAPES[name]()
    region = region_of(tiles, rng)
    counts = np.zeros((region.rows, 512), np.uint16)
    for row, tile in enumerate(map(tuple, region.coords.tolist())):
        counts[row] = cells.get(tile, 0)
    return region, np.stack([outline.inside(counts, shapes.CAPACITY, region, gap) for gap in GAPS], axis=1)


if __name__ == "__main__":
    rng, results = np.random.default_rng([3, WORLD.size]), {}
    for name in SHAPES:
        region, inside = insides(name, rng)
        parts = WORLD.gather((region.keys, region.coords, inside))
        if WORLD.rank == 0:
            keys, coords, inside = (np.concatenate([part[i] for part in parts]) for i in range(3))
            order = np.argsort(keys)
            results |= {f"{name}/coords": coords[order], f"{name}/inside": inside[order]}
    if WORLD.rank == 0:
        np.savez(sys.argv[1], **results)
