"""The plan of treatment arms: a run for each arm and replicate, as the members of a sweep whose points have names."""
import hashlib
import itertools
import json
import math
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.base.screen import one_line, warn
from metacascade.base.units import show_time
from metacascade.config import config
from metacascade.config.read import Problem
from metacascade.config.values import internal
from metacascade.run import inputs
from metacascade.studies import arms_file, sweep_compare, sweep_plan, sweep_start

WHERE = ", where the arms start: times count from the start of the run that wrote the checkpoint"


def opened(directory, path):
    """The plan in a directory, if it is that of the file of arms; a new one where there is none yet. Writes nothing.

    As `sweep_plan.opened`. What is compared may change from call to call, and there may be more replicates.
    """
    study = arms_file.read(path, Path(directory) / sweep_start.NAME)
    stored = sweep_plan.stored(directory, study, "set of arms")
    if stored is None:
        return _new(study)
    members = _members(study)
    if members[:len(stored["members"])] != stored["members"]:
        had = len(stored["members"]) // len(study.arms)
        raise InputError(f"{directory} has {had} replicates: there may be more of them, and not fewer; choose another "
                         "--out")
    built = [config.build(study.config_of(_settings(study, arm, members[0]["seed"]), arm.origin)) for arm in study.arms]
    return stored | dict(members=members) | _told(study, built)


def _new(study):
    members = _members(study)
    if len(members) > sweep_plan.MOST:
        raise InputError(f"there would be more than {sweep_plan.MOST:,} members")
    built = _checked(study, members[0]["seed"])
    plan = dict(format=sweep_plan.FORMAT, sweep=study.tables, config=study.base.text, fixed=study.fixed, units={},
                members=members, arms=[arm.name for arm in study.arms], start=sweep_start.told(study.start))
    return plan | _told(study, built)


def _told(study, built):
    """What may be another thing in the next call: the title, and what is compared."""
    return dict(title=study.options.title, compare=sweep_compare.chosen(
        study.compare, [arm.name for arm in study.arms], built, study.document))


def _members(study):
    """A member for each replicate and arm; all arms of a replicate come first, so that more can follow."""
    own = sweep_start.own_seed(study.base, study.start) if study.options.seed is None else study.options.seed
    pairs = itertools.product(range(study.options.replicates), enumerate(study.arms))
    return [dict(number=number, point=point, arm=arm.name, replicate=replicate, seed=sweep_plan.derived(own, replicate),
                 settings=arm.settings) for number, (replicate, (point, arm)) in enumerate(pairs)]


def _settings(study, arm, seed):
    return study.fixed | arm.settings | {"run.seed": seed}


# --- the check of every arm -----------------------------------------------------------------------------------

def _checked(study, seed):
    """The config of every arm: one InputError for all that is wrong, and a warning of what is unusual."""
    built, wrong, unusual = [], [], {}
    read_file = inputs.reading_once()
    for number, arm in enumerate(study.arms):
        try:
            document = study.config_of(_settings(study, arm, seed), arm.origin)
            made = config.build(document)
            if problems := [*_too_early(study, arm, made)]:
                document.refuse(problems)
            lines = sweep_start.looked_at(study.start, made, read_file)
        except InputError as error:
            wrong += _placed(study, number, str(error))
            continue
        built.append(made)
        for line in lines:
            unusual.setdefault(line, []).append(arm.name)
    wrong += [*_equal(study, built)] if len(built) == len(study.arms) else []
    if wrong:
        raise InputError("\n".join(sweep_plan.some([*dict.fromkeys(wrong)])))
    if len({made.run.duration_s for made in built}) > 1:
        warn("arms differ in run.duration: the last rows that are compared are of other times")
    for line, names in unusual.items():
        every = len(names) == len(study.arms) > 1
        warn(f"{'every arm' if every else one_line(', '.join(names))}: {line}")
    return built


def _placed(study, number, text):
    """Lines of an error, of those that do not say it with the place of the arm in the file."""
    name = one_line(study.document.name)
    for line in text.splitlines():
        if line.startswith((f"{name}:", f"{one_line(study.base.name)}:")):
            yield line
        else:
            line = line.removeprefix("--set: ").removeprefix("--set ")
            yield study.document.message(Problem(("arm", number), line))


def _too_early(study, arm, made):
    """What an arm adds to a list of the config at a time that is over where it starts."""
    start_s = study.start.time_s if study.start else 0
    for path, where in arm.origin.items() if start_s else ():
        if len(path) != 2 or where[0] != "arm" or not isinstance(path[1], int):
            continue
        entry, declared = arm.settings[f"{path[0]}.{path[1]}"], type(made).tables[path[0]][0].parameters
        times = {key: internal(declared[key], entry[key]) if key in entry else declared[key].default
                 for key in ("time", "start") if key in declared}
        if times.get("time", math.inf) <= start_s:
            yield Problem((*path, "time"), f"is not after {show_time(start_s)}{WHERE}")
        if "start" in entry and times.get("start", math.inf) < start_s:
            yield Problem((*path, "start"), f"is before {show_time(start_s)}{WHERE}; left out, it acts from there on")


def _equal(study, built):
    """Arms that would be the same runs."""
    seen = {}
    for number, (arm, made) in enumerate(zip(study.arms, built)):
        key = hashlib.sha256(json.dumps(made.to_dict()).encode()).digest()
        if key in seen:
            same = f"is the same run as {one_line(seen[key])}, by all its values"
            yield study.document.message(Problem(("arm", number), same))
        seen.setdefault(key, arm.name)
