"""Surgery and radiation in the config: their sections, what is wrong or odd about them, and a line for each.

What they do is in `model.interventions`. Times are multiples of the step, as they act between two steps.
"""
import math
from collections.abc import Iterator
from typing import ClassVar

from metacascade.base.declare import ASSUMED, RECALLED, Section, integer, number, quantity, text
from metacascade.base.names import listed, nearest
from metacascade.base.nodes import WITH_LESIONS
from metacascade.base.units import show_time

TUMOR = "tumor"
LONGEST_H = 876600
MOST_FRACTIONS = 1000
WEEK_S, USUAL_HALF_mmHg = 7 * 86400, 3
WHERE = ('What is treated: names with commas between, "tumor" for the primary tumor and organs for the lesions in '
         f"them: {', '.join(WITH_LESIONS)}.")


class Surgery(Section):
    """An operation: cells of the tumor, or lesions, are taken out at once."""
    table: ClassVar[str] = "surgery"

    time_s: int = quantity("time", "day", "s", 0, 0, LONGEST_H / 24, doc="When; a multiple of the step.")
    where: str = text("where", TUMOR, doc=WHERE)
    margin_um: float | None = quantity("margin", "mm", "um", None, -100, 1000, usual=(0, 30), source=(
        "1 to 2 cm in wide excisions"), status=RECALLED, doc=(
        "Of the tumor all cells go that are nearer to tumor.center than its radius plus this; the radius is that "
        "within which 95 % of its cells lie. Negative: some of it is left."))
    share: float | None = number("share", None, 0, 1, source="of the operation", status=ASSUMED, doc=(
        "Instead of a margin: each cell of the tumor goes with this probability, wherever it is. "
        "Both left out: all go."))
    lesions: float = number("lesions", 1.0, 0, 1, source="of the operation", status=ASSUMED, doc=(
        "Share of the lesions in the organs of `where` that are taken out, each one whole, with this probability."))
    smallest: int = integer("smallest", 1, 1, 10**14, doc=(
        "Lesions with fewer cells are not found, and stay; 1e6 cells are some 1.5 mm across."))

    immunosuppression: float | None = number("immunosuppression", None, 0, 1, usual=(0.1, 0.9), source=(
        "NK cells kill less for days after large operations; size no measurement"), status=ASSUMED, doc=(
            "Factor on blood.nk after the operation; left out: none."))
    immunosuppression_duration_s: int = quantity(
        "immunosuppression_duration", "day", "s", 7, 1 / 86400, LONGEST_H / 24, usual=(1, 30), source=(
            "some days to two weeks"), status=RECALLED, doc="How long that lasts.")

    @property
    def places(self) -> tuple[str, ...]:
        """Names of what is treated."""
        return listed(self.where)


class Radiation(Section):
    """A course of radiotherapy by the linear-quadratic law: a cell survives a dose d with exp(-alpha d - beta d^2)."""
    table: ClassVar[str] = "radiation"

    time_s: int = quantity("time", "day", "s", 0, 0, LONGEST_H / 24, doc=(
        "When the first fraction is given; a multiple of the step."))
    where: str = text("where", TUMOR, doc=WHERE)
    dose_Gy: float = quantity("dose", "Gy", "Gy", 2, 0, 100, usual=(1, 30), source="conventional fractions of 2 Gy",
                              status=RECALLED, doc="Dose of each fraction.")
    fractions: int = integer("fractions", 1, 1, MOST_FRACTIONS, usual=(1, 40), doc="How many.")
    interval_s: int = quantity("interval", "day", "s", 1, 1 / 86400, LONGEST_H / 24, doc=(
        "Time from one fraction to the next; a multiple of the step."))
    alpha_per_Gy: float = quantity("alpha", "1/Gy", "1/Gy", 0.3, 0, 10, usual=(0.05, 0.6), source=(
        "Fowler 1989, Fowler 2010: 0.3 to 0.35 for carcinomas; much lower for prostate"), status=RECALLED,
        doc="alpha: death in proportion to the dose.")
    beta_per_Gy2: float = quantity("beta", "1/Gy^2", "1/Gy^2", 0.03, 0, 10, usual=(0.005, 0.1), source=(
        "alpha / beta of 10 Gy for most carcinomas, 3 to 5 for breast (Fowler 1989)"), status=RECALLED,
        doc="beta: death in proportion to the square of the dose.")
    oxygen_enhancement: float = number("oxygen_enhancement", 1.0, 1, 5, usual=(1, 3.5), source=(
        "Alper and Howard-Flanders 1956; 2.5 to 3 for X-rays"), status=RECALLED, doc=(
        "m: in tissue a dose counts as d (m P + K) / (m (P + K)), so without oxygen as d / m; "
        "1: oxygen has no effect."))
    oxygen_half_mmHg: float = quantity(
        "oxygen_half", "mmHg", "mmHg", USUAL_HALF_mmHg, 0.001, 100, usual=(1, 10), source=(
            "Alper and Howard-Flanders 1956"), status=RECALLED, doc="K of that law.")

    @property
    def places(self) -> tuple[str, ...]:
        """Names of what is treated."""
        return listed(self.where)

    @property
    def survival(self) -> float:
        """Of one cell with oxygen, after one fraction."""
        return math.exp(-(self.alpha_per_Gy + self.beta_per_Gy2 * self.dose_Gy) * self.dose_Gy)

    @property
    def last_s(self) -> int:
        """When the last fraction is given."""
        return self.time_s + (self.fractions - 1) * self.interval_s


