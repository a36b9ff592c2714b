"""The presets: commented config files that come with the package."""
import tomllib
from importlib.resources import files
from pathlib import Path

from metacascade.errors import InputError
from metacascade.names import nearest

FOLDER = files("metacascade") / "presets"


def names() -> list[str]:
    """Names of the presets."""
    return sorted(p.name.removesuffix(".toml") for p in FOLDER.iterdir() if p.name.endswith(".toml"))


def text(name: str) -> str:
    """The file of a preset. Raises InputError for an unknown name."""
    if name not in names():
        raise InputError(f"there is no preset {name!r}{nearest(name, names())}; presets: {', '.join(names())}")
    return (FOLDER / f"{name}.toml").read_text("utf-8")


def title(name: str) -> str:
    """Its title."""
    return tomllib.loads(text(name))["title"]


def write(name: str, file: Path | None, overwrite: bool) -> Path:
    """Write a preset to `file`, by default into the current directory; returns where it is."""
    content, path = text(name), file or Path(f"{name}.toml")
    try:
        with open(path, "w" if overwrite else "x", encoding="utf-8") as out:
            out.write(content)
    except FileExistsError:
        raise InputError(f"{path} exists; give another name or --overwrite") from None
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
    return path
