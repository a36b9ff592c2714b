# Diffusion with supply and uptake on the voxels of a rank: the linear system of a step, and relaxation of it tile by
# tile. Tiles of one color read only those of the other, so the order of the tiles, and with it the
# decomposition, does not show in any bit.
from libc.stdint cimport int32_t, int64_t, uint16_t

cdef extern from "field.h" nogil:
    ctypedef struct field_t:
        float per_dt, uptake, michaelis, vessel
    void field_fold(float* voxels, int64_t n)
    int64_t field_coefficients(const float* c, const uint16_t* counts, const float* supply, float* decay,
                               float* rhs, int64_t n, field_t p)
    void field_relax(float* c, const float* decay, const float* rhs, const int32_t* neighbors, const int32_t* rows,
                     int64_t n, float r, const float* omega, int halves, int mirror)


def fold(float[:, ::1] voxels not None):
    """Bring the voxels of each tile, in place, to the order of `coefficients`: color 0 first, then color 1."""
    if voxels.shape[0]:
        with nogil:
            field_fold(&voxels[0, 0], voxels.shape[0])


def coefficients(const float[:, ::1] c not None, const uint16_t[:, ::1] counts not None,
                 const float[:, ::1] supply not None, float[:, ::1] decay not None,
                 float[:, ::1] rhs not None, field_t params):
    """Fill ``decay = 1/dt + u n/(K + c) + s`` and ``rhs = c/dt + s P``, folded; fields.py checked the shapes."""
    cdef int64_t n = decay.shape[0], bad
    if n == 0:
        return
    with nogil:
        bad = field_coefficients(&c[0, 0], &counts[0, 0], &supply[0, 0], &decay[0, 0], &rhs[0, 0], n, params)
    if bad:
        raise FloatingPointError(f"{bad} voxels of a field are negative or not a number")


def relax(float[:, ::1] c not None, const float[:, ::1] decay, const float[:, ::1] rhs not None,
          const int32_t[:, ::1] neighbors not None, const int32_t[::1] rows not None, float r,
          const float[::1] omega not None, bint mirror):
    """Half sweeps of factors `omega` in each of the tiles `rows`, of which no two touch; r = D / h^2 [1/h].

    `decay` (None: 1 everywhere) and `rhs` are folded. Where a tile has no neighbor the field is mirrored, or 0.
    """
    cdef const float* k = NULL
    if rows.shape[0] == 0 or omega.shape[0] == 0:
        return
    if decay is not None:
        k = &decay[0, 0]
    with nogil:
        field_relax(&c[0, 0], k, &rhs[0, 0], &neighbors[0, 0], &rows[0], rows.shape[0], r, &omega[0],
                    <int>omega.shape[0], mirror)
