"""What a machine has that metacascade needs, checked one by one: what is wrong with it, and what to do."""
import importlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from metacascade.base import versions
from metacascade.base.errors import DONE, FAILED, InputError
from metacascade.base.numerals import counted, size
from metacascade.base.screen import one_line, visible
from metacascade.base.sheets import Sheet, show
from metacascade.ranks import launcher, sharedmemory

OK, WARN, WRONG = "ok", "warn", "wrong"
PATIENCE_S = 60.0
LEAST_FREE, SLOW = 2**30, 50e6          # bytes of a disk; bytes a second
WRITTEN = 1 << 25                       # bytes, to see how fast it is
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
MPI_SAYS = "from mpi4py import rc; rc.initialize = False; from mpi4py import MPI; print(MPI.Get_library_version())"
RANK_SAYS = "from mpi4py import MPI; c = MPI.COMM_WORLD; print('rank', c.rank, 'of', c.size, c.allreduce(1))"


@dataclass(frozen=True)
class Finding:
    """What was found of one thing. `state`: OK, WARN or WRONG; `remedy`: what to do, empty if nothing."""
    name: str
    state: str
    found: str
    remedy: str = ""


def run(as_json=False):
    """Print a line for each check; the exit code: 1 if anything is wrong, else 0."""
    findings = [_checked(name, check) for name, check in CHECKS.items()]
    code = FAILED if any(one.state == WRONG for one in findings) else DONE
    if as_json:
        print(json.dumps({"ok": code == DONE, "checks": [asdict(one) for one in findings]}, indent=1))
        return code
    rows = [(one.state, one.name, f"{one.found}{f'. {one.remedy}' * bool(one.remedy)}") for one in findings]
    show([Sheet("", (), rows, (1, 2))])
    counts = [f"{n} {state}" for state in (OK, WARN, WRONG) if (n := sum(one.state == state for one in findings))]
    print(f"\n{', '.join(counts)}", flush=True)
    return code


def _checked(name, check):
    """The finding of a check. One that fails in itself is told, and ends nothing."""
    try:
        found = check()
    except Exception as error:
        found = WRONG, f"{type(error).__name__}: {error}", "this is not foreseen: tell the authors"
    state, *texts = found
    return Finding(name, state, *(one_line(visible(text).replace("\n", "; "), 600) for text in texts))


