"""Therapies in the config: factors on rates of the model in windows of time, by the rate or by a class of drugs.

What rates a drug acts on is in `config.windows`, what windows make of a rate in `model.schedule`.
"""
import math
from collections.abc import Iterator
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, integer, number, quantity, text
from metacascade.base.names import listed, nearest
from metacascade.base.nodes import LYMPH_NODE, NODES
from metacascade.base.units import show_time
from metacascade.mechanisms.drugs import DRUGS
from metacascade.mechanisms.factor_problems import READ

LONGEST_H = 876600
MOST_FACTOR = 1e6
MOST_CHANGES = {"blood": 20, "lesion": 20}     # of a rate in a step: as many take as long as a small step itself
MOST_OTHER_CHANGES = 1000
# Rates with a value for each place; the second two are added to blood.homing, bed by bed.
PLACED = {name for name, varies_by in READ.items() if "place" in varies_by} | {"blood.scar", "blood.cytokines"}


class Therapy(Section):
    """A factor on a rate of the model in windows of time: a drug, or anything else that changes a rate."""
    table: ClassVar[str] = "therapy"

    rate: str | None = text("rate", None, doc=(
        "The rate that it acts on: any name of `metacascade info --rates`. Several therapies on one rate multiply."))
    drug: str | None = text("drug", None, doc=(
        "Instead of a rate, a class of drugs, which acts on several rates, each by a factor of its own: `metacascade "
        "info --drugs` lists them."))
    efficacy: float | None = number("efficacy", None, 0, 1, source="of the drug and its dose", status=ASSUMED, doc=(
        "Share of the full effect of that class; left out: as listed."))
    where: str | None = text("where", None, doc=(
        "Of a rate of the blood or of lesions: the nodes or organs in which it is changed, names with commas between; "
        "left out: everywhere."))
    factor: float = number("factor", 1.0, 0, MOST_FACTOR, source="of the drug and its dose", status=ASSUMED, doc=(
        "What the rate is multiplied by inside of the windows."))
    otherwise: float = number("otherwise", 1.0, 0, MOST_FACTOR, doc=(
        "What it is multiplied by outside of them, also before the first; 0: the rate exists in the windows alone."))
    start_s: int = quantity("start", "day", "s", 0, 0, LONGEST_H / 24, doc="When the first window begins.")
    duration_s: int | None = quantity("duration", "day", "s", None, 1 / 86400, LONGEST_H / 24, doc=(
        "How long a window lasts; left out: for ever."))
    every_s: int | None = quantity("every", "day", "s", None, 1 / 86400, LONGEST_H / 24, doc=(
        "Time from the start of a window to that of the next; left out: there is one window."))
    times: int | None = integer("times", None, 1, 10**6, doc="How many windows; left out: no end of them.")
    ramp_s: int | None = quantity("ramp", "h", "s", None, 1 / 3600, LONGEST_H, doc=(
        "Time at the start of a window in which the effect rises, evenly in eight steps; left out: at once."))
    half_life_s: int | None = quantity("half_life", "h", "s", None, 1 / 3600, LONGEST_H, doc=(
        "After a window the effect halves in this time, in steps of a quarter of it, until it ends after ten; left "
        "out: it ends with the window."))

    adds: ClassVar[bool] = False        # no factor: several of these on one rate are summed, and that sum is one

    @property
    def places(self) -> tuple[str, ...]:
        """Names of the nodes and organs in which it acts; none: everywhere."""
        return listed(self.where) if self.where is not None else ()

    @property
    def is_neutral(self) -> bool:
        """Does it change nothing at any time?"""
        return self.factor == self.otherwise == 1.0

    @property
    def end_s(self) -> int | None:
        """When the last window ends; None: never."""
        if self.duration_s is None or self.every_s is not None and self.times is None:
            return None
        return self.start_s + ((self.times or 1) - 1) * (self.every_s or 0) + self.duration_s


