"""Plain NumPy twin of ``_field``, and small helpers to lay out tiles. float32, in the kernel's order."""
import numpy as np

F = np.float32


def block(nx, ny, nz):
    """Coords and face neighbors of a block of tiles: int32 (n, 3), int32 (n, 6); x runs fastest."""
    z, y, x = (a.ravel() for a in np.meshgrid(range(nz), range(ny), range(nx), indexing="ij"))
    coords = np.stack([x, y, z], axis=1).astype(np.int32)
    row = {tuple(c): i for i, c in enumerate(coords.tolist())}
    faces = [(-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)]
    neighbors = [[row.get((c[0] + d[0], c[1] + d[1], c[2] + d[2]), -1) for d in faces] for c in coords.tolist()]
    return coords, np.array(neighbors, np.int32)


def voxel_places(coords):
    """Global voxel indices (x, y, z) of each voxel of each tile: three int arrays (n, 512)."""
    v = np.arange(512)
    return tuple(8 * coords[:, k, None] + (v >> 3 * k & 7) for k in range(3))


def coefficients(c, counts, supply, per_dt, uptake, michaelis, vessel):
    """decay = 1/dt + u n / (K + c) + s and rhs = c/dt + s P, of the first ``len(supply)`` tiles."""
    c, counts = c[:len(supply)], counts[:len(supply)].astype(F)
    decay = (F(per_dt) + (F(uptake) * counts) / (F(michaelis) + c)) + supply
    return decay, c * F(per_dt) + supply * F(vessel)


def _beside(c, neighbors, axis, side):
    """The neighbor of each voxel across one face direction: float32 (n, 8, 8, 8); a mirror at the end."""
    cube = c.reshape(-1, 8, 8, 8)                                # tile, z, y, x
    own, at = cube[:len(neighbors)], 3 - axis
    near, far = (0, 7) if side == 0 else (7, 0)
    face = neighbors[:, 2 * axis + side]
    beyond = np.where((face < 0)[:, None, None], np.take(own, near, axis=at), np.take(cube[face], far, axis=at))
    inner = np.take(own, range(0, 7) if side == 0 else range(1, 8), axis=at)
    parts = [np.expand_dims(beyond, at), inner]
    return np.concatenate(parts if side == 0 else parts[::-1], axis=at)


def sweep(c, decay, rhs, neighbors, r, omega, color):
    """One half sweep in place over the voxels with ``(x + y + z) & 1 == color``."""
    n = len(neighbors)
    mid = c[:n].reshape(-1, 8, 8, 8).copy()
    differences = [[_beside(c, neighbors, axis, side) - mid for side in (0, 1)] for axis in range(3)]
    flow = sum_in_order(differences)
    k, q = decay.reshape(mid.shape), rhs.reshape(mid.shape)
    z, y, x = np.ogrid[:8, :8, :8]
    weight = np.where((x + y + z & 1) == color, F(omega), F(0))
    new = mid + weight * (((q - k * mid) + F(r) * flow) / (k + F(6) * F(r)))
    c[:n] = np.maximum(new, F(0)).reshape(n, 512)


def sum_in_order(d):
    return ((d[0][0] + d[0][1]) + (d[1][0] + d[1][1])) + (d[2][0] + d[2][1])


def solve(c, counts, supply, neighbors, rate, factors, **params):
    """One step of ``fields.Field``."""
    decay, rhs = coefficients(c, counts, supply, **params)
    for half, omega in enumerate(factors):
        sweep(c, decay, rhs, neighbors, rate, omega, half % 2)
