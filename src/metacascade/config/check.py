"""Checks between parameters of a config, and what is allowed but unusual.

Each check gets a valid Config and yields problems at paths of the file; nothing here changes a value.

Of times there is one rule: those of the run and of its output are multiples of the step, or refused; those of
events (injections, draws) are exact, to the second. None is rounded.
"""
import math

from metacascade.base import units
from metacascade.base.errors import InputError
from metacascade.base.limits import FARTHEST, MOST_CLONES, MOST_STEPS
from metacascade.base.units import show_time
from metacascade.config import (
    circulation,
    effects as config_effects,
    idletherapies,
    injections,
    interventions,
    moves,
    outcomes,
    sprouting,
    therapy,
)
from metacascade.config.given import dotted
from metacascade.config.read import Problem
from metacascade.config.windows import largest, windows
from metacascade.mechanisms import mechanisms_of, names_in_time, plan_of
from metacascade.mechanisms.mutation import NAME
from metacascade.mechanisms.plan import contradictions
from metacascade.mechanisms.problems import TAKEN
from metacascade.mechanisms.terms import ADMIT

LONGEST_OF_TISSUE_S = 86400        # a step
LARGEST_CHANCE = 0.2               # probability of an event in one step above which the step is coarse


def problems(config) -> list[Problem]:
    """Everything in a config that contradicts something else in it."""
    checks = _times, _sources, _others, _traits, _outline, _therapies
    found = [problem for check in checks for problem in check(config)]
    wrong = {problem.path for problem in found}
    return found + [one for one in _plan(config, found) if not wrong & {one.path, *one.others}]


def _traits(config):
    """Traits that a user declares; how they go with those of mechanisms is a matter of the plan."""
    for i, trait in enumerate(config.trait):
        if not NAME.fullmatch(trait.name) or trait.name in TAKEN:
            yield Problem(("trait", i, "name"), "must be a small letter, then small letters, digits and _, and none of "
                          f"{', '.join(TAKEN)}")
        if not trait.low <= trait.founder <= trait.high:
            yield Problem(("trait", i, "founder"), f"must lie between low = {trait.low:g} and high = {trait.high:g}",
                          (("trait", i, "low"), ("trait", i, "high")))


def _outline(config):
    """Lengths that no distance from the outline is told to exceed."""
    farthest_um = FARTHEST * config.tissue.edge_um
    outline, staging = config.outline, config.staging
    for path, length_um in ((("outline", "gap"), outline.gap_um), (("outline", "depth"), outline.depth_um),
                            (("outline", "opening"), outline.opening_um),
                            (("outline", "sprout"), outline.sprout_um), (("staging", "invasion"), staging.invasion_um)):
        if outline.enabled and config.has_tissue and length_um >= farthest_um:
            yield Problem(path, f"must be less than {farthest_um:g} um, {FARTHEST} voxels: distances from the outline "
                          "are told up to that", (("tissue", "voxel"),))


def _therapies(config):
    """Therapies on what is not there."""
    try:
        names = names_in_time(config)
    except InputError:          # `_others` or `_plan` tells it, and then nobody knows all names
        names = None
    yield from (Problem(path, text, ((*path[:-1], "drug"),) if path[-1] in ("rate", "efficacy") else ())
                for path, text in therapy.wrong(config, names, largest(config)))


def _plan(config, found):
    """Mechanisms that do not fit together, a factor on what nothing declares, say, unless that is `found` already; what
    contradicts the plan of those that do."""
    try:
        plan = plan_of(config)
    except InputError as error:
        yield from () if found else (Problem((), line) for line in str(error).splitlines())
    else:
        yield from (Problem(path, text) for path, text in injections.wrong(config, plan))
        yield from moves.problems(config, plan)
        yield from sprouting.problems(config, plan)


