"""Checkpoints that a run keeps for good, besides the last two: ``checkpoint.432000s.h5`` is that of day 5."""
import re
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.base.screen import one_line
from metacascade.base.units import show_time
from metacascade.io import checkpoint, manyruns

NAME = re.compile(r"checkpoint\.(0|[1-9][0-9]{0,11})s\.h5", re.ASCII)
SHOWN = 12              # times in a line


def name(time_s):
    """The name of the checkpoint that is kept of a time."""
    return f"checkpoint.{time_s}s.h5"


def found(directory):
    """{time [s]: path} of the kept checkpoints in a run directory, in the order of their times. They may be damaged."""
    inside = ((NAME.fullmatch(path.name), path) for path in Path(directory).iterdir())
    return dict(sorted((int(match[1]), path) for match, path in inside if match))


def look(directory, time_s):
    """(the checkpoint of a time, or None; {time [s]: path} of those looked at; why others are not). One process.

    By their names first; the last two of the run, which have to be read, only where no name is of the time.
    """
    there, damaged = found(directory), []
    for path in checkpoint.found(directory) if time_s not in there else ():
        try:
            there[checkpoint.meta_of(path)["time_s"]] = path
        except InputError as error:
            damaged.append(str(error))
    return there.get(time_s), there, damaged


def at(directory, time_s):
    """The checkpoint of exactly this time in a run directory, kept or one of the last two. One process.

    Raises InputError with the times that there are, the nearest first.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise InputError(f"{directory} is not the directory of a run: --at takes one, and picks a checkpoint in it")
    path, there, damaged = look(directory, time_s)
    if path:
        return path
    if not there:
        manyruns.refuse(directory)
        raise InputError("\n".join([f"{directory} holds no checkpoint" + " that is whole" * bool(damaged), *damaged]))
    nearest = min(there, key=lambda one: (abs(one - time_s), one))
    raise InputError("\n".join([
        f"{directory} has no checkpoint of {show_time(time_s)}; the nearest is that of {show_time(nearest)}; there are "
        f"{listed(there)}. A run keeps those of output.keep", *damaged]))


def refuse_other(path, found_s, time_s):
    """Raise InputError unless a checkpoint that was picked for a time is of that time, and not renamed."""
    if found_s != time_s:
        raise InputError(f"{path} is of {show_time(found_s)}, not of {show_time(time_s)}, as its name says: it has "
                         "been renamed; give its path, without a time")


def told(directory):
    """A line on the kept checkpoints of a run directory; None where there are none."""
    there = found(directory) if Path(directory).is_dir() else {}
    if not there:
        return None
    return (f"checkpoints kept: {listed(there)}; metacascade branch {one_line(directory)} "
            f'--at "{show_time(next(iter(there)))}" starts from one')


def listed(times):
    """Times [s] in words, the first and the last of many."""
    shown = [show_time(one) for one in sorted(times)]
    return ", ".join(shown if len(shown) <= SHOWN else [*shown[:SHOWN - 2], "...", shown[-1]])
