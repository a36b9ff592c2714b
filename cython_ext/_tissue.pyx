"""One step of the cells of this rank's tiles: at most one thing happens to each, and motile cells move.

What may happen are the named rates of the plan, each a product

    base [1/h] x factors of the voxel x CLONE[clone] x STATE[EMT] x STATE[adhesion] x STATE[bits]

and hops: over each face of its voxel a cell is pushed with the chance mobility x fall of pressure, less
resistance x rise of the field that resists. In a step rate r has the chance r dt phi(z), phi(z) =
(exp(z) - 1) / z, z the signed sum of the rates of this cell times dt: chances add up.
A motile cell (EMT > 0) to which nothing happens makes a random step, and one up the gradients that cells follow.

A step pays for what happens: a hash of each cell tells whether it is looked at (blocks.h), which most are not; only
motile cells move, and the block of a tile is copied without branches. The random numbers of a cell are Philox of its
own record, its voxel, and a key that belongs to tile and step, so the order of cells has no meaning.
"""
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from _clusters cimport shed_clusters, write_all_shed
from _events cimport happen, hop
from _hazards cimport GROUP, NOTHING, what_happens
from _names cimport same_names
from _plan cimport take_plan, take_vessels
from _random cimport DRAW_TILE, draw
from _rates cimport signal_t
from _rebuild cimport rebuild, write_changed
from _tiles cimport (
    BLOCK, CALM, CAUSES, CHANGED_VOXEL, DIVIDED, HOPPED, LOOKED_AT, SHED_CELLS, block_t, draw_events, fetch_next,
    fill_places, fill_voxels, flag_candidates, flag_motile, hops_first, list_flagged, outbox_t, pass_faces,
    scratch_t, tiles_t, tissue_t, word_t, words_of)
from _types cimport cell_t, ctc_t, member_t, migrant_t
from _voxels cimport fill_table
from _waiting cimport insert_waiting, take_waiting, waiting_t
from _walk cimport walk

TALLIES = ("looked_at", "divided", "mutated", "shed", "switched", "hopped", "changed_voxel", "cut")  # then causes
SCRATCH_ROWS = 23                  # words for each cell of a tile


cdef int survey(const tiles_t* t, Py_ssize_t row, scratch_t* s) except -1 nogil:
    """Where the cells of each voxel are, and which of them are motile; how many those are."""
    cdef int v, k, at = 0, movers
    for v in range(512):
        s.first[v] = at
        at += t.counts[512 * row + v]
    s.first[512] = at
    if at != t.n[row]:
        raise RuntimeError("cells were lost: a tile does not hold as many as its voxels count")
    fill_voxels(s.first, s.of)
    flag_motile(words_of(t, row, 0), at, s.flag)
    movers = list_flagged(s.flag, at, s.places, s.mover)
    memset(s.motile, 0, sizeof(s.motile))
    for k in range(movers):
        v = s.of[s.mover[k]]
        s.mover_voxel[k], s.motile[v] = v, 1
    return movers


cdef int load(block_t* b, const word_t* cells, const int32_t* cell, const int32_t* voxel, int n) noexcept nogil:
    """The columns of a block: n cells and their voxels. Returns the largest clone among them."""
    cdef int i
    cdef uint32_t clone = 0
    cdef const word_t* w
    for i in range(n):
        w = cells + 3 * <Py_ssize_t>cell[i]
        b.xy[i], b.zc[i], b.traits[i], b.voxel[i] = w[0], w[1], w[2], <uint32_t>voxel[i]
        clone = w[1] >> 16 if w[1] >> 16 > clone else clone
    return <int>clone


# --- events ----------------------------------------------------------------------------------------------

cdef int decide_block(const tiles_t* t, Py_ssize_t row, const tissue_t* p, const int32_t* candidate, int n,
                      scratch_t* s, outbox_t* box) except -1 nogil:
    """Decide on n candidates, whose columns are loaded: those first that hop, since they are many."""
    cdef block_t* b = &s.block
    cdef int hops, at, j, k, together
    draw_events(b, n, s.key)
    hops = hops_first(b, n, &s.table, s.left)
    pass_faces(b, s.left, hops, &s.table, p.mobility)
    for j in range(hops):
        k = s.left[j]
        hop(t, row, candidate[k], <int>b.voxel[k], <int>b.code[j], s, box)
        fetch_next(s)
    s.tally[HOPPED] += hops
    at = hops
    while at < n:
        together = n - at if n - at < GROUP else GROUP
        what_happens(t, row, candidate, s.left + at, together, p, s)
        for j in range(together):
            k = s.left[at + j]
            if s.event[j] != NOTHING:
                happen(t, row, candidate[k], <int>b.voxel[k], s.event[j], p, s, box)
            fetch_next(s)
        at += together
    return 0


