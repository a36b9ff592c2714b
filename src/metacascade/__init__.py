"""metacascade: the blood-borne metastatic cascade, cell by cell, on any number of MPI ranks.

The public names are those of `DOORS`. Each is imported when it is first used, so that
``import metacascade`` loads neither NumPy nor HDF5 nor MPI.
"""
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:       # what DOORS opens, for editors and type checkers
    from metacascade.base.errors import CellsLost, InputError, RunError
    from metacascade.config.config import Config, load
    from metacascade.io.parents import open_run as open
    from metacascade.run.api import Simulation, branch
    from metacascade.run.tissue_files import tissue
    __version__: str

__all__ = ["CellsLost", "Config", "InputError", "RunError", "Simulation", "__version__", "branch", "load", "open",
           "tissue"]

DOORS = {  # name: module, and what it is called there
    "Simulation": ("run.api", "Simulation"),
    "branch": ("run.api", "branch"),
    "tissue": ("run.tissue_files", "tissue"),
    "open": ("io.parents", "open_run"),
    "load": ("config.config", "load"),
    "Config": ("config.config", "Config"),
    "InputError": ("base.errors", "InputError"),
    "RunError": ("base.errors", "RunError"),
    "CellsLost": ("base.errors", "CellsLost"),
}

def __getattr__(name: str) -> object:
    if name == "__version__":
        found = _version()
    elif name in DOORS:
        module, there = DOORS[name]
        found = getattr(importlib.import_module(f"metacascade.{module}"), there)
    else:
        raise AttributeError(f"module 'metacascade' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*__all__, "__doc__", "__file__", "__name__", "__path__"})      # and nothing of how they are opened


def _version() -> str:
    """The version of the installed package: of the last tag in git when it was built."""
    from importlib import metadata
    try:
        return metadata.version("metacascade")
    except metadata.PackageNotFoundError:       # the sources alone, on the path of Python
        return "0+not.installed"
