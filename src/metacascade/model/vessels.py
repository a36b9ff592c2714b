"""A step of vessels that live: what is decided, on the state at its start, and in which order.

Maturity, flow and growth are those of the time since the step before. A step changes nothing of the cells.
"""
from __future__ import annotations

import numpy as np

from metacascade._kernels._layout import Draw
from metacascade.base.records import joined
from metacascade.model import sprouts, vessel_oxygen
from metacascade.model.tissue import reachable
from metacascade.model.vessel_rates import Places, unit, words
from metacascade.space.network_imported import ends
from metacascade.space.pieces import (
    CLOSED,
    COLLAPSED,
    HOST,
    JOINED,
    chance,
    exp,
    keys_of_pieces,
    refresh,
)
from metacascade.space.region import keys_of


def begin(tissue) -> None:
    """At the start of a run, let the blood come to its oxygen for the cells that are there. Collective."""
    if tissue.vasculature is not None and tissue.plan.rate("vessel.oxygen_length"):
        _supply_anew(tissue)


def take_up(tissue, former) -> None:
    """Let blood flow as the config says in vessels from a state of the config `former`. Collective.

    Where perfusion is off now nothing is shut; where it is on, and was not with this oxygen, blood comes to its own.
    """
    vessels, config = tissue.vasculature, tissue.config
    if vessels is not None and not config.perfusion.enabled:
        for records in (vessels.pieces.all, vessels.tips.all):
            records["flags"] &= HOST | JOINED
        _supply_anew(tissue)
    elif (former.perfusion, former.oxygen) != (config.perfusion, config.oxygen):
        begin(tissue)


def _supply_anew(tissue):
    """Find where blood flows, with how much oxygen, and what all voxels have of it. Collective."""
    vessels = tissue.vasculature
    vessel_oxygen.pass_on(tissue)
    refresh(vessels.pieces.all)
    vessels.share()
    tissue.vessels = vessels.map(np.arange(len(tissue.region.keys)), tissue.shares)
    tissue.reachable = reachable(tissue.vessels)


def advance(tissue, step: int, time_s: int, scales) -> None:
    """Let the vessels of a Tissue live until `step`, at `time_s`, with rates times `scales`, dict by name. Collective.

    They are pruned; tips advance, branch and meet; perfused vessels sprout; all mature, open and close. Then what is
    new goes to the ranks of its tiles, what was joined is perfused where blood comes to it, and the voxels learn of all
    of it.
    """
    vessels = tissue.vasculature
    sprouts.prune(tissue, time_s, scales)
    a, b = ends(vessels.pieces.all)
    places = Places(tissue, vessels.pieces.row, (a + b) * 0.5)
    grown, tips, met = sprouts.grow(tissue, step, scales)
    born = sprouts.sprout(tissue, places, step, time_s, scales)
    mature(tissue, places, scales)
    collapse(tissue, places, step, scales)
    _settle(tissue, grown, joined(tips, born))
    flow(tissue, step, scales)
    join(tissue, met)
    vessel_oxygen.pass_on(tissue)
    refresh(vessels.pieces.all)
    vessels.share()
    tissue.vessels = vessels.renew(tissue.vessels, tissue.shares)
    tissue.reachable = reachable(tissue.vessels)


def are_due(tissue, time_s: int) -> bool:
    """Do the vessels have a step at a time? Not at the start of a run, nor where nothing of them lives any more."""
    due = time_s > 0 and time_s % tissue.config.vessels.interval_s == 0
    return due and tissue.vasculature is not None and tissue.plan.vessels_live


def scales(tissue, schedule, time_s: int) -> dict:
    """What the rates of vessels were scaled by since the step before, on average."""
    return schedule.means(time_s - tissue.config.vessels.interval_s, time_s, "vessel.")


