"""One step of the cells of a tile in plain Python: what _tissue.pyx must equal bit for bit.

Nothing is batched or reordered. The cells of a voxel are a sorted list, since their order has no meaning.
"""
import math
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from metacascade._kernels._layout import CTC, HERITABLE, MEMBER, Action, Draw, Flag
from reference import rates as table_of
from reference.candidates import hash_of, rounded_up, unit64
from reference.movement import WALK, F, beside, biases, put, walk
from reference.philox import draw, philox, unit32, word64

EVENT, CHILD, TIME = range(1, 4)     # uses of random words, besides WALK


@dataclass
class After:
    """A tile after the step."""
    voxels: list = field(default_factory=lambda: [[] for _ in range(512)])   # records: sorted triples of words
    migrants: list = field(default_factory=list)                             # (row, voxel, record, mutant), sorted
    shed: np.ndarray = None                                                  # CTC, sorted by id
    members: np.ndarray = None                                               # MEMBER, sorted by id and index
    tally: Counter = field(default_factory=Counter)


class Tile:
    """A tile before its step: what its voxels do to their cells, and the cells."""

    def __init__(self, t, row, p):
        self.t, self.row, self.p = t, row, p
        self.key = word64(draw(p["seed"], Draw.TILE, int(t.keys[row]), p["step"]))
        self.rates, _, _, self.clone, self.state, self.speed, self.along, self.mutation = t.plan
        self.table = table_of.table(self.rates, t.plan[1], t.plan[2], row, t.counts[row], p["capacity"])
        cells = t.cells[t.start[row]:t.start[row] + t.n[row]].view(np.uint32).reshape(-1, 3).tolist()
        ends = np.cumsum(t.counts[row]).tolist()
        self.voxels = [sorted(map(tuple, cells[a:b])) for a, b in zip([0] + ends[:-1], ends)]
        self.wall = self.walls()
        self.table[self.rates["action"] == Action.SHED] *= self.wall > 0
        self.table[self.state[:, 0, 0] == 0] *= self.motile()
        on = F(p["mobility"] > 0.0)
        self.fall = [on * push(t, row, face, F(p["resistance"])) for face in range(6)]
        f = self.fall
        self.hop = F(p["mobility"]) * ((f[0] + f[1]) + (f[2] + f[3]) + (f[4] + f[5]))
        self.limit, self.bound = zip(*map(rounded_up, self.bounds()))
        self.to_numbers()
        self.bias = biases(t, row)
        self.drawn = {use: self.words_for(use) for use in (WALK, EVENT)}

    def to_numbers(self):
        """What single cells ask for as plain numbers, exact: it is taken out of arrays once, and not for each cell."""
        self.actions, self.near = [Action(int(action)) for action in self.rates["action"]], {}
        self.sheds = [action == Action.SHED for action in self.actions]
        self.signs = [1.0 if action == Action.DIVIDE else -1.0 for action in self.actions]
        self.of_voxel = self.table.T.astype(float).tolist()
        self.of_clone = self.clone.T.astype(float).tolist()
        self.of_bytes = [self.state[:, k].T.astype(float).tolist() for k in range(3)]

    def motile(self):
        """Which voxels have cells with EMT > 0: only to these may happen what never does at EMT 0."""
        return np.array([any(record[2] & 255 for record in cells) for cells in self.voxels])

    def words_for(self, use):
        """The random words of all cells for a use."""
        at = [(record, v) for v, cells in enumerate(self.voxels) for record in cells]
        words = philox(np.array([(*record, v | use << 16) for record, v in at]).reshape(-1, 4), self.key)
        return dict(zip(at, words.tolist()))

    def walls(self):
        """No vessel of a voxel is more permeable; 1 where that is not worth a look, 0 where there is none."""
        vessels = [self.t.index[a:b] for a, b in pairwise(self.t.first[512 * self.row:512 * self.row + 513])]
        loosest = [max((passage(self.p, self.t.segments[k]) for k in listed), default=0.0) for listed in vessels]
        shed = np.zeros(512, F)
        for r in np.flatnonzero(self.rates["action"] == Action.SHED):
            shed = shed + self.table[r] * F(self.rates["most"][r] * self.p["dt_h"])
        worth = shed * self.t.counts[self.row].astype(F) >= F(0.5)
        return np.where(worth, np.array(loosest, F), F(1)) * np.array([len(listed) > 0 for listed in vessels], F)

    def bounds(self):
        """What no cell's chance of any event exceeds, for each voxel; 1 where few cells would be saved."""
        event, birth = np.zeros((2, 512), F)
        for r, rate in enumerate(self.rates):
            most = F(rate["most"] * self.p["dt_h"])
            event = event + self.table[r] * most * (self.wall if rate["action"] == Action.SHED else F(1))
            birth = birth + self.table[r] * (most if rate["action"] == Action.DIVIDE else F(0))
        p = F(1.0001) * (event * (F(1) + birth * (F(0.5) + F(0.25) * birth)) + self.hop)
        return np.where(p > F(0.5), F(1), p).astype(float).tolist()


