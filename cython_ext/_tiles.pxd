# The tiles of a rank as the tissue kernels see them. Header only: it has no .pyx twin.
from libc.math cimport INFINITY, sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from _geometry cimport distance2, segment_t
from _random cimport philox4x32
from _rates cimport factor_t, rate_t, signal_t
from _types cimport cell_t, ctc_t, member_t, migrant_t

cdef extern from "blocks.h" nogil:
    ctypedef uint32_t word_t
    int BLOCK, USE_CHILD, USE_TIME
    ctypedef struct voxel_table_t:
        float rate[64][528]        # MOST_RATES rows of 512 + SPARE
        float wall[528]
        float density[528]
        float pressure[1000]
        float resistance[1000]
        int resists
        float signal[1000]
        float hop[528]
        double bound[528]
        uint32_t limit[528]
        int32_t bias[3][528]
        uint8_t bin[528]
    ctypedef struct block_t:
        uint32_t xy[1040]          # BLOCK + SPARE
        uint32_t zc[1040]
        uint32_t traits[1040]
        uint32_t voxel[1040]
        int32_t speed[1040]
        int32_t bias[3][1040]
        int32_t cell[1040]
        uint32_t high[1040]
        uint32_t low[1040]
        uint32_t code[1040]
        double at[1040]
    void pad_tile(const float* all, int64_t row, const int32_t* neighbors, int mirror, float* pad)
    void fill_resistance(float most, float* resistance)
    void fill_hop(voxel_table_t* table, float mobility)
    int face_of(const voxel_table_t* table, int v, float mobility, double at)
    void fill_density(const uint16_t* counts, float capacity, float* density)
    int list_walls(const rate_t* rates, int n, double dt_h, const uint16_t* counts, const int32_t* first,
                   voxel_table_t* table, uint16_t* list)
    int fill_bound(const rate_t* rates, int n, double dt_h, const uint16_t* counts, voxel_table_t* table)
    void fill_places(uint8_t (*places)[8])
    int list_flagged(uint8_t* flag, int n, const uint8_t (*places)[8], int32_t* number)
    void fill_voxels(const int32_t* first, uint16_t* of)
    void flag_motile(const word_t* cells, int n, uint8_t* flag)
    void flag_candidates(const word_t* cells, const int32_t* first, uint64_t key, const voxel_table_t* table,
                         uint32_t* limit, uint8_t* flag)
    void fill_steps(const uint8_t* state, int64_t n, uint8_t mark, int32_t* step)
    void copy_by_steps(word_t* to, const word_t* source, int64_t n, const int32_t* step)
    void prefetch "__builtin_prefetch"(const void* at)
    void draw_events(block_t* block, int n, uint64_t key)
    int hops_first(block_t* block, int n, const voxel_table_t* table, int32_t* place)
    void pass_faces(block_t* block, const int32_t* place, int n, const voxel_table_t* table, float mobility)

cdef extern from "motion.h" nogil:
    int MOST_BIASES, BINS
    ctypedef struct bias_t:
        signal_t field
        float bias, half
    void fill_biases(const bias_t* biases, int n, int64_t row, const int32_t* neighbors, voxel_table_t* table)
    void fill_bins(const signal_t* signal, int64_t row, float per, uint8_t* bin)
    void move_block(block_t* block, int n, uint64_t key, int32_t amplitude)

cdef struct tissue_t:              # filled by name from metacascade.model.tissue.parameters
    uint64_t seed
    uint32_t step
    double dt_h, t_h, edge_um
    float capacity                 # cells of a voxel at density 1
    int32_t amplitude              # random step of a fully motile cell: sd = amplitude / 4096 / sqrt(6) edges
    float mobility                 # chance of a hop over a face for each unit that pressure falls there
    float resistance               # pressure by which normal stroma resists; 0: nothing does
    double reach_um, permeability_mature
    double cluster_fraction, cluster_log_more   # log of the chance that a cluster has one cell more

