# Header only: the rates of what a record in the blood or a lesion does, as tables.
#
#     value = place[rate, node] * clone[clone, rate] * state[emt, rate] * state[adhesion, rate] * state[bits, rate]
#
# place is base x scale x the factor of the node. The product of the others belongs to the record and is taken once;
# all rates of a clone or a byte lie side by side, since they are read together.
from _types cimport traits_t

cdef struct record_rates_t:
    const double* place         # (rates, places) [1/h], or without unit
    const float* clone          # (clones, rates)
    const float* state          # (3, 256, rates): by the bytes emt, adhesion, bits
    Py_ssize_t places, clones


cdef inline double rate_at(const record_rates_t* r, int rate, Py_ssize_t place, const double* factor) noexcept nogil:
    return r.place[rate * r.places + place] * factor[rate]


cdef inline int own_factors(const traits_t* traits, const record_rates_t* r, int rates, double* factor) except -1 nogil:
    """What the traits of a record make of each of the rates."""
    cdef const float* clone = r.clone + rates * traits.clone
    cdef const float* emt = r.state + rates * traits.emt
    cdef const float* adhesion = r.state + rates * (256 + traits.adhesion)
    cdef const float* bits = r.state + rates * (512 + traits.bits)
    cdef int k
    if traits.clone >= r.clones:
        raise IndexError("a record is of a clone that the tables of rates have not")
    for k in range(rates):
        factor[k] = <double>clone[k] * emt[k] * adhesion[k] * bits[k]
    return 0


cdef inline int fits(record_rates_t* r, const double[:, ::1] place, const float[:, ::1] clone,
                     const float[:, :, ::1] state, int rates) except -1:
    """Fill `r`, from arrays that outlive it; ValueError if their shapes do not fit."""
    if not (place.shape[0] == clone.shape[1] == state.shape[2] == rates and state.shape[0] == 3
            and state.shape[1] == 256 and place.shape[1] and clone.shape[0]):
        raise ValueError(f"the tables of {rates} rates have other shapes")
    r.place, r.clone, r.state = &place[0, 0], &clone[0, 0], &state[0, 0, 0]
    r.places, r.clones = place.shape[1], clone.shape[0]
    return 0
