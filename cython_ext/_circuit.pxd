# Header only: the circuit of the blood and the parameters of what happens in it.
from libc.stdint cimport int32_t, uint8_t, uint32_t

cdef extern from "circuit.h" nogil:
    ctypedef struct node_t:
        double transit_h, shear_per_h, nk_per_h, bind, capillary_um, gain, extravasate_per_h, soil
        int32_t kind, pad

cdef enum node_e:
    VESSEL = 0
    BED = 1
    TUMOR = 2

cdef enum:
    MAX_NODES = 32              # a byte of a CTC names a node, a bit of a word remembers it

cdef struct hazards_t:          # filled by name by Circuit.hazards
    double anoikis_per_h        # of a cell as resistant as the config says, k (1 - R)
    double release_per_h        # an arrested cell goes on with the blood
    double platelet_time_h      # time constant of the coat
    double platelet_nk, platelet_shear  # the share of NK and shear that a full coat takes off
    double slope, offset        # arrest by size, logistic in diameter / capillary
    double deformability        # multiplies the diameter

cdef struct roads_t:            # where the blood of a node goes: see circuit.Circuit
    const uint32_t* upper
    const uint8_t* target
    const uint8_t* guide
