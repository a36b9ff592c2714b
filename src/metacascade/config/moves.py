"""Whether motile cells move as they are told: not too far in a step, not more than they can, and not so slowly that
they stand still."""
import math
from collections.abc import Iterator

from metacascade.base import units
from metacascade.base.units import show_time
from metacascade.config.read import Problem
from metacascade.config.windows import largest, windows
from metacascade.mechanisms.factors import BIASES, Pair, Table
from metacascade.mechanisms.terms import LOWER, RAISE

LARGEST_MOVE = 0.8                 # [voxel edges] root mean square displacement of a step, along one axis
LARGEST_DIRECTED = 1.0             # [voxel edges] directed displacement of a step
LEAST = 1 / 512                    # of tissue.speed: what is slower rounds to 0, see `model.motion`
MOTION = "tissue.speed"
IN_MOTION = (MOTION, "tissue.persistence", *BIASES)
BESIDE = (("haptotaxis", "bias"), ("chemotaxis", "bias"), ("therapy",))


def moves_um(config, plan) -> tuple[float, float]:
    """Largest displacement of a cell in one step [um]: sqrt(2 v^2 tau / 3 dt) along one axis, and directed.

    With the speed of the fastest cells, and factors of mechanisms of the user and therapies.
    """
    step_h, more = config.run.step_h, largest(config)
    speed, persistence_h = (plan.number(f"tissue.{name}", more) for name in ("speed", "persistence"))
    for factor in plan.factors_of(MOTION):
        if isinstance(factor, (Table, Pair)):
            speed *= max(_values(factor))
    return speed * math.sqrt(2 * persistence_h / 3 * step_h), sum(shares(config, plan).values()) * speed * step_h


def shares(config, plan) -> dict[str, float]:
    """The shares of the motion that are directed, at most, by the names of their rates."""
    more = largest(config)
    return {name: share for name in BIASES if (share := plan.number(name, more))}


def _values(factor):
    return factor.values if isinstance(factor, Table) else [number for row in factor.values for number in row]


def problems(config, plan) -> Iterator[Problem]:
    """Shares of the motion that are more than all of it, and cells that move too far in a step."""
    if not config.has_tissue:
        return
    directed = shares(config, plan)
    if (total := sum(directed.values())) > 1.0 + 1e-9:
        told = ", ".join(f"{name} {share:.3g}" for name, share in directed.items())
        yield Problem(("migration", "bias"), f"the shares of a cell's motion that are directed add up to {total:.3g} "
                      f"and may be 1 at most ({told}; therapies included): lower one of them", BESIDE)
    else:
        yield from _too_far(config, plan)


def _too_far(config, plan):
    (random, directed), edge = moves_um(config, plan), config.tissue.edge_um
    shorter = min((LARGEST_MOVE * edge / random) ** 2 if random else 1,
                  LARGEST_DIRECTED * edge / directed if directed else 1)
    if shorter < 1:
        step_s = max(1, math.floor(config.run.step_s * shorter))
        included = " (therapies included)" if any(plan.rate in IN_MOTION for plan in windows(config)) else ""
        yield Problem(
            ("migration", "speed"), f"a cell would move {max(random, directed):.3g} um in a step{included}, too far "
            f"for voxels of {units.plain(edge)} um; shorten run.step to {show_time(step_s)} or less",
            (("run", "step"), ("migration", "persistence"), ("migration", "bias"), ("tissue", "voxel"), ("therapy",)))


def slow(plan) -> Iterator[str]:
    """Motile cells that stand still, as speeds are whole numbers of 1/256 of tissue.speed."""
    if not plan.number(MOTION):
        return
    least = math.prod(_least(plan, factor) for factor in plan.factors_of(MOTION) if isinstance(factor, (Table, Pair)))
    if least < LEAST:
        yield (f"tissue.speed: the slowest motile cells would have {least:.2g} of it; below 1/512 it counts as 0, so "
               "they stand still")


def _least(plan, factor) -> float:
    """The least factor that is not 0, over the bytes that motile cells may have."""
    if factor.by == "emt":
        changes = [rate.step for rate in plan.rates if rate.action in (RAISE, LOWER) and rate.byte == "emt"]
        rows = [factor.values[min([*changes, 255])], factor.values[255]]
    else:
        trait = next((one for one in plan.traits if one.name == factor.by), None)
        mutates = trait is None or trait.mutation.number and trait.step.number
        low, high = (0.0, 1.0) if trait is None else (trait.low, trait.high) if mutates else (trait.founder.number,) * 2
        rows = factor.values[round(255 * low):round(255 * high) + 1]
    numbers = rows if isinstance(factor, Table) else [number for row in rows for number in row]
    return min((number for number in numbers if number > 0.0), default=1.0)
