# Diffusion with supply and uptake on the voxels of a rank: the linear system of a step, and relaxation of it tile by
# tile. Tiles of one color read only those of the other, so the order of the tiles, and with it the
# decomposition, does not show in any bit.
from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t

from _names cimport same_names
from _rates cimport ADMIT, SECRETE, check_factors, factor_t, rate_t, signal_t, take_signals

cdef extern from "field.h" nogil:
    ctypedef struct field_t:
        float per_dt, decay, linear, uptake, michaelis, vessel, source
    void field_fold(float* voxels, int64_t n)
    void field_relax(float* c, const float* decay, const float* rhs, const int32_t* neighbors, const int32_t* rows,
                     int64_t n, float r, const float* omega, int halves, float mirror, float outside)

cdef extern from "fieldcoarse.h" nogil:
    void field_relax_coarse(float* c, const float* decay, const float* rhs, const int32_t* neighbors,
                            const int32_t* rows, int64_t n, float r, const float* omega, int halves, float mirror,
                            float outside, int edge)

cdef extern from "fieldsystem.h" nogil:
    ctypedef struct placed_t:
        const rate_t* rates
        int n
        const factor_t* factors
        const signal_t* signals
        float capacity
    int64_t field_coefficients(const float* c, const uint16_t* counts, const uint32_t* moments, const float* supply,
                               int64_t stride, int fine, const float* fed, float* decay, float* rhs, int64_t n,
                               int edge, field_t p)
    int64_t field_coefficients_placed(
        const float* c, const uint16_t* counts, const uint32_t* moments, const float* supply, int64_t stride,
        int fine, const float* fed, float* decay, float* rhs, int64_t n, int edge, field_t p, const placed_t* placed)

cdef int _edge(Py_ssize_t values) except -1:
    """Values along the edge of a tile."""
    for edge in (8, 4, 2):
        if values == edge * edge * edge:
            return edge
    raise ValueError(f"{values} values a tile; there may be 512, 64 or 8")


def fold(float[:, ::1] voxels not None):
    """Bring the voxels of each tile, in place, to the order of `coefficients`: color 0 first, then color 1."""
    if voxels.shape[0]:
        with nogil:
            field_fold(&voxels[0, 0], voxels.shape[0])


cdef int _take_terms(tuple terms, Py_ssize_t rows, float capacity, signal_t* signals, placed_t* placed) except -1:
    """The terms of a field by place: (rates, factors, values of all fields); `signals` has room for MOST_SIGNALS."""
    cdef const rate_t[::1] rates = terms[0]
    cdef const factor_t[::1] factors = terms[1]
    cdef int r
    for r in range(rates.shape[0]):
        if not SECRETE <= rates[r].action <= ADMIT:
            raise ValueError(f"term {r} of a field is of the kind {rates[r].action}")
    placed.rates, placed.n, placed.capacity, placed.signals = &rates[0], <int>rates.shape[0], capacity, signals
    if factors.shape[0]:
        placed.factors = &factors[0]
    return check_factors(placed.rates, placed.n, placed.factors, <int>factors.shape[0],
                         take_signals(terms[2], rows, signals))


def coefficients(const float[:, ::1] c not None, const uint16_t[:, ::1] counts not None, const uint32_t[:, ::1] moments,
                 const float[:, :] supply, float[:, ::1] decay, float[:, ::1] rhs not None,
                 dict params not None, tuple terms=None, float capacity=1.0, const float[:, :] fed=None):
    """Fill ``decay`` and ``rhs`` of a step, as in fieldsystem.h; folded if there are 512 values. fields.py checks.

    Without `decay` nothing diffuses, and ``rhs`` is what the values come to.

    `moments`: weights of the cells of each voxel, added up; `supply` [1/h]: from vessels, of a voxel or,
    with 64 values a tile, of cubes of 2^3; `terms`: by place, see fieldsystem.h, (rates, factors, signals). None: there
    is none. `fed`: what comes in of the supply of voxels, in the same array as that; None: all of it.
    """
    cdef field_t p = params
    cdef int64_t n = rhs.shape[0], bad
    cdef int edge = _edge(rhs.shape[1]), fine = True
    cdef const uint32_t* m = NULL
    cdef const float* s = NULL
    cdef const float* f = NULL
    cdef float* k = NULL
    cdef int64_t stride = 0
    cdef signal_t signals[64]
    cdef placed_t placed
    same_names(params, p)
    if n == 0:
        return
    if decay is not None:
        k = &decay[0, 0]
    if moments is not None:
        m = &moments[0, 0]
    if supply is not None:
        if supply.strides[1] != sizeof(float):
            raise ValueError("the supply of a tile is not in one piece")
        s, stride, fine = &supply[0, 0], supply.strides[0] // <Py_ssize_t>sizeof(float), supply.shape[1] == 512
    if fed is not None:
        if (supply is None or edge != 8 or not fed.shape[1] == supply.shape[1] == 512
                or not fed.shape[0] == supply.shape[0] >= n
                or fed.strides[0] != supply.strides[0] or fed.strides[1] != sizeof(float)):
            raise ValueError("what is fed is not of the supply of the voxels")
        f = &fed[0, 0]
    placed.n, placed.factors = 0, NULL
    if terms is not None and len(terms[0]):
        _take_terms(terms, n, capacity, signals, &placed)
    with nogil:
        if placed.n:
            bad = field_coefficients_placed(&c[0, 0], &counts[0, 0], m, s, stride, fine, f, k, &rhs[0, 0], n, edge,
                                            p, &placed)
        else:
            bad = field_coefficients(&c[0, 0], &counts[0, 0], m, s, stride, fine, f, k, &rhs[0, 0], n, edge, p)
    if bad:
        raise FloatingPointError(f"{bad} voxels of a field are negative or not a number")


def relax(float[:, ::1] c not None, const float[:, ::1] decay, const float[:, ::1] rhs not None,
          const int32_t[:, ::1] neighbors not None, const int32_t[::1] rows not None, float r,
          const float[::1] omega not None, float mirror, float outside=0.0):
    """Half sweeps of factors `omega` in each of the tiles `rows`, of which no two touch; r = D / h^2 [1/h].

    `decay` (None: 1 everywhere) and `rhs` are as `coefficients` makes them. Where a tile has no neighbor there is
    outside + mirror (what is beside it - outside).
    """
    cdef const float* k = NULL
    cdef int edge = _edge(c.shape[1])
    if rows.shape[0] == 0 or omega.shape[0] == 0:
        return
    if decay is not None:
        k = &decay[0, 0]
    elif edge != 8:
        raise ValueError("a field on fewer values needs its decay")
    with nogil:
        if edge == 8:
            field_relax(&c[0, 0], k, &rhs[0, 0], &neighbors[0, 0], &rows[0], rows.shape[0], r, &omega[0],
                        <int>omega.shape[0], mirror, outside)
        else:
            field_relax_coarse(&c[0, 0], k, &rhs[0, 0], &neighbors[0, 0], &rows[0], rows.shape[0], r, &omega[0],
                               <int>omega.shape[0], mirror, outside, edge)