def _times(config):
    step = config.run.step_s
    times = {("run", "duration"): config.run.duration_s, ("run", "long_step"): config.run.longest_step_s,
             ("output", "interval"): config.output.interval_s, ("output", "checkpoint"): config.output.checkpoint_s}
    if config.output.snapshots:
        times["output", "snapshot_interval"] = config.output.snapshot_interval_s
    lives = config.angiogenesis.enabled or config.maturation.enabled or config.perfusion.enabled
    if config.has_tissue and lives:
        times["vessels", "interval"] = config.vessels.interval_s
    if config.outline.enabled and config.has_tissue:
        times["outline", "interval"] = config.outline.interval_s
    keep = config.output.keep_s
    kept = [(("output", "keep"), one) for one in ((keep,) if isinstance(keep, int) else keep)]
    for path, seconds in (*times.items(), *kept):
        if seconds % step:
            near = max(1, round(seconds / step)) * step
            yield Problem(path, f"{show_time(seconds)} is not a multiple of run.step = {show_time(step)}; "
                          f"the nearest is {show_time(near)}", (("run", "step"),))
    if config.has_tissue and step > LONGEST_OF_TISSUE_S:
        yield Problem(("run", "step"), f"is at most {show_time(LONGEST_OF_TISSUE_S)} where there is tissue; longer "
                      "steps are for a lumped tumor, or for none", (("tumor", "lumped"),))
    if message := too_many_steps(config):
        yield Problem(("run", "duration"), message, (("run", "step"),))


def too_many_steps(config, done=0, time_s=0) -> str:
    """What is wrong with the number of steps, of which `done` are done at `time_s`; nothing if it is possible."""
    steps = done + max(0, config.run.duration_s - time_s) // config.run.step_s
    if steps <= MOST_STEPS:
        return ""
    return (f"takes {steps:,} steps; at most {MOST_STEPS:,} are possible, as the number of a step is one 32-bit word of"
            " each random number: make run.step longer or run.duration shorter")


def _sources(config):
    if config.tumor is None and not config.injection:
        yield Problem((), "there is neither a [tumor] nor an [[injection]]: nothing to simulate",
                      (("tumor",), ("injection",)))
    for i, injection in enumerate(config.injection):
        if injection.node == "tumor" and config.tumor is None:
            yield Problem(("injection", i, "node"), "there is no [tumor] to inject into", (("tumor",),))


def _others(config):
    yield from (Problem(one.path, one.why, one.others) for one in contradictions(config, mechanisms_of(config)))
    yield from (Problem(path, text) for path, text in circulation.wrong(config))
    yield from (Problem(path, text, (("run", "step"),)) for path, text in interventions.wrong(config))


def warnings(config, given, going_on_at_s=None) -> list[str]:
    """What is allowed and yet worth a look: unusual values, coarse steps, what never happens, what has no effect.

    `given`: paths of the parameters that were set. `going_on_at_s`: the time of the checkpoint that a run starts from.
    """
    plan = plan_of(config)
    of_start = config_effects.draws_of_nothing(config) if going_on_at_s is None else early(config, going_on_at_s)
    return [*_unusual(config), *_coarse(config, plan), *_clones(config, plan), *_late(config),
            *idletherapies.told(config, plan, going_on_at_s is not None), *outcomes.odd(config, plan),
            *_always(config, plan),
            *((*moves.slow(plan), *config_effects.unread_fields(plan)) if config.has_tissue else ()),
            *_interventions_of_nothing(config, going_on_at_s is not None), *injections.odd(config, given), *of_start,
            *config_effects.without_effect(config, given, going_on_at_s is not None)]


def _interventions_of_nothing(config, goes_on):
    """Surgery and radiation that find nothing; of a run that goes on there may be cells everywhere already."""
    if goes_on:
        return interventions.odd(config)
    return interventions.odd(config, config_effects.empty_organs(config), config_effects.first_cell_s(config))


def _always(config, plan):
    """Substances that tissue has not of itself, drugs, and that come from the vessels all the time; no cells, which a
    rate admits."""
    timed = {one.rate for one in windows(config)}
    for field in plan.fields:
        rate = f"{field.name}.vessel"
        if (plan.coefficient(rate) and not field.start.number and rate not in timed
                and not plan.terms_of(field.name, ADMIT)):
            yield (f"{field.name} is in the blood from the start to the end of the run; a [[therapy]] with "
                   f'rate = "{rate}" and otherwise = 0 gives it times')


def _unusual(config):
    for path, parameter, value in config.values():
        low, high = parameter.usual or (None, None)
        if None not in (low, value) and not low <= value <= high:
            yield (f"{dotted(path)} = {parameter.text(value)} is outside the usual range, "
                   f"{parameter.text(low)} to {parameter.text(high)}")


