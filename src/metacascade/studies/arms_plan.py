"""The plan of treatment arms: a run for each arm and replicate, as the members of a sweep whose points have names."""
import hashlib
import itertools
import json
import math
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.base.screen import one_line, warn
from metacascade.base.units import show_time
from metacascade.config import config
from metacascade.config.read import Problem
from metacascade.config.values import internal
from metacascade.mechanisms import plan_of
from metacascade.run import commands, inputs
from metacascade.run.run import columns_of
from metacascade.studies import arms_file, arms_start, sweep_plan, sweep_table

DEFAULT = ("tissue", "lesions", "lesions_lung", "lesions_liver", "circulating", "shed")

WHERE = ", where the arms start: times count from the start of the run that wrote the checkpoint"


def opened(directory, path):
    """The plan in a directory, if it is that of the file of arms; a new one where there is none yet. Writes nothing.

    As `sweep_plan.opened`. What is compared may change from call to call, and there may be more replicates.
    """
    study = arms_file.read(path, Path(directory) / arms_start.NAME)
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


def write(directory, plan):
    """Keep a plan as `sweep_plan.write`, and the checkpoint that its members start from."""
    start = plan.get("start")
    if start:
        found = arms_start.find(start["path"], Path(directory) / arms_start.NAME)
        sweep_plan.make(directory)
        arms_start.keep(directory, found)
    sweep_plan.write(directory, plan)


def _new(study):
    members = _members(study)
    if len(members) > sweep_plan.MOST:
        raise InputError(f"there would be more than {sweep_plan.MOST:,} members")
    built = _checked(study, members[0]["seed"])
    plan = dict(format=sweep_plan.FORMAT, sweep=study.tables, config=study.base.text, fixed=study.fixed, units={},
                members=members, arms=[arm.name for arm in study.arms], start=None)
    if study.start:
        plan["start"] = dict(file=arms_start.NAME, path=str(study.start.path.absolute()), time_s=study.start.time_s)
    return plan | _told(study, built)


def _told(study, built):
    """What may be another thing in the next call: the title, and what is compared."""
    return dict(title=study.options.title, compare=_compared(study, built))


def _members(study):
    """A member for each replicate and arm; all arms of a replicate come first, so that more can follow."""
    start, run = study.start, study.base.tables.get("run", {})
    own = start.config.run.seed if start else run.get("seed", 1) if isinstance(run, dict) else 1
    own = own if study.options.seed is None else study.options.seed
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
            lines = _looked_at(study, made, read_file)
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


def _looked_at(study, made, read_file):
    """Lines on what is allowed and unusual in the config of an arm. Raises InputError for what is not possible."""
    if study.start is None:
        return inputs.of(made, read_file).warnings
    former, meta = study.start.config, study.start.meta
    commands.refuse_branch(former, made, meta, plan_of(former).vessels_live)
    if made.vessels != former.vessels:
        inputs.of(made, read_file)
    return commands.warnings_of_branch(former, made, meta["time_s"])


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


# --- what is compared -----------------------------------------------------------------------------------------

def _compared(study, built):
    """Columns and their units, and the number of the arm that the others are compared with."""
    units = None
    for made in built:
        own = {name: unit for name, (_, unit) in columns_of(plan_of(made)).items()}
        own |= dict.fromkeys(sweep_table.OF_BEDS, "lesions")
        units = own if units is None else {name: unit for name, unit in units.items() if name in own}
    wanted = study.compare.columns or [name for name in DEFAULT if name in units]
    wrong = [Problem(("compare", "columns", i), f"is no column that all arms have{nearest(name, units)}; `metacascade "
                     "info --columns` lists them") for i, name in enumerate(wanted) if name not in units]
    if wrong:
        study.document.refuse(wrong)
    names = [arm.name for arm in study.arms]
    against = study.compare.against or names[0]
    return dict(columns={name: units[name] for name in wanted}, against=names.index(against))
