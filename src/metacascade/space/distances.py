"""How far cells are from the nearest vessel, and how much of the vessels lies where: read-outs."""
from __future__ import annotations

import numpy as np

from metacascade._kernels import _distances
from metacascade._kernels._layout import Zone
from metacascade.base.tiles import VOXELS

WIDTH_UM, BINS = 5.0, 31            # of the histograms of distances; in the last bin is all from 150 um on
REACH_UM = WIDTH_UM * (BINS - 1)
MOST_TILES = 60                     # in which cells are counted: each asks for the vessels round it
SHUFFLE = np.uint64(0x9E3779B97F4A7C15)     # 2^64 / golden ratio: multiples of it lie evenly


def upper_edges() -> np.ndarray:
    """The upper edge of each bin [um]; the last has none."""
    return np.append(WIDTH_UM * np.arange(1, BINS), np.inf)


def bins_of(distances: np.ndarray) -> np.ndarray:
    """The bin of each distance [um]."""
    return np.minimum((np.asarray(distances, float) / WIDTH_UM).astype(np.int64), BINS - 1)


def lengths(tissue, zones: np.ndarray) -> np.ndarray:
    """Of the vessels of this rank in each Zone: length, length perfused [1/1024 um], and length x maturity x 255."""
    sums, (segments, near) = np.zeros((len(Zone), 3), np.int64), tissue.vessels_by_tile()
    _distances.lengths(tissue.region.coords, segments, near, np.ascontiguousarray(zones), tissue.config.tissue.edge_um,
                       sums)
    return sums


def every_nth(numbers: np.ndarray, n: int) -> np.ndarray:
    """Which of some places are among every n-th of all, spread evenly, by their numbers (uint64) alone: bool."""
    return (numbers * SHUFFLE >> np.uint64(32)) % np.uint64(n) == 0


def sample(keys: np.ndarray, every: int, among: int) -> tuple[np.ndarray, np.ndarray]:
    """Tiles, and voxels of them, such that they are every so manieth voxel of all.

    Of the tiles with these keys every n-th is taken, n being the most that leaves MOST_TILES of `among`, which is how
    many there are on all ranks: rows, and uint8 of shape (rows, 512).
    """
    n = min(max(1, among // MOST_TILES), every)
    rows = np.flatnonzero(every_nth(keys, n))
    voxels = keys[rows, None] * np.uint64(VOXELS) + np.arange(VOXELS, dtype=np.uint64)
    return rows, every_nth(voxels, max(1, every // n)).astype(np.uint8)


def histogram(tissue, cells: int, tiles: int, about: int) -> np.ndarray:
    """Cells of this rank by their distance to the nearest perfused center line: int64, shape (BINS,).

    Counted are those of a `sample` of voxels, about so many of the `cells` in the `tiles` that have any, which are the
    numbers over all ranks.
    """
    bins = np.zeros(BINS, np.int64)
    full = np.flatnonzero(tissue.arena.n)
    rows, chosen = sample(tissue.region.keys[full], max(1, cells // max(about, 1)), tiles)
    rows = full[rows].astype(np.int32)
    segments, near = tissue.vessels_within(rows, REACH_UM)
    squared = np.empty(int(np.diff(near).max(initial=0)) + 1)
    _distances.histogram(tissue.arena.cells, tissue.arena.start, tissue.counts, tissue.region.coords, rows, chosen,
                         segments, near, tissue.config.tissue.edge_um, WIDTH_UM, squared, bins)
    return bins