def push(t, row, face, resistance):
    """What pushes cells over a face of the voxels of a tile: the fall of pressure, less what is resisted more there."""
    there = beside(t.pressure, t, row, face, F(0))
    if t.resisting is not None and resistance > 0:
        there = there + np.maximum(resistance * beside(t.resisting, t, row, face) - resistance * t.resisting[row], F(0))
    return np.maximum(t.pressure[row] - there, F(0))


def step_tile(t, row, p):
    """Advance tile `row` of `t` (the arrays that the kernel takes, by name) with the parameters `p`."""
    if not t.n[row]:
        return After(shed=np.empty(0, CTC), members=np.empty(0, MEMBER))
    tile, after, leaders = Tile(t, row, p), After(), []
    calm = [list(cells) for cells in tile.voxels]
    for v in range(512):
        for record in candidates(tile, v, after):
            event = what_happens(tile, v, record, after)
            if event is not None:
                calm[v].remove(record)
                happen(tile, v, record, event, after, leaders)
    shed = [leave(tile, v, record, calm[v], drained) for v, record, drained in sorted(leaders)]
    after.shed = np.sort(np.array([ctc for ctc, _ in shed], CTC), order="id")
    after.members = np.sort(np.array([member for _, own in shed for member in own], MEMBER), order=["id", "index"])
    after.tally["shed"] = int(after.shed["n"].sum())
    for v in range(512):
        for record in calm[v]:
            walk(tile, v, record, after)
    after.tally["changed_voxel"] += after.tally["hopped"]
    after.voxels = [sorted(cells) for cells in after.voxels]
    after.migrants.sort()
    return after


# --- who is looked at -----------------------------------------------------------------------------------

def candidates(tile, v, after):
    """The cells of a voxel that are looked at: those whose hash is not above its limit."""
    looked_at = [record for record in tile.voxels[v] if hash_of(record, tile.key) <= tile.limit[v]]
    after.tally["looked_at"] += len(looked_at)
    return looked_at


# --- what happens to them -------------------------------------------------------------------------------

def what_happens(tile, v, record, after):
    """None, ("hop", face) or ("rate", index): hops first, then the rates, along the bound of the voxel."""
    high, low, *_ = tile.drawn[EVENT][record, v]
    x, hop, bound = unit64(high, low) * tile.bound[v], float(tile.hop[v]), tile.bound[v]
    if x < hop and bound < 1.0:
        return "hop", face_of(tile, v, x)
    chance = chances(tile, v, record)
    left = 1.0 - (sum_of(chance) if sum_of(chance) <= 1.0 else 1.0)
    after.tally["cut"] += hop > left
    end = min(hop, left)
    if x < end:
        return "hop", face_of(tile, v, x * (hop / end))
    if sum_of(chance) > 1.0:
        chance = [c / sum_of(chance) for c in chance]
    for r, c in enumerate(chance):
        end += c
        if x < end:
            return "rate", r
    return None


