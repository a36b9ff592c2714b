"""What a rank has to do with others when there are very many: the tumor's tiles are dealt out, nothing is simulated.

    python benchmarks/neighbors.py [--cells-per-rank N] [--ranks 64,1024,...] [--capacity 8]

Prints, per rank, tiles, neighbors across faces (halo), ranks that touch it anywhere (migrants, new tiles), and
the bytes of a step's halo exchanges, each as mean and maximum. The cuts are those of a run at its start.
"""
import argparse
import math

import numpy as np

from metacascade.ranks.balance import work
from metacascade.ranks.parallel import serial_world
from metacascade.space.region import OFFSETS, keys_of
from metacascade.space.seeding import tiles_of_ball
from metacascade.studies.scaling import numbers

SWEEPS = 8
# of a face in a step: counts, half of the oxygen each time, all of it
FACE_BYTES = 64 * 2 + 2 * SWEEPS * 32 * 4 + 64 * 4


def tumor(cells, capacity):
    """Coords and cells of the tiles of a ball and its margin, and a sorted key for each."""
    radius = (3.0 * cells / (4.0 * math.pi * capacity)) ** (1.0 / 3.0)
    coords, inside = tiles_of_ball(serial_world(), np.zeros(3), radius)
    order = np.argsort(packed(coords))
    coords, n = coords[order], inside[order] * capacity
    have = packed(coords)
    rim = coords[missing(coords, have)]
    margin = np.unique(np.concatenate([packed(rim + offset) for offset in OFFSETS]))
    margin = margin[~contains(have, margin)]
    return np.concatenate([coords, unpacked(margin)]), np.concatenate([n, np.zeros(len(margin), np.int64)])


def packed(coords):
    c = coords.astype(np.int64) + 2**20
    return c[:, 0] << 42 | c[:, 1] << 21 | c[:, 2]


def unpacked(packs):
    return (np.stack([packs >> 42, packs >> 21 & 2**21 - 1, packs & 2**21 - 1], axis=1) - 2**20).astype(np.int32)


def contains(have, wanted):
    return have[np.minimum(np.searchsorted(have, wanted), len(have) - 1)] == wanted


def missing(coords, have):
    """Which tiles lack a neighbor."""
    lacks = np.zeros(len(coords), bool)
    for offset in OFFSETS:
        lacks |= ~contains(have, packed(coords + offset))
    return lacks


def deal(coords, n, ranks):
    """Owner of each tile: ranges of the curve of equal work, cut as `balance.cut_again` does."""
    order = np.argsort(keys_of(coords))
    weights = work(n)[order]
    before = np.cumsum(weights) - weights
    goals = int(weights.sum()) * np.arange(1, ranks) // ranks
    owner = np.empty(len(coords), np.int64)
    owner[order] = np.searchsorted(goals, before, side="right")
    return owner


def meetings(coords, owner):
    """(ranks that meet across faces, ranks that meet anywhere, faces): pairs of ranks, and how many faces of each."""
    order = np.argsort(packed(coords))
    have, who = packed(coords)[order], owner[order]
    face, anywhere = [], []
    for offset in OFFSETS:
        wanted = packed(coords + offset)
        at = np.minimum(np.searchsorted(have, wanted), len(have) - 1)
        pair = (have[at] == wanted) & (who[at] != owner)
        codes = owner[pair] << 32 | who[at][pair]
        anywhere.append(np.unique(codes))
        if np.abs(offset).sum() == 1:
            face.append(codes)
    return np.concatenate(face), np.unique(np.concatenate(anywhere))


def per_rank(codes, ranks):
    return np.bincount(codes >> 32, minlength=ranks)


def line(cells_per_rank, ranks, capacity):
    coords, n = tumor(cells_per_rank * ranks, capacity)
    owner = deal(coords, n, ranks)
    faces, anywhere = meetings(coords, owner)
    columns = [np.bincount(owner, minlength=ranks), per_rank(np.unique(faces), ranks), per_rank(anywhere, ranks),
               per_rank(faces, ranks) * FACE_BYTES / 1024]
    return f"{ranks:>9,}" + "".join(f"{column.mean():>12.1f}{column.max():>9,.0f}" for column in columns)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells-per-rank", type=int, default=20_000)
    parser.add_argument("--ranks", default="2,8,64,512,4096,32768,100000")
    parser.add_argument("--capacity", type=int, default=8, help="cells of a voxel")
    given = parser.parse_args()
    print(f"{'ranks':>9}" + "".join(f"{title:>12}{'max':>9}" for title in (
        "tiles", "neighbors", "touching", "halo KiB")))
    for ranks in numbers(given.ranks):
        print(line(given.cells_per_rank, ranks, given.capacity), flush=True)


if __name__ == "__main__":
    main()