def wrong(config, rates, largest) -> Iterator[tuple[tuple, str]]:
    """Path and text of what contradicts itself; `rates`: the names that a therapy may act on, None: not known;
    `largest`: the largest factor of each, of `config.windows`."""
    for i, plan in enumerate(config.therapy):
        yield from ((("therapy", i, key), why) for key, why in _wrong(plan, rates))
    for rate, most in largest.items():
        if most > MOST_FACTOR and (own := [i for i, plan in enumerate(config.therapy) if plan.rate == rate]):
            yield ("therapy", own[-1], "factor"), (f"makes {rate} {most:.3g} times what it is, together with the other "
                                                   f"therapies on it; at most {MOST_FACTOR:g} are possible")


def _wrong(plan, rates):
    yield from _wrong_drug(plan) if plan.drug is not None else _wrong_places(plan)
    if plan.rate is None and plan.drug is None:
        yield "rate", "is missing: any name of `metacascade info --rates`; or give a drug instead"
    elif plan.rate is not None and rates is not None and plan.rate not in rates:
        yield "rate", f"no rate of the model{nearest(plan.rate, rates)}; `metacascade info --rates` lists them"
    if plan.rate == "vessel.radius" and not plan.factor * plan.otherwise:
        yield "otherwise" if plan.factor else "factor", "must not be 0: there is no vessel without a radius"
    if plan.every_s is not None and plan.duration_s is None:
        yield "every", "needs a duration: without one the first window has no end"
    elif plan.every_s is not None and plan.every_s < plan.duration_s:
        yield "every", f"is shorter than the duration, {show_time(plan.duration_s)}: windows must not overlap"
    if plan.times is not None and plan.times > 1 and plan.every_s is None:
        yield "times", "needs `every`, the time from one window to the next"
    if plan.ramp_s is not None and plan.ramp_s > (plan.duration_s or math.inf):
        yield "ramp", f"is longer than the duration, {show_time(plan.duration_s)}"
    if plan.half_life_s is not None and plan.duration_s is None:
        yield "half_life", "needs a duration: without one the effect never ends"


def _wrong_drug(plan):
    if plan.drug not in DRUGS:
        yield "drug", f"no class of drugs{nearest(plan.drug, DRUGS)}; there are {', '.join(DRUGS)}"
    given = [key for key, there in (
        ("rate", plan.rate is not None), ("factor", plan.factor != 1.0), ("otherwise", plan.otherwise != 1.0),
        ("where", plan.where is not None)) if there]
    for key in given:
        yield key, "and a drug, which has rates and factors of its own (efficacy scales them): give one of them"


def _wrong_places(plan):
    if plan.efficacy is not None:
        yield "efficacy", "without a drug: give the factor of the rate"
    if None not in (plan.where, plan.rate) and plan.rate not in PLACED:
        yield "where", f"only rates of the blood and of lesions may differ by place, and {plan.rate} has one for all"
    for place in plan.places:
        if place not in (*NODES, LYMPH_NODE):
            yield "where", f"{place!r} is no node or organ{nearest(place, (*NODES, LYMPH_NODE))}"


def odd(config, off, windows_of, left_out) -> Iterator[str]:
    """What has no effect, or not all of it, in a run from its start.

    `off`: rates that do not act, and why; `windows_of`: the windows of one therapy, by `config.windows`; `left_out`:
    the effects of a drug whose rates are not there while what they would act on is, each with why.
    """
    for i, plan in enumerate(config.therapy):
        windows = windows_of(plan)
        acting = [one for one in windows if one.rate not in off]
        if plan.drug is not None and plan.efficacy == 0.0:
            yield f"therapy[{i}].efficacy = 0: without effect"
        elif not windows:
            rates = ", ".join(effect.rate for effect in DRUGS[plan.drug].effects)
            yield f"therapy[{i}]: {plan.drug} without effect (it acts on {rates}, and there is none of them)"
        elif not acting and plan.drug is not None:
            why = "; ".join(dict.fromkeys(off[one.rate] for one in windows))
            yield f"therapy[{i}]: {plan.drug} without effect ({why})"
        else:
            yield from _odd(f"therapy[{i}]", (acting or windows)[0], config.run.duration_s, off)
            yield from (f"therapy[{i}]: {plan.drug}: {effect.rate} is left out ({why}): {effect.spared}"
                        for effect, why in left_out(plan))
        for one in acting:
            yield from _slow(f"therapy[{i}]", one, config.run)


