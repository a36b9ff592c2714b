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
        float x, y, z, distance, diameter
        uint32_t hop
        traits_t traits
        uint16_t n
        uint8_t node, place, fate, origin, pending, zone, bits_shed, maturity

    ctypedef struct member_t:
        uint64_t id
        traits_t traits
        uint16_t index

    ctypedef struct lesion_t:
        uint64_t id, source
        int64_t n, born, died, shed
        double t_founded, t_state, t_event, t_detected
        traits_t traits
        uint8_t node, state
        uint32_t hop
        uint8_t pending, origin
        uint16_t pad16

    void ctc_source(ctc_t* c, uint64_t source)
    uint64_t source_of_ctc(const ctc_t* c)

cdef enum flag_e:
    FLAG_RETURNED = 1         # it, or an ancestor, came back to the tumor through the blood
    FLAG_INJECTED = 2         # it entered the blood by injection
    FLAG_LESION = 4           # it was shed by a lesion
    FLAG_LYMPH = 8            # it left the tumor with lymph
    FLAG_CLONOGENIC = 16      # it, or one cell of the lesion at least, can found a colony
    HERITABLE = 1             # the flags that tell of ancestors too

cdef enum place_e:
    CIRCULATING = 0
    BOUND = 1                 # arrested: it holds on to the wall of a capillary, and may let go
    TRAPPED = 2               # arrested: it is stuck in a capillary that is too narrow
    RETURNING = 3             # left the blood inside the tumor; becomes tissue at the next exchange
    ENDED = 4

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
    FATE_DIED_AT_EXIT = 5     # left the vessel, where no cell may live outside of one
    FATE_EXTRAVASATED = 6     # left the vessel in an organ, and is a lesion from then on
    FATE_SELF_SEEDED = 7      # came back to the tumor
    FATE_RESECTED = 8         # arrested in the bed of the tumor, and taken with it by surgery
    FATE_IRRADIATED = 9       # killed by radiation where it was arrested
    FATE_ARRESTED_DEATH = 10  # died in the vessel where it was arrested

cdef enum event_e:            # what is due at t_event
    EVENT_ARRIVE = 0          # enters its next node
    EVENT_ANOIKIS = 1         # of a cluster one cell dies, as by the next two
    EVENT_SHEAR = 2
    EVENT_NK = 3
    EVENT_RELEASE = 4         # a bound cell goes on with the blood
    EVENT_EXTRAVASATE = 5
    EVENT_BIND = 6            # it takes hold of the wall of the bed that it flows through
    EVENT_SPLIT = 7           # the last cell of a cluster leaves it, and goes on alone
    EVENT_TORN = 8            # squeezed into a capillary for which it has not enough membrane, it dies whole
    EVENT_ARRESTED_DEATH = 9  # one cell dies in the vessel where it was arrested
    EVENT_DIVIDE = 10         # one of the cells arrested divides in the vessel
    EVENT_STAY = 11           # nothing: it stays as it is, flowing or held, and what comes next is drawn anew

cdef enum lesion_e:
    SEEDED = 0                # outside of the vessel: it dies soon, sleeps or begins to divide
    DORMANT = 1               # quiescent: a cell or a few that do not divide
    MICRO = 2                 # divides, without vessels of its own
    VASCULAR = 3              # divides, with vessels of its own
    CLEARED = 4               # its last cell has gone

cdef enum lesion_event_e:     # what is due at t_event
    CELL_DIES = 0             # one of them
    STARTS = 1                # begins to divide
    SLEEPS = 2
    WAKES = 3
    GREW = 4                  # nothing is: it divides, or did
    TRANSFORMS = 5            # normal cells become malignant


cdef inline traits_t inherit(traits_t traits) noexcept nogil:
    """The traits of a daughter, or of a cell that enters the blood: how it came here is no longer true."""
    traits.flags &= HERITABLE
    return traits
