"""One step of the cells of this rank's tiles: each moves, and at most one thing happens to it.

For a cell in a voxel with oxygen P and n cells, at distance d from the center line of the perfused vessel
whose wall is nearest to it:

    divide     birth * P / (P + half) * max(0, 1 - n / capacity)
    die        death                                                   (apoptosis)
    die        hypoxia * clamp((threshold - P) / (threshold - full), 0, 1)
    enter      hazard * (m + (1 - m) (1 - maturity)) * (1 - adhesion / 255)^k   if d <= radius + reach

The hazards [1/h] compete: it happens with probability 1 - exp(-sum dt), and one uniform number decides both
whether and what. A cell to which nothing happens moves: a random step, a drift up the oxygen gradient, and a
drift out of crowded voxels. The random numbers of a cell are Philox of its own record, its voxel, and a key
that belongs to tile and step, so the order of cells has no meaning.
"""
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from _clusters cimport followers_wanted, shed_clusters, write_all_shed
from _geometry cimport segment_t
from _hazards cimport DIE, DIVIDE, ENTER, NOTHING, event_e, what_happens
from _random cimport DRAW_TILE, draw
from _tiles cimport (
    GONE, columns_t, draw_and_move, expand_voxels, fill_lean, fill_limit, fill_push, list_hits, list_moved, more_words,
    outbox_t, pad_excess, pad_oxygen, put_back, scratch_t, tiles_t, tissue_t, word_t)
from _types cimport HERITABLE, cell_t, ctc_t, migrant_t

cdef enum:                         # rows of the tally
    DIVIDED, APOPTOSIS, HYPOXIA, SHED_CELLS, CHANGED_VOXEL, TALLIES


cdef bint fill_table(const tiles_t* t, Py_ssize_t row, const tissue_t* p, scratch_t* s) noexcept nogil:
    """What the voxels of a tile do to their cells; whether any of them are pushed."""
    cdef int k
    cdef int32_t crowded = 0
    fill_limit(t.counts + 512 * row, t.oxygen + 512 * row, t.vessel_first + 512 * row, p.capacity,
               <float>(p.birth_per_h * p.dt_h), <float>(p.death_per_h * p.dt_h), <float>(p.hypoxia_per_h * p.dt_h),
               <float>p.hypoxia_threshold_mmHg, <float>p.hypoxia_full_mmHg, <float>(p.enter_per_h * p.dt_h), &s.table)
    if p.lean > 0.0:
        pad_oxygen(t.oxygen, row, t.neighbors + 27 * row, 0, s.oxygen)
        fill_lean(s.oxygen, p.lean, p.gradient_half, &s.table)
    if p.push_gain == 0:
        return False
    pad_excess(t.counts, row, t.neighbors + 27 * row, p.capacity, s.excess)
    for k in range(1000):
        crowded |= s.excess[k]
    if crowded == 0:
        return False
    fill_push(s.excess, p.push_gain, p.push_limit, &s.table)
    return True


cdef void divide_cell(const word_t* record, int v, uint64_t key, scratch_t* s, Py_ssize_t i,
                      Py_ssize_t daughter) noexcept nogil:
    """The mother keeps her place; the daughter lies anywhere in the same voxel, and differs in a bit."""
    cdef uint32_t r[4]
    more_words(record, v, 1, key, r)
    s.c.xy[i], s.c.zc[i], s.c.traits[i] = record[0], record[1], record[2]
    s.c.code[i] = <uint16_t>v
    s.c.xy[daughter] = r[0] if r[0] != record[0] else r[0] ^ 1
    s.c.zc[daughter] = (r[1] & 0xffff) | (record[1] >> 16 << 16)
    s.c.traits[daughter] = record[2] & (0x00ffffff | <uint32_t>HERITABLE << 24)    # inherit, as a word
    s.c.code[daughter] = s.c.code[i]


cdef inline uint64_t key_of_step(uint64_t tile, const tissue_t* p) noexcept nogil:
    """The Philox key of all cells of a tile in this step."""
    cdef uint32_t r[4]
    draw(p.seed, DRAW_TILE, tile, p.step, r)
    return r[0] | <uint64_t>r[1] << 32