cdef struct tiles_t:               # this rank's tiles, row by row
    cell_t* cells
    const int64_t* start           # first record of a tile
    int32_t* n                     # its cells: voxel by voxel
    const int32_t* capacity        # its room
    uint16_t* counts               # (rows, 512) cells per voxel
    const float* pressure          # (rows, 512), with ghosts
    const float* resisting         # the same, of what resists; NULL: nothing does
    const int32_t* neighbors       # (tiles, 27) row of the tile at each offset, itself in the middle; -1: none
    const uint64_t* keys
    const int32_t* coords          # (tiles, 3)
    const int32_t* vessel_first    # (tiles * 512 + 1)
    const int32_t* vessel_index
    const segment_t* segments
    const uint8_t* zone            # (tiles, 512) zone_e, or NULL: only copied into what is shed
    int n_rates
    const rate_t* rates
    const factor_t* factors
    const signal_t* signals
    int n_clones
    const float* clone             # (rates, clones)
    const float* state             # (rates, 3, 256): EMT, adhesion, bits
    uint8_t reads[64]              # MOST_RATES: BY_CLONE | BY_EMT | ...: where those of a rate are not 1 throughout
    const int32_t* speed           # (256) of a cell by its EMT, 0..256
    const float* along             # (2, 256) EMT, adhesion: factors on the chance to leave with neighbors
    const uint64_t* mutation       # (clones): a daughter is a mutant if a random word of 64 bits is below this
    int n_biases
    bias_t biases[3]               # MOST_BIASES: the gradients that motile cells follow
    const int32_t* speed_by_adhesion  # (256) a factor on it, of 256; NULL: nothing but EMT acts on speed
    const int32_t* speed_by_clone  # (clones, speed_bins) the same by clone, and by the bin of its voxel if there are 16
    int speed_bins                 # 1 or BINS
    signal_t ground                # what is sorted into bins, which are 1 / per_bin wide
    float per_bin

cdef enum:
    CALM = 0                       # nothing has happened to the cell in this step
    BUSY = 1                       # something has, and it is where it was
    GONE = 2                       # it is no longer there: elsewhere, or out of tissue
    LEFT = 0x8000                  # destination code of a cell that goes to another tile: this bit

cdef enum:                         # tables that a rate reads
    BY_CLONE = 1
    BY_EMT = 2
    BY_ADHESION = 4
    BY_BITS = 8

cdef enum:                         # rows of the tally; behind them the causes of death
    LOOKED_AT, DIVIDED, MUTATED, SHED_CELLS, SWITCHED, HOPPED, CHANGED_VOXEL, CUT, CAUSES, MOST_ROWS = CAUSES + 64

cdef struct scratch_t:
    Py_ssize_t room                # cells of a tile, with daughters
    uint64_t key                   # the Philox key of all cells of the tile in this step
    int64_t tally[MOST_ROWS]
    voxel_table_t table
    block_t block
    double chance[64][64]          # of each rate (MOST_RATES), of each cell of a GROUP ...
    double total[64]               # ... of any, ...
    int event[64]                  # ... and what happens to the cell
    int32_t left[1040]             # cells of the block that leave their voxels, or hop
    int32_t first[513]             # first cell of each voxel
    uint8_t motile[512]            # is any of its cells motile?
    uint16_t look[513]             # voxels whose vessels are worth a look
    int32_t out[512]               # cells that are gone from each voxel
    int32_t into[512]              # cells that came to it
    int32_t place[512]             # where those come to lie
    uint8_t* state                 # CALM, BUSY or GONE
    int32_t* candidate             # cells to look at, and their voxels
    int32_t* candidate_voxel
    int32_t* mover                 # motile cells, and their voxels
    int32_t* mover_voxel
    uint32_t* limit                # for the hash of each cell, and its voxel
    uint16_t* of
    uint8_t* flag                  # is it motile? Is it looked at?
    uint8_t places[256][8]         # of the bits of a byte that are set
    int32_t* leader                # four numbers (cell, voxel, followers wanted, action) of each cell that leaves
    int32_t* follower              # cells that follow them, leader by leader
    uint32_t* arrival_voxel        # the voxel ...
    word_t* arrival                # ... and the record of each cell that comes to one of this tile
    word_t* after                  # the cells of the tile after the step ...
    int32_t* step                  # ... and how far there each cell of before lies behind the one before it [bytes]
    const char* next               # memory of the next tile, from where it has not been fetched
    const char* next_end
    word_t* changed                # pairs (cell, its new third word) of cells whose state changes where they are
    Py_ssize_t arrivals
    int leaders, followers, changes

cdef struct outbox_t:
    migrant_t* migrants
    ctc_t* shed
    member_t* members
    Py_ssize_t n_migrants, n_shed, n_members, room_migrants, room_shed, room_members


cdef inline int nearest(const tiles_t* t, Py_ssize_t row, int v, const double* at, double* gap) noexcept nogil:
    """The vessel of the voxel's list whose wall is nearest (-1: none), and how far away that is.

    Of the wall and not of the center line: a vessel out of reach must not hide one in reach, since the list
    of a voxel holds the former or not as it happens.
    """
    cdef const segment_t* vessel
    cdef double d
    cdef int k, best = -1
    cdef bint nearer
    gap[0] = INFINITY
    for k in range(t.vessel_first[512 * row + v], t.vessel_first[512 * row + v + 1]):
        vessel = &t.segments[t.vessel_index[k]]
        d = sqrt(distance2(at[0], at[1], at[2], vessel)) - vessel.radius
        nearer = d < gap[0]
        gap[0] = d if nearer else gap[0]
        best = t.vessel_index[k] if nearer else best
    return best


