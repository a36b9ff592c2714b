"""Several runs in groups: arms of a study, points of a sweep, or runs that differ in nothing but their seeds."""
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from metacascade.base.errors import InputError
from metacascade.base.intervals import student
from metacascade.base.screen import one_line
from metacascade.config.write import inline
from metacascade.io import funnel, needs
from metacascade.io.needs import WHOLE
from metacascade.io.results import NAME
from metacascade.report import timeline
from metacascade.report.told import opened
from metacascade.studies import standing, sweep_compare, sweep_plan, sweep_table

LABEL, KEY = 40, re.compile(r"[a-z0-9_.]+\.(\w+) = ")     # characters of a group's name in a figure; keys in it
SEEDS = (("run", "seed"), ("vessels", "seed"))
SURE = ("bars and bands are intervals of 95 % of the mean by Student's t, which of few runs or small counts may reach "
        "below 0")


@dataclass
class Member:
    """A run of a group, as far as comparisons need it: columns and counts at its outputs."""
    name: str
    path: Path
    config: object
    days: np.ndarray
    columns: dict
    organs: dict        # {node: lesions at each output}
    stages: dict
    distances: dict
    complete: bool
    digest: str
    branch: str
    began_s: int        # as a branch of another run; 0 of what is none
    history: dict
    warnings: list


@dataclass
class Group:
    """Replicates of one thing."""
    name: str
    members: list = field(default_factory=list)
    label: str = ""         # the name as figures have room for it, another for each group


@dataclass
class Compared:
    """All groups; `left_out` says of members why they are not among them, `plan` is that of arms or a sweep, if any."""
    groups: list
    left_out: list
    plan: dict | None = None
    directory: Path | None = None

    @property
    def members(self):
        """All runs, group after group."""
        return [member for group in self.groups for member in group.members]

    @property
    def end_d(self):
        """The last output that all runs have [d], or of each the last before it."""
        return min(member.days[-1] for member in self.members)

    def together(self):
        """Do all runs end at one time?"""
        return all(abs(member.days[-1] - self.end_d) < 1e-6 for member in self.members)

    def at_end(self, member, numbers):
        """Of numbers at each output of a run that at the last which all have; nan of what begins later."""
        last = np.searchsorted(member.days, self.end_d + 1e-6) - 1
        return numbers[last] if last >= 0 else np.nan

    def least(self):
        """The least number of runs of a group."""
        return min(len(group.members) for group in self.groups)


@dataclass(frozen=True)
class Band:
    """Means at times, with intervals of 95 % by Student (nan: fewer than two runs), and how many runs there were."""
    days: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray


def gathered(paths) -> Compared:
    """The runs in some directories, each of a run, of arms or of a sweep. Raises InputError where there are none."""
    studies = [path for path in map(Path, paths) if standing.is_sweep(path)]
    if studies and len(paths) > 1:
        raise InputError(f"{studies[0]} is the directory of a sweep or of arms, which are compared alone: give it "
                         "alone, or the directories of runs")
    return _of_study(studies[0]) if studies else _of_runs([Path(path) for path in paths])


def _of_study(directory):
    plan, groups, left_out = sweep_plan.kept(directory), {}, []
    names = sweep_compare.names_of(plan)
    for member in plan["members"]:
        path = sweep_plan.folder(directory, member)
        if not (path / NAME).exists():
            left_out.append(f"{path.name}: {sweep_table.state(path)}")
            continue
        name = names[member["point"]] if names else _settings(member) or "all"
        try:
            found = read(path, f"{name}, {path.name}")
        except InputError as error:
            left_out.append(f"{path.name}: damaged ({one_line(error)})")
            continue
        groups.setdefault(member["point"], Group(name)).members.append(found)
    if not groups:
        raise InputError(f"no member of {directory} has results yet")
    return Compared(_labelled(groups), left_out, plan, Path(directory))


def _labelled(groups):
    """The groups, each with a label: its name; where that is long with the last word of each key, else cut.

    With its number where that leaves two the same.
    """
    found = [*groups.values()]
    short = [name if len(name) <= LABEL else KEY.sub(r"\1 = ", name) for name in (group.name for group in found)]
    cut = [one_line(name, LABEL) for name in (short if len({*short}) == len(short) else [one.name for one in found])]
    for number, (group, text) in enumerate(zip(found, cut), 1):
        group.label = text if cut.count(text) == 1 else f"{number}: {one_line(group.name, LABEL - 5)}"
    return found


