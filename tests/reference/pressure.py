"""Plain NumPy twin of ``_pressure``. float32, in the kernel's order."""
import numpy as np

from reference.field import _beside, _faces

F = np.float32


def excess(counts, per_capacity):
    """f = n / capacity - 1."""
    return counts.astype(F) * F(per_capacity) - F(1)


def smooth(f, neighbors, share):
    """f + share sum(neighbor - f) of the tiles that have `neighbors`; -1 where no tile is."""
    rows = np.arange(len(neighbors))
    mid = f[rows].reshape(-1, 8, 8, 8)
    beyond = [np.where((neighbors[:, k] < 0)[:, None, None], F(-1), face)
              for k, face in enumerate(_faces(f, neighbors, rows, False, 0.0))]
    d = [_beside(mid, face, k) - mid for k, face in enumerate(beyond)]
    flow = ((d[0] + d[1]) + (d[2] + d[3])) + (d[4] + d[5])
    return (mid + F(share) * flow).reshape(-1, 512)
