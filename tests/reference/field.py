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


def fold(voxels):
    """The voxels of each tile by color, (x + y + z) & 1: rows (z, y), z < 4, of color 0, then those of color 1.

    At x there is the voxel (x, y, z) if it has the color, else (x, y, 7 - z), which has it then.
    """
    cube = voxels.reshape(-1, 8, 8, 8)
    odd = np.indices((4, 8, 8)).sum(axis=0) & 1
    colors = [np.where(odd == color, cube[:, :4], cube[:, :3:-1]) for color in (0, 1)]
    return np.stack(colors, axis=1).reshape(voxels.shape)


def _faces(c, neighbors, rows, mirror):
    """What lies beyond the six faces of each tile: arrays of float32 (n, 8, 8)."""
    cube, faces = c.reshape(-1, 8, 8, 8), []                     # tile, z, y, x
    for face in range(6):
        at, beside = 3 - face // 2, neighbors[rows, face]
        near, far = (0, 7) if face % 2 == 0 else (7, 0)
        absent = np.take(cube[rows], near, axis=at) * F(mirror)
        faces.append(np.where((beside < 0)[:, None, None], absent, np.take(cube[beside], far, axis=at)))
    return faces


def _beside(own, beyond, face):
    """The neighbor of each voxel across one face direction."""
    at = 3 - face // 2
    inner = np.take(own, range(0, 7) if face % 2 == 0 else range(1, 8), axis=at)
    parts = [np.expand_dims(beyond, at), inner]
    return np.concatenate(parts if face % 2 == 0 else parts[::-1], axis=at)


def relax(c, decay, rhs, neighbors, rows, r, omega, mirror):
    """Half sweeps in place in some tiles, which do not touch; what is beyond their faces stays as it is."""
    faces, r = _faces(c, neighbors, rows, mirror), F(r)
    own, k, q = (a[rows].reshape(-1, 8, 8, 8) for a in (c, decay, rhs))
    color = np.indices((8, 8, 8)).sum(axis=0) & 1
    gain = F(1) / (k + F(6) * r)
    for half, w in enumerate(omega):
        differences = [_beside(own, beyond, face) - own for face, beyond in enumerate(faces)]
        flow = sum_in_order(differences)
        new = own + (F(w) * gain) * ((q - k * own) + r * flow)
        own = np.where(color == half % 2, np.maximum(new, F(0)), own)
    c[rows] = own.reshape(-1, 512)


def sum_in_order(d):
    return ((d[0] + d[1]) + (d[2] + d[3])) + (d[4] + d[5])


def solve(c, decay, rhs, coords, neighbors, r, visits, mirror=True):
    """All sweeps of a step: at each visit those of the tiles of one color, then those of the other."""
    color = coords.sum(axis=1) & 1
    for omega in visits:
        for k in (0, 1):
            relax(c, decay, rhs, neighbors, np.flatnonzero(color == k), r, omega, mirror)
