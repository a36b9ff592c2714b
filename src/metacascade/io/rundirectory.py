"""The directory of a run: taken by one run at a time, refused where it is used, tidied when a kill left something."""
import contextlib
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.io import formerreport, ownership, parts, results, runlock
from metacascade.io.atomic import RANKS, SIGNS, STATUS, writing
from metacascade.io.runlock import LOCK


@contextlib.contextmanager
def claimed(world, directory, overwrite=False):
    """Make `directory` ours: refuse one that holds files; with `overwrite`, remove those of a former run.

    Collective. Only files that metacascade has written are ever removed. Gives the lock of the directory, see `held`.
    """
    directory = Path(directory)
    with contextlib.ExitStack() as stack:
        lock = None
        with world.together(), writing(directory):
            if world.rank == 0:
                refuse_used(directory, overwrite)
                lock = stack.enter_context(runlock.locking(directory))
                refuse_used(directory, overwrite)       # another run may have come and gone meanwhile
                former = ownership.of_a_run(directory)
                report = formerreport.of_a_run(directory) if former else []
                for path in (*report, *former):
                    path.unlink()
                if report:
                    formerreport.remove_folders(directory)
        yield lock


def refuse_used(directory, overwrite=False):
    """Raise InputError where a run cannot begin: a file, or a directory with files that are not to be removed."""
    directory = Path(directory)
    if directory.exists() and not directory.is_dir():
        raise InputError(f"{directory} is a file; --out names a directory")
    if holds_files(directory) and not overwrite:
        raise InputError(f"{directory} holds files already; go on with `metacascade resume {directory}`, "
                         "replace its results with --overwrite, or choose another --out")
    ownership.of_a_run(directory)       # what it refuses


def holds_files(directory):
    """Is anything in a directory but what a run leaves that ended before its first checkpoint?"""
    return directory.is_dir() and any(path.name not in (LOCK, SIGNS, STATUS, RANKS) for path in directory.iterdir())


@contextlib.contextmanager
def held(world, directory):
    """Lock a run directory against other runs, and let go of it in the end. Collective.

    Gives the lock: an open file on rank 0, None on the others.
    """
    with contextlib.ExitStack() as stack:
        with world.together():
            lock = stack.enter_context(runlock.locking(directory)) if world.rank == 0 else None
        yield lock


def finished(directory):
    """True if the results in a run directory are complete. One process."""
    try:
        with results.open_results(directory, parts_needed=False) as found:
            return found.complete
    except InputError:
        return False


def tidy(directory):
    """Remove what a kill between the merging of the parts and the end left in the directory of a finished run.

    Only with its lock, where nobody else has it: else a run that goes on here could lose its parts. One process.
    """
    with runlock.if_free(directory) as free:
        if free and finished(directory):
            parts.remove(Path(directory) / parts.FOLDER)
            for name in (SIGNS, STATUS, RANKS):
                with contextlib.suppress(OSError):
                    (Path(directory) / name).unlink()
