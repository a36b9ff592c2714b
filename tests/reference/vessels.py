"""Plain Python twins of ``_lattice`` and ``_vessels``: scalars from ``math``, loops over everything."""
import math

import numpy as np

from metacascade._kernels._layout import Draw, draws
from metacascade._kernels._vessels import SEGMENT

TWO_PI = 6.283185307179586
SLACK = 1e-6


def unit32(word):
    return (int(word) + 0.5) * (1.0 / 4294967296.0)


def node_key(i, j, k):
    origin, mask = 1 << 20, (1 << 21) - 1
    return (i + origin & mask) | (j + origin & mask) << 21 | (k + origin & mask) << 42


def words(seed, use, a, b):
    return draws(seed, int(use), np.array([a], np.uint64), np.array([b], np.uint32))[0]


def node(p, *place):
    """Place of a node [um]; `p` is a Lattice."""
    r = words(p.seed, Draw.NODE, node_key(*place), 0)
    return [(place[k] + p.jitter * (2.0 * unit32(r[k]) - 1.0)) * p.spacing for k in range(3)]


def vessel(p, place, axis):
    """(radius, maturity) of the edge from a node along an axis, or None."""
    r = words(p.seed, Draw.SEGMENT, node_key(*place), axis)
    if unit32(r[0]) < p.drop:
        return None
    size, angle = math.sqrt(-2.0 * math.log(unit32(r[1]))), TWO_PI * unit32(r[2])
    radius = min(p.radius * math.exp(p.radius_spread * (size * math.cos(angle))), p.radius_limit)
    maturity = min(max(p.maturity_mean + p.maturity_spread * (size * math.sin(angle)), 0.0), 1.0)
    return radius, maturity


def lattice_tile(p, tile, edge, margin):
    """Segments near a tile, from far more nodes than can matter; order (k, j, i, axis)."""
    side = 8 * edge
    low = [t * 8.0 * edge for t in tile]
    far = margin + p.radius_limit + 3.0 * p.spacing
    span = [range(math.floor((x - far) / p.spacing), math.ceil((x + side + far) / p.spacing) + 1) for x in low]
    nodes, found = {}, []
    for k in span[2]:
        for j in span[1]:
            for i in span[0]:
                for axis in range(3):
                    drawn = vessel(p, (i, j, k), axis)
                    if drawn is None:
                        continue
                    other = tuple(n + (m == axis) for m, n in enumerate((i, j, k)))
                    a, b = (nodes.setdefault(n, node(p, *n)) for n in ((i, j, k), other))
                    reach = margin + float(np.float32(drawn[0])) + SLACK
                    d = [b[m] - a[m] for m in range(3)]
                    if box_distance2(a, d, low, side) <= reach * reach:
                        found.append((*a, *b, *drawn, 1, 0, 0, 0))
    return np.array(found, SEGMENT)


def outside(p, low, high):
    return p - low if p < low else (p - high if p > high else 0.0)


def slope(a, d, low, edge, t):
    total = 0.0
    for k in range(3):
        total += d[k] * outside(a[k] + t * d[k], low[k], low[k] + edge)
    return total


def box_distance2(a, d, low, edge):
    """Squared distance of the segment a .. a + d from a cube, by the sign of its slope at the planes."""
    t0, t1 = 0.0, 1.0
    g0, g1 = slope(a, d, low, edge, 0.0), slope(a, d, low, edge, 1.0)
    if g0 >= 0.0:
        t = 0.0
    elif g1 <= 0.0:
        t = 1.0
    else:
        for k in range(6):
            if d[k >> 1] == 0.0:
                continue
            t = (low[k >> 1] + (k & 1) * edge - a[k >> 1]) / d[k >> 1]
            if t0 < t < t1:
                g = slope(a, d, low, edge, t)
                if g < 0.0:
                    t0, g0 = t, g
                else:
                    t1, g1 = t, g
        t = t0 - g0 * (t1 - t0) / (g1 - g0)
    total = 0.0
    for k in range(3):
        g = outside(a[k] + t * d[k], low[k], low[k] + edge)
        total += g * g
    return total


def pieces(a, d, edge):
    """(voxel, t0, t1) of the parts into which the planes of the grid cut the line a .. a + d."""
    voxel = [math.floor(a[k] / edge) if d[k] >= 0.0 else math.ceil(a[k] / edge) - 1 for k in range(3)]
    t = 0.0
    while t < 1.0:
        crossing = [((voxel[k] + (d[k] > 0.0)) * edge - a[k]) / d[k] if d[k] != 0.0 else 2.0 for k in range(3)]
        cut = max(t, min(1.0, *crossing))
        yield tuple(voxel), t, cut
        t = cut
        for k in range(3):
            if crossing[k] <= cut:
                voxel[k] += 1 if d[k] > 0.0 else -1


