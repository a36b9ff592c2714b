# The register of every use of a random number. A draw is a pure function of (seed, use, a, b):
# no generator has a state, and nothing here knows a rank or a clock. Names are only ever added.
from libc.math cimport cos, log, sqrt
from libc.stdint cimport uint32_t, uint64_t

cdef extern from "philox.h" nogil:
    void philox4x32(const uint32_t* counter, uint64_t key, uint32_t* out)

cdef enum draw_e:
    DRAW_TILE = 1        # a = tile key, b = step: the key of the cells of a tile in a step (their words: more_words)
    DRAW_PLACE = 2       # a = tile key, b = 512 k + voxel: the k-th initial cell of a voxel
    DRAW_NODE = 3        # a = lattice node: jitter of the vessel network
    DRAW_SEGMENT = 4     # a = lattice node, b = axis: presence, radius and maturity of a vessel
    DRAW_DIAMETER = 5    # a = id of a CTC, b = number of the cell in it: its diameter
    DRAW_WALK = 6        # a = id of a CTC, b = hop: its way through the circuit; hop + 2^31: how it dies or is arrested
    DRAW_COLONIZE = 7    # of former versions
    DRAW_LESION = 8      # a = id of a lesion, b = step: the key by which its cells die and divide, and it gets vessels.
                         # In the k-th span of a step in which rates change, this, the next and DRAW_FOLLOWED have
                         # k << 16 added
    DRAW_LESION_SHED = 9 # a = id of a lesion, b = step: the key by which it sheds cells
    DRAW_CHILD = 10      # a = id of a lesion ^ high half of the index, b = low half: id and time of a shed cell
    DRAW_RETURN = 11     # a = id of a CTC, b = 0: the voxel where it lodges, b = k: the place of its k-th cell in it
    DRAW_SAMPLE = 12     # a = id of a CTC, b = index of the blood draw: taken or not
    DRAW_INJECT = 13     # a, b = index of the injection and of the cell (its high half in a): id and entry time
    DRAW_RESECT = 14     # a = tile key, b = index of the surgery: the key of its cells; their words as in DRAW_TILE
    DRAW_RESECT_RECORD = 15    # a = id of a lesion or of an arrested CTC, b = index of the surgery: taken or not
    DRAW_IRRADIATE = 16  # a = tile key, b = number of the fraction: the key of its cells
    DRAW_IRRADIATE_RECORD = 17 # a = id of a lesion or of an arrested CTC, b = number of the fraction: who dies
    DRAW_MUTATION = 18   # a = id of a clone: which of its traits is another than in its parent, up or down, and
                         # whether the partner of that trait changes too
    DRAW_SPROUT = 30     # a = hash of a piece of vessel, b = step: sprouts or not, and where
    DRAW_TIP = 31        # a = id of a vessel, b = step: the first two parts of the noise in the way of its tip
    DRAW_BRANCH = 32     # a = id of a vessel, b = step: the third; whether the tip splits
    DRAW_RADIUS = 33     # a = id of a vessel: its radius
    DRAW_FLOW = 34       # a = id of a vessel, b = step: opens or closes
    DRAW_COLLAPSE = 35   # a = hash of a piece of vessel, b = step: is pressed shut, or recovers
    DRAW_SPLIT = 40      # a = id of a CTC, b = hop: the id of the cell that leaves it
    DRAW_CLONOGENIC = 41 # a = id of a lesion: whether a cell of it can found a colony
    DRAW_LESION_EVENT = 42     # a = id of a lesion, b = hop: the next event of one that does not divide, and when
    DRAW_FOLLOWED = 43   # a = id of a lesion, b = step: how many of many shed cells are clonogenic
    DRAW_LUMPED = 60     # a = id of a lumped tumor, b = step: the key by which its cells die, divide and leave. In the
                         # k-th span of a step in which rates change, this has k << 16 added
    DRAW_LUMPED_CHILD = 61   # a = id of a lumped tumor ^ high half of the index, b = low half: id and time of what it
                         # sheds; with 1 << 16 added to this: of how many cells it is
    DRAW_PATIENT = 62    # a = number of a patient of a cohort, b = 0: the seed; b = CRC-32 of a name: that parameter
    DRAW_CELLSEARCH = 70 # a = time of an output [s], b = index: cells found in a tube of blood, a read-out

cdef inline void draw(uint64_t seed, uint32_t use, uint64_t a, uint32_t b, uint32_t* out) noexcept nogil:
    """Four words; counter = (a low, a high, b, use), key = seed."""
    cdef uint32_t counter[4]
    counter[0] = <uint32_t>a
    counter[1] = <uint32_t>(a >> 32)
    counter[2] = b
    counter[3] = use
    philox4x32(counter, seed, out)

cdef inline double unit32(uint32_t r) noexcept nogil:
    """A double in (0, 1), both ends open, from 32 bits."""
    return (r + 0.5) * (1.0 / 4294967296.0)

cdef inline double unit52(uint32_t high, uint32_t low) noexcept nogil:
    """A double in (0, 1), both ends open, from 52 bits: fine enough for -log of it."""
    return ((<uint64_t>high << 20 | low >> 12) + 0.5) * (1.0 / 4503599627370496.0)

cdef inline double exponential(uint32_t high, uint32_t low) noexcept nogil:
    """A draw from the exponential law of mean 1."""
    return -log(unit52(high, low))

cdef inline double normal(uint32_t a, uint32_t b) noexcept nogil:
    """A draw from the standard normal law (Box and Muller 1958)."""
    return sqrt(-2.0 * log(unit32(a))) * cos(6.283185307179586 * unit32(b))