def sum_of(chance):
    total = 0.0
    for c in chance:
        total += c
    return total


def face_of(tile, v, x):
    """The face in whose stretch of the chances x lies; if rounding puts it beyond all, the last that has a chance."""
    end, last = 0.0, 0
    for k in range(6):
        chance = F(tile.p["mobility"]) * tile.fall[k][v]
        end += float(chance)
        last = k if chance > 0 else last
        if x < end:
            return k
    return last


def chances(tile, v, record):
    """rate dt (exp(z) - 1) / z of each rate, z their signed sum times dt."""
    rates = rates_of(tile, v, record)
    z = 0.0
    for sign, value in zip(tile.signs, rates):
        z += sign * value
    z = min(z * tile.p["dt_h"], 600.0)             # far above 1, the sum of the chances when they are cut
    factor = tile.p["dt_h"] * (1.0 if z == 0.0 else math.expm1(z) / z)
    return [rate * factor for rate in rates]


def rates_of(tile, v, record):
    """The rates [1/h] of a cell."""
    byte, found = record[2], []
    emt, adhesion, bits = (table[byte >> shift & 255] for table, shift in zip(tile.of_bytes, (0, 8, 16)))
    for r, (value, clone) in enumerate(zip(tile.of_voxel[v], tile.of_clone[record[1] >> 16])):
        value = value * clone * emt[r] * adhesion[r] * bits[r] if value > 0.0 else 0.0
        found.append(value * gate(tile, v, record) if tile.sheds[r] and value > 0.0 else value)
    return found


def gate(tile, v, record):
    """0 beyond the reach of the nearest vessel, else its permeability relative to an immature one."""
    if (v, record) not in tile.near:        # several rates may shed
        tile.near[v, record] = gate_of(tile, v, record)
    return tile.near[v, record]


def gate_of(tile, v, record):
    near = nearest(tile.t, tile.row, v, place_um(tile.t, tile.row, v, record, tile.p["edge_um"]))
    if near is None or near[0] > tile.p["reach_um"]:
        return 0.0
    return passage(tile.p, near[1])


def passage(p, vessel):
    """How permeable a vessel is for cells, relative to an immature one."""
    return p["permeability_mature"] + (1.0 - p["permeability_mature"]) * (1.0 - vessel["maturity"])


def place_um(t, row, v, record, edge):
    inside = (record[0] & 0xFFFF, record[0] >> 16, record[1] & 0xFFFF)
    voxel = (v & 7, v >> 3 & 7, v >> 6)
    return [(8 * int(c) + i + (f + 0.5) / 65536.0) * edge for c, i, f in zip(t.coords[row], voxel, inside)]


def nearest(t, row, v, at):
    """(distance from the wall, segment) of the first in the voxel's list whose wall is nearest."""
    listed = [t.segments[k] for k in t.index[t.first[512 * row + v]:t.first[512 * row + v + 1]].tolist()]
    return min(((math.sqrt(distance2(at, s)) - s["radius"], s) for s in listed),
               key=lambda pair: pair[0], default=None)


def distance2(at, s):
    """From the center line, ends included."""
    a, b = (s["ax"], s["ay"], s["az"]), (s["bx"], s["by"], s["bz"])
    d, q = [j - i for i, j in zip(a, b)], [j - i for i, j in zip(a, at)]
    along = q[0] * d[0] + q[1] * d[1] + q[2] * d[2]
    length2 = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    f = 0.0 if along <= 0.0 else along / length2 if along < length2 else 1.0
    q = [i - f * j for i, j in zip(q, d)]
    return q[0] * q[0] + q[1] * q[1] + q[2] * q[2]


def more(record, v, use, key):
    return philox(np.array([*record, v | use << 16]), key).tolist()


