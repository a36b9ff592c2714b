"""route, Halo and Region on 1 to 4 ranks against what a single process would get."""
from pathlib import Path

import pytest

pytestmark = pytest.mark.mpi
PROGRAM = Path(__file__).parent / "exchange_checks.py"
CHECKS = [line[4:].split("(")[0] for line in PROGRAM.read_text().splitlines() if line.startswith("def check_")]


@pytest.fixture(scope="module", params=[1, 3, 4, pytest.param(2, marks=pytest.mark.slow)], ids=lambda n: f"{n}_ranks")
def done(request, mpirun):
    """What a run of all checks on so many ranks printed."""
    return mpirun(request.param, PROGRAM, check=False)


@pytest.mark.parametrize("check", CHECKS)
def test_exchange(done, check):
    if f"passed {check}" not in done.stdout.splitlines():
        pytest.fail(f"not passed; exit code {done.returncode}\n{done.stderr[-6000:]}", pytrace=False)


def test_the_program_ends_well(done):
    assert done.returncode == 0, done.stderr[-6000:]
