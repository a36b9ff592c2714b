"""Where blood comes to from outside of the tumor, and how far through tissue that takes its oxygen: `along` of pieces.

A piece of length l and radius r among cells of density n costs l min(n, 1) (r0 / r)^2: what is taken up around a vessel
is the same for all, and flow goes with the square of the radius. n is taken over some 30 um (`Places.density`). A piece
of the host outside of the tumor is at 0: in a tile without cells that is joined, through others such, to where no tile
is, so not in a necrotic core. Of all others `along` is the least of those of the pieces that it is joined to, and its
own cost: it is that of its farther end. Pieces are joined that touch with their ends, a vessel that has grown and the
piece that it sprang from, and the piece where it met another vessel and that one. No blood comes through a piece that
is shut: what is open and has no other way from outside is cut off. All is found anew in each step of the vessels.
"""
from __future__ import annotations

import numpy as np

from metacascade._kernels import _pieces
from metacascade.base.records import joined
from metacascade.base.tiles import VOXELS
from metacascade.model.vessel_rates import Places
from metacascade.space import masses
from metacascade.space.network_imported import ends
from metacascade.space.pieces import (
    CLOSED,
    COLLAPSED,
    CUT_OFF,
    HOST,
    JOINED,
    exp,
    firsts,
    keys_of,
    keys_of_pieces,
    lengths,
    mixed,
)

STEPS, MOST = 20, 20          # of an e-fold fall; after so many e-folds nothing is left to speak of
SHUT_UM = 2.0**100            # what a way through a shut piece costs: more than all ways through open ones


def shares(length_um, critical):
    """The share of its oxygen that the blood of pieces still has, a function of them.

    1 - along / length down to the share `critical`, and from there, at a, critical exp(-(along - a) / (critical
    length)), which touches that line. `along` counts in steps of length / STEPS, so that the voxels need not look again
    at what has hardly changed.
    """
    critical = min(critical, 1.0)
    way = np.arange(MOST * STEPS + 1) / STEPS
    beyond = np.maximum(way - (1.0 - critical), 0.0)
    late = critical * exp(-beyond / critical) if critical > 0.0 else np.zeros(len(way))
    table = np.where(beyond > 0.0, late, np.maximum(1.0 - way, 0.0)).astype(np.float32)

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


def pass_on(tissue) -> None:
    """Find `along` of all joined pieces, and which of them are cut off, on all ranks. Collective.

    It starts from the pieces of the host outside of the tumor, at 0, and goes on until nothing becomes less (Bellman
    and Ford): as no step takes a value up, the end does not depend on the order, nor on the ranks. What is connected to
    none of these pieces, were all of them open, stays as it was: where its blood comes from is not known.
    """
    vessels, own = tissue.vasculature, tissue.vasculature.pieces.all
    if not tissue.plan.rate("vessel.oxygen_length"):
        return
    before, acts = own["along"].copy(), own["flags"] & JOINED > 0
    shut = own["flags"] & (CLOSED | COLLAPSED) > 0
    price = _costs(tissue) + np.where(shut, SHUT_UM, 0.0)
    source = acts & _outside(tissue)[vessels.pieces.row] & (own["flags"] & HOST > 0)
    own["along"] = np.where(acts, np.where(source, price, np.inf), before)
    vessels.share()
    joints = _joints(joined(own, vessels.ghosts.all))
    while tissue.exchange.world.sum([int(_relax(own, vessels.ghosts.all, joints, acts, price))])[0]:
        vessels.share()
    reached = acts & (own["along"] < SHUT_UM)
    cut_off = acts & ~shut & ~reached & np.isfinite(own["along"])
    own["flags"] = own["flags"] & ~np.uint8(CUT_OFF) | np.where(cut_off, CUT_OFF, 0).astype(np.uint8)
    own["along"] = np.where(reached, own["along"], before)


def _costs(tissue):
    """What each piece costs [um]."""
    own = tissue.vasculature.pieces
    a, b = ends(own.all)
    return cost(tissue, Places(tissue, own.row, (a + b) * 0.5), lengths(a, b), own.all["radius"])


def _outside(tissue):
    """The tiles outside of the tumor: bool, shape (tiles,). Collective."""
    region = tissue.region
    empty = ~tissue.counts[:len(region.keys)].any(axis=1)
    return masses.outside(np.repeat(empty[:, None], VOXELS, axis=1).view(np.uint8), region)[:, 0]


def _joints(known):
    """Where pieces are joined: numbers of the nodes at their ends, and links, as `_pieces.pass_on` has them."""
    node = firsts(_nodes(*ends(known)).ravel()).reshape(2, -1).T
    return np.ascontiguousarray(node), _links(known)


def _relax(own, ghosts, joints, acts, price) -> bool:
    """Lower `along` of our pieces by that of those that they are joined to, until none changes; did any?"""
    node, links = joints
    value = np.concatenate([np.where(records["flags"] & JOINED > 0, records["along"], np.float32(np.inf))
                            for records in (own, ghosts)])
    scratch = np.empty(node.max(initial=-1) + 1, np.float32)
    changed = _pieces.pass_on(node, links, price, acts.view(np.uint8), value, scratch)
    own["along"][acts] = value[:len(own)][acts]
    return changed


def _nodes(a, b):
    """A number for each end of each piece, equal where they are: uint64, shape (2, n)."""
    found = []
    for end in (a, b):
        bits, node = np.ascontiguousarray(end + 0.0).view(np.uint64), np.zeros(len(end), np.uint64)
        for k in range(3):
            node = mixed(node ^ bits[:, k])
        found.append(node)
    return np.stack(found)


def _links(known):
    """Rows of pieces of which an end of the one lies on the other, those that sprang or met, and from or of what:
    int64 of shape (n, 2)."""
    keys = keys_of_pieces(known)
    rows, wanted = [], []
    for name, which in (("parent", (known["index"] == 0) & (known["flags"] & HOST == 0)), ("met", known["met"] > 0)):
        rows.append(np.flatnonzero(which))
        wanted.append(keys_of(known[name][rows[-1]], known[f"{name}_index"][rows[-1]]))
    at = firsts(np.concatenate([keys, *wanted]))[len(keys):]     # of a host's vessel that is there twice, the first
    there = at < len(keys)
    return np.stack([np.concatenate(rows)[there], at[there]], axis=1)
