"""Ways of the tips of vessels: cut where they pass from tile to tile, and where they come upon other vessels."""
from __future__ import annotations

import numpy as np

from metacascade.base.records import chosen, joined
from metacascade.base.tiles import EDGE
from metacascade.space.network_imported import ends
from metacascade.space.network_index import ranges
from metacascade.space.pieces import HOST, JOINED, SHORTEST_UM, lengths
from metacascade.space.region import OFFSETS


def cut_ways(a: np.ndarray, b: np.ndarray, edge_um: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pieces of ways a-b, none longer than a tile, one behind the other: the way of each, and its ends."""
    side = EDGE * edge_um
    low, high = np.floor(a / side), np.floor(b / side)
    plane, d = np.maximum(low, high) * side, b - a
    cuts = low != high
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(cuts, (plane - a) / d, 2.0)
    points, times = [a], []
    for axis in range(3):
        at = np.clip(t[:, axis], 0.0, 1.0)
        point = a + at[:, None] * d
        point[:, axis] = np.where(cuts[:, axis], plane[:, axis], b[:, axis])
        points.append(np.where(cuts[:, axis, None], point, b))
        times.append(t[:, axis])
    order = np.argsort(np.stack(times, axis=1), axis=1, kind="stable")
    inner = np.stack(points[1:], axis=1)[np.arange(len(a))[:, None], order]
    whole = np.concatenate([a[:, None], inner, b[:, None]], axis=1)
    start, end = whole[:, :-1].reshape(-1, 3), whole[:, 1:].reshape(-1, 3)
    way = np.repeat(np.arange(len(a)), whole.shape[1] - 1)
    there = lengths(start, end) >= SHORTEST_UM
    return way[there], start[there], end[there]


def nearest(p, q, c, d) -> tuple[np.ndarray, np.ndarray]:
    """(squared distance, place on c-d) where segments p-q and c-d are nearest to each other (Ericson 2005, 5.1.9)."""
    u, v, r = q - p, d - c, p - c
    uu, vv, uv, ur, vr = (_dot(x, y) for x, y in ((u, u), (v, v), (u, v), (u, r), (v, r)))
    det = uu * vv - uv * uv
    with np.errstate(divide="ignore", invalid="ignore"):
        s = np.where(det > 1e-12 * uu * vv, np.clip((uv * vr - ur * vv) / det, 0.0, 1.0), 0.0)
        t = np.where(vv > 0.0, (uv * s + vr) / vv, 0.0)
        held = np.clip(t, 0.0, 1.0)
        s = np.where((t != held) & (uu > 0.0), np.clip((uv * held - ur) / uu, 0.0, 1.0), s)
    place = c + held[:, None] * v
    off = p + s[:, None] * u - place
    return _dot(off, off), place


def _dot(x, y):
    return x[:, 0] * y[:, 0] + x[:, 1] * y[:, 1] + x[:, 2] * y[:, 2]


class Met:
    """What tips come upon on their ways p-q.

    Attributes
    ----------
    tip : ndarray of int64
        Rows of the tips that meet a vessel.
    piece : ndarray of PIECE
        That which is nearest to the way of each.
    place : ndarray, shape (n, 3)
        The place on its center line that is nearest to the way.
    """

    def __init__(self, vasculature, tips, row, p, q, reach_um: float, shortest_um: float):
        long = np.flatnonzero(tips["length"] + 0.5 * lengths(p, q) >= shortest_um)
        tip, pieces = _candidates(vasculature, row[long], p[long], q[long], reach_um)
        tip = long[tip]
        may = _may_meet(tips, tip, pieces)
        tip, pieces = tip[may], chosen(pieces, may)
        distance2, place = nearest(p[tip], q[tip], *ends(pieces))
        reach = pieces["radius"].astype(float) + reach_um
        order = np.lexsort((pieces["index"], pieces["vessel"], distance2, tip))
        order = order[(distance2 <= reach * reach)[order]]
        self.tip, first = np.unique(tip[order], return_index=True)
        self.piece, self.place = chosen(pieces, order[first]), place[order[first]]

    def keep(self, which: np.ndarray) -> None:
        """Forget the others."""
        self.tip, self.piece, self.place = self.tip[which], chosen(self.piece, which), self.place[which]

    def link(self, laid: np.ndarray, of: np.ndarray) -> None:
        """Write into the last piece that each tip has laid which one it ends on; `of`: the tip of each, ascending."""
        last = np.searchsorted(of, self.tip, side="right") - 1
        laid["met"][last], laid["met_index"][last] = self.piece["vessel"], self.piece["index"]


def _may_meet(tips, tip, pieces):
    """A tip does not meet its own vessel, nor one of its own tree before that is joined, nor one without end."""
    of_tip, flags = tips[tip], pieces["flags"]
    joined_ = (flags & JOINED) > 0
    return (pieces["vessel"] != of_tip["vessel"]) & (joined_ | (pieces["root"] != of_tip["root"]) & (flags & HOST == 0))


def _candidates(vasculature, row, p, q, reach_um):
    """Pairs (tip, piece) of tiles that the way of a tip, with what it may reach, touches."""
    side = EDGE * vasculature.edge_um
    region, pieces, ghosts = vasculature.region, vasculature.pieces, vasculature.ghosts
    widest = max(float(part.all["radius"].max(initial=0.0)) for part in (pieces, ghosts))
    around = region.neighbors[row].astype(np.int64)
    low = (region.coords[row][:, None] + OFFSETS) * side
    margin = reach_um + widest
    touched = (np.minimum(p, q)[:, None] - margin <= low + side) & (np.maximum(p, q)[:, None] + margin >= low)
    tip, k = np.nonzero(touched.all(axis=2) & (around >= 0))
    tile = around[tip, k]
    own = tile < len(region.keys)
    found, rows = [], []
    for part, which, first in ((pieces, own, 0), (ghosts, ~own, len(region.keys))):
        at = tile[which] - first
        number = part.numbers(at)
        found.append(chosen(part.all, ranges(part.first[at], part.first[at + 1])))
        rows.append(np.repeat(tip[which], number))
    return np.concatenate(rows), joined(*found)
