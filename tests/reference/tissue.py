"""One step of the cells of a tile in plain Python: what _tissue.pyx must equal bit for bit.

Every cell is looked at on its own, by the rule; nothing is batched, bounded or reordered. The cells of a
voxel are a sorted list, since their order has no meaning.
"""
import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from metacascade._kernels._layout import CTC, HERITABLE, Draw
from reference.philox import draw, philox, unit32, word64

FACES = (12, 14, 10, 16, 4, 22)      # of the 27 places round a tile: -x, +x, -y, +y, -z, +z
F = np.float32


@dataclass
class After:
    """A tile after the step."""
    voxels: list = field(default_factory=lambda: [[] for _ in range(512)])   # records: sorted triples of words
    migrants: list = field(default_factory=list)                             # (row, voxel, record), sorted
    shed: np.ndarray = None                                                  # CTC, sorted by id
    tally: Counter = field(default_factory=Counter)


def step_tile(t, row, p):
    """Advance tile `row` of `t` (the arrays that the kernel takes, by name) with the parameters `p`."""
    key = word64(draw(p["seed"], Draw.TILE, int(t.keys[row]), p["step"]))
    records = t.cells[t.start[row]:t.start[row] + t.n[row]].view(np.uint32).reshape(-1, 3)
    voxels = np.repeat(np.arange(512), t.counts[row])
    words = philox(np.column_stack([records, voxels]), key).tolist()
    cells = sorted(zip(voxels.tolist(), map(tuple, records.tolist()), words))
    after, leaders, calm = After(), [], []
    for v, record, r in cells:
        event = what_happens(t, row, v, record, p, r[0])
        if event is None:
            calm.append((v, record, r))
        elif event == "divide":
            after.voxels[v] += divide(record, v, key)
            after.tally["divided"] += 1
        elif event == "enter":
            leaders.append((v, record))
        else:
            after.tally[event] += 1
    shed = [leave(t, row, v, record, p, key, calm) for v, record in leaders]
    after.shed = np.sort(np.array(shed, CTC), order="id")
    after.tally["shed"] = int(after.shed["n"].sum())
    for v, record, r in calm:
        place_cell(t, row, v, record, r, p, after)
    after.voxels = [sorted(cells) for cells in after.voxels]
    after.migrants.sort()
    return after


# --- events ---------------------------------------------------------------------------------------------

def what_happens(t, row, v, record, p, word):
    """None, 'enter', 'apoptosis', 'hypoxia' or 'divide': hazards that compete, decided by one number."""
    oxygen, cells = float(t.oxygen[row, v]), int(t.counts[row, v])
    enter = entry(t, row, v, record, p)
    lack = ((p["hypoxia_threshold_mmHg"] - oxygen)
            / (p["hypoxia_threshold_mmHg"] - p["hypoxia_full_mmHg"]))
    lack = p["hypoxia_per_h"] * min(max(lack, 0.0), 1.0)
    divides = (p["birth_per_h"] * oxygen / (oxygen + p["oxygen_half_mmHg"]) * (1.0 - cells / p["capacity"])
               if cells < p["capacity"] else 0.0)
    total = enter + p["death_per_h"] + lack + divides
    chance, u = -math.expm1(-total * p["dt_h"]), unit32(word)
    if u >= chance:
        return None
    at = u / chance * total
    if at >= total:
        at = total * (1.0 - 2.0**-53)
    if at < enter:
        return "enter"
    if at < enter + p["death_per_h"]:
        return "apoptosis"
    return "hypoxia" if at < enter + p["death_per_h"] + lack else "divide"


def entry(t, row, v, record, p):
    """Hazard of entering the nearest vessel."""
    near = nearest(t, row, v, place_um(t, row, v, record, p["edge_um"]))
    if p["enter_per_h"] <= 0.0 or near is None:
        return 0.0
    gap, s = near
    if gap > p["reach_um"]:
        return 0.0
    mature = p["permeability_mature"]
    adhesion = record[2] >> 8 & 255
    return p["enter_per_h"] * (mature + (1.0 - mature) * (1.0 - float(s["maturity"]))) * t.detach[adhesion]


def place_um(t, row, v, record, edge):
    inside = (record[0] & 0xFFFF, record[0] >> 16, record[1] & 0xFFFF)
    voxel = (v & 7, v >> 3 & 7, v >> 6)
    return [(8 * int(c) + i + (f + 0.5) / 65536.0) * edge for c, i, f in zip(t.coords[row], voxel, inside)]


def nearest(t, row, v, at):
    """(distance from the wall, segment) of the first in the voxel's list whose wall is nearest."""
    listed = t.segments[t.index[t.first[512 * row + v]:t.first[512 * row + v + 1]]]
    return min(((math.sqrt(distance2(at, s)) - float(s["radius"]), s) for s in listed),
               key=lambda pair: pair[0], default=None)


def distance2(at, s):
    """From the center line, ends included."""
    a, b = [float(s[i]) for i in ("ax", "ay", "az")], [float(s[i]) for i in ("bx", "by", "bz")]
    d, q = [j - i for i, j in zip(a, b)], [j - i for i, j in zip(a, at)]
    along = q[0] * d[0] + q[1] * d[1] + q[2] * d[2]
    length2 = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    f = 0.0 if along <= 0.0 else along / length2 if along < length2 else 1.0
    q = [i - f * j for i, j in zip(q, d)]
    return q[0] * q[0] + q[1] * q[1] + q[2] * q[2]


