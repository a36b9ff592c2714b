# The tiles of a rank as the tissue kernels see them. Header only: it has no .pyx twin.
from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from _geometry cimport distance2, segment_t
from _random cimport philox4x32
from _types cimport cell_t, ctc_t, migrant_t

cdef extern from "tissue.h" nogil:
    ctypedef uint32_t word_t
    int PADDED
    ctypedef struct voxel_table_t:
        pass
    ctypedef struct cell_table_t:
        pass
    ctypedef struct columns_t:
        uint32_t* first
        uint32_t* xy
        uint32_t* zc
        uint32_t* traits
        uint16_t* voxel
        uint16_t* code
        uint8_t* hit           # 0: nothing can happen, 1: nothing happened, 2: something happened
    void pad_excess(const uint16_t* counts, int64_t row, const int32_t* neighbors, int32_t capacity, int32_t* pad)
    void pad_oxygen(const float* oxygen, int64_t row, const int32_t* neighbors, int32_t capacity, float* pad)
    void fill_push(const int32_t* pad, int32_t gain, int32_t limit, voxel_table_t* table)
    void fill_lean(const float* pad, float lean, float half, voxel_table_t* table)
    void fill_limit(const uint16_t* counts, const float* oxygen, const int32_t* first, int32_t capacity,
                    float birth, float death, float hypoxia, float threshold, float full, float enter,
                    voxel_table_t* table)
    int expand_voxels(const uint16_t* counts, uint16_t* voxel)
    void draw_and_move(const word_t* record, const uint16_t* counts, uint64_t key, int32_t amplitude,
                       const voxel_table_t* table, int with_push, cell_table_t* wide, const columns_t* c)
    int list_hits(const uint8_t* hit, int n, int32_t* list)
    int list_moved(const uint16_t* code, const uint16_t* voxel, int n, int32_t* list)
    void put_back(word_t* record, const columns_t* c, int n, int32_t* place)

cdef struct tissue_t:              # filled by name from metacascade.model.tissue.parameters
    uint64_t seed
    uint32_t step
    double dt_h, t_h, edge_um
    int32_t capacity               # cells of a voxel without crowding
    int32_t amplitude              # random step of a motile cell: sd = amplitude / 4096 / sqrt(6) edges
    float lean, gradient_half      # largest lean [edge/65536]; gradient that gives half of it [mmHg/edge]
    int32_t push_gain, push_limit  # [edge/32768] per cell above capacity; largest push
    double birth_per_h, oxygen_half_mmHg, death_per_h
    double hypoxia_per_h, hypoxia_threshold_mmHg, hypoxia_full_mmHg
    double enter_per_h, reach_um, permeability_mature
    double cluster_fraction, cluster_log_more   # log of the chance that a cluster has one cell more

cdef struct tiles_t:               # this rank's tiles, row by row
    cell_t* cells
    const int64_t* start           # first record of a tile
    int32_t* n                     # its cells
    const int32_t* capacity        # its room
    const uint16_t* counts         # (rows, 512) cells per voxel before the step; rows of ghosts at the end
    uint16_t* new_counts           # (rows, 512) after it; another array, since neighbors still read the old one
    const float* oxygen            # (rows, 512)
    const int32_t* neighbors       # (tiles, 27) row of the tile at each offset, itself in the middle; -1: none
    const uint64_t* keys
    const int32_t* coords          # (tiles, 3)
    const int32_t* vessel_first    # (tiles * 512 + 1)
    const int32_t* vessel_index
    const segment_t* segments
    const double* detach           # (256) (1 - adhesion / 255)^k

cdef struct scratch_t:
    Py_ssize_t room                # cells of a tile, with daughters
    columns_t c
    int32_t* list                  # cells to look at
    int32_t* leader                # pairs (cell, followers wanted) of cells that enter a vessel
    voxel_table_t table
    cell_table_t wide
    int32_t excess[1000]
    float oxygen[1000]

cdef struct outbox_t:
    migrant_t* migrants
    ctc_t* shed
    Py_ssize_t n_migrants, n_shed, room_migrants, room_shed

cdef enum:
    GONE = 0xffff                  # destination code of a cell that is not in tissue any more


cdef inline void place_of(const tiles_t* t, Py_ssize_t row, int v, const cell_t* c, double edge,
                          double* at) noexcept nogil:
    """The place of a cell [um]."""
    at[0] = (8 * <int64_t>t.coords[3 * row] + (v & 7) + (c.x + 0.5) / 65536.0) * edge
    at[1] = (8 * <int64_t>t.coords[3 * row + 1] + (v >> 3 & 7) + (c.y + 0.5) / 65536.0) * edge
    at[2] = (8 * <int64_t>t.coords[3 * row + 2] + (v >> 6) + (c.z + 0.5) / 65536.0) * edge


cdef inline int nearest(const tiles_t* t, Py_ssize_t row, int v, const double* at, double* gap) noexcept nogil:
    """The vessel of the voxel's list whose wall is nearest (-1: none), and how far away that is.

    Of the wall and not of the center line: a vessel out of reach must not hide one in reach, since the list
    of a voxel holds the former or not as it happens.
    """
    cdef int k, best = -1
    cdef double d
    for k in range(t.vessel_first[512 * row + v], t.vessel_first[512 * row + v + 1]):
        d = sqrt(distance2(at[0], at[1], at[2], &t.segments[t.vessel_index[k]])) - t.segments[t.vessel_index[k]].radius
        if best < 0 or d < gap[0]:
            gap[0] = d
            best = t.vessel_index[k]
    return best


cdef inline void more_words(const word_t* record, int v, uint32_t block, uint64_t key, uint32_t* out) noexcept nogil:
    """The block-th further draw of a cell in this step; the kernel of the moves has block 0.

    Block 1: the daughter's place; or the id of the CTC (words 0, 1) and its followers (2, 3). Block 2: when it is shed.
    """
    cdef uint32_t counter[4]
    counter[0] = record[0]
    counter[1] = record[1]
    counter[2] = record[2]
    counter[3] = <uint32_t>v | block << 16
    philox4x32(counter, key, out)
