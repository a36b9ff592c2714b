"""metacascade: the blood-borne metastatic cascade, cell by cell, on any number of MPI ranks.

The public names are those of `DOORS`. Each is imported when it is first used, so that
``import metacascade`` loads neither NumPy nor HDF5 nor MPI.
"""
import importlib

DOORS = {  # name: module, and what it is called there
    "Simulation": ("run.api", "Simulation"),
    "open": ("io.results", "open_results"),
    "load": ("config.config", "load"),
    "Config": ("config.config", "Config"),
    "InputError": ("base.errors", "InputError"),
    "RunError": ("base.errors", "RunError"),
    "CellsLost": ("base.errors", "CellsLost"),
}
__all__ = ["__version__", *DOORS]


def __getattr__(name):
    if name == "__version__":
        found = _version()
    elif name in DOORS:
        module, there = DOORS[name]
        found = getattr(importlib.import_module(f"metacascade.{module}"), there)
    else:
        raise AttributeError(f"module 'metacascade' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__():
    return sorted({*globals(), *__all__})


def _version():
    """The version of the installed package; pyproject.toml is the only place that says it."""
    from importlib import metadata
    try:
        return metadata.version("metacascade")
    except metadata.PackageNotFoundError:       # the sources alone, on the path of Python
        return "0+not.installed"
