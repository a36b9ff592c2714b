"""Plain Python twin of ``_pieces``: loops over everything, and the functions of ``math``."""
import math

import numpy as np

from reference.vessels import SLACK, box_distance2


def near_tiles(tiles, around, first, segments, edge, margin):
    """(rows of the segments near each tile, where those of each tile begin)."""
    index, near, side = [], [0], 8.0 * edge
    for tile, rows in zip(tiles.tolist(), around.tolist()):
        low = [x * side for x in tile]
        for row in rows:
            for s in range(first[row], first[row + 1]) if row >= 0 else ():
                a = [float(segments[s][name]) for name in ("ax", "ay", "az")]
                d = [float(segments[s][name]) - x for name, x in zip(("bx", "by", "bz"), a)]
                reach = float(segments[s]["radius"]) + margin + SLACK
                if segments[s]["perfused"] and box_distance2(a, d, low, side) <= reach * reach:
                    index.append(s)
        near.append(len(index))
    return index, near


def pass_on(node, links, price, acts, value):
    """The values after as many rounds as there are pieces, in each of which all look at those of the round before."""
    joined = [{j for j in range(len(value)) if set(node[i]) & set(node[j])} for i in range(len(price))]
    for one, other in links:
        for i, j in ((one, other), (other, one)):
            if i < len(price):
                joined[i].add(j)
    for _ in value:
        value = [min(own, *(np.float32(float(value[j]) + price[i]) for j in joined[i])) if i < len(price) and acts[i]
                 else own for i, own in enumerate(value)]
    return value


def exponentials(x):
    return [math.exp(one) for one in x]


def chances(mean):
    return [-math.expm1(-one) for one in mean]


def normals(words):
    def unit(word):
        return (int(word) + 0.5) * (1.0 / 4294967296.0)

    return [math.sqrt(-2.0 * math.log(unit(a))) * math.cos(6.283185307179586 * unit(b)) for a, b in words]
