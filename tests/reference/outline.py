"""Plain Python twin of ``_outline``, and of the outline of a tumor by flood fill: voxels are (x, y, z), in dicts and sets."""
import math
from collections import Counter
from itertools import product

import numpy as np

BESIDE = ((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1))


# --- of the kernel ---------------------------------------------------------------------------------------

def line_of(v, axis, along=8):
    """Place of voxel v along an axis, and the voxel at the start of its line."""
    stride = along**axis
    k = v // stride % along
    return k, v - k * stride


def beside(values, neighbors, t, v, axis, way, nothing):
    """The value of the voxel, or cube, beside v of tile t, below (way 0) or above it (1) along an axis."""
    along = round(len(values[t]) ** (1 / 3))
    k, start = line_of(v, axis, along)
    k += 2 * way - 1
    if 0 <= k < along:
        return int(values[t][start + k * along**axis])
    other = neighbors[t][2 * axis + way]
    return nothing if other < 0 else int(values[other][start + (k % along) * along**axis])


def add_neighbors(values, neighbors, axis):
    """Of each voxel, or cube, the sum of its value and of those beside it along an axis."""
    return np.array([[int(values[t][v]) + sum(beside(values, neighbors, t, v, axis, way, 0) for way in (0, 1))
                      for v in range(len(values[t]))] for t in range(len(neighbors))],
                    np.uint32).reshape(-1, values.shape[1])


def spread(squared, neighbors, axis, step, beyond):
    """Of each voxel the least of its value and of those beside it, plus `step`, along an axis."""
    return np.array([[min(int(squared[t][v]), *(
        beside(squared, neighbors, t, v, axis, way, beyond) + step for way in (0, 1))) for v in range(512)]
        for t in range(len(neighbors))], np.uint16).reshape(-1, 512)


def label(mask, neighbors):
    """Numbers of masses in the order of the rows, -1 for none, and how many masses there are."""
    labels, found = np.full((len(neighbors), 512), -1), 0
    for start in zip(*np.nonzero(mask)):
        if labels[start] < 0:
            labels[start], stack = found, [start]
            while stack:
                t, v = stack.pop()
                for axis in range(3):
                    k, first = line_of(v, axis)
                    for way, j in ((0, k - 1), (1, k + 1)):
                        other = t if 0 <= j < 8 else neighbors[t][2 * axis + way]
                        if not 0 <= other < len(neighbors):
                            continue
                        there = int(other), first + j % 8 * 8**axis
                        if mask[there] and labels[there] < 0:
                            labels[there] = found
                            stack.append(there)
            found += 1
    return labels, found


# --- of the whole ----------------------------------------------------------------------------------------

def masses(voxels):
    """Sets of voxels that are joined by faces."""
    left, found = set(voxels), []
    while left:
        stack, mass = [left.pop()], set()
        while stack:
            at = stack.pop()
            mass.add(at)
            near = {tuple(a + b for a, b in zip(at, way)) for way in BESIDE} & left
            left -= near
            stack += near
        found.append(mass)
    return found


def dense(cells, tissue, capacity):
    """Voxels of the tissue round which 27 have half of the cells that fill them; `cells`: voxel -> number."""
    total = Counter()
    for (x, y, z), n in cells.items():
        for i, j, k in product((-1, 0, 1), repeat=3):
            total[x + i, y + j, z + k] += n
    return {at for at, n in total.items() if at in tissue and 2 * n >= 27 * capacity}


def largest(voxels, order):
    """The largest mass of voxels; of equals the one with the first voxel in `order`, voxel -> key; None if there are none."""
    return min(masses(voxels), key=lambda mass: (-len(mass), min(order[at] for at in mass)), default=None)


def inside(cells, tissue, capacity, order, gap=0.0):
    """The largest mass of dense voxels with its holes."""
    tumor = largest(dense(cells, tissue, capacity), order)
    return closed(tumor, tissue, gap) if tumor else set()


def closed(tumor, tissue, gap):
    """A mass, and what no ball of the radius `gap` covers that has come from where no tissue is and touches none of it."""
    sides = range(-math.isqrt(int(gap * gap)), math.isqrt(int(gap * gap)) + 1)
    ball = [way for way in product(sides, repeat=3) if sum(k * k for k in way) <= gap * gap]

    def moved(at, way):
        return tuple(a + b for a, b in zip(at, way))
    free = {at for at in tissue if not any(moved(at, way) in tumor for way in ball)}
    out = [mass for mass in masses(free) if any(moved(at, way) not in tissue for at in mass for way in BESIDE)]
    middle = set().union(*out)
    return {at for at in tissue if at in tumor or
            all(moved(at, way) in tissue and moved(at, way) not in middle for way in ball)}


def squared_distance(at, others):
    """Of a voxel from the nearest of others, an array (n, 3)."""
    return int(((others - np.array(at)) ** 2).sum(axis=1).min())


def deeper(inner, tissue, depth):
    """Voxels inside whose centers lie deeper than `depth` under the outline."""
    around = {tuple(a + b for a, b in zip(at, way)) for at in inner for way in BESIDE} - inner
    outer = np.array(sorted(around)).reshape(-1, 3)
    return {at for at in inner if math.sqrt(squared_distance(at, outer)) - 0.5 > depth}


def body(inner, radius, order):
    """Of what is inside the largest mass that balls of a radius make up which lie inside; all of it if none does."""
    reach = math.floor(max(radius - 0.5, 0)**2)
    sides = range(-math.isqrt(reach), math.isqrt(reach) + 1)
    ball = [way for way in product(sides, repeat=3) if sum(k * k for k in way) <= reach]
    middle = {at for at in inner if all(tuple(map(sum, zip(at, way))) in inner for way in ball)}
    return largest({tuple(map(sum, zip(at, way))) for at in middle for way in ball}, order) or inner


def sprouts(occupied, base, length):
    """How many masses reach farther than `length` out of the body, of what is joined to it by voxels with cells.

    And the largest squared distance from it of all that is joined.
    """
    rooted = set().union(*(mass for mass in masses(occupied | base) if mass & base))
    body_ = np.array(sorted(base)).reshape(-1, 3)
    far = {at: squared_distance(at, body_) for at in rooted - base}
    return len(masses({at for at, d in far.items() if math.sqrt(d) - 0.5 > length})), max(far.values(), default=0)