def _odd(name, plan, end_s, off):
    if plan.is_neutral:
        yield f"{name}: without effect (factor = 1 and otherwise = 1)"
    elif plan.rate in off:
        yield f"{name}: without effect ({off[plan.rate]})"
    elif plan.start_s >= end_s and plan.otherwise == 1.0:
        yield f"{name}.start = {show_time(plan.start_s)} is not before the end of the run: it never acts"
    elif plan.factor == plan.otherwise:
        yield f"{name}: its windows have no effect (factor = otherwise): the rate has that factor throughout"
    elif plan.start_s >= end_s:
        yield (f"{name}.start = {show_time(plan.start_s)} is not before the end of the run: the rate has the factor "
               "`otherwise` throughout")
    elif plan.every_s and plan.times and (last_s := plan.start_s + (plan.times - 1) * plan.every_s) >= end_s:
        within = (end_s - 1 - plan.start_s) // plan.every_s + 1
        yield (f"{name}: the last window begins at {show_time(last_s)}, not before the end of the run: {within} of "
               f"{plan.times} lie in it")
    elif plan.times == 1 and plan.every_s:
        yield f"{name}.every: without effect (times = 1)"
    elif plan.half_life_s and plan.end_s is not None and plan.end_s >= end_s:
        yield f"{name}.half_life: without effect (the window lasts to the end of the run)"


def _slow(name, plan, run):
    """Windows so short that what takes time is the changes of the rate."""
    if plan.is_neutral or not plan.every_s or plan.start_s >= run.duration_s:
        return
    windows = min(plan.times or math.inf, run.step_s / plan.every_s)
    if 2 * windows > MOST_CHANGES.get(plan.rate.partition(".")[0], MOST_OTHER_CHANGES):
        yield (f"{name}: its windows change {plan.rate} some {2 * windows:,.0f} times in a step, and each takes time; "
               "one long window with the mean of the factor does nearly the same")


def over(config, start_s) -> Iterator[str]:
    """Those whose windows all lie before `start_s`, where a run goes on."""
    for i, plan in enumerate(config.therapy):
        if plan.end_s is not None and 0 < plan.end_s <= start_s:
            yield (f"therapy[{i}]: its last window ends at {show_time(plan.end_s)}, not after {show_time(start_s)}, "
                   "where this run starts")


def lines(config) -> Iterator[str]:
    """One line for each, for people."""
    for plan in config.therapy:
        where = f" in {', '.join(plan.places)}" * bool(plan.places)
        what = f"{plan.rate}{where} times {plan.factor:g}"
        if plan.drug is not None:
            what = plan.drug + ("" if plan.efficacy is None else f" of efficacy {plan.efficacy:g}")
        yield f"therapy: {what}{_windows(plan)}"


def _windows(plan):
    text = f" from {show_time(plan.start_s)} on"
    text += f" for {show_time(plan.duration_s)}" if plan.duration_s else ""
    if plan.every_s:
        text += f", every {show_time(plan.every_s)}" + (f", {plan.times} times" if plan.times else "")
    text += f", reached over {show_time(plan.ramp_s)}" if plan.ramp_s else ""
    text += f", wearing off with a half-life of {show_time(plan.half_life_s)}" if plan.half_life_s else ""
    return text + (f"; else times {plan.otherwise:g}" if plan.otherwise != 1.0 else "")
