"""One step of the cells of this rank's tiles: each moves, and at most one thing happens to it.

For a cell in a voxel with oxygen P, n cells, and its nearest perfused vessel at distance d:

    divide     birth * P / (P + half) * max(0, 1 - n / capacity)
    die        death                                                   (apoptosis)
    die        hypoxia * clamp((threshold - P) / (threshold - full), 0, 1)
    enter      hazard * (m + (1 - m) (1 - maturity)) * (1 - adhesion / 255)^k   if d <= radius + reach

The hazards [1/h] compete: it happens with probability 1 - exp(-sum dt), and one uniform number decides both
whether and what. A cell to which nothing happens moves: a random step, a drift up the oxygen gradient, and a
drift out of crowded voxels. The random numbers of a cell are Philox of its own record, its voxel, and a key
that belongs to tile and step, so the order of cells has no meaning.
"""
from libc.math cimport expm1, floor, log, log1p, sqrtf
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from _geometry cimport distance2, segment_t
from _random cimport DRAW_TILE, draw, philox4x32, unit32
from _types cimport CIRCULATING, cell_t, ctc_t, migrant_t

cdef extern from "tissue.h" nogil:
    ctypedef uint32_t word_t
    ctypedef struct voxel_table_t:
        int32_t push[3][512]
        int32_t lean[3][512]
        uint32_t limit[512]
    void draw_and_move(const word_t* record, const uint16_t* voxel, int n, uint64_t key, int32_t amplitude,
                       const voxel_table_t* table, uint32_t* first, uint32_t* xy, uint32_t* zc,
                       uint32_t* traits, uint16_t* code, uint8_t* hit)

cdef struct tissue_t:              # filled by name from metacascade.tissue.parameters
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
    Py_ssize_t room
    uint32_t *first, *xy, *zc, *traits
    uint16_t *voxel, *code
    uint8_t* hit                   # 0: nothing can happen, 1: nothing happened, 2: something happened
    int32_t* leader                # pairs (cell, followers wanted) of cells that enter a vessel

cdef struct outbox_t:
    migrant_t* migrants
    ctc_t* shed
    Py_ssize_t n_migrants, n_shed, room_migrants, room_shed

cdef enum tally_e:
    DIVIDED, APOPTOSIS, HYPOXIA, SHED_CELLS, CHANGED_VOXEL, TALLIES

cdef enum event_e:
    NOTHING, ENTER, DIE, SUFFOCATE, DIVIDE

cdef uint16_t GONE = 0xffff


cdef inline int32_t excess(const tiles_t* t, Py_ssize_t row, int v, int32_t capacity) noexcept nogil:
    cdef int32_t n = t.counts[512 * row + v]
    return n - capacity if n > capacity else 0


cdef inline Py_ssize_t beside(const tiles_t* t, Py_ssize_t row, int v, int axis, int side, int* w) noexcept nogil:
    """Row and (in w) voxel next to v on that side of the axis; itself where no tile is: a mirror."""
    cdef int stride = 1 << (3 * axis), at = v >> (3 * axis) & 7
    cdef int offset = 1 if axis == 0 else 3 if axis == 1 else 9
    cdef Py_ssize_t other
    if 0 <= at + side <= 7:
        w[0] = v + side * stride
        return row
    other = t.neighbors[27 * row + 13 + side * offset]
    if other < 0:
        w[0] = v
        return row
    w[0] = v - 7 * side * stride
    return other


cdef inline int32_t clamped(int32_t value, int32_t limit) noexcept nogil:
    return limit if value > limit else -limit if value < -limit else value


cdef void fill_push(const tiles_t* t, Py_ssize_t row, const tissue_t* p, voxel_table_t* table) noexcept nogil:
    """Darcy drift at both faces of each voxel: -gain times the difference of cells above capacity."""
    cdef int v, axis, w
    cdef int32_t here, low, high
    cdef Py_ssize_t other
    for axis in range(3):
        for v in range(512):
            here = excess(t, row, v, p.capacity)
            other = beside(t, row, v, axis, -1, &w)
            low = clamped(p.push_gain * clamped(excess(t, other, w, p.capacity) - here, 4096), p.push_limit)
            other = beside(t, row, v, axis, 1, &w)
            high = clamped(p.push_gain * clamped(here - excess(t, other, w, p.capacity), 4096), p.push_limit)
            table.push[axis][v] = (low & 0xffff) | <int32_t>(<uint32_t>high << 16)


