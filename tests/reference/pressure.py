"""Plain NumPy twin of ``_pressure``. float32, in the kernel's order."""
import numpy as np

from reference.field import _beside, _faces

F = np.float32


def excess(counts, per_capacity):
    """f = n / capacity - 1."""
    return counts.astype(F) * F(per_capacity) - F(1)


def smooth(f, neighbors, share, mirror=False):
    """f + share sum(neighbor - f) of the tiles that have `neighbors`; -1 where no tile is, or a mirror."""
    rows = np.arange(len(neighbors))
    mid = f[rows].reshape(-1, 8, 8, 8)
    beyond = _faces(f, neighbors, rows, 1.0 if mirror else 0.0, 0.0 if mirror else -1.0)
    d = [_beside(mid, face, k) - mid for k, face in enumerate(beyond)]
    flow = ((d[0] + d[1]) + (d[2] + d[3])) + (d[4] + d[5])
    return (mid + F(share) * flow).reshape(-1, 512)
