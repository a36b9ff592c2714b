"""The lock of a run directory: one process writes there at a time, and whoever finds it taken is told by whom.

``run.lock`` holds one line, the host and the process that took it. What counts is the lock that the kernel keeps on the
file, which ends with the process, however that ends: after a kill the file is still there, means nothing any more,
and the next process that wants the directory takes it over.
"""
import contextlib
import errno
import fcntl
import os
import struct
from pathlib import Path

from metacascade.base.errors import InputError, RunError
from metacascade.base.numerals import is_count
from metacascade.base.screen import warn
from metacascade.io.atomic import MISSING, writing

LOCK = "run.lock"
# struct flock of 64-bit Linux. The lock is of the open file, not of the process: two threads are two, and to close
# another file ends nothing
WHOLE_FILE = struct.Struct("hhqqi4x")
TAKEN = (errno.EAGAIN, errno.EACCES)


def lock(directory):
    """Lock `directory`, made if need be, until `unlock` or the end of this process.

    Returns the open file ``run.lock``: keep it. Raises InputError where another holds it. Where the file system has no
    locks it is a new file each time, so that whoever had the one before ends at the next `still_locked`; and a warning
    says so.
    """
    path = Path(directory) / LOCK
    with writing(directory):
        path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = _open(path)
        try:
            if not _taken(file, directory):
                file.close()
                with writing(directory):
                    path.unlink(missing_ok=True)
                file = _open(path)
            if _is(path, file):         # else its former holder has removed it just now
                _sign(file)
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def unlock(directory, file):
    """Let go of a directory, and remove ``run.lock``, unless the name is another's by now."""
    path = Path(directory) / LOCK
    with contextlib.suppress(OSError):
        if _is(path, file):
            path.unlink()
    file.close()


@contextlib.contextmanager
def locking(directory):
    """`lock` and, however the body ends, `unlock`."""
    file = lock(directory)
    try:
        yield file
    finally:
        unlock(directory, file)


@contextlib.contextmanager
def if_free(directory):
    """Take the lock if nobody has it, and let go of it in the end; gives whether it was taken.

    It is not where the file system has no locks: there nobody can tell.
    """
    file = _had(Path(directory) / LOCK)
    try:
        yield file is not None
    finally:
        if file:
            unlock(directory, file)


def _had(path):
    """The locked file, or None."""
    try:
        file = _open(path)
    except (OSError, RunError):
        return None
    with contextlib.suppress(OSError):
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _whole_file())
        if _is(path, file):
            return file
    file.close()
    return None


def locked(directory):
    """Does anybody hold the `lock` of `directory`? Asking takes no lock, so it is in nobody's way."""
    try:
        with open(Path(directory) / LOCK, "rb") as file:
            answer = fcntl.fcntl(file, fcntl.F_GETLK, _whole_file())
    except OSError:
        return False
    return WHOLE_FILE.unpack(answer)[0] != fcntl.F_UNLCK


def tells(directory):
    """Can the file system tell whether anybody holds the `lock` of `directory`? Without locks `locked` says no."""
    try:
        with open(Path(directory) / LOCK, "rb") as file:
            fcntl.fcntl(file, fcntl.F_GETLK, _whole_file())
    except OSError as error:
        return error.errno in MISSING
    return True


def still_locked(directory, file):
    """Raise RunError if `directory` is no longer the one in which `lock` opened `file`: removed, moved or replaced."""
    try:
        if _is(Path(directory) / LOCK, file):
            return
    except OSError as error:
        if error.errno not in MISSING:      # what else a file system may say for a while ends no run
            return
    raise RunError(f"{directory} was removed, moved or replaced in the middle of the run, or {LOCK} in it was: by "
                   "another run, if its file system has no locks. "
                   "If it was moved, bring it back and go on with `metacascade resume`: the last checkpoint counts")


def _open(path):
    with writing(path.parent):
        return open(path, "rb+", buffering=0, opener=lambda name, flags: os.open(name, flags | os.O_CREAT, 0o666))


def _is(path, file):
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _whole_file():
    return WHOLE_FILE.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


def _taken(file, directory):
    """Take the lock of an open file; InputError where another has it, False where there are no locks."""
    try:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _whole_file())
        return True
    except OSError as error:
        why = error
    holder = _holder(file)
    if why.errno in TAKEN:
        raise InputError(f"{directory}: another run is writing here{holder and f', {holder}'}; wait for it, or choose "
                         "another --out")
    warn(f"the file system of {directory} has no locks ({why.strerror}): nothing keeps another run from starting here. "
         f"If one does, this one ends at its next step{holder and f', as now does {holder} if it still runs'}")
    return False


def _sign(file):
    """Write down who holds it. A full disk keeps nobody from going on."""
    with contextlib.suppress(OSError):
        file.truncate(0)
        os.pwrite(file.fileno(), f"{os.uname().nodename} {os.getpid()}\n".encode(), 0)


def _holder(file):
    """The process that the file names, in words; empty if it names none."""
    words = os.pread(file.fileno(), 1000, 0).decode("ascii", "replace").split()
    known = len(words) == 2 and words[0].isprintable() and is_count(words[1])
    return f"process {words[1]} on {words[0]}" if known else ""
