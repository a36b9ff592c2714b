"""Oxygen and vessels on one core: time of a visit of tiles per voxel, of a step, and of mapping vessels to tiles.

``python benchmarks/bench_space.py`` prints the figures; ``measure`` returns them.
"""
import time

import numpy as np

from metacascade._kernels import _field
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model.microenvironment import fields_of
from metacascade.space.relaxation import Mesh, NoHalo, System, relax
from metacascade.space.vessels import Network, voxelize

SIDE = 12                     # tiles along each axis: 885,000 voxels, 10 MB in the arrays of a sweep
REPEATS = 9


def block(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Coords and face neighbors of a cube of tiles."""
    i = np.arange(side**3, dtype=np.int32)
    coords = np.stack([i % side, i // side % side, i // side**2], axis=1)
    neighbors = [np.where((0 <= coords[:, k] + d) & (coords[:, k] + d < side), i + d * side**k, -1)
                 for k in range(3) for d in (-1, 1)]
    return coords, np.ascontiguousarray(np.stack(neighbors, axis=1), np.int32)


def fastest(work) -> float:
    """Least processor seconds of REPEATS runs."""
    best = np.inf
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def measure() -> dict:
    """Figures of the default config at 8 cells a voxel."""
    config = Config.from_dict({})
    coords, neighbors = block(SIDE)
    network = Network.from_config(config.vessels, 1)
    reach = config.intravasation.reach_um
    fields = fields_of(config, plan_of(config))
    fields.arrays.grow(0, len(coords))
    oxygen, pressure, wall = fields["oxygen"], fields["pressure"], fields.walls
    vessels = voxelize(coords, config.tissue.edge_um, network, reach, wall)
    counts = np.random.default_rng(1).poisson(8, oxygen.value.shape).astype(np.uint16)
    mesh = Mesh(coords, neighbors)
    oxygen.advance(counts, vessels.supply[:, 0], mesh)
    decay, rhs = np.ones((2, len(coords), 512), np.float32)
    system = oxygen.value, counts, None, vessels.supply[:, 0], decay, rhs, oxygen.params
    voxels = coords.shape[0] * 512
    return {
        "field_visit_ns_per_voxel": 1e9 / voxels * fastest(lambda: relax(
            [System(oxygen.value, decay, rhs, oxygen.rate, oxygen.visits[:1], mirror=1.0)], mesh, NoHalo())),
        "field_coefficients_ns_per_voxel": 1e9 / voxels * fastest(lambda: _field.coefficients(*system)),
        "field_step_ns_per_voxel": 1e9 / voxels * fastest(
            lambda: oxygen.advance(counts, vessels.supply[:, 0], mesh)),
        "pressure_step_ns_per_voxel": 1e9 / voxels * fastest(lambda: pressure.advance(counts, mesh)),
        "vessels_ms_per_100_tiles": 1e3 * fastest(
            lambda: voxelize(coords[:100], config.tissue.edge_um, network, reach, wall)),
        "vessels_bytes_per_voxel": vessels.nbytes / voxels,
        "vessels_in_reach_per_voxel": len(vessels.index) / voxels,
    }


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:36s} {value:8.3f}")
