"""What is inside of tumors of many shapes with ways in of many widths, on these ranks; rank 0 writes it to a file.

Usage: outline_gaps.py FILE
"""
import sys

import numpy as np
from outline_shapes import WORLD, counts_of, gathered, region_of

import shapes
from metacascade.space import outline


def insides(name, rng):
    """The tiles of this rank, and what is inside with each gap: bool (tiles, gaps, 512)."""
    tiles, cells = shapes.SHAPES[name]()
    region = region_of(tiles, rng)
    counts = counts_of(cells, region)
    return region, np.stack([outline.inside(counts, shapes.CAPACITY, region, gap) for gap in shapes.GAPS], axis=1)


if __name__ == "__main__":
    rng, results = np.random.default_rng([3, WORLD.size]), {}
    for name in shapes.WITH_WAYS_IN:
        if found := gathered(*insides(name, rng)):
            results[f"{name}/coords"], results[f"{name}/inside"], _ = found
    if WORLD.rank == 0:
        np.savez(sys.argv[1], **results)