def _said(command, timeout_s=PATIENCE_S):
    """(exit code, what was printed, what was complained of) of a program, as no rank; None for the code: it hung."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              timeout=timeout_s, env=launcher.without())
    except subprocess.TimeoutExpired:
        return None, "", f"no end after {timeout_s:g} s"
    except OSError as error:
        return 127, "", error.strerror or str(error)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


# --- to build --------------------------------------------------------------------------------------------------

def compiler():
    """A C compiler, needed only to build."""
    words = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()
    words = words if shutil.which(words[0]) else ["cc"]
    code, said, why = _said([*words, "--version"])
    if code != 0:
        return (WARN, f"no C compiler ({words[0]}: {why or 'not found'})",
                "only to build: install gcc or clang (Debian: apt install build-essential), or set CC")
    return OK, said.splitlines()[0] if said else words[0]


def headers():
    """The headers of Python, needed only to build."""
    path = Path(sysconfig.get_path("include"), "Python.h")
    if path.is_file():
        return OK, str(path)
    return WARN, f"no {path}", "only to build: install the headers of this Python (Debian: apt install python3-dev)"


def kernels():
    """Do the compiled kernels load?"""
    there = versions.kernels()
    try:
        for name in there or ["_layout"]:
            importlib.import_module(f"metacascade._kernels.{name}")
    except ImportError as error:
        return WRONG, str(error), "build them: pip install . in a checkout, or bash jobs/test.sh, for this Python"
    return OK, f"{counted(len(there), 'kernel')} load"


# --- to run ----------------------------------------------------------------------------------------------------

def mpi_library():
    """The MPI library that mpi4py finds."""
    code, said, why = _said([sys.executable, "-c", MPI_SAYS])
    if code == 0 and said:
        return OK, said.splitlines()[0]
    return (WRONG, f"mpi4py finds no MPI library ({_last(why)})",
            'load the MPI of the site, or take one from PyPI: pip install "metacascade[mpich]"')


def two_ranks():
    """Do the launcher and the library fit: do two ranks see each other?"""
    from metacascade.run import cluster
    try:
        site = cluster.site()
        command = [*site.command(2), sys.executable, "-c", RANK_SAYS]
    except InputError as error:
        return WARN, str(error).splitlines()[0], "one rank runs without a launcher; for more set LAUNCH, or install one"
    code, said, why = _said(command)
    words = " ".join(command[:-3])
    if code == 0 and said.count("of 2 2") == 2:
        return OK, f"{words} starts two that see each other"
    if said.count("of 1 1") == 2:
        return (WRONG, f"{words} starts two processes that each see only themselves",
                "the launcher is of another MPI than the library: use the mpiexec of that MPI, or set LAUNCH "
                "in the site file (docs/cluster.md)")
    what = why if code is None else f"exit code {code}: {_last(why or said)}"
    return WRONG, f"{words}: {what}", "start its own program, such as `mpiexec -n 2 hostname`, to see whether it works"


def shared_memory():
    """Room in /dev/shm, which ranks of a node share."""
    code, said, _ = _said([sys.executable, "-c", MPI_SAYS])
    whole_MiB, free_MiB = sharedmemory.room()
    if whole_MiB is None:
        return OK, f"no {sharedmemory.FOLDER}"
    ranks, told = len(os.sched_getaffinity(0)), f"{free_MiB:,.0f} MiB free in {sharedmemory.FOLDER}"
    needed = sharedmemory.OF_MPICH * sharedmemory.ROOM * ranks
    if code == 0 and said.startswith("MPICH") and free_MiB < needed:
        return WARN, f"{told}, and {counted(ranks, 'rank')} of MPICH take {needed:,.0f}", sharedmemory.REMEDY
    return OK, told


def hdf5():
    """Can a file be written with h5py, and be read again?"""
    try:
        import numpy as np

        from metacascade.io import datasets
        from metacascade.io.datasets import Table
        from metacascade.ranks.parallel import serial_world
        with tempfile.TemporaryDirectory(prefix=".metacascade-", dir=".") as folder:
            path, numbers = Path(folder, "numbers.h5"), np.arange(1000)
            datasets.write(serial_world(), path, [Table.of("numbers", numbers)])
            with datasets.open_file(path) as h5:
                same = (h5["numbers"][:] == numbers).all()
    except ImportError as error:
        return WRONG, str(error), "install h5py for this Python: pip install h5py"
    except OSError as error:
        return WRONG, f"cannot write here: {error.strerror or error}", "go to a directory that is yours"
    found = f"h5py {versions.versions()['h5py']} writes and reads"
    return (OK, found) if same else (WRONG, f"{found} other numbers", "install h5py anew: pip install -U h5py")


def locks():
    """Does the file system of the present directory have locks?"""
    import fcntl

    from metacascade.io import runlock
    try:
        with tempfile.TemporaryFile(dir=".") as file:
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, runlock.WHOLE_FILE.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    except OSError as error:
        return (WARN, f"none in {os.getcwd()} ({error.strerror or error})",
                "runs work, but nothing keeps two from starting in one directory: docs/formats.md")
    return OK, f"in {os.getcwd()}"


def disk():
    """Free space of the present directory, and how fast it takes what is written."""
    free = shutil.disk_usage(".").free
    began = time.perf_counter()
    try:
        with tempfile.TemporaryFile(dir=".") as file:
            file.write(os.urandom(1 << 20) * (WRITTEN >> 20))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return WRONG, f"cannot write in {os.getcwd()}: {error.strerror or error}", "free some space, or go elsewhere"
    speed = WRITTEN / (time.perf_counter() - began)
    told = f"{size(free)} free, {speed / 1e6:,.0f} MB/s"
    if free < LEAST_FREE:
        return WARN, told, f"below {size(LEAST_FREE)}: `run --dry-run` tells what a run needs"
    if speed < SLOW:
        return WARN, told, f"below {SLOW / 1e6:g} MB/s: checkpoints take long; a scratch disk may be faster"
    return OK, told


# --- the machine -----------------------------------------------------------------------------------------------

def cores():
    """Cores that this process may use: affinity, and the quota of its control group."""
    mine, all_ = len(os.sched_getaffinity(0)), os.cpu_count() or 1
    quota, busy = _quota(), os.getloadavg()[0]
    told = f"{counted(mine, 'core')} of {all_}, load {busy:.1f}"
    if quota is not None and quota < mine:
        return (WARN, f"{told}; the control group allows the time of {quota:.3g}",
                f"start no more than {max(int(quota), 1)} ranks, or ask the job or container for more cores")
    if busy > mine:
        return WARN, told, "other programs use the cores: runs are slower, and times mean little"
    return OK, told


def _quota():
    """Cores' worth of time that the control group (version 2) of this process may use; None: no limit."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        group = next(Path("/sys/fs/cgroup", line[3:].lstrip("/")) for line in lines if line.startswith("0::"))
        found = [(folder / "cpu.max").read_text().split() for folder in (group, *group.parents)
                 if (folder / "cpu.max").is_file()]
        return min((int(most) / int(period) for most, period in found if most != "max"), default=None)
    except (OSError, ValueError, StopIteration):
        return None


def memory():
    """Memory that this process may use."""
    from metacascade.io.provenance import physical_memory
    found = physical_memory()
    if 0 < found < LEAST_FREE:
        return WARN, size(found), "a rank takes 80 MB before it has a cell: docs/scaling.md"
    return OK, size(found) if found else "the system does not tell"


def threads():
    """Variables that let libraries start threads of their own in each rank."""
    wrong = [f"{name}={os.environ[name]}" for name in THREADS if os.environ.get(name, "1") != "1"]
    if wrong:
        return WARN, ", ".join(wrong), f"a rank is one thread: unset {' '.join(word.split('=')[0] for word in wrong)}"
    return OK, "one thread a rank"


def slurm():
    """Is there a SLURM, and is this a job of it?"""
    there = [name for name in ("sbatch", "srun", "sinfo") if shutil.which(name)]
    if "SLURM_JOB_ID" in os.environ:
        return OK, f"in job {os.environ['SLURM_JOB_ID']}"
    if not there:
        return OK, "none here; `metacascade submit` needs one"
    if len(there) < 3:
        return WARN, f"only {', '.join(there)}", "load the module of SLURM"
    code, _, why = _said(["sinfo", "--noheader"], timeout_s=20.0)
    return (OK, "sinfo answers") if code == 0 else (WARN, f"sinfo: {_last(why)}", "ask the site whether SLURM runs")


def _last(text):
    """The last line of what a program said, where its error is."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "without a word")


CHECKS = {
    "compiler": compiler, "Python headers": headers, "kernels": kernels, "MPI library": mpi_library,
    "launcher": two_ranks, "shared memory": shared_memory, "h5py, HDF5": hdf5, "file locks": locks, "disk": disk,
    "cores": cores, "memory": memory, "threads": threads, "SLURM": slurm}