def _settings(member):
    return ", ".join(f"{name} = {inline(value)}" for name, value in member["settings"].items() if name != "run.seed")


def _of_runs(paths):
    """Runs that differ in nothing but seeds are replicates; a group has the name of its first."""
    groups, left_out, seen = {}, [], set()
    for path in paths:
        member = read(path, _name(path, paths))
        if (own := member.path.resolve()) in seen:
            raise InputError(f"{path} is given twice: name each run once")
        seen.add(own)
        group = groups.setdefault(_key(member), Group(member.name))
        if same := next((one for one in group.members if _same(one, member)), None):
            left_out.append(f"{member.name}: the same run as {same.name}, by its config and seed")
        else:
            group.members.append(member)
    return Compared(_labelled(groups), left_out)


def _same(one, other):
    """Are two runs of a group no replicates, but one run twice? By the digest, or the seeds where one has not ended."""
    if one.digest and other.digest:
        return one.digest == other.digest
    return all(getattr(getattr(one.config, table), key) == getattr(getattr(other.config, table), key)
               for table, key in SEEDS)


def _name(path, paths):
    own = [one.resolve().name for one in paths]
    return str(path) if own.count(path.resolve().name) > 1 else path.resolve().name


def _key(member):
    """What replicates have alike: the config but for seeds, and what was done, when, before a branch began."""
    values = member.config.to_dict() | {"title": ""}
    for table, key in SEEDS:
        values[table] = values[table] | {key: 0}
    return json.dumps([values, member.began_s, [*member.history.items()]], sort_keys=True)


def read(path, name) -> Member:
    """A run: what comparisons look at, and nothing of its large tables."""
    with opened(path, name) as told:
        series = told.results.series
        lesions = told.by_node("lesions")
        lesions.pop(needs.TUMOR, None)
        zeros = np.zeros(len(told.days))
        columns = {one: np.asarray(values, float) for one, values in series.items()}
        columns |= dict(tumor=told.series("tissue") + told.series("lumped", 0), entered=needs.entered(told.results),
                        alive=sum(lesions.values(), zeros))
        stages = {stage: by_organ.get(WHOLE, 0) for stage, by_organ in funnel.counts(told.results).items()}
        return Member(name, told.path, told.config, told.days, columns,
                      lesions, stages, _distances(told),
                      told.results.complete, told.results.digest, told.branch, told.began_s,
                      timeline.history(told.opened, timeline.OPEN_S), told.warnings)


def _distances(told):
    """{upper edge of a bin of distance: share of the cells that entered vessels}."""
    rows = needs.at_last(told.results, "distances")
    shed = needs.numbers_of(told.results, "distances", "of", ("shed",))
    rows = rows[np.isin(rows["of"], shed)]
    total = max(int(rows["cells"].sum()), 1)
    return {float(below): int(n) / total for below, n in zip(rows["below"], rows["cells"])}


def band(group, column) -> Band | None:
    """A column of the runs of a group, at all times at which one of them has an output; None: none has it."""
    having = [member for member in group.members if column in member.columns]
    if not having:
        return None
    times = np.unique(np.concatenate([np.round(member.days, 9) for member in having]))
    values = np.full((len(having), len(times)), np.nan)
    for row, member in zip(values, having):
        row[np.searchsorted(times, np.round(member.days, 9))] = member.columns[column]
    mean, half, n = estimates(values)
    return Band(times, mean, mean - half, mean + half, n)


def estimates(values):
    """(means, half widths of the intervals of 95 %, numbers) over the rows of values, of those that are not nan."""
    n = np.isfinite(values).sum(axis=0)
    filled = np.where(np.isfinite(values), values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(n > 0, filled.sum(axis=0) / n, np.nan)
        square = np.where(np.isfinite(values), (values - mean) ** 2, 0.0).sum(axis=0)
        error = np.sqrt(square / (n - 1) / n)
    width = np.array([student(int(k) - 1) if k > 1 else np.nan for k in n])
    return mean, np.where(n > 1, width * error, np.nan), n