def conductance(radius, along, edge, wall, diffusion):
    """Of a vessel, per length: its wall in series with the tissue up to the voxels."""
    if wall <= 0.0:
        return 0.0
    grid = 0.2 * edge * (abs(along[0]) + abs(along[1]) + abs(along[2]))
    equivalent = 1.06 * math.sqrt(radius * radius + grid * grid)
    return 1.0 / (1.0 / (TWO_PI * radius * wall) + math.log(equivalent / radius) / (TWO_PI * diffusion))


def across(along):
    """Two unit vectors across a unit vector."""
    k = min(range(3), key=lambda i: abs(along[i]))
    p, q = (k + 1) % 3, (k + 2) % 3
    length = math.sqrt(along[p] * along[p] + along[q] * along[q])
    u = [0.0, 0.0, 0.0]
    u[p], u[q] = -along[q] / length, along[p] / length
    return u, [along[(i + 1) % 3] * u[(i + 2) % 3] - along[(i + 2) % 3] * u[(i + 1) % 3] for i in range(3)]


def wall_lines(a, d, length, radius):
    """Where eight lines along the wall of a vessel begin."""
    u, v = across([x / length for x in d])
    for i in range(8):
        angle = TWO_PI * (i + 0.3) / 8
        yield [a[k] + radius * (math.cos(angle) * u[k] + math.sin(angle) * v[k]) for k in range(3)]


def map_tile(tile, segments, edge, reach, walls, shares=()):
    """supply float32 (fields, 512) and the list of rows of `segments` for each voxel, every voxel looked at.

    A wall with a third number, 1, counts a segment by its share.
    """
    supply, lists = [[0.0] * 512 for _ in walls], [[] for _ in range(512)]
    for row, s in enumerate(segments):
        if not s["perfused"]:
            continue
        a = [float(s[f]) for f in ("ax", "ay", "az")]
        d = [float(s[f]) - x for f, x in zip(("bx", "by", "bz"), a)]
        length, radius = math.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]), float(s["radius"])
        add_vessel(supply, tile, edge, walls, a, d, length, radius, float(shares[row]) if len(shares) else 1.0)
        limit = radius + reach + SLACK
        for v in range(512):
            low = [(8 * int(tile[k]) + (v >> 3 * k & 7)) * edge for k in range(3)]
            if box_distance2(a, d, low, edge) <= limit * limit:
                lists[v].append(row)
    return np.array(supply, float).reshape(-1, 512).astype(np.float32), lists


def map_cubes(tile, segments, edge, walls):
    """The means of supply over cubes of 2^3 voxels, float32 (fields, 64)."""
    supply = [[0.0] * 512 for _ in walls]
    for s in segments[segments["perfused"] > 0]:
        a = [float(s[f]) for f in ("ax", "ay", "az")]
        d = [float(s[f]) - x for f, x in zip(("bx", "by", "bz"), a)]
        length = math.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
        add_vessel(supply, tile, edge, walls, a, d, length, float(s["radius"]), 1.0)
    by_voxel, total = np.array(supply).reshape(-1, 4, 2, 4, 2, 4, 2), np.zeros((len(walls), 4, 4, 4))
    for z, y, x in np.ndindex(2, 2, 2):
        total = total + by_voxel[:, :, z, :, y, :, x]
    return (total / 8.0).reshape(-1, 64).astype(np.float32)


def add_vessel(supply, tile, edge, walls, a, d, length, radius, share):
    """Add the exchange of a segment with the voxels of a tile, for each field."""
    if length == 0.0:
        return
    along = [x / length for x in d]
    weights = [conductance(radius, along, edge, *wall[:2]) / (8 * (edge * edge * edge)) for wall in walls]
    weights = [weight * share if wall[2:] == (1,) else weight for weight, wall in zip(weights, walls)]
    for start in wall_lines(a, d, length, radius):
        for voxel, t0, t1 in pieces(start, d, edge):
            x, y, z = (voxel[k] - 8 * int(tile[k]) for k in range(3))
            if 0 <= x < 8 and 0 <= y < 8 and 0 <= z < 8:
                for weight, one in zip(weights, supply):
                    one[64 * z + 8 * y + x] += weight * (length * (t1 - t0))