cdef Py_ssize_t decide(const tiles_t* t, Py_ssize_t row, Py_ssize_t n, uint64_t key, const tissue_t* p,
                       scratch_t* s, int* leaders, int64_t* tally) noexcept nogil:
    """Decide on each cell that may have an event; the number of daughters, written behind the n cells."""
    cdef const cell_t* cells = t.cells + t.start[row]
    cdef const word_t* record = <const word_t*>cells
    cdef Py_ssize_t i, born = 0
    cdef int k
    cdef uint32_t r[4]
    cdef event_e event
    for k in range(list_hits(s.c.hit, <int>n, s.list)):
        i = s.list[k]
        event = what_happens(t, row, s.c.voxel[i], &cells[i], p, s.c.first[i])
        if event == NOTHING:
            continue
        s.c.hit[i] = 2
        if event == DIVIDE:
            divide_cell(record + 3 * i, s.c.voxel[i], key, s, i, n + born)
            born += 1
            continue
        s.c.code[i] = GONE
        if event == ENTER:
            more_words(record + 3 * i, s.c.voxel[i], 1, key, r)
            s.leader[2 * leaders[0]] = <int32_t>i
            s.leader[2 * leaders[0] + 1] = followers_wanted(&cells[i], p, r)
            leaders[0] += 1
        else:
            tally[APOPTOSIS if event == DIE else HYPOXIA] += 1
    tally[DIVIDED] += born
    return born


cdef inline bint leaves(uint16_t code) noexcept nogil:
    """Whether it goes to another tile."""
    return code >= 0x8000 and code != GONE


cdef inline int voxel_of(uint16_t code) noexcept nogil:
    """The voxel of a code with bit 15, in the tile to which it goes."""
    return (code & 7) | (code >> 2 & 0x38) | (code >> 4 & 0x1c0)


cdef Py_ssize_t count_places(scratch_t* s, const uint16_t* before, Py_ssize_t n, Py_ssize_t born,
                             int32_t* counts, int* moved, int64_t* changed) noexcept nogil:
    """Cells per voxel of this tile after the step, and how many they are; lists the cells that moved or are gone."""
    cdef Py_ssize_t i, stay = n + born
    cdef int k
    for i in range(512):
        counts[i] = before[i]
    moved[0] = list_moved(s.c.code, s.c.voxel, <int>n, s.list)
    for k in range(moved[0]):
        i = s.list[k]
        counts[s.c.voxel[i]] -= 1
        if s.c.code[i] < 512:
            counts[s.c.code[i]] += 1
        else:
            stay -= 1
        changed[0] += s.c.code[i] != GONE
    for i in range(n, n + born):
        counts[s.c.code[i]] += 1
    return stay


cdef int send_away(const tiles_t* t, Py_ssize_t row, int moved, const scratch_t* s,
                   outbox_t* box) except -1 nogil:
    """Write the cells that leave the tile; `key` holds the row here of the tile to which they go."""
    cdef Py_ssize_t i
    cdef int k
    cdef int32_t to
    cdef migrant_t* m
    cdef word_t* words
    for k in range(moved):
        i = s.list[k]
        if not leaves(s.c.code[i]):
            continue
        to = t.neighbors[27 * row + (s.c.code[i] >> 3 & 3) + 3 * (s.c.code[i] >> 8 & 3) + 9 * (s.c.code[i] >> 13 & 3)]
        if to < 0:
            raise RuntimeError("a cell left the tiles: the margin around the tumor is missing")
        m = &box.migrants[box.n_migrants]
        box.n_migrants += 1
        m.key = <uint64_t>to
        words = <word_t*>&m.cell
        words[0], words[1], words[2] = s.c.xy[i], s.c.zc[i], s.c.traits[i]
        m.voxel, m.pad = <uint16_t>voxel_of(s.c.code[i]), 0
    return 0


cdef int write_counts(const tiles_t* t, Py_ssize_t row, int32_t* counts) except -1 nogil:
    """The new counts of the tile; `counts` becomes the first place of each voxel."""
    cdef int32_t v, at = 0, k
    for v in range(512):
        k = counts[v]
        if k > 65535:
            raise OverflowError("more than 65,535 cells in a voxel")
        t.new_counts[512 * row + v] = <uint16_t>k
        counts[v] = at
        at += k
    t.n[row] = at
    return 0


