"""How far a directory of many runs is: a sweep, arms, a cohort, a scaling study; as tables for a screen."""
import json
import os
import statistics
import time
from pathlib import Path

from metacascade.base.errors import DONE, STOPPED_EARLY, InputError
from metacascade.base.numerals import counted
from metacascade.base.screen import one_line
from metacascade.base.sheets import Sheet, facts, share
from metacascade.config.config import Config, load_with_text
from metacascade.io import atomic, runlock
from metacascade.run import status
from metacascade.run.estimate import duration
from metacascade.studies import cohort_results, scaling, scaling_table, sweep_plan, sweep_table
from metacascade.studies.sweep_plan import folder

SHOWN, WIDEST = 12, 44  # members that have a line to themselves; its text, so that all of them fit a screen
OPEN = ("running", "failed", "damaged", "stopped")     # how a member is of which there is more to say


# --- sweeps and arms ------------------------------------------------------------------------------------------

def is_sweep(path) -> bool:
    """Is a path the directory of a sweep or of arms?"""
    return (Path(path) / sweep_plan.NAME).is_file()


class Members:
    """The members of a sweep or of arms; those that are done are not looked at again."""

    def __init__(self, directory):
        self.directory, self.plan, self.done = Path(directory), sweep_plan.kept(directory), set()

    def stand(self) -> dict:
        """{number: how a member is now}, see `sweep_table.STATUSES`."""
        found = {member["number"]: self._status(member) for member in self.plan["members"]}
        self.done = {number for number, how in found.items() if how == "done"}
        return found

    def _status(self, member):
        if member["number"] in self.done:
            return "done"
        how = sweep_table.state(folder(self.directory, member))
        if how == "stopped" and sweep_table.damaged(folder(self.directory, member)):
            return "damaged"
        sessions = sweep_table.ends(self.directory, member)
        failed = how in ("stopped", "waiting") and sessions and sessions[-1][0] not in (DONE, STOPPED_EARLY)
        return "failed" if failed else how

    def sheets(self) -> list:
        """How many are how, how long the rest will take, and what each does of those that run, stopped or failed."""
        found, members = self.stand(), self.plan["members"]
        counts = {how: list(found.values()).count(how) for how in sweep_table.STATUSES}
        kind = "arms" if "arms" in self.plan else "sweep"
        told = ", ".join(f"{n:,} {how}" for how, n in counts.items() if n)
        first = facts("", [(kind, f"{counted(len(members), 'member')}: {told}"),
                           ("share", f"{share(counts['done'], len(members))} done{self._left(found)}")])
        rows = [self._row(member, found[member["number"]]) for how in OPEN for member in members
                if found[member["number"]] == how]
        more = [(counted(len(rows) - SHOWN, "other"), "", "", "")] if len(rows) > SHOWN else []
        return [first, Sheet("", ("member", "state", "day", "what"), [*rows[:SHOWN], *more], (1, 3))]

    def _left(self, found):
        """The time to the end: what those that run are left with, and for each to come the mean of what the done took.

        One that runs and does not tell yet has half of that mean left. Those that stopped or failed are to come too.
        """
        of = {how: [] for how in sweep_table.STATUSES}
        for member in self.plan["members"]:
            of[found[member["number"]]].append(member)
        took = [sum(seconds for _, seconds in sweep_table.ends(self.directory, member)) for member in of["done"]]
        mean_s = statistics.fmean(took) if (took := [seconds for seconds in took if seconds]) else None
        told = [(status.read(folder(self.directory, member)) or {}).get("left_s") for member in of["running"]]
        to_do = sum(len(of[how]) for how in ("waiting", "stopped", "failed")) + told.count(None) / 2
        if not told or mean_s is None and to_do:
            return ""
        left_s = sum(one for one in told if one is not None) + to_do * (mean_s or 0)
        return f"; about {duration(round(left_s / len(told)))} left, {len(told)} at a time"

    def _row(self, member, how):
        told = status.read(folder(self.directory, member))
        day = f"{told['time_s'] / 86400:.2f} of {told['end_s'] / 86400:g}" if told else ""
        what, left = sweep_plan.in_short(member), ""
        if how == "running" and told and told.get("left_s") is not None:
            left = f"; {duration(round(told['left_s']))} left"
        if how == "failed":
            what = f"see {sweep_table.log(self.directory, member).name}: {what}"
        return f"{member['number']:04}", how, day, one_line(what, WIDEST - len(left)) + left


