"""What the members of a sweep or of arms start from: a config, or a checkpoint, which is kept beside them, as the run
that wrote it may go on."""
import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.base.screen import one_line
from metacascade.config import presets, read as config_read
from metacascade.config.config import Config
from metacascade.io import atomic, checkpoint
from metacascade.io.sealed import BLOCK
from metacascade.mechanisms import plan_of
from metacascade.run import commands, inputs

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
    if kept is not None and Path(kept).exists():
        try:
            return _read(Path(kept))
        except InputError as error:
            raise InputError(f"{error}; this is the copy in the directory of the members: remove it, and the next call "
                             f"takes {one_line(path)} again") from None
    path = Path(path)
    return _read(path / checkpoint.NAME if path.is_dir() else path)


def _read(path):
    seal = _seal(path)
    meta = checkpoint.meta_of(path)
    return Start(path, meta, commands.config_in(meta, path), seal)


def document_of(name, folder):
    """A config file, relative to a folder, or a preset."""
    path = os.path.join(folder, name)
    if name in presets.names() and not os.path.exists(path):
        return config_read.parse_text(presets.text(name), name, str(presets.FOLDER))
    return config_read.read_file(path)


def saved_in(name, folder, kept):
    """The config of a checkpoint, or of the last one in the directory of a run, and the checkpoint itself."""
    start = find(os.path.join(folder, name), kept)
    document = config_read.parse_text(start.config.to_toml(), "the config of the checkpoint")
    document.stored = True
    return document, start


def told(start):
    """What a plan keeps of a checkpoint; None without one."""
    return start and dict(file=NAME, path=str(start.path.absolute()), time_s=start.time_s)


def own_seed(base, start):
    """run.seed of what the members start from."""
    run = base.tables.get("run", {})
    return start.config.run.seed if start else run.get("seed", 1) if isinstance(run, dict) else 1


def looked_at(start, made, read_file):
    """Lines on what is allowed and unusual in the config of a member. Raises InputError for what is not possible."""
    if start is None:
        return inputs.of(made, read_file).warnings
    former, meta = start.config, start.meta
    commands.refuse_branch(former, made, meta, plan_of(former).vessels_live)
    if made.vessels != former.vessels:
        inputs.of(made, read_file)
    return commands.warnings_of_branch(former, made, meta["time_s"])


def keep(directory, start):
    """Let the checkpoint have a name in the directory of the members, too: as a link, else as a copy."""
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
                atomic.copy_synced(start.path, mine)
        if _seal(mine) != start.seal:
            raise InputError(f"{start.path} was written anew just now: call again")
        os.replace(mine, kept)


def _seal(path):
    with atomic.reading(path), open(path, "rb") as file:
        return file.read(BLOCK)
