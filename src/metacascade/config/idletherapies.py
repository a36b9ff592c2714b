"""Therapies on what is off, is zero, or has no cells, and what a drug spares for that reason."""
from collections.abc import Iterator

from metacascade.base.nodes import LYMPH_NODE
from metacascade.config import effects, therapy
from metacascade.config.windows import of_therapy, windows
from metacascade.mechanisms import drugs
from metacascade.mechanisms.factors import At
from metacascade.mechanisms.idle import Declared


def told(config, plan, goes_on) -> Iterator[str]:
    """A line for each; of a run that goes on (`goes_on`) there may be cells in the blood already."""
    if not windows(config):
        return
    names = {one.rate.partition("@")[0] for one in windows(config)}
    off, enters = effects.idle_rates(config, names, goes_on), effects.enters(config)
    declared = Declared(config)
    for name in names:
        beyond, nodes = name.partition(".")[0] in ("blood", "lesion"), _nodes(plan, name)
        if _is_zero(plan, name) or nodes == set():
            why = declared.why_zero(name)
            off[name] = f"{name} is off or zero in this config{': ' * bool(why)}{why}"
        elif config.tumor is None and (not beyond or nodes == {"tumor"}):
            off[name] = effects.NO_TUMOR
        elif not config.has_tissue and name.partition(".")[0] not in ("blood", "lesion", "lumped"):
            off[name] = effects.LUMPED
        elif beyond and not goes_on and not enters:
            off[name] = "no cell enters the blood"
        elif nodes == {"tumor"} and not goes_on and not effects.reaches_tumor(config):
            off[name] = effects.NO_BLOOD_IN_TUMOR
    off |= _in_places(config, plan, off)
    there = _there(config, plan, goes_on)
    yield from therapy.odd(config, off, lambda one: of_therapy(config, one),
                           lambda one: _spared(declared, plan, one, there))


def _is_zero(plan, name):
    return not (plan.number(name) or plan.coefficient(name))


def _there(config, plan, goes_on):
    """Of whose cells there are some, or may come to be some: those that a drug could spare.

    A lumped tumor in which nothing divides is a source of cells, and nothing to be treated."""
    lesions = goes_on or len(effects.empty_organs(config)[0]) < len(config.organs) - 1
    return {whose for whose, any_there in (
        (drugs.TISSUE, config.has_tissue), (drugs.LUMPED, plan.number("lumped.gompertz")),
        (drugs.LESIONS, lesions)) if any_there}


def _spared(declared, plan, one, there):
    """(effect, why) of each rate of a drug that is off or zero, where what it would act on is `there`."""
    for effect in drugs.DRUGS[one.drug].effects if one.drug else ():
        if effect.of in there and _is_zero(plan, effect.rate):
            yield effect, declared.why_zero(effect.rate) or "it is zero"


def _in_places(config, plan, off):
    """Rates at nodes, ``blood.nk@lung``, that do nothing there, or anywhere."""
    found = {}
    for rate in {one.rate for one in windows(config) if "@" in one.rate}:
        name, _, place = rate.partition("@")
        nodes = _nodes(plan, name)
        if name in off:
            found[rate] = off[name]
        elif nodes is not None and place not in nodes or place == LYMPH_NODE and not plan.drains:
            found[rate] = f"{name} is zero in {place}"
    return found


def _nodes(plan, name):
    """The only nodes and organs at which a rate is not zero; None if there may be others."""
    found = [{node for node, value in dict(factor.values).items() if value}
             for factor in plan.factors_of(name) if isinstance(factor, At) and not factor.other]
    return set.intersection(*found) if found else None