# --- cohorts --------------------------------------------------------------------------------------------------

def is_cohort(path) -> bool:
    """Is a path the directory of a cohort, done or not?"""
    return (Path(path) / cohort_results.PLAN).is_file()


def cohort(directory) -> list:
    """How many patients of a cohort have been lived through, and how long the others will take."""
    directory = Path(directory)
    plan = cohort_results.plan_in(directory)
    patients, title = cohort_results.patients_of(plan), str(plan["cohort"].get("title", ""))
    if cohort_results.whole(directory):
        return [facts("", [("cohort", one_line(title)), ("state", f"complete, {counted(patients, 'patient')}")])]
    times = _written(directory)
    done = sum(len(cohort_results.members(block, patients)) for block in times)
    going = runlock.locked(directory)
    what = "running" if going else "stopped or killed; the same `metacascade cohort` goes on"
    left_s = _left_s(directory, times.values(), cohort_results.blocks(patients) - len(times)) if going else None
    left = "" if left_s is None else f", {duration(round(left_s))} left"
    return [facts("", [("cohort", one_line(title)), ("state", what),
                       ("patients", f"{done:,} of {patients:,} ({share(done, patients)}){left}")])]


def _written(directory):
    """When each part was written that is there [s since 1970]: {number: time}."""
    found = {}
    for path in cohort_results.part(directory, 0).parent.glob("part.*.h5"):
        try:
            found[int(path.name.split(".")[1])] = os.stat(path).st_mtime
        except (OSError, ValueError):
            pass
    return found


def _left_s(directory, times, missing):
    """Seconds to the end, at the rate at which parts have come since this session began; None before the first."""
    try:
        began = os.stat(directory / runlock.LOCK).st_mtime
    except OSError:
        return None
    new = [written for written in times if written >= began]
    return cohort_results.left_s(len(new), missing, max(time.time(), *new) - began) if new else None


def config_of(directory):
    """(Config, its text) that the patients of a cohort, or the members of a sweep, start from."""
    directory = Path(directory)
    if not is_cohort(directory):
        return load_with_text(directory / sweep_plan.CONFIG)
    try:
        return Config.from_dict(cohort_results.plan_in(directory)["config"]), ""
    except KeyError:
        raise InputError(f"{directory / cohort_results.PLAN} has no config, which metacascade writes") from None


# --- scaling --------------------------------------------------------------------------------------------------

def is_scaling(path) -> bool:
    """Is a path the directory of a scaling study?"""
    return (Path(path) / scaling.NAMES[0]).is_file() or (Path(path) / scaling.FOLDER).is_dir() and any(
        scaling.MEASURED.fullmatch(name.name) for name in (Path(path) / scaling.FOLDER).iterdir())


def scaling_study(directory):
    """What is in the directory of a scaling study, as lines: its table, and measurements of one that is not done."""
    directory = Path(directory)
    state = "running" if runlock.locked(directory) else "not done: the same command goes on"
    if (path := directory / scaling.NAMES[0]).is_file():
        with atomic.reading(path):
            text = path.read_text("utf-8", "replace")
        try:
            found = json.loads(text)
            yield scaling_table.as_text(found["kind"], found["rows"])
            yield from map(one_line, found["disagreements"])
            yield from (f"worth a look: {one_line(line)}" for line in found.get("doubts", ()))
        except scaling_table.DAMAGED:
            raise InputError(f"{path} is not as metacascade writes it: the same `metacascade scaling` with "
                             "--overwrite measures again") from None
        return
    measured = sorted(path for path in (directory / scaling.FOLDER).iterdir() if scaling.MEASURED.fullmatch(path.name))
    yield f"{directory}: a scaling study, {counted(len(measured), 'measurement')}, {state}"
    for path in measured:
        try:
            figures = json.loads(path.read_text("utf-8"))["figures"]
            yield (f"  {counted(figures['ranks'], 'rank')}, {counted(figures['cells'], 'cell')}: "
                   f"{scaling_table.step_s(figures):.4g} s a step")
        except scaling_table.DAMAGED:
            raise InputError(f"{path} is damaged: remove it, and it is measured again") from None

