"""How far blood has come through tissue that takes its oxygen: `along` of each piece of a vessel that lives.

A piece of length l and radius r among cells of density n costs l min(n, 1) (r0 / r)^2: what is taken up around a vessel
is the same for all, and flow goes with the square of the radius. A piece of the host without cells round it is at 0; of
all others `along` is the least of those of the pieces that touch it, and its own cost: it is that of its farther end.
One pass over all pieces, on the state at the start of a step, so that what changes spreads by one piece in a step
(Bellman 1958).
"""
from __future__ import annotations

import numpy as np

from metacascade.base.records import joined
from metacascade.space.pieces import HOST, JOINED, ends, exp, keys_of_pieces, lengths, mixed

STEPS, MOST = 20, 20          # of an e-fold fall; after so many e-folds nothing is left to speak of


def shares(length_um):
    """The share of its oxygen that the blood of pieces still has, a function of them: exp(-along / length).

    `along` counts in steps of length / STEPS, so that the voxels need not look again at what has hardly changed.
    """
    table = exp(-np.arange(MOST * STEPS + 1) / STEPS).astype(np.float32)

    def of(pieces):
        step = np.rint(pieces["along"].astype(float) * (STEPS / length_um))
        return table[np.minimum(step, MOST * STEPS).astype(np.int64)]
    return of


def cost(tissue, places, length_um, radius_um):
    """What lengths at places cost [um], as above; nothing where oxygen does not fall."""
    if not tissue.microenvironment.falls:
        return np.zeros(len(length_um))
    density = np.minimum(places.signal("density").astype(float), 1.0)
    wide = radius_um.astype(float) / tissue.plan.number("vessel.oxygen_radius")
    return length_um * density / (wide * wide)


def pass_on(tissue, places) -> None:
    """One pass over the joined pieces of this rank, with copies of those beside."""
    vessels, own = tissue.vasculature, tissue.vasculature.pieces.all
    if not (tissue.microenvironment.falls and len(own)):
        return
    known = joined(own, vessels.ghosts.all)
    a, b = ends(known)
    acts, along = known["flags"] & JOINED > 0, known["along"].astype(float)
    best = np.minimum(_touching(_nodes(a, b), np.where(acts, along, np.inf), len(own)), _mother(known, along, len(own)))
    free = (places.signal("density") == 0.0) & (own["flags"] & HOST > 0)
    new = np.where(free, 0.0, best + cost(tissue, places, lengths(a[:len(own)], b[:len(own)]), own["radius"]))
    own["along"] = np.where(acts[:len(own)] & np.isfinite(new), new, own["along"]).astype(np.float32)


def _nodes(a, b):
    """A number for each end of each piece, equal where they are: uint64, shape (2, n)."""
    found = []
    for end in (a, b):
        bits, node = np.ascontiguousarray(end + 0.0).view(np.uint64), np.zeros(len(end), np.uint64)
        for k in range(3):
            node = mixed(node ^ bits[:, k])
        found.append(node)
    return np.stack(found)


def _touching(nodes, value, wanted):
    """The least value among the others that touch each of the first `wanted` pieces; infinite if none does."""
    n = nodes.shape[1]
    node, of, value = nodes.ravel(), np.tile(np.arange(n), 2), np.tile(value, 2)
    order = np.lexsort((of, value, node))
    node, of, value = node[order], of[order], value[order]
    begin = np.flatnonzero(np.append(True, node[1:] != node[:-1]))
    group = np.repeat(np.arange(len(begin)), np.diff(np.append(begin, len(node))))
    second = np.minimum(begin + 1, len(node) - 1)
    least = value[begin], np.where(node[second] == node[begin], value[second], np.inf)
    own = np.arange(len(node)) == begin[group]          # the least is its own
    found = np.full(n, np.inf)
    np.minimum.at(found, of, np.where(own, least[1][group], least[0][group]))
    return found[:wanted]


def _mother(known, value, wanted):
    """The value of the piece that each of the first `wanted` pieces sprang from; infinite if it sprang from none."""
    keys = keys_of_pieces(known)
    order = np.argsort(keys)
    mother = mixed(known["parent"][:wanted] ^ mixed(known["parent_index"][:wanted].astype(np.uint64)))
    at = order[np.minimum(np.searchsorted(keys, mother, sorter=order), len(keys) - 1)] if len(keys) else order
    sprang = (known["index"][:wanted] == 0) & (known["flags"][:wanted] & HOST == 0) & (keys[at] == mother)
    return np.where(sprang, value[at], np.inf)
