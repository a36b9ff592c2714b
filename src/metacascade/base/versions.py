"""What is installed, without loading it: no MPI is started and no kernel is imported."""
import importlib.metadata
import importlib.util
import os
import platform
import shutil
from pathlib import Path

from metacascade import __version__

PACKAGES = ("numpy", "mpi4py", "h5py", "pydantic", "pint", "typer")


def versions() -> dict[str, str]:
    """Name and version of everything that a run uses."""
    return {"metacascade": __version__, "python": platform.python_version(),
            **{name: _version(name) for name in PACKAGES},
            "mpiexec": shutil.which("mpiexec") or "not found", "kernels": ", ".join(kernels()) or "not built",
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def kernels() -> list[str]:
    """The compiled kernels that are there."""
    found = importlib.util.find_spec("metacascade._kernels")
    folders = found.submodule_search_locations if found else []
    return sorted({f.name.split(".")[0] for folder in folders for f in Path(folder).glob("*.so")})
