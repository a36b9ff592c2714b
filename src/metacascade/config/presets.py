"""The presets: commented config files that come with the package, and sweeps, treatment arms and cohorts of them."""
import os
import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.base.names import nearest

FOLDER = files("metacascade") / "presets"
SCHEMA = "metacascade.schema.json"
SCHEMA_LINE = f"#:schema ./{SCHEMA}"        # as Taplo and the editors that use it have it
SWEEP, ARMS, COHORT = "sweep_", "arms_", "cohort_"     # so begin the names of sweeps, treatment arms and cohorts


def names() -> list[str]:
    """Names of the presets that are configs."""
    return [name for name in _all() if not name.startswith((SWEEP, ARMS, COHORT))]


def sweeps() -> list[str]:
    """Names of the presets that are sweeps."""
    return [name for name in _all() if name.startswith(SWEEP)]


def arms() -> list[str]:
    """Names of the presets that are treatment arms."""
    return [name for name in _all() if name.startswith(ARMS)]


def cohorts() -> list[str]:
    """Names of the presets that are cohorts."""
    return [name for name in _all() if name.startswith(COHORT)]


def _all() -> list[str]:
    return sorted(p.name.removesuffix(".toml") for p in FOLDER.iterdir() if p.name.endswith(".toml"))


def is_one(name: str) -> bool:
    """Is there a preset of this name?"""
    return name in _all()


def text(name: str) -> str:
    """The file of a preset. Raises InputError for an unknown name."""
    if not is_one(name):
        raise InputError(f"there is no preset {name!r}{nearest(name, _all())}; presets: {', '.join(_all())}")
    return (FOLDER / f"{name}.toml").read_text("utf-8")


def title(name: str) -> str:
    """Its title; of a sweep, arms or a cohort the first line."""
    if name.startswith((SWEEP, ARMS, COHORT)):
        return text(name).splitlines()[0].strip("# :")
    return tomllib.loads(text(name))["title"]


def write(name: str, file: Path | None, overwrite: bool, schema: Callable[[], str]) -> Path:
    """Write a preset to `file`, by default into the current directory; returns where it is.

    A config gets the line that names its JSON Schema to editors, and beside it the schema, which `schema` gives.
    """
    content, path = text(name), file or Path(f"{name}.toml")
    if name in names():
        content = f"{SCHEMA_LINE}\n{content}"
        if overwrite or not path.exists():
            _write_schema(path.with_name(SCHEMA), schema())
    try:
        with open(path, "w" if overwrite else "x", encoding="utf-8") as out:
            out.write(content)
    except FileExistsError:
        raise InputError(f"{path} exists; give another name or --overwrite") from None
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
    return path


def _write_schema(path, schema):
    """Write the schema of this version, whole or not at all, also over that of another one."""
    try:
        if path.exists() and '"title": "metacascade config"' not in path.read_text("utf-8", errors="replace"):
            raise InputError(f"{path} is not the schema of metacascade: move it away, or write the config elsewhere")
        draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            draft.write_text(schema, "utf-8")
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
