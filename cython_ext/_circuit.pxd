# Header only: the circuit of the blood, the rates of what happens in it, and the laws that are no product of tables.
from libc.stdint cimport int32_t, uint8_t, uint32_t

cdef extern from "circuit.h" nogil:
    ctypedef struct node_t:
        double transit_h, capillary_um, spread, pressure_Pa
        int32_t kind, pad

cdef enum node_e:
    VESSEL = 0
    BED = 1
    TUMOR = 2
    LYMPH = 3                   # a lymph node: a filter, with lymph and no blood in it

cdef enum:                      # rows of the tables; names in _blood.RATES
    RATE_ANOIKIS
    RATE_SHEAR                  # without platelets, as the next
    RATE_NK                     # of an arrested cell
    RATE_RELEASE                # a bound cell goes on with the blood
    RATE_EXTRAVASATE            # leaving the vessel, once arrested
    RATE_BIND                   # taking hold of the wall of a bed
    RATE_HOMING                 # where a bed draws cells they bind and leave its vessels so much faster
    RATE_BREAKUP                # a cluster loses a cell, for each cell besides its leader
    RATE_ARRESTED_DEATH         # dying in the vessel, once arrested
    RATE_DIVIDE                 # dividing in the vessel, once arrested
    RATE_BARRIER                # of the exit from a vessel, where it is above 0: what the genes of a cell make of it
    RATE_MMP1                   # what a gene adds to the exit from a vessel, times 1 + it; the same of the next
    RATE_FSCN1
    RATE_TENSION                # [mN/m] of the surface of a cell
    RATE_NUCLEUS                # [kPa] stiffness of its nucleus
    BLOOD_RATES

cdef enum:
    MOST_SWITCHES = 8
    MAX_NODES = 32              # a byte of a CTC names a node, a bit of a word remembers it
    MOST_FATES = 32

cdef struct law_t:              # filled by name by Circuit
    double coat_time_h, coat_fade_h     # time constants of the coat of platelets: of its growth, and of its end
    double spared_nk, spared_shear      # the share of NK and shear that a full coat takes off
    double nk_flowing           # NK while it flows, relative to NK once it is arrested
    double nk_loss_h            # time constant with which NK cells lose sight of a cell
    double nucleus              # its diameter over that of the cell
    double stretch              # a cell is torn in a capillary so many times narrower than it
    double viscosity_Pa_s       # of a cell that is squeezed
    double single_file          # cells of the largest cluster that gets into capillaries
    double burst_cells          # that break the wall of the vessel in which they grow

cdef struct switch_t:           # of a bit of state, in cells that have been in the blood for so long
    double after_h
    uint8_t set, clear          # masks

cdef struct roads_t:            # where the blood of a node goes: see circuit.Circuit
    const uint32_t* upper
    const uint8_t* target
    const uint8_t* guide


cdef inline uint32_t following(const roads_t* roads, uint32_t node, uint32_t r) noexcept nogil:
    """Where the blood of a node takes a cell, by a word."""
    cdef uint32_t j = roads.guide[node << 8 | r >> 24]
    while r > roads.upper[j]:
        j += 1
    return roads.target[j]
