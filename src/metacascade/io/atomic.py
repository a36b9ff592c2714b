"""Files that survive a kill at any moment: written under a temporary name, synced, then renamed.

A name that does not end in ``.tmp`` is thus a whole file; one that does is a leftover.
"""
import contextlib
import errno
import os
import shutil
from pathlib import Path

from metacascade.base.errors import InputError, RunError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)
MISSING = (errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.ESTALE)
DRAFT = ".tmp"
HEAD = 4096             # bytes by which a file is known
GO_ON = ("go on: a run with `metacascade resume`, or anew with --overwrite if it has no checkpoint yet, a study with "
         "the same command")
SIGNS = "watchdog.txt"           # of a run on several ranks, see metacascade.run.watchdog
STATUS, RANKS = "status.json", "ranks.txt"      # of a run that goes on, see metacascade.run.status


def temporary(path):
    """The name under which `path` is written until it is whole."""
    return Path(f"{path}{DRAFT}")


@contextlib.contextmanager
def writing(path):
    """An OSError in the body becomes a RunError that names the file, what failed and what to do."""
    try:
        yield
    except OSError as error:
        name = str(path).removesuffix(DRAFT).removesuffix(_mine())
        raise RunError(f"cannot write {name}: {error.strerror or error}; {_remedy(error)}") from error


def _remedy(error):
    if error.errno in FULL:
        return f"free some space, then {GO_ON}. The files written before are whole"
    if error.errno in FORBIDDEN:
        return "the directory must be writable; choose another (--out, for a file --csv)"
    if error.errno in MISSING:
        return ("it has no directory, and none can be made; choose another (--out, for a file --csv), or bring the "
                "former one back")
    return f"the files written before are whole; {GO_ON}"


@contextlib.contextmanager
def reading(path):
    """An OSError in the body becomes an InputError that names the file."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def refuse_other(path, is_one, what, remedy):
    """InputError for a path at which there is anything but an earlier file of the same kind, or nothing.

    `is_one`: whether the first bytes of a file are of one, which `what` names; `remedy`: what to do.
    """
    if not os.path.lexists(path):
        return
    with reading(path):
        if not Path(path).is_file() or Path(path).absolute().parts[1:2] == ("dev",):
            raise InputError(f"{path} is no file that can be replaced: {remedy}")
        with open(path, "rb") as file:
            if (head := file.read(HEAD)) and not is_one(head):
                raise InputError(f"{path} is there and no {what}: {remedy}")


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


def _mine():
    """What this process adds to the name of a file that others write, too."""
    return f".{os.uname().nodename}.{os.getpid()}"


def write_shared(path, text):
    """As `write_text`, where several processes may write `path` at the same moment: one of them has the last word."""
    mine = f"{path}{_mine()}"
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


def also_named(path, other):
    """Give the whole and synced file ``path.tmp`` the name `other`, too: as a link, else as a copy. One process."""
    draft = temporary(other)
    with removed_on_error(draft):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)
        try:
            os.link(temporary(path), draft)
        except OSError:
            copy_synced(temporary(path), draft)
        os.replace(draft, other)


def copy_synced(path, other):
    """Copy a file such that the bytes are on the disk before it gets another name."""
    shutil.copyfile(path, other)
    with open(other, "rb+") as file:
        os.fsync(file.fileno())


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
