"""How many cells a tumor may have at the end of a run, at most; how many it will have only a run tells.

Want of oxygen and of room slow division down, and that is what a run computes. So this is a bound, and a wide one.
"""
import math

from metacascade.config.windows import largest
from metacascade.mechanisms.terms import DIVIDE, REMOVE, Constant, IfBit, PythonFactor, Shape, Table


def most_cells(config, plan):
    """Of the tumor at the end, on average: as if every factor on division were as large as it can be.

    Deaths count by the rates alone that nothing can lower. Infinite if a factor in Python acts on division.
    """
    if not config.has_tissue:
        return 0.0
    hours = config.run.duration_s / 3600
    exponent = max(_division_per_h(config, plan) - _death_per_h(config, plan), 0.0) * hours
    return config.tumor.cells * math.exp(exponent) if exponent < 600.0 else math.inf


def _division_per_h(config, plan):
    more = largest(config)
    return sum(plan.number(rate.name, more) * math.prod(map(_largest, plan.factors_of(rate.name)))
               for rate in plan.of("tissue") if rate.action == DIVIDE)


def _death_per_h(config, plan):
    treated = largest(config)
    return sum(plan.number(rate.name) for rate in plan.of("tissue") if rate.action == REMOVE
               and rate.name not in treated and all(isinstance(one, Constant) for one in plan.factors_of(rate.name)))


def _largest(factor):
    """What a factor can be at most; of constants 1, as `Plan.number` has them."""
    if isinstance(factor, Table):
        return max(factor.values)
    if isinstance(factor, IfBit):
        return max(factor.value.number, 1.0)
    if isinstance(factor, Shape) and factor.kind == "boost":
        return 1.0 + factor.b.number
    return math.inf if isinstance(factor, PythonFactor) else 1.0