cdef bint crowded(const tiles_t* t, Py_ssize_t row, int32_t capacity) noexcept nogil:
    """Whether this tile or one that shares a face with it has a voxel above capacity."""
    cdef Py_ssize_t other
    cdef int k, v
    cdef int faces[7]
    faces[:] = [13, 12, 14, 10, 16, 4, 22]
    for k in range(7):
        other = t.neighbors[27 * row + faces[k]]
        if other >= 0:
            for v in range(512):
                if t.counts[512 * other + v] > capacity:
                    return True
    return False


cdef void fill_lean(const tiles_t* t, Py_ssize_t row, const tissue_t* p, voxel_table_t* table) noexcept nogil:
    """lean * g / (|g| + gradient_half), g the central difference of oxygen [mmHg/edge]."""
    cdef int v, w, axis
    cdef float g[3]
    cdef float scale
    cdef Py_ssize_t low
    cdef float below
    for v in range(512):
        for axis in range(3):
            low = beside(t, row, v, axis, -1, &w)
            below = t.oxygen[512 * low + w]
            low = beside(t, row, v, axis, 1, &w)
            g[axis] = <float>0.5 * (t.oxygen[512 * low + w] - below)
        scale = p.lean / (sqrtf(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]) + p.gradient_half)
        for axis in range(3):
            table.lean[axis][v] = <int32_t>(g[axis] * scale)


cdef inline double birth(const tissue_t* p, double oxygen, int cells) noexcept nogil:
    if cells >= p.capacity:
        return 0.0
    return p.birth_per_h * oxygen / (oxygen + p.oxygen_half_mmHg) * (1.0 - <double>cells / p.capacity)


cdef inline double suffocation(const tissue_t* p, double oxygen) noexcept nogil:
    cdef double lack = ((p.hypoxia_threshold_mmHg - oxygen)
                        / (p.hypoxia_threshold_mmHg - p.hypoxia_full_mmHg))
    return p.hypoxia_per_h * (0.0 if lack < 0.0 else 1.0 if lack > 1.0 else lack)


cdef void fill_limit(const tiles_t* t, Py_ssize_t row, const tissue_t* p, voxel_table_t* table) noexcept nogil:
    """An upper bound of the chance of any event, in 2^-32: 1 - exp(-h dt) <= h dt for the largest h."""
    cdef int v
    cdef double h, bound
    cdef double oxygen
    for v in range(512):
        if t.counts[512 * row + v] == 0:
            table.limit[v] = 0
            continue
        oxygen = t.oxygen[512 * row + v]
        h = birth(p, oxygen, t.counts[512 * row + v]) + p.death_per_h + suffocation(p, oxygen)
        if t.vessel_first[512 * row + v + 1] > t.vessel_first[512 * row + v]:
            h += p.enter_per_h
        bound = h * p.dt_h * 4294967296.0 * 1.000001 + (1.0 if h > 0.0 else 0.0)
        table.limit[v] = 0xffffffff if bound >= 4294967295.0 else <uint32_t>bound


cdef inline void place_of(const tiles_t* t, Py_ssize_t row, int v, const cell_t* c, double edge,
                          double* at) noexcept nogil:
    """The place of a cell [um]."""
    at[0] = (8 * <int64_t>t.coords[3 * row] + (v & 7) + (c.x + 0.5) / 65536.0) * edge
    at[1] = (8 * <int64_t>t.coords[3 * row + 1] + (v >> 3 & 7) + (c.y + 0.5) / 65536.0) * edge
    at[2] = (8 * <int64_t>t.coords[3 * row + 2] + (v >> 6) + (c.z + 0.5) / 65536.0) * edge


