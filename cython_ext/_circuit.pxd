# Header only: the circuit of the blood, the rates of what happens in it, and the laws that are no product of tables.
from libc.stdint cimport int32_t, uint8_t, uint32_t

cdef extern from "circuit.h" nogil:
    ctypedef struct node_t:
        double transit_h, capillary_um
        int32_t kind, pad

cdef enum node_e:
    VESSEL = 0
    BED = 1
    TUMOR = 2
    LYMPH = 3                   # a lymph node: a filter, with lymph and no blood in it

cdef enum:                      # rows of the tables; names in _blood.RATES
    RATE_ANOIKIS
    RATE_SHEAR                  # without platelets, as the next
    RATE_NK
    RATE_RELEASE                # an arrested cell goes on with the blood
    RATE_EXTRAVASATE            # leaving the vessel, once arrested
    RATE_BIND                   # arrest by adhesion: 1 - exp(-this) in one passage
    RATE_PASSAGES               # a passage of a bed counts as this many
    RATE_HOMING                 # where a bed draws cells it counts as so many more, and they leave its vessels faster
    BLOOD_RATES

cdef enum:
    MOST_SWITCHES = 8
    MAX_NODES = 32              # a byte of a CTC names a node, a bit of a word remembers it

cdef struct law_t:              # filled by name by Circuit
    double coat_time_h          # time constant of the coat of platelets
    double spared_nk, spared_shear      # the share of NK and shear that a full coat takes off
    double slope, offset        # arrest by size, logistic in diameter / capillary
    double deformability        # multiplies the diameter

cdef struct switch_t:           # of a bit of state, in cells that have been in the blood for so long
    double after_h
    uint8_t set, clear          # masks

cdef struct roads_t:            # where the blood of a node goes: see circuit.Circuit
    const uint32_t* upper
    const uint8_t* target
    const uint8_t* guide
