# Motile cells to which nothing happened in a step make their way. Header only: it has no .pyx twin.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from _tiles cimport (
    BLOCK, CALM, CHANGED_VOXEL, block_t, depart, fill_bins, fill_biases, go_to, move_block, outbox_t, scratch_t,
    tiles_t, tissue_t, word_t, words_of)


cdef inline int load_movers(const tiles_t* t, Py_ssize_t row, int movers, int* at, scratch_t* s) noexcept nogil:
    """The columns of the next calm motile cells from the one at `at` on, which moves on; how many."""
    cdef const word_t* cells = words_of(t, row, 0)
    cdef const int32_t* speed = t.speed
    cdef const int32_t* mover = s.mover
    cdef const int32_t* mover_voxel = s.mover_voxel
    cdef const uint8_t* state = s.state
    cdef block_t* b = &s.block
    cdef const word_t* w
    cdef int n = 0, k = at[0]
    cdef int32_t i, v
    while k < movers and n < BLOCK:
        i, v = mover[k], mover_voxel[k]
        w = cells + 3 * <Py_ssize_t>i
        b.xy[n], b.zc[n], b.traits[n], b.voxel[n], b.cell[n] = w[0], w[1], w[2], <uint32_t>v, i
        b.speed[n] = speed[w[2] & 255]
        b.bias[0][n], b.bias[1][n], b.bias[2][n] = s.table.bias[0][v], s.table.bias[1][v], s.table.bias[2][v]
        n += state[i] == CALM
        k += 1
    at[0] = k
    return n


cdef inline int scale_speeds(const tiles_t* t, int n, scratch_t* s) except -1 nogil:
    """The speed of n cells, times what their adhesion, their clone and the ground of their voxel make of it."""
    cdef block_t* b = &s.block
    cdef Py_ssize_t clone, at
    cdef int i
    for i in range(n):
        clone = b.zc[i] >> 16
        if clone >= t.n_clones:
            raise IndexError("a cell is of a clone that the tables of speed have not")
        at = t.speed_bins * clone + (s.table.bin[b.voxel[i]] if t.speed_bins > 1 else 0)
        b.speed[i] = <int32_t>(<int64_t>b.speed[i] * t.speed_by_adhesion[b.traits[i] >> 8 & 255]
                               * t.speed_by_clone[at] + 32768 >> 16)
    return 0


cdef inline int write_moved(word_t* cells, const block_t* b, int n, int32_t* left) noexcept nogil:
    """Write the new places of n cells, also of those that leave their voxel: what is there of them counts no more.

    Returns how many leave: `left` lists their places in the block.
    """
    cdef int k, leaving = 0
    cdef word_t* w
    for k in range(n):
        w = cells + 3 * <Py_ssize_t>b.cell[k]
        w[0], w[1] = b.xy[k], b.zc[k]
        left[leaving] = k
        leaving += b.code[k] != b.voxel[k]
    return leaving


cdef inline int walk(const tiles_t* t, Py_ssize_t row, int movers, const tissue_t* p, scratch_t* s,
                     outbox_t* box) except -1 nogil:
    """Motile cells to which nothing happened move."""
    cdef block_t* b = &s.block
    cdef int at = 0, n, j, k, leaving
    if t.n_biases:
        fill_biases(t.biases, t.n_biases, row, t.neighbors + 27 * row, &s.table)
    if t.speed_by_adhesion and t.speed_bins > 1:
        fill_bins(&t.ground, row, t.per_bin, s.table.bin)
    while at < movers:
        n = load_movers(t, row, movers, &at, s)
        if t.speed_by_adhesion:
            scale_speeds(t, n, s)
        move_block(b, n, s.key, p.amplitude)
        leaving = write_moved(words_of(t, row, 0), b, n, s.left)
        for j in range(leaving):
            k = s.left[j]
            depart(s, b.cell[k], <int>b.voxel[k])
            go_to(t, row, b.code[k], b.xy[k], b.zc[k], b.traits[k], s, box)
        s.tally[CHANGED_VOXEL] += leaving
    return 0
