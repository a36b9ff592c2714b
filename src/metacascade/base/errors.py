"""The errors that a user can meet. ``__main__`` turns each into one message and an exit code."""
import contextlib
import os
from typing import Any

from metacascade.base.screen import bounded, shown

DONE = 0
FAILED = 1
WRONG_INPUT = 2
STOPPED_EARLY = 75  # EX_TEMPFAIL: a checkpoint was written, the job may be queued again

PathLike = str | os.PathLike[str]

SHOWN = 10          # problems of a vessel file that a message lists


class InputError(ValueError):
    """A wrong config, file or command; the message says where and what is allowed, one problem a line."""

    def __init__(self, text: str):
        super().__init__(bounded(text))


class Contradiction(InputError):
    """A parameter of a config that contradicts another: its path in the file, and the paths of the others.

    For `plan`: ``raise Contradiction(("emt", "full"), "must be less than ...", ("emt", "threshold"))``.
    """

    def __init__(self, path: tuple, why: str, *others: tuple):
        self.path, self.why, self.others = path, why, others
        super().__init__(f"{'.'.join(map(str, path))} {why}")


class NetworkError(InputError):
    """A vessel file that cannot be used. `problems`: all of them, a line each; the message has the first ones."""

    def __init__(self, problems: list[str]):
        self.problems = problems
        more = len(problems) - SHOWN
        rest = [f"and {more:,} more problems; `metacascade check CONFIG --problems FILE` writes all of them to a file"]
        super().__init__("\n".join(problems[:SHOWN] + rest * (more > 0)))


class RunError(RuntimeError):
    """The run cannot go on, for a reason outside the model: a full disk, a dead file system."""

    def __init__(self, text: str):
        super().__init__(bounded(text))


class CellsLost(RuntimeError):
    """The number of cells does not add up: a bug, never a user's mistake."""


def on_all_ranks(error):
    """Mark an error that every rank raises at the same place: one rank speaks, and nobody must be aborted."""
    error.on_all_ranks = True
    return error


def exit_code(error: BaseException) -> int:
    """The exit code of a process that ends with `error`."""
    return WRONG_INPUT if isinstance(error, InputError) else FAILED


def path_of(given: Any, what: str) -> str:
    """A path as text; InputError where `given` is none, which `what` names: ``"the config"``."""
    with contextlib.suppress(TypeError, UnicodeError):
        if (path := os.fsdecode(given)) and b"\0" not in os.fsencode(path):
            return path
    raise InputError(f"{what} must be a path, not {kind(given)}")


def kind(value: Any) -> str:
    """A value of a wrong kind and its type, for a message."""
    return "nothing" if value is None else f"{shown(value)} ({type(value).__name__})"
