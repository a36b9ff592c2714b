"""Runs to be disturbed: the command line with and without a fault, and a run that was stopped in the middle."""
import shutil
from pathlib import Path

import pytest

import small
from faults.checks import SECONDS, SETTINGS, STOPPED

FAULTY = Path(__file__).parent / "one_fault.py"


@pytest.fixture(scope="session")
def start(mpirun, metacascade):
    """``start(ranks, *arguments)``: metacascade on so many ranks."""
    def start(ranks, *arguments):
        if ranks == 1:
            return metacascade(*arguments, timeout=SECONDS)
        return mpirun(ranks, "metacascade", *arguments, timeout=SECONDS, check=False)
    return start


@pytest.fixture(scope="session")
def faulty(mpirun):
    """``faulty(ranks, fault, rank, step, *arguments)``: the same with a fault in it, see one_fault.py."""
    return lambda ranks, *arguments: mpirun(ranks, FAULTY, *arguments, timeout=SECONDS, check=False)


@pytest.fixture(scope="session")
def undisturbed(start, tmp_path_factory):
    """The directory of the run that nothing disturbs."""
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    assert start(1, "run", small.EXAMPLE, "--out", out, *small.arguments(**SETTINGS)).returncode == 0
    return out


@pytest.fixture(scope="session")
def expected(undisturbed):
    """Its results."""
    return small.content(undisturbed)


@pytest.fixture(scope="session")
def template(faulty, tmp_path_factory):
    out = tmp_path_factory.mktemp("stopped") / "run"
    done = faulty(1, "stop", 0, STOPPED - 2, "run", small.EXAMPLE, "--out", out, *small.arguments(**SETTINGS))
    assert done.returncode == 75 and small.last(out)["step"] == STOPPED, done.stderr
    return out


@pytest.fixture
def stopped(template, tmp_path):
    """A run that was stopped just after a checkpoint; a copy of its own for each test."""
    return Path(shutil.copytree(template, tmp_path / "run"))
