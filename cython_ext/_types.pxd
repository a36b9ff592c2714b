# Header only: it has no .pyx twin, so a cimport of it needs nothing at run time.
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "types.h" nogil:
    ctypedef struct traits_t:
        uint16_t clone
        uint8_t emt, adhesion, bits, flags

    ctypedef struct cell_t:
        uint16_t x, y, z
        traits_t traits

    ctypedef struct migrant_t:
        uint64_t key
        cell_t cell
        uint16_t voxel, mutant

    ctypedef struct ctc_t:
        uint64_t id
        double t_event, t_shed
        float x, y, z, distance, maturity, diameter
        uint32_t hop, pad32
        traits_t traits
        uint16_t n
        uint8_t node, place, fate, origin, pending, zone, bits_shed, pad8

    ctypedef struct member_t:
        uint64_t id
        traits_t traits
        uint16_t index

    ctypedef struct lesion_t:
        uint64_t id
        int64_t n, born, died, shed
        double t_founded, t_state
        traits_t traits
        uint8_t node, state

cdef enum flag_e:
    FLAG_RETURNED = 1         # it, or an ancestor, came back to the tumor through the blood
    FLAG_INJECTED = 2         # it entered the blood by injection
    FLAG_LESION = 4           # it was shed by a lesion
    FLAG_LYMPH = 8            # it left the tumor with lymph
    HERITABLE = 1             # the flags that tell of ancestors too

cdef enum place_e:
    CIRCULATING = 0
    ARRESTED = 1
    RETURNING = 2             # left the blood inside the tumor; becomes tissue at the next exchange
    ENDED = 3

cdef enum zone_e:             # where a voxel lies by the outline of the tumor; a read-out, on which nothing depends
    NOWHERE = 0               # no outline, or no place in tissue
    CORE = 1                  # inside, deeper than outline.depth
    BORDER = 2                # inside, no deeper
    OUTSIDE = 3               # in the stroma

cdef enum fate_e:             # what became of a shed cell
    FATE_OPEN = 0             # still in the blood, or arrested
    FATE_ANOIKIS = 1
    FATE_SHEAR = 2
    FATE_NK = 3
    FATE_DRAWN = 4            # taken with a blood sample
    FATE_NOT_ESTABLISHED = 5  # left the vessel and died in the organ
    FATE_LESION = 6           # founded a lesion (dormant or active)
    FATE_SELF_SEEDED = 7      # came back to the tumor
    FATE_RESECTED = 8         # arrested in the bed of the tumor, and taken with it by surgery
    FATE_IRRADIATED = 9       # killed by radiation where it was arrested

cdef enum event_e:            # what is due at t_event
    EVENT_ARRIVE = 0          # enters its next node
    EVENT_ANOIKIS = 1
    EVENT_SHEAR = 2
    EVENT_NK = 3
    EVENT_RELEASE = 4         # an arrested cell goes on with the blood
    EVENT_EXTRAVASATE = 5

cdef enum lesion_e:
    DORMANT = 0               # a solitary cell or cluster that does not divide
    ACTIVE = 1
    CLEARED = 2               # its last cell has died


cdef inline traits_t inherit(traits_t traits) noexcept nogil:
    """The traits of a daughter, or of a cell that enters the blood: how it came here is no longer true."""
    traits.flags &= HERITABLE
    return traits