cdef int list_candidates(const tiles_t* t, Py_ssize_t row, scratch_t* s) noexcept nogil:
    """The cells of a tile that are looked at, and their voxels; how many."""
    cdef int k, total
    flag_candidates(words_of(t, row, 0), s.first, s.key, &s.table, s.limit, s.flag)
    total = list_flagged(s.flag, s.first[512], s.places, s.candidate)
    for k in range(total):
        s.candidate_voxel[k] = s.of[s.candidate[k]]
    return total


cdef int decide(const tiles_t* t, Py_ssize_t row, const tissue_t* p, scratch_t* s, outbox_t* box) except -1 nogil:
    """Decide on each cell that is looked at; who leads a cluster gets its followers."""
    cdef int at = 0, n
    cdef int total = list_candidates(t, row, s)
    while at < total:
        n = total - at if total - at < BLOCK else BLOCK
        if load(&s.block, words_of(t, row, 0), s.candidate + at, s.candidate_voxel + at, n) >= t.n_clones:
            raise IndexError("a cell is of a clone that the tables of rates have not")
        decide_block(t, row, p, s.candidate + at, n, s, box)
        at += n
    s.tally[LOOKED_AT] = total
    s.tally[SHED_CELLS] = shed_clusters(t, row, s)
    return 0


# --- a tile ----------------------------------------------------------------------------------------------

cdef void look_ahead(const tiles_t* t, Py_ssize_t row, Py_ssize_t rows, scratch_t* s) noexcept nogil:
    """The cells of the next tile are fetched from memory while this one is worked on."""
    s.next = s.next_end = NULL
    if row + 1 < rows:
        s.next = <const char*>words_of(t, row + 1, 0)
        s.next_end = s.next + t.n[row + 1] * <Py_ssize_t>sizeof(cell_t)


cdef void begin(const tiles_t* t, Py_ssize_t row, const tissue_t* p, scratch_t* s) noexcept nogil:
    """The key of the tile in this step, and nothing has happened yet."""
    cdef uint32_t r[4]
    draw(p.seed, DRAW_TILE, t.keys[row], p.step, r)
    s.key = r[0] | <uint64_t>r[1] << 32
    s.arrivals = s.leaders = s.followers = s.changes = 0
    memset(s.tally, 0, sizeof(s.tally))
    memset(s.state, CALM, t.n[row])
    memset(s.out, 0, sizeof(s.out))
    memset(s.into, 0, sizeof(s.into))


cdef int one_tile(const tiles_t* t, Py_ssize_t row, const tissue_t* p, scratch_t* s, outbox_t* box) except -1 nogil:
    """Advance a tile; 1 if there was no room (then nothing was changed), else 0."""
    cdef Py_ssize_t n = t.n[row], migrants = box.n_migrants
    cdef int movers
    if (2 * n + 64 > s.room or migrants + n > box.room_migrants or box.n_shed + n > box.room_shed
            or box.n_members + n > box.room_members):
        return 1
    begin(t, row, p, s)
    movers = survey(t, row, s)
    fill_table(t, row, p, s)
    decide(t, row, p, s, box)
    if n + s.tally[DIVIDED] > t.capacity[row]:
        box.n_migrants = migrants
        return 1
    write_all_shed(t, row, p, s, box)
    write_changed(words_of(t, row, 0), s)
    if movers and (p.amplitude or t.n_biases):
        walk(t, row, movers, p, s, box)
    s.tally[CHANGED_VOXEL] += s.tally[HOPPED]
    rebuild(t, row, s)
    return 0


cdef Py_ssize_t all_tiles(const tiles_t* t, Py_ssize_t row, Py_ssize_t rows, const tissue_t* p, waiting_t* waiting,
                          scratch_t* s, outbox_t* box, int64_t* counted, int tallies) except -1 nogil:
    """Advance the tiles from `row` on, with the cells that wait, and add their tallies; the row that lacks room, or
    `rows`."""
    cdef int i
    while row < rows:
        insert_waiting(waiting, row, t.cells + t.start[row], t.n[row])
        if t.n[row]:
            look_ahead(t, row, rows, s)
            if one_tile(t, row, p, s, box):
                break
            for i in range(tallies):
                counted[i] += s.tally[i]
        row += 1
    return row


cdef scratch_t* new_scratch(uint32_t[:, ::1] words) except NULL:
    """Tables, and the rows of `words` by name. To be freed."""
    cdef scratch_t* s = <scratch_t*>calloc(1, sizeof(scratch_t))
    if s == NULL:
        raise MemoryError("no memory for the tables of a tile")
    s.room = words.shape[1]
    s.limit, s.of = &words[0, 0], <uint16_t*>&words[1, 0]
    s.after, s.arrival, s.leader = <word_t*>&words[2, 0], <word_t*>&words[5, 0], <int32_t*>&words[8, 0]
    s.candidate, s.candidate_voxel = <int32_t*>&words[12, 0], <int32_t*>&words[13, 0]
    s.mover, s.mover_voxel = <int32_t*>&words[14, 0], <int32_t*>&words[15, 0]
    s.arrival_voxel, s.state = &words[16, 0], <uint8_t*>&words[17, 0]
    s.follower, s.changed, s.step = <int32_t*>&words[18, 0], <word_t*>&words[19, 0], <int32_t*>&words[21, 0]
    s.flag = <uint8_t*>&words[22, 0]
    fill_places(s.places)
    return s


