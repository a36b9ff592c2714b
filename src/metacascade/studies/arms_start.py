"""The checkpoint that treatment arms start from: read, and kept beside them, as the run that wrote it may go on."""
import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.config.config import Config
from metacascade.io import atomic, checkpoint
from metacascade.io.sealed import BLOCK
from metacascade.run import commands

NAME = "start.h5"


@dataclass(frozen=True)
class Start:
    """A checkpoint: its path, description and config. `seal`: its first bytes, with the checksum of the rest."""
    path: Path
    meta: dict
    config: Config
    seal: bytes

    @property
    def time_s(self) -> int:
        """When it was written."""
        return self.meta["time_s"]


def find(path, kept=None) -> Start:
    """The checkpoint `path`, or that of the run in this directory; the copy `kept` goes before, if it is there."""
    path = Path(kept) if kept is not None and Path(kept).exists() else Path(path)
    if path.is_dir():
        path = path / checkpoint.NAME
    seal = _seal(path)
    meta = checkpoint.meta_of(path)
    return Start(path, meta, commands.config_in(meta, path), seal)


def keep(directory, start):
    """Let the checkpoint have a name in the directory of the arms, too: as a link, else as a copy."""
    kept = Path(directory) / NAME
    if kept.exists():
        return
    mine = Path(f"{kept}.{os.uname().nodename}.{os.getpid()}{atomic.DRAFT}")
    with atomic.writing(kept), atomic.removed_on_error(mine):
        mine.unlink(missing_ok=True)
        try:
            os.link(start.path, mine)
        except OSError:
            with contextlib.suppress(shutil.SameFileError):
                shutil.copyfile(start.path, mine)
        if _seal(mine) != start.seal:
            raise InputError(f"{start.path} was written anew just now: call again")
        os.replace(mine, kept)


def _seal(path):
    with atomic.reading(path), open(path, "rb") as file:
        return file.read(BLOCK)
