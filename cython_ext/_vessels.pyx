# Vessels on the voxel grid: which lie near a tile, what they supply, which cells they may take up.
import numpy as np

from _geometry cimport distance2, segment_t


def _dtype():
    cdef segment_t segment
    return np.asarray(<segment_t[:1]>&segment).dtype


SEGMENT = _dtype()


def distances2(const double[:, ::1] points not None, const segment_t[::1] segments not None):
    """``distance2`` of point i and segment i [um^2]: shape (n,)."""
    out = np.empty(points.shape[0])
    cdef double[::1] o = out
    cdef Py_ssize_t i
    for i in range(points.shape[0]):
        o[i] = distance2(points[i, 0], points[i, 1], points[i, 2], &segments[i])
    return out
