"""Fixtures that start ranks and the command line, each in a process group of its own."""
import compileall
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src"
# machines are shared and noisy; the same examples everywhere, so that what fails has failed before a change is landed
hypothesis.settings.register_profile("fixed", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("search", deadline=None, max_examples=2000)      # --hypothesis-profile=search
hypothesis.settings.load_profile("fixed")
signal.signal(signal.SIGHUP, signal.SIG_DFL)      # under nohup those started here would ignore it, and not stop
NOT_OF_USERS = ("PMI_", "PMIX_", "OMPI_", "SLURM_", "HYDRA_", "MPI_", "PYTHONUNBUFFERED")


def pytest_configure():
    """Compile the package once: the hundreds of processes that tests start would each do it for themselves."""
    compileall.compile_dir(SOURCE / "metacascade", quiet=2)


def environment():
    """This one, without what few users have set, with one thread per rank and the package importable."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(NOT_OF_USERS)}
    path = os.pathsep.join([str(SOURCE), str(TESTS)] + [p for p in [env.get("PYTHONPATH")] if p])
    env.update(PYTHONPATH=path, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")
    # Open MPI refuses root and more ranks than cores unless it is told; others ignore these
    env.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
               OMPI_MCA_rmaps_base_oversubscribe="1", PRTE_MCA_rmaps_default_mapping_policy=":oversubscribe")
    # more ranks than cores: one that waits in MPICH leaves its core to those for which it waits
    env.update(MPIR_CVAR_CH4_PROGRESS_THROTTLE="1", MPIR_CVAR_CH4_PROGRESS_THROTTLE_NO_PROGRESS_COUNT="64")
    return env


def launcher():
    """The mpiexec of this Python, else the one on the PATH; None if there is none."""
    beside = Path(sys.executable).parent / "mpiexec"
    return str(beside) if beside.is_file() else shutil.which("mpiexec")


def hydra():
    """Whether the launcher is that of MPICH."""
    return b"hydra" in subprocess.run([launcher(), "--version"], capture_output=True).stdout.lower()


def run(command, timeout, check, cwd=None):
    """Run to the end, or kill the whole group after `timeout` seconds."""
    process = subprocess.Popen(
        command, env=environment(), cwd=cwd, start_new_session=True, stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        pytest.fail(f"no end after {timeout} s: {' '.join(command)}\n{out[-4000:]}\n{err[-4000:]}", pytrace=False)
    if check and process.returncode:
        pytest.fail(f"exit code {process.returncode}: {' '.join(command)}\n{out[-4000:]}\n{err[-8000:]}",
                    pytrace=False)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


@pytest.fixture(scope="session")
def mpirun():
    """``mpirun(n, program_or_module, *args, timeout=60, check=True, cwd=None)``: a CompletedProcess with text.

    `program` is the path of a Python file, else the name of a module. With `check` a non-zero exit code fails
    the test with what the ranks printed.
    """
    mpiexec = launcher()
    if mpiexec is None:
        pytest.skip("no mpiexec beside this Python or on the PATH (pip install mpich)")
    pytest.importorskip("mpi4py")

    def start(n, program, *args, timeout=60, check=True, cwd=None):
        what = [str(program)] if str(program).endswith(".py") else ["-m", str(program)]
        return run([mpiexec, "-n", str(n), sys.executable, *what, *map(str, args)], timeout, check, cwd)
    return start


@pytest.fixture(scope="session")
def metacascade():
    """``metacascade(*args, timeout=60, check=False, cwd=None)``: the command line, as a CompletedProcess."""
    def start(*args, timeout=60, check=False, cwd=None):
        return run([sys.executable, "-m", "metacascade", *map(str, args)], timeout, check, cwd)
    return start


@pytest.fixture(scope="session")
def runs(mpirun, tmp_path_factory):
    """``runs(ranks, *jobs)``: the facts of whole runs on so many ranks, see mpi/runs.py; `out` is filled in."""
    folder = tmp_path_factory.mktemp("decomposition")

    def start(ranks, *jobs):
        for number, job in enumerate(jobs):
            job.setdefault("out", str(folder / f"{len(list(folder.iterdir()))}.{ranks}.{number}"))
        done = mpirun(ranks, TESTS / "mpi" / "runs.py", json.dumps(jobs), timeout=240)
        facts = [json.loads(line[6:]) for line in done.stdout.splitlines() if line.startswith("FACTS ")]
        return [dict(job, **fact) for job, fact in zip(jobs, facts, strict=True)]
    return start


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """A small virtual environment that has this package, and finds all else, MPI too, where this Python has it."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=120)
    [packages] = folder.glob("lib/python3*/site-packages")
    shutil.copytree(SOURCE / "metacascade", packages / "metacascade", ignore=shutil.ignore_patterns("__pycache__"))
    for path in Path(sys.prefix, "lib").glob("*mpi*"):
        (folder / "lib" / path.name).symlink_to(path)
    others = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (packages / "others.pth").write_text("".join(f"{path}\n" for path in others))
    return folder