cdef inline void more_words(const word_t* record, int v, uint32_t use, uint64_t key, uint32_t* out) noexcept nogil:
    """A further draw of a cell in this step, for one of the uses of tissue.h.

    USE_CHILD: the daughter's place and 16 bits of the id of her clone (words 0, 1), and whether she is a mutant (2, 3);
    or the id of the CTC (0, 1) and its followers (2, 3). USE_TIME: when it is shed.
    """
    cdef uint32_t counter[4]
    counter[0] = record[0]
    counter[1] = record[1]
    counter[2] = record[2]
    counter[3] = <uint32_t>v | use << 16
    philox4x32(counter, key, out)


cdef inline uint32_t code_beside(int v, int axis, int there) noexcept nogil:
    """Destination code of voxel v with another place along an axis: -1 or 8 lie in the next tile (see move_block)."""
    cdef uint32_t code
    if 0 <= there < 8:
        return <uint32_t>((v & ~(7 << 3 * axis)) | there << 3 * axis)
    code = (v & 7) + 8 | ((v >> 3 & 7) + 8) << 5 | ((v >> 6) + 8) << 10
    return LEFT | (code & ~(<uint32_t>31 << 5 * axis)) | <uint32_t>(there + 8) << 5 * axis


cdef inline word_t* words_of(const tiles_t* t, Py_ssize_t row, Py_ssize_t i) noexcept nogil:
    """The record of cell i of a tile, as three words."""
    return <word_t*>(t.cells + t.start[row] + i)


cdef inline void fetch_next(scratch_t* s) noexcept nogil:
    """Have four lines of the next tile come from memory."""
    if s.next < s.next_end:
        prefetch(s.next)
        prefetch(s.next + 64)
        prefetch(s.next + 128)
        prefetch(s.next + 192)
        s.next += 256


cdef inline void depart(scratch_t* s, Py_ssize_t i, int v) noexcept nogil:
    """Cell i is no longer in voxel v."""
    s.state[i] = GONE
    s.out[v] += 1


cdef inline void arrive(scratch_t* s, int v, uint32_t xy, uint32_t zc, uint32_t traits) noexcept nogil:
    """A cell comes to voxel v of this tile."""
    cdef word_t* record = s.arrival + 3 * s.arrivals
    s.into[v] += 1
    s.arrival_voxel[s.arrivals] = <uint32_t>v
    record[0], record[1], record[2] = xy, zc, traits
    s.arrivals += 1


cdef inline void change(scratch_t* s, int32_t i, uint32_t traits) noexcept nogil:
    """Cell i will have these traits when the step of its tile is sure to end."""
    s.state[i] = BUSY
    s.changed[2 * s.changes], s.changed[2 * s.changes + 1] = <uint32_t>i, traits
    s.changes += 1


cdef inline void send(outbox_t* box, Py_ssize_t to, int v, uint32_t xy, uint32_t zc, uint32_t traits,
                      uint32_t mutant) noexcept nogil:
    """A cell leaves its tile for voxel v of the tile in row `to`: `key` of a migrant holds that row."""
    cdef migrant_t* m = &box.migrants[box.n_migrants]
    cdef word_t* words = <word_t*>&m.cell
    box.n_migrants += 1
    m.key, m.voxel, m.mutant = <uint64_t>to, <uint16_t>v, <uint16_t>mutant
    words[0], words[1], words[2] = xy, zc, traits


cdef inline int go_to(const tiles_t* t, Py_ssize_t row, uint32_t code, uint32_t xy, uint32_t zc, uint32_t traits,
                      scratch_t* s, outbox_t* box) except -1 nogil:
    """A cell goes to a destination code."""
    cdef int32_t to
    if code < LEFT:
        arrive(s, <int>code, xy, zc, traits)
        return 0
    to = t.neighbors[27 * row + (code >> 3 & 3) + 3 * (code >> 8 & 3) + 9 * (code >> 13 & 3)]
    if to < 0:
        raise RuntimeError("a cell left the tiles: the margin around the tumor is missing")
    send(box, to, <int>((code & 7) | (code >> 2 & 0x38) | (code >> 4 & 0x1c0)), xy, zc, traits, 0)
    return 0