def _coarse(config, plan):
    if not config.has_tissue:
        return
    more = largest(config)
    for rate in plan.of("tissue"):
        chance = -math.expm1(-plan.number(rate.name, more) * config.run.step_h) if rate.action else 0.0
        if chance > LARGEST_CHANCE:
            yield f"{rate.name}: {100 * chance:.0f} % of the cells concerned change in one step; shorten run.step"
    crowding = config.crowding
    for name, time_s in (("run.step", config.run.step_s), ("crowding.every", crowding.every_s)):
        if crowding.enabled and time_s > 3600 * crowding.relaxation_h:
            yield (f"{name} = {show_time(time_s)} is longer than crowding.relaxation = "
                   f"{units.show(crowding.relaxation_h, 'h', 'h')}: pressure overshoots; shorten {name}")


def _clones(config, plan):
    """Do mutations change anything, and does the table of clones become full?

    Births are those of a tumor that keeps its size and is fed.
    """
    chance = sum(trait.mutation.number for trait in plan.traits)
    cells = config.tumor.cells if config.has_tissue else 0
    births = cells * plan.number("tissue.divide") * config.run.duration_s / 3600
    if chance and not births:
        names = ", ".join(trait.name for trait in plan.traits if trait.mutation.number)
        yield f"mutation of {names}: without effect (no cell divides in tissue)"
    for trait in plan.traits:
        if trait.mutation.number and trait.step.number and trait.low == trait.high:
            yield (f"mutation of {trait.name}: mutants found clones, and differ from their mothers in nothing "
                   f"(low = high = {trait.low:g})")
    if births * chance > MOST_CLONES:
        full = config.run.duration_s * MOST_CLONES / (births * chance) / 86400
        yield (f"mutations found some {births * chance:.2g} clones, and there is room for {MOST_CLONES:,}: from about "
               f"day {full:.2g} on daughters keep the clone of their mother (mutations_lost); lower trait.mutation")


def _late(config):
    end_s, end, keep = config.run.duration_s, show_time(config.run.duration_s), config.output.keep_s
    for kept_s in (keep,) if isinstance(keep, int) else keep:
        if kept_s > end_s:
            yield f"output.keep = {show_time(kept_s)} is after the end of the run: no checkpoint is kept then"
    for name, event in _events(config):
        last_s = event.time_s + getattr(event, "duration_s", 0)
        if event.time_s > end_s:
            yield f"{name}.time = {show_time(event.time_s)} is after the end of the run: it never happens"
        elif last_s > end_s:
            yield (f"{name} lasts until {show_time(last_s)}, beyond the end of the run at {end}: its cells that would "
                   "come later never enter")
        elif event.time_s == end_s and name.startswith("injection"):
            enter = "are put into the organ" if event.organ else "enter the blood"
            yield f"{name}.time = {end} is the end of the run: its cells {enter}, and nothing becomes of them"


def early(config, start_s) -> list[str]:
    """What does not happen in a run that goes on at `start_s` from a state in which all until then has happened."""
    if not start_s:
        return []
    gone, lines = [name for name, _ in past(config, start_s)], []
    for name, one in _timed(config):
        at, start = f"{name}.time = {show_time(one.time_s)} is", f"{show_time(start_s)}, where this run starts"
        if name in gone:
            lines.append(f"{at} not after {start}: it does not happen in it")
        elif hasattr(one, "fractions") and one.time_s <= start_s:
            lines.append(f"{at} not after {start}: only the fractions that come later are given")
        elif one.time_s < start_s:
            lines.append(f"{at} before {start}: only those of its cells enter that come later")
    return [*lines, *therapy.over(config, start_s)]


def past(config, start_s) -> list[tuple]:
    """(name, what) of all events and treatments that have wholly been where a run goes on at `start_s`."""
    return [(name, one) for name, one in _timed(config)
            if start_s and getattr(one, "last_s", one.time_s + getattr(one, "duration_s", 0)) <= start_s]


def _timed(config):
    """(name, what) of all that has a time and no end of its own: events, operations, courses of radiation."""
    yield from _events(config)
    for name in ("surgery", "radiation"):
        yield from ((f"{name}[{i}]", one) for i, one in enumerate(getattr(config, name)))


def _events(config):
    for name in ("injection", "draw"):
        for i, event in enumerate(getattr(config, name)):
            yield f"{name}[{i}]", event
