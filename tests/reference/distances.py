"""Plain Python twin of ``_distances``."""
import math

import numpy as np


def ends(segment):
    return [float(segment["a" + axis]) for axis in "xyz"], [float(segment["b" + axis]) for axis in "xyz"]


def lengths(tiles, segments, near, zones, edge):
    """Length, length perfused and length x maturity by zone of the pieces whose middles lie in the tiles."""
    sums = np.zeros((4, 3), np.int64)
    for t, tile in enumerate(tiles.tolist()):
        if (zones[t] == 3).all():
            continue
        for segment in segments[near[t]:near[t + 1]]:
            a, b = ends(segment)
            d = [q - p for p, q in zip(a, b)]
            length = math.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
            n = max(1, math.ceil(length * 2.0 / edge))
            piece = round(length / n * 1024.0)
            for i in range(n):
                along = (i + 0.5) / n
                k = [math.floor((p + along * q) / edge) - 8 * c for p, q, c in zip(a, d, tile)]
                if all(0 <= one < 8 for one in k):
                    zone = zones[t][k[0] + 8 * k[1] + 64 * k[2]]
                    sums[zone] += piece, piece * bool(segment["perfused"]), piece * round(255.0 * float(segment["maturity"]))
    return sums


def distance(at, segment):
    """Of a place from a center line, ends included."""
    a, b = map(np.array, ends(segment))
    d, p = b - a, np.array(at) - a
    along = 0.0 if not (d @ d) else min(1.0, max(0.0, (p @ d) / (d @ d)))
    return float(np.linalg.norm(p - along * d))


def bin_of(at, segments, width, bins):
    """The bin of a cell: by all perfused segments, the last one if it is farther, or there is none."""
    found = [distance(at, segment) for segment in segments if segment["perfused"]]
    return min(int(min(found) / width), bins - 1) if found else bins - 1