cdef int nearest(const tiles_t* t, Py_ssize_t row, int v, const double* at, double* d2) noexcept nogil:
    """The nearest vessel of the voxel's list (-1: none) and the squared distance to its center line."""
    cdef int k, best = -1
    cdef double d
    for k in range(t.vessel_first[512 * row + v], t.vessel_first[512 * row + v + 1]):
        d = distance2(at[0], at[1], at[2], &t.segments[t.vessel_index[k]])
        if best < 0 or d < d2[0]:
            d2[0] = d
            best = t.vessel_index[k]
    return best


cdef double entry(const tiles_t* t, Py_ssize_t row, int v, const cell_t* c, const tissue_t* p) noexcept nogil:
    """Hazard of entering the nearest vessel [1/h]."""
    cdef double at[3]
    cdef double d2 = 0.0, range_um
    cdef int s
    place_of(t, row, v, c, p.edge_um, at)
    s = nearest(t, row, v, at, &d2)
    if s < 0:
        return 0.0
    range_um = t.segments[s].radius + p.reach_um
    if d2 > range_um * range_um:
        return 0.0
    return (p.enter_per_h * (p.permeability_mature + (1.0 - p.permeability_mature)
                             * (1.0 - t.segments[s].maturity)) * t.detach[c.adhesion])


cdef event_e what_happens(const tiles_t* t, Py_ssize_t row, int v, const cell_t* c, const tissue_t* p,
                          uint32_t word) noexcept nogil:
    cdef double oxygen = t.oxygen[512 * row + v]
    cdef double enter = entry(t, row, v, c, p) if p.enter_per_h > 0.0 else 0.0
    cdef double lack = suffocation(p, oxygen)
    cdef double divide = birth(p, oxygen, t.counts[512 * row + v])
    cdef double total = enter + p.death_per_h + lack + divide
    cdef double chance = -expm1(-total * p.dt_h), u = unit32(word), at
    if u >= chance:
        return NOTHING
    at = u / chance * total
    if at < enter:
        return ENTER
    if at < enter + p.death_per_h:
        return DIE
    if at < enter + p.death_per_h + lack:
        return SUFFOCATE
    return DIVIDE


cdef inline void more_words(const word_t* record, int v, uint32_t block, uint64_t key, uint32_t* out) noexcept nogil:
    """The block-th further draw of a cell in this step."""
    cdef uint32_t counter[4]
    counter[0], counter[1], counter[2], counter[3] = record[0], record[1], record[2], v | block << 16
    philox4x32(counter, key, out)


cdef void divide_cell(const word_t* record, int v, uint64_t key, scratch_t* s, Py_ssize_t i,
                      Py_ssize_t daughter) noexcept nogil:
    """The mother keeps her place; the daughter lies anywhere in the same voxel, and differs in a bit."""
    cdef uint32_t r[4]
    cdef uint32_t generation = record[2] >> 24
    more_words(record, v, 1, key, r)
    s.xy[i], s.zc[i] = record[0], record[1]
    s.traits[i] = (record[2] & 0x00ffffff) | (generation + (generation < 255)) << 24
    s.code[i] = <uint16_t>v
    s.xy[daughter] = r[0] if r[0] != record[0] else r[0] ^ 1
    s.zc[daughter] = (r[1] & 0xffff) | (record[1] & 0xffff0000)
    s.traits[daughter] = s.traits[i]
    s.code[daughter] = s.code[i]


cdef int followers_wanted(const cell_t* c, const tissue_t* p, const uint32_t* r) noexcept nogil:
    """0 for a single cell; else the cluster has 2 + a geometric number of cells."""
    cdef double more
    if unit32(r[2]) >= p.cluster_fraction * c.adhesion / 255.0:
        return 0
    more = floor(log(unit32(r[3])) / p.cluster_log_more)
    return 1 + (<int>more if more < 65000.0 else 65000)