def more(record, v, block, key):
    return philox(np.array([*record, v | block << 16]), key).tolist()


def divide(record, v, key):
    """The mother where she was, and her daughter anywhere in the voxel, without what is true of the mother alone."""
    x, y, _, _ = more(record, v, 1, key)
    return [record, (x ^ 1 if x == record[0] else x, y & 0xFFFF | record[1] & 0xFFFF0000,
                     record[2] & (0xFFFFFF | HERITABLE << 24))]


def leave(t, row, v, record, p, key, calm):
    """The CTC that a leader becomes; its followers are taken from the calm cells of its voxel."""
    r = more(record, v, 1, key)
    wanted = 0
    if unit32(r[2]) < p["cluster_fraction"] * (record[2] >> 8 & 255) / 255.0:
        more_cells = math.floor(math.log(unit32(r[3])) / p["cluster_log_more"])
        wanted = 1 + min(more_cells, 65000)
    followers = [cell for cell in calm if cell[0] == v][:wanted]
    for cell in followers:
        calm.remove(cell)
    at = place_um(t, row, v, record, p["edge_um"])
    _, segment = nearest(t, row, v, at)
    c = np.zeros((), CTC)
    c["id"] = word64(r)
    c["x"], c["y"], c["z"] = at
    c["distance"], c["maturity"], c["n"] = math.sqrt(distance2(at, segment)), segment["maturity"], 1 + len(followers)
    c["clone"], c["emt"] = record[1] >> 16, record[2] & 255
    c["adhesion"], c["bits"], c["flags"] = record[2] >> 8 & 255, record[2] >> 16 & 255, record[2] >> 24 & HERITABLE
    c["t_shed"] = c["t_event"] = p["t_h"] + unit32(more(record, v, 2, key)[0]) * p["dt_h"]
    return c


# --- movement -------------------------------------------------------------------------------------------

def place_cell(t, row, v, record, r, p, after):
    """Move a calm cell; note where it lies then."""
    emt = record[2] & 255
    motile = emt + (emt >> 7)
    inside = (record[0] & 0xFFFF, record[0] >> 16, record[1] & 0xFFFF)
    voxel = (v & 7, v >> 3 & 7, v >> 6)
    lean = leans(t, row, v, p)
    at = []
    for axis in range(3):
        dice = (r[1 + axis] & 0xFFFF) + (r[1 + axis] >> 16) - 65535
        walk = ((dice * motile >> 8) * p["amplitude"] + 2048 >> 12) + (lean[axis] * motile >> 8)
        low, high = pushes(t, row, v, axis, p)
        push = 2 * low + ((high - low) * (inside[axis] >> 1) >> 14)
        at.append((voxel[axis] << 16) + inside[axis] + walk + push)
    new = (at[0] & 0xFFFF | (at[1] & 0xFFFF) << 16, at[2] & 0xFFFF | record[1] & 0xFFFF0000, record[2])
    place = [c >> 16 for c in at]
    to = (place[0] & 7) + 8 * (place[1] & 7) + 64 * (place[2] & 7)
    tile = [c >> 3 for c in place]
    if tile == [0, 0, 0]:
        after.voxels[to].append(new)
    else:
        other = t.neighbors[row, 13 + tile[0] + 3 * tile[1] + 9 * tile[2]]
        assert other >= 0, "a cell left the tiles"
        after.migrants.append((int(other), to, new))
    after.tally["changed_voxel"] += tile != [0, 0, 0] or to != v


def beside(array, t, row, v, face):
    """The value of the voxel next to this one; a missing tile mirrors."""
    axis, high = face >> 1, face & 1
    shift = 1 << 3 * axis
    at = v >> 3 * axis & 7
    if 0 <= at + (1 if high else -1) < 8:
        return array[row, v + shift if high else v - shift]
    other = t.neighbors[row, FACES[face]]
    if other < 0:
        return array[row, v]
    return array[other, v - 7 * shift if high else v + 7 * shift]


def pushes(t, row, v, axis, p):
    """Drift at the low and at the high face of a voxel along an axis."""
    if p["push_gain"] == 0:
        return 0, 0
    over = [max(int(n) - p["capacity"], 0) for n in (
        beside(t.counts, t, row, v, 2 * axis), t.counts[row, v], beside(t.counts, t, row, v, 2 * axis + 1))]

    def drift(fall):
        fall = p["push_gain"] * min(max(fall, -4096), 4096)
        return min(max(fall, -p["push_limit"]), p["push_limit"])
    return drift(over[0] - over[1]), drift(over[1] - over[2])


def leans(t, row, v, p):
    """Drift of a fully motile cell up the oxygen gradient, in single precision, toward zero."""
    if not p["lean"] > 0.0:
        return 0, 0, 0
    g = [F(0.5) * (F(beside(t.oxygen, t, row, v, 2 * axis + 1)) - F(beside(t.oxygen, t, row, v, 2 * axis)))
         for axis in range(3)]
    scale = F(p["lean"]) / (np.sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]) + F(p["gradient_half"]))
    return tuple(int(c * scale) for c in g)
