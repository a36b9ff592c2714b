"""metacascade: the blood-borne metastatic cascade, cell by cell, on any number of MPI ranks.

The public names are those of `DOORS`. Each is imported when it is first used, so that
``import metacascade`` loads neither NumPy nor HDF5 nor MPI.
"""
import importlib

__version__ = "0.1.0"

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
    if name not in DOORS:
        raise AttributeError(f"module 'metacascade' has no attribute {name!r}")
    module, there = DOORS[name]
    globals()[name] = found = getattr(importlib.import_module(f"metacascade.{module}"), there)
    return found


def __dir__():
    return sorted({*globals(), *DOORS})
