"""How far blood has come through tissue that takes its oxygen: `along` of each piece of a vessel that lives.

A piece of length l and radius r among cells of density n costs l min(n, 1) (r0 / r)^2: what is taken up around a vessel
is the same for all, and flow goes with the square of the radius. A piece of the host without cells round it is at 0; of
all others `along` is the least of those of the pieces that touch it, and its own cost: it is that of its farther end.
It is found anew in each step of the vessels.
"""
from __future__ import annotations

import numpy as np

from metacascade.base.records import joined
from metacascade.space.network_imported import ends
from metacascade.space.pieces import HOST, JOINED, exp, keys_of_pieces, lengths, mixed

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
    """Find `along` of all joined pieces, on all ranks. Collective.

    It starts from the pieces of the host without cells round them, at 0, and goes on until nothing becomes less
    (Bellman and Ford): as no step takes a value up, the end does not depend on the order, nor on the ranks. What is
    connected to none of these pieces stays as it was.
    """
    vessels, own = tissue.vasculature, tissue.vasculature.pieces.all
    if not tissue.microenvironment.falls:
        return
    a, b = ends(own)
    before, acts = own["along"].copy(), own["flags"] & JOINED > 0
    free = acts & (places.signal("density") == 0.0) & (own["flags"] & HOST > 0)
    price = cost(tissue, places, lengths(a, b), own["radius"])
    own["along"] = np.where(acts, np.where(free, 0.0, np.inf), before)
    changed = True
    while changed:
        vessels.share()
        changed = tissue.exchange.world.sum([int(_relax(own, vessels.ghosts.all, acts, price))])[0] > 0
    lost = acts & np.isinf(own["along"])
    own["along"][lost] = before[lost]


def _relax(own, ghosts, acts, price) -> bool:
    """Lower `along` of our pieces by what touches them and by what they sprang from, until none changes; did any?"""
    known, n = joined(own, ghosts), len(own)
    node, mother = np.unique(_nodes(*ends(known)), return_inverse=True)[1].reshape(2, -1), _mother(known, n)
    value = np.append(np.where(known["flags"] & JOINED > 0, known["along"], np.float32(np.inf)), np.float32(np.inf))
    nodes, any_change = np.empty(node.max(initial=-1) + 1, np.float32), False
    while True:
        nodes[:] = np.inf
        np.minimum.at(nodes, node.ravel(), np.tile(value[:-1], 2))
        least = np.minimum(np.minimum(nodes[node[0, :n]], nodes[node[1, :n]]), value[mother]).astype(float)
        new = np.where(acts, np.minimum(value[:n], (least + price).astype(np.float32)), value[:n])
        if not (new < value[:n]).any():
            return any_change
        value[:n], any_change = new, True
        own["along"][acts] = new[acts]


def _nodes(a, b):
    """A number for each end of each piece, equal where they are: uint64, shape (2, n)."""
    found = []
    for end in (a, b):
        bits, node = np.ascontiguousarray(end + 0.0).view(np.uint64), np.zeros(len(end), np.uint64)
        for k in range(3):
            node = mixed(node ^ bits[:, k])
        found.append(node)
    return np.stack(found)


def _mother(known, wanted):
    """The row of the piece that each of the first `wanted` sprang from; that behind the last if it sprang from none."""
    keys = keys_of_pieces(known)
    order = np.argsort(keys)
    mother = mixed(known["parent"][:wanted] ^ mixed(known["parent_index"][:wanted].astype(np.uint64)))
    at = order[np.minimum(np.searchsorted(keys, mother, sorter=order), len(keys) - 1)] if len(keys) else order
    sprang = (known["index"][:wanted] == 0) & (known["flags"][:wanted] & HOST == 0) & (keys[at] == mother)
    return np.where(sprang, at, len(known))