def happen(tile, v, record, event, after, leaders):
    """Carry out an event; who enters a vessel or lymphatics waits among the leaders."""
    kind, index = event
    rate, action = (tile.rates[index], tile.actions[index]) if kind == "rate" else (None, None)
    if kind == "hop":
        after.tally["hopped"] += 1
        axis, step = index >> 1, 1 if index & 1 else -1
        place = [v & 7, v >> 3 & 7, v >> 6]
        place[axis] += step
        put(tile, place, record, after)
    elif action == Action.DIVIDE:
        after.tally["divided"] += 1
        after.voxels[v].append(record)
        born, mutant = daughter(record, v, tile.key, int(tile.mutation[record[1] >> 16]))
        after.tally["mutated"] += mutant > 0
        if mutant:
            after.migrants.append((tile.row, v, born, mutant))
        else:
            after.voxels[v].append(born)
    elif action == Action.REMOVE:
        after.tally[f"cause {rate['detail']}"] += 1
    elif action in (Action.SHED, Action.DRAIN):
        leaders.append((v, record, action == Action.DRAIN))
    else:
        after.tally["switched"] += 1
        after.voxels[v].append((*record[:2], switched(record[2], rate)))


def switched(byte, rate):
    """The third word of a record after SET, CLEAR, RAISE or LOWER; of the last two `detail` is 256 more for adhesion."""
    detail = int(rate["detail"])
    if rate["action"] == Action.SET:
        return byte | detail << 16
    if rate["action"] == Action.CLEAR:
        return byte & ~(detail << 16)
    shift, step = 8 * (detail >> 8), detail & 255
    value = (byte >> shift & 255) + (step if rate["action"] == Action.RAISE else -step)
    return byte & ~(255 << shift) | min(max(value, 0), 255) << shift


def daughter(record, v, key, mutation):
    """She lies anywhere in the voxel, and has the traits of her mother but what tells how that one came.

    Returns (record, 16 bits of the id of her clone, or 0 if she is no mutant).
    """
    x, y, low, high = more(record, v, CHILD, key)
    born = (x ^ 1 if x == record[0] else x, y & 0xFFFF | record[1] & 0xFFFF0000,
            record[2] & 0xFFFFFF | record[2] & int(HERITABLE) << 24)
    return born, (y >> 16 or 1) if low + (high << 32) < mutation else 0


def leave(tile, v, record, calm, drained):
    """The CTC that a leader becomes, and its members; its followers are taken from the calm cells of its voxel."""
    t, row, p = tile.t, tile.row, tile.p
    r = more(record, v, CHILD, tile.key)
    wanted = 0
    if unit32(r[2]) < p["cluster_fraction"] * float(tile.along[0, record[2] & 255]) * float(tile.along[1, record[2] >> 8 & 255]):
        more_cells = math.floor(math.log(unit32(r[3])) / p["cluster_log_more"])
        wanted = 1 + min(more_cells, 65000)
    followers = calm[:wanted]
    del calm[:wanted]
    at = place_um(t, row, v, record, p["edge_um"])
    c = np.zeros((), CTC)
    c["id"] = word64(r)
    c["x"], c["y"], c["z"] = at
    c["n"] = 1 + len(followers)
    for name, value in traits_in_blood(record).items():
        c[name] = value
    if drained:
        c["flags"] |= np.uint8(Flag.LYMPH)
    else:
        _, segment = nearest(t, row, v, at)
        c["distance"], c["maturity"] = math.sqrt(distance2(at, segment)), int(255.0 * segment["maturity"] + 0.5)
    c["bits_shed"], c["zone"] = c["bits"], 0 if t.zone is None else t.zone[row, v]
    c["t_shed"] = c["t_event"] = p["t_h"] + unit32(more(record, v, TIME, tile.key)[0]) * p["dt_h"]
    return c, [(c["id"], *traits_in_blood(follower).values(), index) for index, follower in enumerate(followers, 1)]


def traits_in_blood(record):
    """The traits of a cell that leaves the tissue, by name, in the order of the records."""
    return dict(clone=record[1] >> 16, emt=record[2] & 255, adhesion=record[2] >> 8 & 255, bits=record[2] >> 16 & 255,
                flags=record[2] >> 24 & HERITABLE)
