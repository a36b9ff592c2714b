"""Plain NumPy twin of ``_field``, and small helpers to lay out tiles. float32, in the kernel's order."""
import numpy as np

from metacascade._kernels._layout import Term
from reference import rates as rate_twin

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


def mean(a, edge):
    """Mean over the voxels of each of edge^3 values of a tile, added up in float32 or integers, voxel by voxel."""
    n, b = len(a), 8 // edge
    parts = a.reshape(n, edge, b, edge, b, edge, b)
    total = np.zeros((n, edge, edge, edge), a.dtype)
    for z, y, x in np.ndindex(b, b, b):
        total = total + parts[:, :, z, :, y, :, x]
    return total.reshape(n, -1).astype(F) * F(1 / b**3)


def coefficients(c, counts, moments, supply, *, per_dt, decay, linear, uptake, michaelis, vessel, source, terms=None,
                 fed=None):
    """decay and rhs of backward Euler, uptake linearized at c, of the first ``len(supply)`` tiles; not folded.

    `supply` may be that of cubes of 2^3 voxels. `terms`: by kind the values of terms in the voxels, float32 (n, 512), of `placed`.
    """
    n, edge, terms = len(supply), round(c.shape[1] ** (1 / 3)), terms or {}
    none, ones = np.zeros((n, 512), F), np.ones((n, 512), F)
    supply = supply if supply.shape[1] == 512 else np.stack([rate_twin.signal_of(supply, row) for row in range(len(supply))])
    c, fed = c[:n], supply if fed is None else fed
    s, entering = (mean(a * terms.get(Term.ADMIT, ones), edge) for a in (supply, fed))
    cells = mean(counts[:n].astype(np.uint32), edge)
    weights = mean(moments[:n].astype(F) * terms.get(Term.SECRETE, ones), edge)
    add, lose = (mean(terms.get(kind, none), edge) for kind in (Term.ADD, Term.LOSE))
    per = F(1) / (F(michaelis) + c)
    most = F(uptake) * cells
    k = (((F(per_dt) + F(decay)) + (F(linear) * cells + (most * per) * (F(michaelis) * per))) + s) + lose
    q = (((c * F(per_dt) + entering * F(vessel)) + F(source) * weights) + add) - most * ((c * per) * (c * per))
    return k, q


def placed(rates, factors, fields, counts, capacity):
    """The values of terms in the voxels of the tiles, by kind; those of one kind are added up in their order."""
    tables = np.stack([rate_twin.table(rates, factors, fields, row, counts[row], capacity) for row in range(len(counts))])
    found = {}
    for r, rate in enumerate(rates):
        kind = Term(rate["action"])
        found[kind] = found[kind] + tables[:, r] if kind in found else tables[:, r]
    return found


def fold(voxels):
    """The voxels of each tile by color, (x + y + z) & 1: rows (z, y), z < 4, of color 0, then those of color 1.

    At x there is the voxel (x, y, z) if it has the color, else (x, y, 7 - z), which has it then.
    """
    cube = voxels.reshape(-1, 8, 8, 8)
    odd = np.indices((4, 8, 8)).sum(axis=0) & 1
    colors = [np.where(odd == color, cube[:, :4], cube[:, :3:-1]) for color in (0, 1)]
    return np.stack(colors, axis=1).reshape(voxels.shape)


def _cubes(a):
    """Values of tiles as cubes: (tile, z, y, x)."""
    edge = round(a.shape[1] ** (1 / 3))
    return a.reshape(-1, edge, edge, edge)


def _faces(c, neighbors, rows, mirror, outside):
    """What lies beyond the six faces of each tile: arrays of float32 (n, edge, edge)."""
    cube, faces = _cubes(c), []
    for face in range(6):
        at, beside = 3 - face // 2, neighbors[rows, face]
        near, far = (0, -1) if face % 2 == 0 else (-1, 0)
        absent = F(outside) + F(mirror) * (np.take(cube[rows], near, axis=at) - F(outside))
        faces.append(np.where((beside < 0)[:, None, None], absent, np.take(cube[beside], far, axis=at)))
    return faces


def _beside(own, beyond, face):
    """The neighbor of each voxel across one face direction."""
    at, edge = 3 - face // 2, own.shape[1]
    inner = np.take(own, range(0, edge - 1) if face % 2 == 0 else range(1, edge), axis=at)
    parts = [np.expand_dims(beyond, at), inner]
    return np.concatenate(parts if face % 2 == 0 else parts[::-1], axis=at)


def relax(c, decay, rhs, neighbors, rows, r, omega, mirror, outside=0.0):
    """Half sweeps in place in some tiles, which do not touch; what is beyond their faces stays as it is."""
    faces, r = _faces(c, neighbors, rows, mirror, outside), F(r)
    own, k, q = (_cubes(a[rows]) for a in (c, decay, rhs))
    color = np.indices(own.shape[1:]).sum(axis=0) & 1
    gain = F(1) / (k + F(6) * r)
    for half, w in enumerate(omega):
        differences = [_beside(own, beyond, face) - own for face, beyond in enumerate(faces)]
        flow = sum_in_order(differences)
        new = own + (F(w) * gain) * ((q - k * own) + r * flow)
        own = np.where(color == half % 2, np.maximum(new, F(0)), own)
    c[rows] = own.reshape(len(rows), -1)


def sum_in_order(d):
    return ((d[0] + d[1]) + (d[2] + d[3])) + (d[4] + d[5])


def solve(c, decay, rhs, coords, neighbors, r, visits, mirror=1.0):
    """All sweeps of a step: at each visit those of the tiles of one color, then those of the other."""
    color = coords.sum(axis=1) & 1
    for omega in visits:
        for k in (0, 1):
            relax(c, decay, rhs, neighbors, np.flatnonzero(color == k), r, omega, mirror)