def wrong(config) -> Iterator[tuple[tuple, str]]:
    """Path and text of what contradicts itself."""
    for name in ("surgery", "radiation"):
        for i, plan in enumerate(getattr(config, name)):
            yield from (((name, i, key), why) for key, why in _wrong_event(plan, config))
    for place in config.awakening.places:
        if place not in WITH_LESIONS:
            yield ("awakening", "where"), (f"{place!r} is no organ{nearest(place, WITH_LESIONS)}; there are "
                                           f"{', '.join(WITH_LESIONS)}")


def _wrong_event(plan, config):
    for place in plan.places:
        if place not in (TUMOR, *WITH_LESIONS):
            yield "where", (f"{place!r} is no organ{nearest(place, (TUMOR, *WITH_LESIONS))}; there are {TUMOR} (the "
                            f"primary tumor, in whatever organ it is), {', '.join(WITH_LESIONS)}")
    times = {"time": plan.time_s}
    if getattr(plan, "fractions", 1) > 1:
        times["interval"] = plan.interval_s
    for key, seconds in times.items():
        if seconds % config.run.step_s:
            yield key, f"{show_time(seconds)} is not a multiple of run.step = {show_time(config.run.step_s)}"
    if isinstance(plan, Surgery) and plan.margin_um is not None and plan.share is not None:
        yield "share", "and a margin: give one of them"
    if isinstance(plan, Surgery) and (plan.margin_um or 0) < 0 and config.tumor and not config.has_tissue:
        yield "margin", "a lumped tumor has no places: give the share of it that is taken"


def odd(config, empty=({}, {}), first_s: int = -1) -> Iterator[str]:
    """What is allowed and has no effect, or not all of it.

    `empty`: organs without lesions, and organs without cells, at any time, with the reason; `first_s`: until then no
    cell is anywhere but in the tumor.
    """
    for name, of_kind in zip(("surgery", "radiation"), empty):
        for i, plan in enumerate(getattr(config, name)):
            label = f"{name}[{i}]"
            if plan.time_s > config.run.duration_s:
                yield f"{label}.time = {show_time(plan.time_s)} is after the end of the run: it never happens"
                continue
            yield from _nothing_in_organs(label, plan, of_kind, first_s)
            yield from (_odd_surgery if name == "surgery" else _odd_radiation)(label, plan, config)
            if TUMOR in plan.places and config.tumor is None:
                yield f"{label}.where: there is no [tumor]"


def _nothing_in_organs(name, plan, empty, first_s):
    """Organs in which nothing can be when it happens."""
    organs = [place for place in plan.places if place != TUMOR]
    found = {}
    for place in organs:
        if place in empty:
            found.setdefault(empty[place], []).append(place)
    for why, places in found.items():
        yield f"{name}: without effect in {', '.join(places)} ({why})"
    if organs and not found and getattr(plan, "last_s", plan.time_s) <= first_s:
        yield f"{name}: without effect in {', '.join(organs)} (no cell has entered the blood by then)"