cdef inline bint before(const word_t* a, const word_t* b) noexcept nogil:
    """Whether record a comes before record b in the order of their words."""
    if a[0] != b[0]:
        return a[0] < b[0]
    if a[1] != b[1]:
        return a[1] < b[1]
    return a[2] < b[2]


cdef int gather_cluster(const word_t* record, Py_ssize_t low, Py_ssize_t high, int wanted,
                        scratch_t* s) noexcept nogil:
    """Take the first `wanted` undecided cells of the voxel, in the order of their records; how many."""
    cdef int taken
    cdef Py_ssize_t k, best
    for taken in range(wanted):
        best = -1
        for k in range(low, high):
            if s.hit[k] < 2 and (best < 0 or before(record + 3 * k, record + 3 * best)):
                best = k
        if best < 0:
            return taken
        s.hit[best] = 2
        s.code[best] = GONE
    return wanted


cdef void order_leaders(const word_t* record, scratch_t* s, int n) noexcept nogil:
    """By voxel, then by record: so that who leads first does not depend on the order of the cells."""
    cdef int i, k
    cdef int32_t a, w
    for i in range(1, n):
        a, w = s.leader[2 * i], s.leader[2 * i + 1]
        k = i
        while k > 0 and (s.voxel[s.leader[2 * k - 2]] > s.voxel[a] or (
                s.voxel[s.leader[2 * k - 2]] == s.voxel[a]
                and before(record + 3 * a, record + 3 * s.leader[2 * k - 2]))):
            s.leader[2 * k], s.leader[2 * k + 1] = s.leader[2 * k - 2], s.leader[2 * k - 1]
            k -= 1
        s.leader[2 * k], s.leader[2 * k + 1] = a, w


cdef void write_shed(const tiles_t* t, Py_ssize_t row, int v, const cell_t* c, int n, uint64_t key,
                     const tissue_t* p, ctc_t* out) noexcept nogil:
    cdef uint32_t r[4]
    cdef double at[3]
    cdef double d2 = 0.0
    cdef int s
    place_of(t, row, v, c, p.edge_um, at)
    s = nearest(t, row, v, at, &d2)
    more_words(<const word_t*>c, v, 1, key, r)
    memset(out, 0, sizeof(ctc_t))
    out.id = r[0] | <uint64_t>r[1] << 32
    out.t_shed = out.t_event = p.t_h
    out.x, out.y, out.z = <float>at[0], <float>at[1], <float>at[2]
    out.distance = sqrtf(<float>d2)
    out.maturity = t.segments[s].maturity
    out.clone, out.n = c.clone, <uint16_t>n
    out.emt, out.adhesion, out.flags = c.emt, c.adhesion, c.flags
    out.place = CIRCULATING


cdef Py_ssize_t decide(const tiles_t* t, Py_ssize_t row, Py_ssize_t n, uint64_t key, const tissue_t* p,
                       scratch_t* s, int* leaders, int64_t* tally) noexcept nogil:
    """Decide on each cell that may have an event; the number of daughters, written behind the n cells."""
    cdef const cell_t* cells = t.cells + t.start[row]
    cdef const word_t* record = <const word_t*>cells
    cdef Py_ssize_t i, born = 0
    cdef uint32_t r[4]
    cdef event_e event
    for i in range(n):
        if not s.hit[i]:
            continue
        event = what_happens(t, row, s.voxel[i], &cells[i], p, s.first[i])
        if event == NOTHING:
            continue
        s.hit[i] = 2
        if event == DIVIDE:
            divide_cell(record + 3 * i, s.voxel[i], key, s, i, n + born)
            born += 1
            continue
        s.code[i] = GONE
        if event == ENTER:
            more_words(record + 3 * i, s.voxel[i], 1, key, r)
            s.leader[2 * leaders[0]] = <int32_t>i
            s.leader[2 * leaders[0] + 1] = followers_wanted(&cells[i], p, r)
            leaders[0] += 1
        else:
            tally[APOPTOSIS if event == DIE else HYPOXIA] += 1
    tally[DIVIDED] += born
    return born