def advance(cell_t[::1] cells not None, const int64_t[::1] start not None, int32_t[::1] n not None,
            const int32_t[::1] capacity not None, uint16_t[:, ::1] counts not None,
            const float[:, ::1] pressure not None, const int32_t[:, ::1] neighbors not None,
            const uint64_t[::1] keys not None, const int32_t[:, ::1] coords not None, tuple vessels not None,
            tuple plan not None, dict params not None, uint32_t[:, ::1] words not None,
            migrant_t[::1] migrants not None, ctc_t[::1] shed not None, member_t[::1] members not None,
            int64_t[::1] progress not None, const uint8_t[:, ::1] zone=None, tuple waiting=None):
    """Advance the tiles from row ``progress[0]`` on; the row that lacks room, or -1 when all are done.

    ``progress`` is [next row, migrants written, shed written, *TALLIES, *causes of death]; of the cells shed, those who
    follow others are written to `members`, cluster by cluster in the order of `shed`. A row that lacks room (for
    records, scratch or outboxes) was not changed: the caller makes room and calls again. ``vessels`` is (first, index,
    segments) of the vessel map; ``plan`` is

    rates, factors, fields
        RATE (r,), FACTOR (f,), the list of fields that the factors name, float32 (tiles or more, 512 | 64 | 8) each
    clone, state, speed, along
        the tables by clone, float32 (r, clones), and by state, float32 (r, 3, 256), the speed of a cell by its EMT,
        int32 (256,), of 256, the factors on the chance to leave with neighbors by EMT and adhesion, float32 (2, 256)
    mutation, biases
        the threshold of mutants by clone, uint64 (clones,), up to 3 tuples (field with ghosts, bias, half) of gradients
    speed_factors
        what acts on speed besides EMT, () for nothing: by adhesion, int32 (256,), by clone and bin, int32
        (clones, 1 | 16), both of 256, the field that is sorted into bins or None, and bins per unit of it.
    resisting
        What resists cells that are pushed, float32 (all rows, 512), or None.

    ``zone`` of a voxel, uint8 (tiles, 512), is told of what is shed from it. ``waiting``: the cells that
    _deliver.count_in has counted into the tiles; they are put there first.
    """
    cdef tissue_t p = params
    cdef signal_t signals[64]
    cdef int causes = <int>progress.shape[0] - 3 - CAUSES
    cdef Py_ssize_t rows = n.shape[0]
    same_names(params, p)
    if not (start.shape[0] == rows == capacity.shape[0] == keys.shape[0] == coords.shape[0]
            == neighbors.shape[0] <= counts.shape[0]) or not 0 <= causes <= 64 or words.shape[0] != SCRATCH_ROWS:
        raise ValueError("the arrays of the tiles differ in length")
    if counts.shape[0] != pressure.shape[0]:
        raise ValueError("the arrays of the voxels differ in length")
    if rows == 0:
        return -1
    cdef tiles_t t
    cdef waiting_t w
    memset(&t, 0, sizeof(t))
    t.start, t.n, t.capacity, t.counts = &start[0], &n[0], &capacity[0], &counts[0, 0]
    t.pressure, t.neighbors, t.keys, t.coords = &pressure[0, 0], &neighbors[0, 0], &keys[0], &coords[0, 0]
    if cells.shape[0]:
        t.cells = &cells[0]
    memset(&w, 0, sizeof(w))
    if waiting is not None:
        take_waiting(waiting, rows, &w)
    take_vessels(vessels, rows, &t)
    take_plan(plan, rows, counts.shape[0], causes, signals, &t)
    if zone is not None:
        if zone.shape[0] != rows or zone.shape[1] != 512:
            raise ValueError(f"zones of {zone.shape[0]} tiles, not {rows}")
        t.zone = &zone[0, 0]
    cdef outbox_t box = outbox_t(
        migrants=&migrants[0], shed=&shed[0], members=&members[0], n_migrants=progress[1], n_shed=progress[2],
        n_members=progress[3 + SHED_CELLS] - progress[2], room_migrants=migrants.shape[0], room_shed=shed.shape[0],
        room_members=members.shape[0])
    cdef scratch_t* s = new_scratch(words)
    try:
        with nogil:
            progress[0] = all_tiles(&t, progress[0], rows, &p, &w, s, &box, &progress[3], CAUSES + causes)
    finally:
        free(s)
    progress[1], progress[2] = box.n_migrants, box.n_shed
    return progress[0] if progress[0] < rows else -1
