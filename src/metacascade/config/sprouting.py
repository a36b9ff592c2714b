"""How far vessels that grow reach in a step: not beyond the tiles that touch that of their tip, which it knows."""
import math

from metacascade.base.limits import EDGE
from metacascade.base.units import plain
from metacascade.config.read import Problem
from metacascade.config.windows import largest
from metacascade.mechanisms.angiogenesis import CUT
from metacascade.mechanisms.terms import Shape

LARGEST_LOG = 700.0           # of what is a number


def largest_um(config, plan) -> dict[str, float]:
    """The way of a tip in a step of the vessels, twice that of the interval in its first, from where it meets a vessel,
    and the radius of one that has grown, by the parameter that says so; with the largest factors. Nothing if off."""
    more = largest(config)
    faster = math.prod(1.0 + one.b.number for one in plan.factors_of("vessel.advance")
                       if isinstance(one, Shape) and one.kind == "boost")
    spread = min(CUT * plan.number("vessel.radius_spread", more), LARGEST_LOG)
    return {"speed": 2.0 * plan.number("vessel.advance", more) * faster * config.vessels.interval_s / 3600,
            "reach": plan.number("vessel.reach", more), "radius": plan.number("vessel.radius", more) * math.exp(spread)}


def problems(config, plan):
    """What a tip would not know of."""
    found, tile_um = largest_um(config, plan), EDGE * config.tissue.edge_um
    if sum(found.values()) < tile_um:
        return
    key = max(found, key=found.get)
    others = [("angiogenesis", name) for name in (*found, "radius_spread") if name != key]
    yield Problem(
        ("angiogenesis", key), f"a tip may go {found['speed']:.3g} um in a step, and meets vessels of up to "
        f"{found['radius']:.3g} um in radius from {found['reach']:.3g} um: together it must be less than a tile of "
        f"{EDGE} voxels of {plain(config.tissue.edge_um)} um; shorten vessels.interval, or make tissue.voxel larger",
        (*others, ("vessels", "interval"), ("tissue", "voxel"), ("therapy",)))
