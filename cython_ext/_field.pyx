# Diffusion with supply and uptake on the voxels of a rank: the linear system of a step, and half
# sweeps that solve it. Voxels of one color read only the other color, so the order of the tiles, and
# with it the decomposition, does not show in any bit.
from libc.stdint cimport int32_t, int64_t, uint16_t

cdef extern from "field.h" nogil:
    ctypedef struct field_t:
        float per_dt, uptake, michaelis, vessel
    int64_t field_coefficients(const float* c, const uint16_t* counts, const float* supply, float* decay,
                               float* rhs, int64_t n, field_t p)
    void field_sweep(float* c, const float* decay, const float* rhs, const int32_t* neighbors,
                     const int32_t* rows, int64_t n, float r, float omega, int color)


def coefficients(const float[:, ::1] c not None, const uint16_t[:, ::1] counts not None,
                 const float[:, ::1] supply not None, float[:, ::1] decay not None,
                 float[:, ::1] rhs not None, field_t params):
    """Fill ``decay = 1/dt + u n/(K + c) + s`` and ``rhs = c/dt + s P``; fields.py checked the shapes."""
    cdef int64_t n = decay.shape[0] * 512, bad
    if n == 0:
        return
    with nogil:
        bad = field_coefficients(&c[0, 0], &counts[0, 0], &supply[0, 0], &decay[0, 0], &rhs[0, 0], n, params)
    if bad:
        raise FloatingPointError(f"{bad} voxels of a field are negative or not a number")


def sweep(float[:, ::1] c not None, const float[:, ::1] decay not None, const float[:, ::1] rhs not None,
          const int32_t[:, ::1] neighbors not None, float r, float omega, int color, const int32_t[::1] rows=None):
    """One half sweep in place over the voxels with ``(x + y + z) & 1 == color``; r = D / h^2 [1/h].

    `rows`: the tiles to sweep, in any order, each once; fields.py made them. All, if left out.
    """
    cdef int64_t n = neighbors.shape[0] if rows is None else rows.shape[0]
    cdef const int32_t* some = NULL
    if n == 0:
        return
    if rows is not None:
        some = &rows[0]
    with nogil:
        field_sweep(&c[0, 0], &decay[0, 0], &rhs[0, 0], &neighbors[0, 0], some, n, r, omega, color)