cdef int shed_clusters(const tiles_t* t, Py_ssize_t row, Py_ssize_t n, scratch_t* s, int leaders) noexcept nogil:
    """Give each leader its followers (the number replaces the wish); how many cells leave."""
    cdef const word_t* record = <const word_t*>(t.cells + t.start[row])
    cdef int k, total = 0
    cdef Py_ssize_t low, high
    order_leaders(record, s, leaders)
    for k in range(leaders):
        low = high = s.leader[2 * k]
        if s.leader[2 * k + 1]:
            while low > 0 and s.voxel[low - 1] == s.voxel[s.leader[2 * k]]:
                low -= 1
            while high < n and s.voxel[high] == s.voxel[s.leader[2 * k]]:
                high += 1
            s.leader[2 * k + 1] = gather_cluster(record, low, high, s.leader[2 * k + 1], s)
        total += 1 + s.leader[2 * k + 1]
    return total


cdef inline bint leaves(uint16_t code) noexcept nogil:
    """Whether it goes to another tile."""
    return code >= 0x8000 and code != GONE


cdef inline int voxel_of(uint16_t code) noexcept nogil:
    """The voxel of a code with bit 15, in the tile to which it goes."""
    return (code & 7) | (code >> 2 & 0x38) | (code >> 4 & 0x1c0)


cdef Py_ssize_t count_places(const scratch_t* s, const uint16_t* before, Py_ssize_t n, Py_ssize_t born,
                             int32_t* counts, Py_ssize_t* leaving, int64_t* changed) noexcept nogil:
    """Cells per voxel of this tile after the step; how many stay, leave, and change voxel."""
    cdef Py_ssize_t i, stay = n + born, moved = 0
    leaving[0] = 0
    for i in range(512):
        counts[i] = before[i]
    for i in range(n):
        if s.code[i] != s.voxel[i]:
            counts[s.voxel[i]] -= 1
            if s.code[i] < 512:
                counts[s.code[i]] += 1
                moved += 1
            else:
                stay -= 1
                leaving[0] += s.code[i] != GONE
    for i in range(n, n + born):
        counts[s.code[i]] += 1
    changed[0] += moved + leaving[0]
    return stay


cdef int send_away(const tiles_t* t, Py_ssize_t row, Py_ssize_t n, const scratch_t* s,
                   outbox_t* box) except -1 nogil:
    """Write the cells that leave the tile; `key` holds the row here of the tile to which they go."""
    cdef Py_ssize_t i
    cdef int32_t to
    cdef migrant_t* m
    cdef word_t* words
    for i in range(n):
        if not leaves(s.code[i]):
            continue
        to = t.neighbors[27 * row + (s.code[i] >> 3 & 3) + 3 * (s.code[i] >> 8 & 3) + 9 * (s.code[i] >> 13 & 3)]
        if to < 0:
            raise RuntimeError("a cell left the tiles: the margin around the tumor is missing")
        m = &box.migrants[box.n_migrants]
        box.n_migrants += 1
        m.key = <uint64_t>to
        words = <word_t*>&m.cell
        words[0], words[1], words[2] = s.xy[i], s.zc[i], s.traits[i]
        m.voxel, m.pad = <uint16_t>voxel_of(s.code[i]), 0
    return 0


cdef int put_back(const tiles_t* t, Py_ssize_t row, Py_ssize_t n, const scratch_t* s,
                  int32_t* counts) except -1 nogil:
    """Write the cells that stay, voxel by voxel, and the new counts."""
    cdef word_t* record = <word_t*>(t.cells + t.start[row])
    cdef Py_ssize_t i
    cdef int32_t v, at = 0, k, last = 0
    for v in range(512):
        k = counts[v]
        if k > 65535:
            raise OverflowError("a voxel holds more than 65535 cells: its crowding is switched off or too weak")
        t.new_counts[512 * row + v] = <uint16_t>k
        counts[v] = at
        at += k
    t.n[row] = at
    at = 0                       # where the next cell of voxel `last` goes
    for i in range(n):
        v = s.code[i]
        if v < 512:
            if v != last:
                counts[last] = at
                at = counts[v]
                last = v
            k = 3 * at
            at += 1
            record[k], record[k + 1], record[k + 2] = s.xy[i], s.zc[i], s.traits[i]
    return 0