def _odd_surgery(name, plan, config):
    if plan.immunosuppression is None and plan.immunosuppression_duration_s != WEEK_S:
        yield f"{name}.immunosuppression_duration: without effect (there is no immunosuppression)"
    elif plan.immunosuppression == 1.0 or plan.immunosuppression is not None and not config.blood.nk_per_h:
        yield f"{name}.immunosuppression: without effect (NK cells kill as before: factor 1, or blood.nk = 0)"
    if TUMOR in plan.places and plan.share == 0.0:
        yield f"{name}.share = 0: nothing of the tumor is taken"
    if TUMOR in plan.places and config.has_tissue and plan.margin_um is not None:
        volume = config.tumor.cells / config.tissue.capacity * config.tissue.edge_um**3
        radius = (0.75 * volume / math.pi) ** (1 / 3)
        if plan.margin_um <= -radius:
            yield (f"{name}.margin: nothing of the tumor is taken before it has grown (at the start its radius is "
                   f"{radius / 1000:.2g} mm)")
    if TUMOR in plan.places and config.tumor and not config.has_tissue and plan.margin_um is not None:
        yield f"{name}.margin: without effect (a lumped tumor has no places: all of it is taken)"
    of_tumor = [key for key, given in (("share", plan.share), ("margin", plan.margin_um)) if given is not None]
    if TUMOR not in plan.places and of_tumor:
        yield f"{name}: {' and '.join(of_tumor)} without effect (`where` does not name the tumor)"
    of_organs = [key for key, given in (("lesions", plan.lesions < 1.0), ("smallest", plan.smallest > 1)) if given]
    if plan.places == (TUMOR,) and of_organs:
        yield f"{name}: {' and '.join(of_organs)} without effect (`where` names no organ)"
    elif plan.places != (TUMOR,) and plan.lesions == 0.0:
        yield f"{name}.lesions = 0: no lesion is taken"


def _odd_radiation(name, plan, config):
    if plan.last_s > config.run.duration_s:
        within = (config.run.duration_s - plan.time_s) // plan.interval_s + 1
        yield f"{name}: the last fraction is after the end of the run: {within} of {plan.fractions} are given"
    given = [key for key, is_given in (("oxygen_enhancement", plan.oxygen_enhancement > 1.0),
                                       ("oxygen_half", plan.oxygen_half_mmHg != USUAL_HALF_mmHg)) if is_given]
    if given and (why := _without_oxygen(plan, config)):
        yield " and ".join(f"{name}.{key}" for key in given) + f": without effect ({why})"
    if plan.survival == 1.0:
        yield f"{name}: without effect (no cell dies of its dose)"


def _without_oxygen(plan, config):
    """Why oxygen has no part in what a dose does; nothing if it has."""
    if TUMOR not in plan.places:
        return "`where` does not name the tumor"
    if config.tumor and not config.has_tissue:
        return "a lumped tumor has no oxygen"
    if not config.oxygen.enabled:
        return "oxygen.enabled = false"
    return "oxygen_enhancement = 1" if plan.oxygen_enhancement == 1.0 else ""


def lines(config) -> Iterator[str]:
    """One line for each of them, for people."""
    for plan in config.surgery:
        yield f"surgery at {show_time(plan.time_s)}: {_taken(plan)}{_suppressed(plan)}"
    for plan in config.radiation:
        more = f", then every {show_time(plan.interval_s)}" * (plan.fractions > 1)
        yield (f"radiation of {', '.join(plan.places)}: {plan.fractions} x {plan.dose_Gy:g} Gy "
               f"from {show_time(plan.time_s)} on{more}; of cells with oxygen {plan.survival:.3g} survive each")


def _suppressed(plan):
    if plan.immunosuppression is None:
        return ""
    return f"; then blood.nk times {plan.immunosuppression:g} for {show_time(plan.immunosuppression_duration_s)}"


def _taken(plan):
    parts = []
    if TUMOR in plan.places:
        parts.append(f"the tumor with a margin of {plan.margin_um / 1000:g} mm" if plan.margin_um is not None else
                     f"{100 * plan.share:g} % of the tumor" if plan.share is not None else "the tumor")
    if organs := [place for place in plan.places if place != TUMOR]:
        parts.append(f"{100 * plan.lesions:g} % of the lesions in {', '.join(organs)}")
    return " and ".join(parts)
