"""A rank that is stopped (SIGSTOP) holds up the others for no longer than --watchdog; they name it and end the job."""
import sys

import pytest

from faults.checks import PATIENCE, STOPPED, assert_ends_well, assert_named_and_ended
from faults.conftest import FAULTY
from faults.kill_and_resume import Session

pytestmark = [pytest.mark.mpi, pytest.mark.skipif(sys.platform != "linux", reason="finds the ranks in /proc")]


@pytest.mark.parametrize("ranks, rank, fault, where", [
    (4, 3, "freeze", "stage fields of step 5"), (4, 0, "freeze_saving", "stage checkpoint of step 8"),
    pytest.param(2, 0, "freeze", "stage fields of step 5", marks=pytest.mark.slow),
    pytest.param(2, 1, "freeze_saving", "stage checkpoint of step 8", marks=pytest.mark.slow)])
def test_a_rank_that_stands_still_is_named_and_the_job_ended(
        stopped, expected, tmp_path, ranks, rank, fault, where):
    session = Session(ranks, fault, rank, STOPPED + 1, "resume", stopped, "--watchdog", PATIENCE,
                      log=tmp_path / "log", program=(FAULTY,))
    assert_named_and_ended(session, rank, where)
    assert_ends_well(stopped, expected)