cdef int one_tile(const tiles_t* t, Py_ssize_t row, const tissue_t* p, scratch_t* s, voxel_table_t* table,
                  outbox_t* box, int64_t* tally) except -1 nogil:
    """Advance a tile; 1 if there was no room (then nothing was changed), else 0."""
    cdef Py_ssize_t n = t.n[row], i, v, k = 0, born, stay, leaving
    cdef int leaders = 0, entered
    cdef int32_t counts[512]
    cdef uint32_t r[4]
    cdef uint64_t key
    cdef int64_t mine[TALLIES]
    cdef int32_t leader
    if (2 * n > s.room or box.n_migrants + 2 * n > box.room_migrants or box.n_shed + n > box.room_shed):
        return 1
    memset(mine, 0, sizeof(mine))
    draw(p.seed, DRAW_TILE, t.keys[row], p.step, r)
    key = r[0] | <uint64_t>r[1] << 32
    for v in range(512):
        for i in range(t.counts[512 * row + v]):
            s.voxel[k] = <uint16_t>v
            k += 1
    fill_limit(t, row, p, table)
    if p.push_gain and crowded(t, row, p.capacity):
        fill_push(t, row, p, table)
    else:
        memset(table.push, 0, sizeof(table.push))
    if p.lean > 0.0:
        fill_lean(t, row, p, table)
    draw_and_move(<const word_t*>(t.cells + t.start[row]), s.voxel, <int>n, key, p.amplitude, table,
                  s.first, s.xy, s.zc, s.traits, s.code, s.hit)
    born = decide(t, row, n, key, p, s, &leaders, mine)
    entered = shed_clusters(t, row, n, s, leaders) if leaders else 0
    stay = count_places(s, t.counts + 512 * row, n, born, counts, &leaving, &mine[CHANGED_VOXEL])
    if stay > t.capacity[row]:
        return 1
    mine[SHED_CELLS] = entered
    for i in range(TALLIES):
        tally[i] += mine[i]
    for i in range(leaders):
        leader = s.leader[2 * i]
        write_shed(t, row, s.voxel[leader], t.cells + t.start[row] + leader, 1 + s.leader[2 * i + 1], key, p,
                   &box.shed[box.n_shed])
        box.n_shed += 1
    if leaving:
        send_away(t, row, n + born, s, box)
    put_back(t, row, n + born, s, counts)
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
        cells=&cells[0] if cells.shape[0] else NULL, start=&start[0], n=&n[0], capacity=&capacity[0],
        counts=&counts[0, 0], new_counts=&new_counts[0, 0], oxygen=&oxygen[0, 0], neighbors=&neighbors[0, 0],
        keys=&keys[0], coords=&coords[0, 0], vessel_first=&first[0],
        vessel_index=&index[0] if index.shape[0] else NULL,
        segments=&segments[0] if segments.shape[0] else NULL, detach=&detach[0])
    cdef scratch_t s = scratch_t(
        room=words.shape[1], first=&words[0, 0], xy=&words[1, 0], zc=&words[2, 0], traits=&words[3, 0],
        leader=<int32_t*>&words[4, 0], voxel=&halves[0, 0], code=&halves[1, 0], hit=<uint8_t*>&halves[2, 0])
    cdef outbox_t box = outbox_t(
        migrants=&migrants[0], shed=&shed[0], n_migrants=progress[1], n_shed=progress[2],
        room_migrants=migrants.shape[0], room_shed=shed.shape[0])
    cdef voxel_table_t table
    cdef Py_ssize_t row = progress[0]
    cdef int full = 0
    memset(&table, 0, sizeof(table))
    with nogil:
        while row < n.shape[0]:
            full = one_tile(&t, row, &params, &s, &table, &box, &progress[3])
            if full:
                break
            row += 1
    progress[0], progress[1], progress[2] = row, box.n_migrants, box.n_shed
    return row if full else -1
