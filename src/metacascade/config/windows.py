"""All windows of time in which rates have factors, in one list: what [[therapy]] and [[surgery]] come to.

A window is a `Therapy` on one rate. On a rate at one node or in one organ its `rate` is ``blood.homing@lung``, which
`mechanisms.compile.placed_rates` reads. Nothing else expands drugs, or knows what surgery does to the host.
"""
import math
from collections.abc import Iterator
from typing import ClassVar

from metacascade.base.errors import InputError
from metacascade.config.therapy import Therapy
from metacascade.mechanisms import names_in_time, plan_of
from metacascade.mechanisms.awakening import AWAKENED
from metacascade.mechanisms.drugs import DRUGS


class Added(Therapy):
    """A window whose effect is added to that of others on its rate, and the sum a factor."""
    adds: ClassVar[bool] = True


def windows(config) -> tuple[Therapy, ...]:
    """The windows of a config, made once for each."""
    if "_windows" not in config.__dict__:
        config.__dict__["_windows"] = (*(one for plan in config.therapy for one in of_therapy(config, plan)),
                                       *_of_surgery(config), *_of_inflammation(config),
                                       *_of_awakening(config))
    return config.__dict__["_windows"]


def of_therapy(config, plan) -> list[Therapy]:
    """The windows of one [[therapy]]: of a drug one for each of its rates that there are in the model."""
    if plan.drug is None and plan.rate is None:
        return []               # the check of the config tells it
    if plan.drug is None:
        return [plan.model_copy(update=dict(rate=f"{plan.rate}@{place}")) for place in plan.places] or [plan]
    drug, known = DRUGS.get(plan.drug), _names(config)
    efficacy = plan.efficacy if plan.efficacy is not None or drug is None else drug.efficacy
    return [plan.model_copy(update=dict(
        rate=effect.rate + f"@{effect.where}" * bool(effect.where), factor=effect.factor(efficacy, config),
        otherwise=effect.outside)) for effect in (drug.effects if drug else ())
        if effect.rate in known and (not effect.needs or _is_on(config, effect.needs))]


def _of_surgery(config) -> Iterator[Therapy]:
    for plan in config.surgery:
        if plan.immunosuppression is not None:
            yield Therapy(rate="blood.nk", factor=plan.immunosuppression, start_s=plan.time_s,
                          duration_s=plan.immunosuppression_duration_s)


def _of_inflammation(config) -> Iterator[Added]:
    """What treatment leaves in its beds: blood.scar there, whose windows fade."""
    if not config.inflammation.enabled:
        return
    for plan in (*config.surgery, *config.radiation):
        for place in plan.places:
            yield _fading(f"blood.scar@{place}", plan, config.inflammation.time_h)


def _of_awakening(config) -> Iterator[Added]:
    """What operations set free in all organs: of what is added to 1 in each, windows that fade."""
    c = config.awakening
    if not c.enabled:
        return
    gains = [name for name, gain in zip(AWAKENED, (c.wake, c.vessels)) if gain]
    treated = [(plan, 1.0) for plan in config.surgery]
    treated += [(plan, c.radiation) for plan in config.radiation if c.radiation]
    for plan, share in treated:
        for name in gains:
            for place in c.places:
                yield _fading(f"{name}@{place}", plan, c.time_h, share)


def _fading(rate, plan, time_h, share=1.0) -> Added:
    """From a treatment on, and after its last day falling with a time constant."""
    return Added(rate=rate, factor=share, otherwise=0.0, start_s=plan.time_s,
                 duration_s=getattr(plan, "last_s", plan.time_s) - plan.time_s + 1,
                 half_life_s=max(round(3600 * time_h * math.log(2.0)), 1))


def wound_g(config, t_s: int) -> float:
    """Mass of the inflamed bed of the tumor at a time [g]."""
    treated = any("tumor" in plan.places and plan.time_s <= t_s for plan in (*config.surgery, *config.radiation))
    return config.inflammation.bed_g if treated and config.inflammation.enabled else 0.0


def _names(config):
    try:
        return set(names_in_time(config))
    except InputError:          # the check of the config tells it
        return set()


def _is_on(config, rate):
    try:
        return plan_of(config).rate(rate) is not None
    except InputError:
        return False


def largest(config) -> dict[str, float]:
    """For each rate with a window the largest factor that it ever gets from them, or more, wherever."""
    found = {}
    for plan in windows(config):
        found[plan.rate] = found.get(plan.rate, 1.0) * max(plan.factor, plan.otherwise)
    for rate, most in list(found.items()):
        name, _, place = rate.partition("@")
        if place:
            found[name] = max(found.get(name, 1.0), found.get(name, 1.0) * most)
    return found
