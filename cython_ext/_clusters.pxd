# Cells that enter a vessel or lymphatics, alone or with neighbors. Header only: it has no .pyx twin.
#
# Who follows whom is a matter of the records alone, so the order of cells in memory has no meaning.
from libc.math cimport floor, log, sqrt
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from _geometry cimport distance2, place_of
from _random cimport unit32
from _rates cimport DRAIN
from _tiles cimport (
    CALM, USE_CHILD, USE_TIME, depart, more_words, nearest, outbox_t, scratch_t, tiles_t, tissue_t, word_t)
from _types cimport CIRCULATING, FLAG_LYMPH, cell_t, ctc_t, inherit, member_t

cdef inline int followers_wanted(const cell_t* c, const float* along, const tissue_t* p,
                                 const uint32_t* r) noexcept nogil:
    """0 for a single cell; else the cluster has 2 + a geometric number of cells."""
    cdef double more
    if unit32(r[2]) >= p.cluster_fraction * along[c.traits.emt] * along[256 + c.traits.adhesion]:
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


cdef inline void lead(scratch_t* s, int k, Py_ssize_t i, int v, int wanted, int action) noexcept nogil:
    """Write the k-th leader: cell i of voxel v, how many followers it wants, and by which action it leaves."""
    s.leader[4 * k], s.leader[4 * k + 1], s.leader[4 * k + 2], s.leader[4 * k + 3] = <int32_t>i, v, wanted, action


cdef inline int gather_cluster(const word_t* record, int v, int wanted, scratch_t* s) noexcept nogil:
    """Take the first `wanted` calm cells of the voxel, in the order of their records; how many."""
    cdef int taken
    cdef int32_t k, best
    for taken in range(wanted):
        best = -1
        for k in range(s.first[v], s.first[v + 1]):
            if s.state[k] == CALM and (best < 0 or before(record + 3 * k, record + 3 * best)):
                best = k
        if best < 0:
            return taken
        depart(s, best, v)
        s.follower[s.followers] = best
        s.followers += 1
    return wanted


cdef inline void order_leaders(const word_t* record, scratch_t* s, int n) noexcept nogil:
    """By voxel, then by record: so that who leads first does not depend on the order of the cells."""
    cdef int i, k
    cdef int32_t a, v, w, action
    for i in range(1, n):
        a, v, w, action = s.leader[4 * i], s.leader[4 * i + 1], s.leader[4 * i + 2], s.leader[4 * i + 3]
        k = i
        while k > 0 and (s.leader[4 * k - 3] > v or (
                s.leader[4 * k - 3] == v and before(record + 3 * a, record + 3 * s.leader[4 * k - 4]))):
            lead(s, k, s.leader[4 * k - 4], s.leader[4 * k - 3], s.leader[4 * k - 2], s.leader[4 * k - 1])
            k -= 1
        lead(s, k, a, v, w, action)


cdef inline int shed_clusters(const tiles_t* t, Py_ssize_t row, scratch_t* s) noexcept nogil:
    """Give each leader its followers (the number replaces the wish); how many cells leave."""
    cdef const word_t* record = <const word_t*>(t.cells + t.start[row])
    cdef int k, total = 0
    order_leaders(record, s, s.leaders)
    for k in range(s.leaders):
        s.leader[4 * k + 2] = gather_cluster(record, s.leader[4 * k + 1], s.leader[4 * k + 2], s)
        total += 1 + s.leader[4 * k + 2]
    return total


cdef inline void write_vessel(const tiles_t* t, Py_ssize_t row, int v, const double* at, ctc_t* out) noexcept nogil:
    """The vessel that it enters: how far its center line is, and its maturity."""
    cdef double gap = 0.0
    cdef int s = nearest(t, row, v, at, &gap)
    out.distance = <float>sqrt(distance2(at[0], at[1], at[2], &t.segments[s]))
    out.maturity = <uint8_t>(255.0 * t.segments[s].maturity + 0.5)


cdef inline void write_shed(const tiles_t* t, Py_ssize_t row, int v, const cell_t* c, int n, int action, uint64_t key,
                            const tissue_t* p, ctc_t* out) noexcept nogil:
    cdef uint32_t r[4]
    cdef double at[3]
    place_of(c, &t.coords[3 * row], v, p.edge_um, at)
    more_words(<const word_t*>c, v, USE_CHILD, key, r)
    memset(out, 0, sizeof(ctc_t))
    out.id = r[0] | <uint64_t>r[1] << 32
    out.x, out.y, out.z = <float>at[0], <float>at[1], <float>at[2]
    out.traits, out.n, out.place = inherit(c.traits), <uint16_t>n, CIRCULATING
    if action == DRAIN:
        out.traits.flags |= FLAG_LYMPH
    else:
        write_vessel(t, row, v, at, out)
    out.bits_shed = c.traits.bits
    out.zone = t.zone[512 * row + v] if t.zone != NULL else 0
    more_words(<const word_t*>c, v, USE_TIME, key, r)
    out.t_shed = out.t_event = p.t_h + unit32(r[0]) * p.dt_h     # any moment of the step


cdef inline void write_members(const cell_t* cells, const int32_t* follower, int n, uint64_t id,
                               member_t* out) noexcept nogil:
    """The n followers of the leader of a cluster, each with its own traits."""
    cdef int k
    for k in range(n):
        out[k].id, out[k].traits, out[k].index = id, inherit(cells[follower[k]].traits), <uint16_t>(k + 1)


cdef inline void write_all_shed(const tiles_t* t, Py_ssize_t row, const tissue_t* p, const scratch_t* s,
                                outbox_t* box) noexcept nogil:
    cdef const cell_t* cells = t.cells + t.start[row]
    cdef const int32_t* leader = s.leader
    cdef const int32_t* follower = s.follower
    cdef int _
    for _ in range(s.leaders):
        write_shed(t, row, leader[1], cells + leader[0], 1 + leader[2], leader[3], s.key, p, &box.shed[box.n_shed])
        write_members(cells, follower, leader[2], box.shed[box.n_shed].id, box.members + box.n_members)
        box.n_shed += 1
        box.n_members += leader[2]
        follower += leader[2]
        leader += 4
