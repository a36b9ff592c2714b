"""The terminal on which what a rank prints is seen, if there is one.

The mpiexec of MPICH gives its ranks pipes, that of Open MPI gives them terminals of its own, and both pass on what they
read, wherever they themselves print. So the question is put to the launcher: it is an ancestor of the first rank, at
least where this runs on the node on which it was typed, and Linux tells where its standard output goes.
"""
import contextlib
import os
import stat
import sys
from pathlib import Path

from metacascade.ranks import launcher

LAUNCHERS = ("mpiexec", "mpirun", "prterun", "orterun")
FARTHEST = 8              # ancestors that are looked at
TERMINALS = ("/dev/pts/", "/dev/tty", "/dev/console")
USUAL = 80              # columns of a terminal that does not tell


def columns():
    """How many columns it has; None where there is none, or where that cannot be known."""
    if sys.stdout.isatty() and not launcher.open_mpi():
        return _columns_of(sys.stdout.fileno())
    if not launcher.launched():
        return None
    try:
        return _of_launcher()
    except (OSError, ValueError, IndexError):
        return None


def _of_launcher():
    """The same of the launcher, if it reads what this process prints."""
    output = sys.stdout.fileno()
    if not (sys.stdout.isatty() or stat.S_ISFIFO(os.fstat(output).st_mode) or stat.S_ISSOCK(os.fstat(output).st_mode)):
        return None
    link, read, process = os.readlink(f"/proc/self/fd/{output}"), sys.stdout.isatty(), os.getppid()
    for _ in range(FARTHEST):
        read = read or link in _open_files(process)
        if _name(process).startswith(LAUNCHERS):
            path = os.readlink(f"/proc/{process}/fd/1")
            return _columns_at(path) if read and path.startswith(TERMINALS) else None
        process = _parent(process)
    return None


def _open_files(process):
    """Where the open files of a process lead, of those that may be looked at."""
    found = set()
    with contextlib.suppress(OSError):
        for path in Path(f"/proc/{process}/fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(os.readlink(path))
    return found


def _name(process):
    return Path(f"/proc/{process}/comm").read_text("utf-8", "replace").strip()


def _parent(process):
    """The process that started another; its name, in parentheses, may hold anything."""
    return int(Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])


def _columns_at(path):
    handle = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        return _columns_of(handle) if os.isatty(handle) else None
    finally:
        os.close(handle)


def _columns_of(handle):
    try:
        return os.get_terminal_size(handle).columns or USUAL
    except OSError:
        return USUAL
