"""Tiles in which everything happens: uneven, crowded, with vessels and all mechanisms on."""
import numpy as np

from metacascade._kernels._vessels import SEGMENT
from tiles import Patch, random_cells, voxel_lists, with_margin

BUSY = dict(         # every mechanism, with rates at which each happens to some cells of a small tile
    seed=0x9E3779B97F4A7C15, dt_h=0.75, edge_um=25.0, capacity=5, amplitude=3000, lean=9000.0, gradient_half=1.5,
    push_gain=700, birth_per_h=0.3, death_per_h=0.1, hypoxia_per_h=0.2, enter_per_h=0.4, reach_um=12.0,
    cluster_fraction=0.7, cluster_log_more=np.log(0.75))
OFF = {"lean": 0.0, "push_gain": 0, "amplitude": 0, "birth_per_h": 0.0, "death_per_h": 0.0, "hypoxia_per_h": 0.0,
       "enter_per_h": 0.0, "cluster_fraction": 0.0}


def vessels(rng, n, edge):
    """Random straight vessels through the tile at the origin."""
    s = np.zeros(n, SEGMENT)
    for name in ("ax", "ay", "az", "bx", "by", "bz"):
        s[name] = rng.uniform(-4 * edge, 12 * edge, n)
    s["radius"], s["maturity"], s["perfused"] = rng.uniform(2, 15, n), rng.random(n), 1
    return s


def busy_patch(layout=3, mean=3.0, coords=None, **parameters):
    """Cells of random bytes in four tiles, most in the one at the origin, on uneven oxygen."""
    rng = np.random.default_rng(layout)
    p = dict(BUSY, **parameters)
    patch = Patch(with_margin(2, 2, 1) if coords is None else coords, vessels(rng, 6, p["edge_um"]), **p)
    patch.oxygen.value[:] = np.exp(rng.normal(1.5, 0.8, patch.oxygen.value.shape))
    for row in np.flatnonzero(((patch.region.coords >= 0) & (patch.region.coords < (2, 2, 1))).all(axis=1)):
        density = mean if not patch.region.coords[row].any() else 0.2 * mean
        n = rng.poisson(density * rng.integers(0, 3, 512))
        n[rng.integers(0, 512, 3)] += int(12 * density)             # some crowded voxels
        voxels = np.repeat(np.arange(512), n)
        cells = random_cells(rng, len(voxels))
        patch.put(row, voxels, **{name: cells[name] for name in cells.dtype.names})
    return patch


def all_lists(patch):
    return [voxel_lists(patch, row) for row in range(len(patch.arena.n))]
