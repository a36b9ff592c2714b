"""Sprouts: where vessels sprout, how their tips advance, branch and meet, and what is pruned."""
from __future__ import annotations

import numpy as np

from metacascade._kernels._layout import Draw
from metacascade.base.records import chosen, joined
from metacascade.base.tiles import EDGE
from metacascade.mechanisms.angiogenesis import CUT, SIGNAL
from metacascade.model.vessel_oxygen import cost
from metacascade.model.vessel_rates import Places, unit, words
from metacascade.space.meeting import Met, cut_ways
from metacascade.space.network_imported import ends, set_ends
from metacascade.space.pieces import (
    HOST,
    JOINED,
    PIECE,
    chance,
    exp,
    keys_of_pieces,
    lengths,
    mixed,
    normals,
    tiles_of,
)
from metacascade.space.vasculature import TIP

MET = np.dtype([("vessel", "u8"), ("index", "u2")])      # a vessel is joined up to this piece
MOST_PIECES = 65_000          # of a vessel: the number of one is 16 bits
MOST = 3                      # sprouts of a piece in one step
SHORT_UM = 1e-3               # a tip that would advance by less stays


def prune(tissue, time_s, scales) -> None:
    """Forget what is not joined and as old as `vessel.pruning`, on our tiles and on ghosts."""
    vessels = tissue.vasculature
    age_h = tissue.plan.number("vessel.pruning", scales, np.inf)
    for name in ("pieces", "ghosts", "tips"):
        own = getattr(vessels, name)
        old = (time_s - own.all["born"].astype(float)) / 3600 >= age_h
        gone = old & (own.all["flags"] & (HOST | JOINED) == 0)
        if gone.any():
            setattr(vessels, name, own.chosen(~gone))