cdef int one_tile(const tiles_t* t, Py_ssize_t row, const tissue_t* p, scratch_t* s, outbox_t* box,
                  int64_t* tally) except -1 nogil:
    """Advance a tile; 1 if there was no room (then nothing was changed), else 0."""
    cdef Py_ssize_t n = t.n[row], i, born, stay
    cdef const word_t* record = <const word_t*>(t.cells + t.start[row])
    cdef int leaders = 0, entered, moved = 0
    cdef bint pushed
    cdef int32_t counts[512]
    cdef uint64_t key
    cdef int64_t mine[TALLIES]
    if 2 * n + 64 > s.room or box.n_migrants + 2 * n > box.room_migrants or box.n_shed + n > box.room_shed:
        return 1
    memset(mine, 0, sizeof(mine))
    key = key_of_step(t.keys[row], p)
    if expand_voxels(t.counts + 512 * row, s.c.voxel) != n:
        raise RuntimeError("cells were lost: a tile does not hold as many as its voxels count")
    pushed = fill_table(t, row, p, s)
    draw_and_move(record, t.counts + 512 * row, key, p.amplitude, &s.table, pushed, &s.wide, &s.c)
    born = decide(t, row, n, key, p, s, &leaders, mine)
    entered = shed_clusters(t, row, n, s, leaders) if leaders else 0
    stay = count_places(s, t.counts + 512 * row, n, born, counts, &moved, &mine[CHANGED_VOXEL])
    if stay > t.capacity[row]:
        return 1
    mine[SHED_CELLS] = entered
    for i in range(TALLIES):
        tally[i] += mine[i]
    write_all_shed(t, row, leaders, key, p, s, box)
    send_away(t, row, moved, s, box)
    write_counts(t, row, counts)
    put_back(<word_t*>record, &s.c, <int>(n + born), counts)
    return 0


def advance(cell_t[::1] cells not None, const int64_t[::1] start not None, int32_t[::1] n not None,
            const int32_t[::1] capacity not None, const uint16_t[:, ::1] counts not None,
            uint16_t[:, ::1] new_counts not None, const float[:, ::1] oxygen not None,
            const int32_t[:, ::1] neighbors not None, const uint64_t[::1] keys not None,
            const int32_t[:, ::1] coords not None, vessels not None, const double[::1] detach not None,
            tissue_t params, uint32_t[:, ::1] words not None, uint16_t[:, ::1] halves not None,
            migrant_t[::1] migrants not None, ctc_t[::1] shed not None, int64_t[::1] progress not None):
    """Advance the tiles from row ``progress[0]`` on; the row that lacks room, or -1 when all are done.

    ``progress`` is [next row, migrants written, shed written, *tallies]. A row that lacks room (for records,
    scratch or outboxes) was not changed: the caller makes room and calls again. ``vessels`` is
    (first, index, segments) of the vessel map.
    """
    if not (start.shape[0] == n.shape[0] == capacity.shape[0] == keys.shape[0] == coords.shape[0]
            == neighbors.shape[0] <= counts.shape[0]) or progress.shape[0] != 3 + TALLIES:
        raise ValueError("the arrays of the tiles differ in length")
    if (counts.shape[0] != new_counts.shape[0] or counts.shape[0] != oxygen.shape[0] or detach.shape[0] != 256
            or vessels[0].shape[0] != 512 * n.shape[0] + 1):
        raise ValueError("the arrays of the voxels differ in length")
    if n.shape[0] == 0:
        return -1
    cdef const int32_t[::1] first = vessels[0]
    cdef const int32_t[::1] index = vessels[1]
    cdef const segment_t[::1] segments = vessels[2]
    cdef tiles_t t = tiles_t(
        cells=NULL, start=&start[0], n=&n[0], capacity=&capacity[0], counts=&counts[0, 0],
        new_counts=&new_counts[0, 0], oxygen=&oxygen[0, 0], neighbors=&neighbors[0, 0], keys=&keys[0],
        coords=&coords[0, 0], vessel_first=&first[0], vessel_index=NULL, segments=NULL, detach=&detach[0])
    if cells.shape[0]:
        t.cells = &cells[0]
    if index.shape[0]:
        t.vessel_index, t.segments = &index[0], &segments[0]
    cdef scratch_t* s = <scratch_t*>calloc(1, sizeof(scratch_t))
    if s == NULL:
        raise MemoryError("no memory for the tables of a tile")
    s.room, s.list, s.leader = words.shape[1], <int32_t*>&words[4, 0], <int32_t*>&words[5, 0]
    s.c = columns_t(first=&words[0, 0], xy=&words[1, 0], zc=&words[2, 0], traits=&words[3, 0],
                    voxel=&halves[0, 0], code=&halves[1, 0], hit=<uint8_t*>&halves[2, 0])
    cdef outbox_t box = outbox_t(
        migrants=&migrants[0], shed=&shed[0], n_migrants=progress[1], n_shed=progress[2],
        room_migrants=migrants.shape[0], room_shed=shed.shape[0])
    cdef Py_ssize_t row = progress[0]
    cdef int full = 0
    try:
        with nogil:
            while row < n.shape[0]:
                full = one_tile(&t, row, &params, s, &box, &progress[3])
                if full:
                    break
                row += 1
    finally:
        free(s)
    progress[0], progress[1], progress[2] = row, box.n_migrants, box.n_shed
    return row if full else -1
