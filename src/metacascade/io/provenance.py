"""Who made a result: versions, git state, hosts, ranks, MPI, the exact command."""
import contextlib
import datetime
import importlib
import os
import platform
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from metacascade import __version__

PACKAGES = ("numpy", "h5py", "mpi4py", "pydantic", "pint")
# Named one by one: an environment may hold secrets.
ENVIRONMENT = (
    "SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_NTASKS", "SLURM_NNODES",
    "SLURM_JOB_NODELIST", "SLURM_CPUS_PER_TASK", "SLURM_TASKS_PER_NODE", "SLURM_RESTART_COUNT",
    "SLURM_SUBMIT_DIR", "SLURM_CPU_BIND", "OMP_NUM_THREADS")


def collect(world, command=None):
    """What is running here, and where: a JSON-able dict, the same on every rank. Collective.

    Parameters
    ----------
    command : list of str, optional
        The command line; by default that of this process.
    """
    places, library = world.places(), world.library()
    memory = dict(world.gather((os.uname().nodename, physical_memory())) or ())
    found = None
    if world.rank == 0:
        found = {
            "command": shlex.join(sys.argv if command is None else command),
            "directory": os.getcwd(),
            "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "ranks": world.size,
            "hosts": {host: ranks for host, (ranks, _) in places.items()},
            "nodes": {host: {"cores": cores, "memory_bytes": memory[host]} for host, (_, cores) in places.items()},
            "mpi": library,
            "python": platform.python_version(),
            "system": platform.platform(),
            "processor": processor(),
            "versions": versions(),
            "git": commit(),
            "environment": {name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
        }
    return world.bcast(found)


def versions():
    """Versions of this package and of those it computes and writes with."""
    found = {"metacascade": __version__}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def commit():
    """The commit in use, with "-dirty" if changed: of the checkout as it is now, else of the build; "" if unknown."""
    return git_state() or built()


def built():
    """The commit of which this package was built; "" in a checkout, and where the build did not know it."""
    try:
        return importlib.import_module("metacascade.base.built").COMMIT
    except ModuleNotFoundError:
        return ""


def git_state(directory=Path(__file__).parent):
    """The commit of the source in use, with "-dirty" if files are changed; "" if it is not in git.

    A package installed into a folder of some other repository is not tracked there, and counts as not in git.
    """
    try:
        _git(directory, "ls-files", "--error-unmatch", Path(__file__).name)
        return _git(directory, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(directory, *arguments):
    done = subprocess.run(["git", "-C", str(directory), *arguments], check=True, timeout=20, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.strip()


def physical_memory():
    """Memory of this node [bytes], or what a container or job may use of it; 0 where the system does not tell."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0
    return min([memory, *_allowed_memory()])


def _allowed_memory():
    """Limits of the control groups (version 2) that this process is in [bytes]."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            group = Path("/sys/fs/cgroup", line.removeprefix("0::/"))
            for folder in (group, *group.parents) if line.startswith("0::/") else ():
                with contextlib.suppress(OSError, ValueError):
                    yield int((folder / "memory.max").read_text())


def processor():
    """The model name of the processor, as the system calls it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