def grow(tissue, step, scales) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Let the tips of this rank advance: (pieces that they lay, tips as they are now, MET of those that met)."""
    vessels, plan, dt = tissue.vasculature, tissue.plan, tissue.config.vessels.interval_s / 3600
    tips, row = chosen(vessels.tips.all, slice(None)), vessels.tips.row
    if not len(tips) or not plan.rate("vessel.advance"):
        return np.empty(0, PIECE), tips, np.empty(0, MET)
    p = _place(tips)
    places = Places(tissue, row, p)
    pull = pulled(tissue, places, tips, step, scales)
    time = dt * (1.0 + tips["late"] / 65536.0)
    most = EDGE * tissue.config.tissue.edge_um           # config.sprouting: farther would be refused
    q = p + normalized(pull) * np.minimum(places.rate("vessel.advance", scales) * time, most)[:, None]
    met = Met(vessels, tips, row, p, q, plan.number("vessel.reach", scales), plan.number("vessel.shortest", scales))
    q[met.tip] = met.place
    of_met = np.zeros(len(tips), bool)
    of_met[met.tip] = True
    pieces, of = _lay(tissue, tips, p, q, of_met, cost(tissue, places, np.ones(len(tips)), tips["radius"]))
    moved = np.zeros(len(tips), bool)
    moved[of] = True
    of_met &= moved                                      # what has laid nothing has met nothing
    met.keep(moved[met.tip])
    met.link(pieces, of)
    _put(tips, np.where(moved[:, None], q, p), pull)
    draw = _branch_words(tissue, tips, step)
    split = ~of_met & moved & (unit(draw[:, 2]) < chance(places.rate("vessel.branch", scales) * time))
    tips["late"] = 0
    branches = _branches(tissue, tips[split], step, scales, pull[split])
    branches["late"] = draw[split, 3] >> 16
    return pieces, joined(chosen(tips, ~of_met), branches), _messages(tips, met)


def pulled(tissue, places, tips, step, scales):
    """What each tip is pulled by, u, along which it goes: an Ornstein-Uhlenbeck process about g. Shape (n, 3).

    With the time vessel.persistence T, exact over the interval where g is constant: a u + (1 - a) g +
    sqrt(1 - a^2) noise, a = exp(-dt / T); where a therapy makes T nothing, a = 0.
    """
    plan, dt = tissue.plan, tissue.config.vessels.interval_s / 3600
    lasts = plan.number("vessel.persistence", scales)
    keep = float(exp(np.array([-dt / lasts]))[0]) if lasts > 0.0 else 0.0
    former = np.stack([tips[axis] for axis in ("dx", "dy", "dz")], axis=1)
    noise = _noise(tissue, tips, step) * plan.number("vessel.noise", scales)
    return keep * former + (1.0 - keep) * _pull(tissue, places, scales) + np.sqrt(1.0 - keep * keep) * noise


def _pull(tissue, places, scales):
    """g = grad c / (|grad c| + c / sense); nothing without a sense."""
    sense = tissue.plan.number("vessel.sense", scales)
    if SIGNAL not in tissue.microenvironment or sense <= 0.0:
        return np.zeros((len(places.row), 3))
    value, slope = places.gradient(SIGNAL)
    steep = lengths(np.zeros_like(slope), slope) + value / sense
    return np.divide(slope, steep[:, None], out=np.zeros_like(slope), where=steep[:, None] > 0.0)


def _noise(tissue, tips, step):
    """Three standard normal numbers for each tip."""
    first, more = words(tissue.config.run.seed, Draw.TIP, tips["vessel"], step), _branch_words(tissue, tips, step)
    return np.stack([normals(first[:, :2]), normals(first[:, 2:]), normals(more[:, :2])], axis=1)


def _branch_words(tissue, tips, step):
    return words(tissue.config.run.seed, Draw.BRANCH, tips["vessel"], step)


def _lay(tissue, tips, p, q, met, costs):
    """The pieces from p to q, (PIECE, row of the tip of each); the tips get their numbers and lengths.

    A tip whose way leads out of the tiles, or that hardly moves, stays where it is.
    """
    edge, region = tissue.config.tissue.edge_um, tissue.region
    of, start, end = cut_ways(p, q, edge)
    pieces = np.zeros(len(of), PIECE)
    set_ends(pieces, start, end)
    stays = ~met & (lengths(p, q) < SHORT_UM) | (tips["index"] > MOST_PIECES)
    stays |= region.rows_at(np.floor(q / (EDGE * edge)).astype(np.int32)) < 0
    stays[of[region.rows_at(tiles_of(pieces, edge)) < 0]] = True
    pieces, of, start, end = chosen(pieces, ~stays[of]), of[~stays[of]], start[~stays[of]], end[~stays[of]]
    nth = np.arange(len(of)) - np.searchsorted(of, of)
    length = lengths(start, end)
    before = _before(length, nth)
    for name in ("radius", "flags", "born", "vessel", "root", "parent", "parent_index"):
        pieces[name] = tips[name][of]
    pieces["index"] = tips["index"][of] + nth
    pieces["along"] = tips["along"][of] + costs[of] * (before + length)
    tips["index"] += np.bincount(of, minlength=len(tips)).astype(np.uint16)
    laid = np.where(np.isin(np.arange(len(tips)), of), lengths(p, q), 0.0).astype(np.float32)
    tips["along"] += costs * laid
    tips["length"] += laid
    return pieces, of


def _before(length, nth):
    """The length of a way before each of its pieces, which lie one behind the other; the n-th is number n from 0 on.

    Each way is added up by itself: a sum over all of them would round otherwise on other ranks.
    """
    before = np.zeros(len(length))
    for n in range(1, int(nth.max(initial=0)) + 1):
        at = np.flatnonzero(nth == n)
        before[at] = before[at - 1] + length[at - 1]
    return before


def _messages(tips, met):
    """What was joined where tips met: their own vessels up to the last piece, and others that were not."""
    own = tips[met.tip]
    new = np.empty(2 * len(own), MET)
    new["vessel"][:len(own)], new["index"][:len(own)] = own["vessel"], own["index"] - np.uint16(1)
    new["vessel"][len(own):], new["index"][len(own):] = met.piece["vessel"], met.piece["index"]
    return new[np.concatenate([np.ones(len(own), bool), met.piece["flags"] & JOINED == 0])]


def farthest(met) -> tuple[np.ndarray, np.ndarray]:
    """Each vessel once, ascending, with the largest index that there is of it."""
    order = np.lexsort((met["index"], met["vessel"]))
    last = np.append(met["vessel"][order][1:] != met["vessel"][order][:-1], True)
    return met["vessel"][order][last], met["index"][order][last]


def _branches(tissue, tips, step, scales, pull):
    """Tips that begin where these are, each in a vessel of its own."""
    new = np.zeros(len(tips), TIP)
    for name in ("x", "y", "z", "root", "along", "born"):
        new[name] = tips[name]
    new["parent"], new["parent_index"] = tips["vessel"], tips["index"] - np.uint16(1)
    new["vessel"] = mixed(tips["vessel"] ^ mixed(np.full(len(tips), step, np.uint64)))
    new["radius"] = _radius(tissue, new["vessel"], scales)
    _put(new, _place(tips), pull + _noise(tissue, new, step) * tissue.plan.number("vessel.noise", scales))
    return new


def sprout(tissue, places, step, time_s, scales) -> np.ndarray:
    """The tips of sprouts that begin on the perfused pieces of this rank: ndarray of TIP.

    Any time of the step is as likely; what a tip missed of it, it makes good in the next, so that the length of new
    vessels does not depend on the step.
    """
    pieces, dt = tissue.vasculature.pieces.all, tissue.config.vessels.interval_s / 3600
    if not tissue.plan.number("vessel.sprout", scales):
        return np.empty(0, TIP)
    a, b = ends(pieces)
    mean = places.rate("vessel.sprout", scales) * lengths(a, b) * pieces["perfused"] * dt
    rows, key = _sprouting(tissue, pieces, mean, step)
    draw = words(tissue.config.run.seed, Draw.SPROUT, key, step)
    mother, a, b = pieces[rows], a[rows], b[rows]
    new = np.zeros(len(rows), TIP)
    new["vessel"] = new["root"] = mixed(key ^ mixed(np.full(len(rows), step, np.uint64)))
    new["parent"], new["parent_index"] = mother["vessel"], mother["index"]
    new["along"], new["born"] = mother["along"], time_s
    new["late"] = words(tissue.config.run.seed, Draw.BRANCH, new["vessel"], step)[:, 3] >> 16
    new["radius"] = _radius(tissue, new["vessel"], scales)
    at = Places(tissue, places.row[rows], (a + b) * 0.5)
    pull = _pull(tissue, at, scales) + _noise(tissue, new, step) * tissue.plan.number("vessel.noise", scales)
    axis = normalized(b - a)
    pull -= axis * (pull[:, 0] * axis[:, 0] + pull[:, 1] * axis[:, 1] + pull[:, 2] * axis[:, 2])[:, None]
    _put(new, a + unit(draw[:, 1])[:, None] * (b - a), pull)
    return new


def _sprouting(tissue, pieces, mean, step):
    """Rows of the pieces that sprout, as often as they do, a Poisson number but MOST at most; a key for each sprout."""
    key = keys_of_pieces(pieces)
    draw = unit(words(tissue.config.run.seed, Draw.SPROUT, key, step)[:, 0])
    more, of_n, rows, keys = chance(mean), mean * exp(-mean), [], []
    for n in range(1, MOST + 1):                         # more: the chance of n and more
        rows.append(np.flatnonzero(draw < more))
        keys.append(key[rows[-1]] + np.uint64(n))
        more, of_n = more - of_n, of_n * (mean / (n + 1))
    return np.concatenate(rows), np.concatenate(keys)


def _radius(tissue, vessel, scales):
    """Lognormal, cut at CUT standard deviations."""
    plan = tissue.plan
    size = np.clip(normals(words(tissue.config.run.seed, Draw.RADIUS, vessel, 0)[:, :2]), -CUT, CUT)
    return plan.number("vessel.radius", scales) * exp(plan.number("vessel.radius_spread", scales) * size)


def normalized(way: np.ndarray) -> np.ndarray:
    """Unit vectors; of one without length, the x axis."""
    length = lengths(np.zeros_like(way), way)
    unit_ = np.divide(way, length[:, None], out=np.zeros_like(way), where=length[:, None] > 0.0)
    unit_[:, 0] += length == 0.0
    return unit_


def _place(tips):
    return np.stack([tips[axis] for axis in "xyz"], axis=1)


def _put(tips, place, pull):
    for k, axis in enumerate("xyz"):
        tips[axis], tips["d" + axis] = place[:, k], pull[:, k]