def _settle(tissue, grown, tips):
    """New pieces, and all tips, go to the owners of their tiles. Collective."""
    vessels, region = tissue.vasculature, tissue.region
    sections = {name: (records, region.owner(keys_of(vessels.place_of(records))))
                for name, records in (("pieces", grown), ("tips", tips))}
    arrived = tissue.exchange.route(sections)
    row = {name: region.rows_at(vessels.place_of(records)) for name, records in arrived.items()}
    vessels.pieces = vessels.pieces.more(arrived["pieces"], row["pieces"], len(region.keys))
    vessels.tips = vessels.tips.chosen(np.zeros(len(vessels.tips.all), bool)).more(
        arrived["tips"], row["tips"], len(region.keys))


def join(tissue, met) -> None:
    """Join vessels up to an index, all the way to what is perfused already. Collective.

    `met`: ndarray of MET, what of vessels has met another. The first piece of a vessel passes it on to what that sprang
    from. Every rank hears of all, and applies it to its own pieces.
    """
    world, pieces = tissue.exchange.world, tissue.vasculature.pieces.all
    while True:
        everyone = joined(*world.allgather(met))
        if not len(everyone):
            return
        vessel, index = sprouts.farthest(everyone)
        at = np.minimum(np.searchsorted(vessel, pieces["vessel"]), len(vessel) - 1)
        new = (vessel[at] == pieces["vessel"]) & (pieces["index"] <= index[at]) & (pieces["flags"] & JOINED == 0)
        pieces["flags"][new] |= JOINED
        roots = pieces[new & (pieces["index"] == 0)]
        met = np.empty(len(roots), sprouts.MET)
        met["vessel"], met["index"] = roots["parent"], roots["parent_index"]


def mature(tissue, places, scales) -> None:
    """dm/dt = (1 - m) mature - m loosen over the interval, exact, of what is joined."""
    pieces, dt = tissue.vasculature.pieces.all, tissue.config.vessels.interval_s / 3600
    up, down = places.rate("vessel.mature", scales), places.rate("vessel.loosen", scales)
    total = up + down
    acts = (pieces["flags"] & JOINED > 0) & (total > 0.0)
    goal = np.divide(up, total, out=np.zeros(len(up)), where=acts)
    m = pieces["maturity"].astype(float)
    pieces["maturity"] = np.where(acts, goal + (m - goal) * exp(-total * dt), m).astype(np.float32)


def flow(tissue, step, scales) -> None:
    """Vessels that have grown open and close: each whole, with its tip."""
    plan, dt = tissue.plan, tissue.config.vessels.interval_s / 3600
    shut, open_ = plan.number("vessel.close", scales), plan.number("vessel.open", scales)
    for records in (tissue.vasculature.pieces.all, tissue.vasculature.tips.all):
        draw = unit(words(tissue.config.run.seed, Draw.FLOW, records["vessel"], step)[:, 0])
        is_shut, rates = records["flags"] & CLOSED > 0, (np.full(len(records), rate) for rate in (shut, open_))
        changes = _switched(is_shut, *rates, dt, draw) & (records["flags"] & HOST == 0)
        records["flags"] ^= np.where(changes, CLOSED, 0).astype(np.uint8)


def collapse(tissue, places, step, scales) -> None:
    """Pieces are pressed shut, and recover."""
    pieces, dt = tissue.vasculature.pieces.all, tissue.config.vessels.interval_s / 3600
    if not (tissue.plan.number("vessel.collapse", scales) or (pieces["flags"] & COLLAPSED).any()):
        return
    shut, open_ = places.rate("vessel.collapse", scales), places.rate("vessel.recover", scales)
    draw = unit(words(tissue.config.run.seed, Draw.COLLAPSE, keys_of_pieces(pieces), step)[:, 0])
    changes = _switched(pieces["flags"] & COLLAPSED > 0, shut, open_, dt, draw)
    pieces["flags"] ^= np.where(changes, COLLAPSED, 0).astype(np.uint8)


def _switched(off, off_per_h, on_per_h, dt, draw):
    """Which of two states changes over dt, exact: by the chance to be in the other one at its end."""
    total = off_per_h + on_per_h
    share = np.divide(np.where(off, on_per_h, off_per_h), total, out=np.zeros(len(total)), where=total > 0.0)
    return draw < share * chance(total * dt)
