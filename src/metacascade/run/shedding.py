"""What the tumor sheds at its start, roughly: the rates that shed, with their factors as its first cells have them."""
import math

from metacascade.mechanisms.compile import wall_of
from metacascade.mechanisms.fields import Diffusing
from metacascade.mechanisms.terms import ADD, ADMIT, DENSITY, DRAIN, LOSE, SECRETE, SHED, Shape, Table

RIM_UM = 20.0                     # depth to which lymphatics are open at the defaults


def shed_by_tumor_per_h(config, plan):
    """CTCs that the tumor sheds in an hour, roughly, while it keeps its size: cells x hazard x share in reach.

    In reach are the rings round vessels of the mean radius, one contact range wide, of a network in which lengths fall
    as if at random. The hazard is that of all rates that shed, of cells of the first clone, as they are at the start.
    """
    if not config.has_tissue:
        return config.tumor.cells * plan.number("lumped.shed") if config.tumor else 0.0
    vessels, (reach, mature) = config.vessels, wall_of(plan)
    ring = math.pi * vessels.length_density_per_um2 * ((vessels.radius_um + reach) ** 2 - vessels.radius_um**2)
    leaky = mature + (1.0 - mature) * (1.0 - vessels.maturity_mean)
    return config.tumor.cells * _hazard(config, plan, SHED, levels_at_start(config, plan)) * -math.expm1(-ring) * leaky


def drained_by_tumor_per_h(config, plan):
    """CTCs that leave the tumor with lymph in an hour, roughly, while it keeps its size: rates with the action DRAIN.

    The cells of a ball count that lie less than RIM_UM under its surface, where fields are as in stroma.
    """
    if not (config.has_tissue and plan.drains):
        return 0.0
    radius_um = (0.75 * config.tumor.cells / config.tissue.capacity / math.pi) ** (1 / 3) * config.tissue.edge_um
    rim = 1.0 - max(1.0 - RIM_UM / radius_um, 0.0) ** 3
    return rim * config.tumor.cells * _hazard(config, plan, DRAIN, _starts(plan))


def _hazard(config, plan, action, levels):
    """Of all rates of the tissue with an action, of cells of the first clone, as they are at the start [1/h]."""
    return sum(_value(config, plan, rate, levels) for rate in plan.of("tissue") if rate.action == action)


def levels_at_start(config, plan) -> dict[str, float]:
    """The level of each field among the cells that a tumor starts with, roughly.

    That of a field which is brought near its steady state before the first step, and of which cells take up nothing, is
    the balance of its terms in a wide full tissue with the vessels of the config: a tumor that is smaller than the
    field spreads has less. All others have that of a new tile. Terms depend on the levels of other fields, which are
    put in as many times as there are fields.
    """
    fields = [one for one in plan.fields if isinstance(one, Diffusing)]
    levels = _starts(plan)
    for _ in fields:
        levels |= {one.name: _balance(config, plan, one, levels) for one in fields
                   if one.start_sweeps and not one.uptake.number}
    return levels


def _starts(plan):
    """The level of each field in a new tile."""
    return {one.name: one.start.number for one in plan.fields if isinstance(one, Diffusing)}


def _balance(config, plan, field, levels):
    """A field where what comes in is what is lost."""
    def total(*actions):
        return sum(_value(config, plan, rate, levels) for rate in plan.terms_of(field.name) if rate.action in actions)

    vessels = config.vessels
    surface = 2.0 * math.pi * vessels.radius_um * vessels.length_density_per_um2 if field.wall else 0.0
    enters = surface * field.wall.number if surface else 0.0
    enters *= total(ADMIT) if plan.terms_of(field.name, ADMIT) else 1.0
    lost = field.decay.number + total(LOSE) + enters
    return (total(SECRETE, ADD) + enters * field.vessel.number) / lost if lost else field.start.number


def _value(config, plan, rate, levels):
    """A rate for the cells that a tumor starts with, on average."""
    return plan.number(rate.name) * math.prod(
        _at_start(config, plan, one, levels) for one in plan.factors_of(rate.name))


def _at_start(config, plan, factor, levels):
    """A factor as it is, on average, for the cells that a tumor starts with; 1 where that is not known."""
    if isinstance(factor, Shape):
        return factor.at(1.0 if factor.signal == DENSITY else levels.get(factor.signal, 0.0))
    if not isinstance(factor, Table):
        return 1.0
    if factor.by == "emt":
        share = config.traits.motile_fraction
        return share * factor.values[255] + (1.0 - share) * factor.values[0]
    trait = config.traits.adhesion_mean if factor.by == "adhesion" else next(
        one.founder.number for one in plan.traits if one.name == factor.by)
    return factor.values[round(255 * trait)]
