"""A run at a glance: how it stands, what is in it now, and its files, in a screen."""
import os
import time
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.base.numerals import counted, size
from metacascade.base.screen import one_line
from metacascade.base.sheets import Sheet, facts, plain, share
from metacascade.config.config import Config, default
from metacascade.io import cascade_text, checkpoint, kept as kept_checkpoints, results, rundirectory, runlock, snapshots
from metacascade.io.cascade import kept
from metacascade.io.cascade_text import hours
from metacascade.io.structure import understood
from metacascade.mechanisms import plan_of
from metacascade.model import observables
from metacascade.run import status, tables
from metacascade.run.estimate import duration

COMPLETE, RUNNING, KILLED, STOPPED = "complete", "running", "killed", "stopped"
FRESH_S = 60.0      # a status that is no older is of a run that goes on, where the file system has no locks
SCREEN = 36         # lines of what results tell: four more are of files
ROUND_ORGANS, LEAST_ORGANS, DRAWS = 5, 3, 2     # lines round those of organs; organs, at least; draws, at most
LINE = 68           # columns for a fact


def is_run(path) -> bool:
    """Is a path the directory of a run, by what it holds?"""
    path = Path(path)
    return path.is_dir() and ((path / results.NAME).exists() or bool(checkpoint.found(path)))


def standing(directory, complete, told=None) -> str:
    """How a run stands: COMPLETE, RUNNING (its directory is locked), KILLED, or STOPPED early with a checkpoint.

    `complete`: whether its results are; `told`: its status, if there is one. Both were read before the lock is looked
    at: of a run that has ended since, the results are looked at again.
    """
    if runlock.locked(directory):
        return RUNNING
    if complete or rundirectory.finished(directory):
        return COMPLETE
    if told and time.time() - told["written"] < FRESH_S and not runlock.tells(directory):
        return RUNNING
    return KILLED if told else STOPPED


def describe(directory):
    """(lines, tables, what is damaged) of a run directory: its files, and what is in it."""
    directory, lines, sheets, damaged = Path(directory), [], [], []
    if (directory / results.NAME).exists():
        try:
            with results.open_results(directory) as found, understood(found.path):
                found.verify()
                lines.append(_head(found))
                sheets = of_results(found, directory)
        except InputError as error:
            damaged.append(str(error))
    for path in checkpoint.found(directory):
        try:
            lines.append(checkpoint.outlined(path))
        except InputError as error:
            damaged.append(str(error))
    if pictures := list((directory / snapshots.FOLDER).glob("*.vtkhdf")):
        lines.append(f"{directory / snapshots.FOLDER}: {counted(len(pictures), 'file')} for ParaView")
    if line := kept_checkpoints.told(directory):
        lines.append(line)
    return lines, sheets, damaged


def _head(found):
    state, rows = "complete" if found.complete else "not complete", len(found.series.get("time_s", ()))
    return (f"{found.path}: results, format {results.FORMAT}, {state}, {counted(rows, 'output')}, "
            f"{size(os.stat(found.path).st_size)}")


def of_results(found, directory, room=SCREEN) -> list:
    """What results tell of a run, as tables of `room` lines if that can be."""
    found, config = kept(found), found.config
    last = {name: values[-1] for name, values in found.series.items() if len(values)}
    if not last:
        return [_of_run(found, config, last, (), directory)]
    columns = columns_of(config)
    blocks = [_of_run(found, config, last, columns, directory), tables.cells(last, columns),
              tables.draws(found.draws, found.names("draws")["node"], DRAWS), _cascade(found)]
    rows, used = found.burdens(), len(plain(blocks).splitlines())
    organs = tables.organs(rows, most=max(room - used - ROUND_ORGANS, LEAST_ORGANS))
    return [*blocks[:2], organs, *blocks[2:]]


def columns_of(config):
    """The columns of the time series of a config as resolved; those of the default one if a mechanism is not here."""
    try:
        return observables.columns(plan_of(Config.from_dict(config)))
    except InputError:
        return observables.columns(plan_of(default()))


def _of_run(found, config, last, columns, directory):
    """How it stands and how far it is."""
    told = status.read(directory)
    state = standing(directory, found.complete, told)
    end_s = config["run"]["duration_s"]
    time_s, step = (told["time_s"], told["step"]) if told else (last.get("time_s", 0), last.get("step", 0))
    first, newest = found.provenance[0], found.provenance[-1]
    return facts("", [
        ("run", one_line(config.get("title") or "", LINE)),
        ("state", f"{state}, day {time_s / 86400:g} of {end_s / 86400:g} ({share(time_s, end_s)}), "
                  f"{counted(int(step), 'step')}{_what_next(state, told, directory)}"),
        ("started", f"{first.get('started', '?')} on {counted(int(newest.get('ranks', 1)), 'rank')}"
                    + f", resumed {counted(len(found.provenance) - 1, 'time')}" * (len(found.provenance) > 1)),
        ("command", one_line(str(newest.get("command", "")).rpartition("__main__.py ")[2], LINE)),
        ("digest", one_line(found.digest)), ("gone", tables.gone(last, columns))])


def _what_next(state, told, directory):
    if state == RUNNING and told and told.get("left_s") is not None:
        return f"; {told['days_per_min']:.3g} days/min, {duration(told['left_s'])} left at this rate"
    if state in (KILLED, STOPPED):
        return f"; go on with `metacascade resume {one_line(directory)}`"
    return ""


def _cascade(found):
    lines = cascade_text.headline(found)
    return Sheet("cascade (`metacascade cascade` tells more)", (), [(line.strip(),) for line in lines[1:]])


def written_ago(path) -> str:
    """How long ago a file was written, as words; "" without one."""
    try:
        return f"{hours((time.time() - os.stat(path).st_mtime) / 3600)} ago"
    except OSError:
        return ""
