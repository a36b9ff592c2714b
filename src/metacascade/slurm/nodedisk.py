"""A copy of the Python environment on a disk of each node's own: ranks that start then do not ask one file system.

The site file names the disk by NODE_DISK; see docs/scaling.md for what it saves. Only in a job of SLURM.
"""
import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import metacascade
from metacascade.base.errors import InputError, RunError

# only one of the nodes where they have one disk, as all nodes of a test have; srun waits for it
UNPACK = """mkdir "$0/python" 2> /dev/null || exit 0
tar -xf "$0/sent.tar" -C "$0" && rm "$0/sent.tar" &&
sed -i "s,^home *=.*,home = $0/base/bin," "$0/python/pyvenv.cfg\""""
CHECK = "import metacascade.cli.app, metacascade.config.config, mpi4py"      # not mpi4py.MPI: it would start MPI


@contextlib.contextmanager
def python(disk, env):
    """The Python to start ranks with, as long as this lasts: a copy on each node of a job, else the one that runs."""
    if not disk or "SLURM_JOB_ID" not in env:
        yield sys.executable
        return
    refuse_what_is_elsewhere()
    folder, nodes = Path(disk) / f"metacascade.{env['SLURM_JOB_ID']}", env["SLURM_JOB_NUM_NODES"]
    try:
        yield _copied(folder, nodes)
    finally:
        with contextlib.suppress(RunError):         # in a job that SLURM is killing it may be too late
            _on_nodes(nodes, "rm", "-rf", folder)


def refuse_what_is_elsewhere():
    """InputError if this package is not in a virtual environment, and so not in what is copied."""
    where = Path(metacascade.__file__).resolve().parent
    if sys.prefix == sys.base_prefix or not where.is_relative_to(Path(sys.prefix).resolve()):
        raise InputError(f"NODE_DISK of the site file copies a virtual environment, but {where} is in none: "
                         f"this Python belongs to {sys.prefix}.\nInstall it into one, by `pip install .` without -e; "
                         "unset PYTHONPATH; or leave NODE_DISK out")


def _copied(folder, nodes):
    """Put the environment into a folder on each node, which only this user can read; the Python in it."""
    _on_nodes(nodes, "rm", "-rf", folder)           # of this job, killed before it was queued again
    _on_nodes(nodes, "install", "-d", "-m", "700", folder)
    _pack(folder / "pack")
    _do(["sbcast", "--force", folder / "pack" / "all.tar", folder / "sent.tar"])
    shutil.rmtree(folder / "pack")
    _on_nodes(nodes, "sh", "-c", UNPACK, folder)
    copy = folder / "python" / "bin" / "python"
    _on_nodes(nodes, copy, "-I", "-c", CHECK)
    os.environ["PYTHONSAFEPATH"] = "1"              # not to look for each module in the working directory first
    return str(copy)


def _pack(folder):
    """Make all.tar in a folder: the environment as python, and of the Python that it builds on the modules, as base."""
    modules = Path(sysconfig.get_path("stdlib"))    # such as /usr/lib/python3.12
    inside = f"base/{modules.parent.name}/{modules.name}"
    _do(["mkdir", folder])
    (folder / "python").symlink_to(sys.prefix)
    (folder / "base").symlink_to(modules.parent.parent)
    # exit code 1: a file has changed meanwhile, such as one of __pycache__ that another job writes
    _do(["tar", "-cf", folder / "all.tar", "-C", folder, "--anchored",
         *(f"--exclude={inside}/{name}" for name in ("test", "config-*", "site-packages", "dist-packages")),
         "python/.", inside], allowed=(0, 1))


def _on_nodes(nodes, *words):
    """Run a command once on each node."""
    _do(["srun", "--mpi=none", f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1", *words])


def _do(words, allowed=(0,)):
    words = [str(word) for word in words]
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        failure = done.stderr.strip()[-2000:] if done.returncode not in allowed else None
    except OSError as error:
        failure = error.strerror
    if failure is not None:
        raise RunError("the Python environment could not be copied to the nodes (NODE_DISK of the site file), in: "
                       f"{' '.join(words)}\n{failure}")
