"""Files that survive a kill at any moment: written under a temporary name, synced, then renamed.

A name that does not end in ``.tmp`` is thus a whole file; one that does is a leftover.
"""
import contextlib
import errno
import fcntl
import os
import struct
import sys
from pathlib import Path

from metacascade.errors import InputError, RunError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)
MISSING = (errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.ESTALE)
LOCK, DRAFT = "run.lock", ".tmp"
GO_ON = "go on: a run with `metacascade resume`, a study with the same command"
SIGNS = "watchdog.txt"           # of a run on several ranks, see metacascade.watchdog


def temporary(path):
    """The name under which `path` is written until it is whole."""
    return Path(f"{path}{DRAFT}")


@contextlib.contextmanager
def writing(path):
    """An OSError in the body becomes a RunError that names the file, what failed and what to do."""
    try:
        yield
    except OSError as error:
        name = str(path).removesuffix(DRAFT)
        raise RunError(f"cannot write {name}: {error.strerror or error}; {_remedy(error)}") from error


def _remedy(error):
    if error.errno in FULL:
        return f"free some space, then {GO_ON}. The files written before are whole"
    if error.errno in FORBIDDEN:
        return "the directory must be writable; choose another with --out"
    if error.errno in MISSING:
        return "it has no directory, and none can be made; choose another with --out, or bring the former one back"
    return f"the files written before are whole; {GO_ON}"


@contextlib.contextmanager
def reading(path):
    """An OSError in the body becomes an InputError that names the file."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def sync_directory(directory):
    """Make renames in `directory` durable; a file system that cannot sync a directory needs no sync."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def replace(path):
    """Give the whole and synced file ``path.tmp`` its name."""
    os.replace(temporary(path), path)
    sync_directory(Path(path).parent)


def write_bytes(path, pieces):
    """Write ``(position, bytes)`` pieces to `path`, whole or not at all. One process."""
    with writing(path), removed_on_error(temporary(path)):
        with open(temporary(path), "wb") as file:
            for position, data in pieces:
                file.seek(position)
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        replace(path)


def write_text(path, text):
    """Write `text` to `path`, whole or not at all; names in it that are not UTF-8 keep their bytes. One process."""
    write_bytes(path, [(0, text.encode(errors="surrogateescape"))])


def write_shared(path, text):
    """As `write_text`, where several processes may write `path` at the same moment: one of them has the last word."""
    mine = f"{path}.{os.uname().nodename}.{os.getpid()}"
    write_text(mine, text)
    with writing(path), removed_on_error(mine):
        os.replace(mine, path)


@contextlib.contextmanager
def removed_on_error(path):
    """Remove `path` if the body fails."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise


def keep_former(path, former):
    """Let `former` name the present `path`, which keeps its name: at no moment is there none.

    Without hard links (some file systems) it is renamed: a kill before the new file has its name
    then leaves the former one only, which resume finds.
    """
    if not os.path.exists(path) or os.path.exists(former) and os.path.samefile(path, former):
        return  # of two names for one file, rename(2) would remove neither
    link = temporary(former)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(link)
    try:
        os.link(path, link)
    except OSError:
        os.replace(path, former)
    else:
        with removed_on_error(link):
            os.replace(link, former)


def lock(directory):
    """Lock `directory`, made if need be, against other processes until this one ends, however it ends.

    Returns the open file ``run.lock``: keep it. Where the file system has no locks it is a new file each time, so
    that whoever had the one before ends at the next `still_locked`; and a warning says so.
    """
    path = Path(directory) / LOCK
    with writing(directory):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a")
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        file.close()
        raise InputError(f"{directory}: another run is writing here; wait for it, or choose another --out") from None
    except OSError as error:
        file.close()
        print(f"warning: the file system of {directory} has no locks ({error.strerror}): nothing keeps another run "
              "from starting here. If one does, this one ends at its next step", file=sys.stderr, flush=True)
        with writing(directory):
            path.unlink(missing_ok=True)
            file = open(path, "a")
    return file


def locked(directory):
    """Does another process hold the `lock` of `directory`? Asking takes no lock, so it is in nobody's way.

    Not for a process that holds it itself: closing the file here would let go of it.
    """
    question = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)      # struct flock of 64-bit Linux
    try:
        with open(Path(directory) / LOCK, "rb") as file:
            answer = fcntl.fcntl(file, fcntl.F_GETLK, question)
    except OSError:
        return False
    return struct.unpack("hhqqi4x", answer)[0] != fcntl.F_UNLCK


def still_locked(directory, file):
    """Raise RunError if `directory` is no longer the one in which `lock` opened `file`: removed, moved or replaced."""
    try:
        if os.path.samestat(os.stat(Path(directory) / LOCK), os.fstat(file.fileno())):
            return
    except OSError as error:
        if error.errno not in MISSING:      # what else a file system may say for a while ends no run
            return
    raise RunError(f"{directory} was removed, moved or replaced in the middle of the run, or {LOCK} in it was: by "
                   "another run, if its file system has no locks. "
                   "If it was moved, bring it back and go on with `metacascade resume`: the last checkpoint counts")
