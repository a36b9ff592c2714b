"""Mechanisms of a user, from outside of the package: Python modules that a config names.

A module is a file (its name ends in .py), an entry point of the group ``metacascade.mechanisms``, or a module that can
be imported. Each has the SHA-256 of its source, by which a checkpoint knows it again. Importing runs its code.
"""
import hashlib
import importlib
import importlib.metadata
import importlib.util
import os
import sys
import traceback
from dataclasses import dataclass
from types import ModuleType

from metacascade.base.declare import Section
from metacascade.base.errors import Contradiction, InputError

GROUP = "metacascade.mechanisms"
_FILES: dict = {}       # (path, SHA-256) -> module: the same file is one module, however often it is named


class MechanismError(InputError):
    """A module of a user that is not there, has changed, or is no mechanism."""


@dataclass(frozen=True)
class Found:
    """A mechanism of a user: the name by which it is found again, the SHA-256 of its source, and the module."""
    name: str
    sha256: str
    module: ModuleType


def found(name: str, folder: str = ".", sha256: str | None = None) -> Found:
    """The mechanism of a name; files are relative to `folder`.

    Raises
    ------
    MechanismError
        If there is none, if it fails, if it is no mechanism, or if `sha256` is given and its source has another.
    """
    name = os.path.join(os.path.abspath(folder), name) if name.endswith(".py") else name
    try:
        module, source = _file(name, sha256) if name.endswith(".py") else _importable(name)
    except MechanismError:
        raise
    except (Exception, SystemExit) as error:
        raise MechanismError(f"{place(error, name, name)}: {type(error).__name__}: {error}") from None
    one = Found(name, digest(source), module)
    _refuse_changed(one, sha256)
    _refuse_incomplete(one)
    return one


def digest(source: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(source).hexdigest()


def _file(path, sha256):
    """(module, source) of a file, whose code is what was read, also if it changes meanwhile."""
    try:
        with open(path, "rb") as file:
            source = file.read()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        kept = "; the checkpoint was made with it: put it back" if sha256 else ""
        raise MechanismError(f"cannot read the mechanism {path}: {why}{kept}") from None
    key = path, digest(source)
    if sha256 in (None, key[1]) and key not in _FILES:
        stem = os.path.basename(path).removesuffix(".py")
        module = ModuleType(f"metacascade_user_{key[1][:12]}.{stem}")
        module.__file__ = path
        sys.modules[module.__name__] = module            # where a Section looks up the names in its annotations
        exec(compile(source, path, "exec"), module.__dict__)
        _FILES[key] = module
    return _FILES.get(key), source


def _importable(name):
    entry = [one for one in importlib.metadata.entry_points(group=GROUP) if one.name == name]
    module = importlib.import_module(entry[0].value if entry else name)
    with open(module.__file__, "rb") as file:
        return module, file.read()


def _refuse_changed(one, sha256):
    if sha256 not in (None, one.sha256):
        raise MechanismError(f"the mechanism {one.name} has changed: its SHA-256 is {one.sha256}, and the config was "
                             f"made with {sha256}: put the former file back")


def _refuse_incomplete(one):
    """A mechanism has SECTION, TABLE and plan, see `plan`; a table of its own, or none and no section."""
    module = one.module
    missing = [name for name in ("SECTION", "TABLE", "plan") if not hasattr(module, name)]
    if missing:
        raise MechanismError(f"{one.name}: a mechanism has SECTION, TABLE and plan(config); "
                             f"{', '.join(missing)} is missing")
    section = module.SECTION
    if (section is None) != (module.TABLE is None):
        raise MechanismError(f"{one.name}: SECTION and TABLE are both None, or none is")
    if section is not None and not (isinstance(section, type) and issubclass(section, Section)
                                    and section.table == module.TABLE and "enabled" in section.model_fields):
        raise MechanismError(f"{one.name}: SECTION must be a Section with table = {module.TABLE!r} and "
                             "a switch `enabled`")


def place(error, name, file=None) -> str:
    """File and line of an error in a module, as far as it knows them: in `file`, if that is in its course."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__
              and "importlib" not in frame.filename]
    frames = [frame for frame in frames if frame.filename == file] or frames
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else f"the mechanism {name}"


def declarations(module, config) -> list[tuple]:
    """What the `plan` of a module of a user yields, each with its place: ``own.py:12``.

    Raises
    ------
    MechanismError
        With file and line, if it fails; a Contradiction stays one.
    """
    file = getattr(module, "__file__", None)
    try:
        made = module.plan(config)
        return [(one, _yielded_at(made, file)) for one in made]
    except Contradiction:
        raise
    except (Exception, SystemExit) as error:
        kind = "" if type(error) is ValueError else f"{type(error).__name__}: "
        raise MechanismError(f"{place(error, file, file)}: {kind}{error}") from None


def _yielded_at(made, file) -> str:
    """File and line of the `yield` at which a generator waits, which may be of another file that `plan` calls; of other
    sequences there is only the file of `plan`."""
    frame = getattr(made, "gi_frame", None)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else str(file)
