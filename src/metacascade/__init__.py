"""metacascade: the blood-borne metastatic cascade, cell by cell, on any number of MPI ranks.

The public names are those of `_DOORS`. Each is imported when it is first used, so that
``import metacascade`` loads neither NumPy nor HDF5 nor MPI. Editors and type checkers, which
do not follow ``__getattr__``, read ``__init__.pyi`` beside it.
"""
import importlib as _importlib

__all__ = ["CellsLost", "Config", "InputError", "RunError", "Simulation", "__version__", "branch", "load", "open",
           "tissue"]

_DOORS = {  # name: module, and what it is called there
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
    elif name in _DOORS:
        module, there = _DOORS[name]
        found = getattr(_importlib.import_module(f"metacascade.{module}"), there)
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
