"""Promise 4: killed at any moment, a run goes on from its last complete checkpoint to the same end."""
import sys

import pytest

import small
from faults.checks import SETTINGS, assert_ends_well
from faults.kill_and_resume import Torture, summary

pytestmark = [pytest.mark.mpi, pytest.mark.skipif(sys.platform != "linux", reason="finds the ranks in /proc")]


@pytest.mark.parametrize("kills, seed", [
    (3, 5), pytest.param(20, 1, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])])
def test_killed_and_resumed_on_other_ranks_it_ends_as_if_nothing_had_happened(mpirun, tmp_path, kills, seed):
    torture = Torture(tmp_path, kills, seed)
    assert len(torture.run()) == kills
    print(summary(torture))


def test_killed_after_its_first_checkpoint_and_before_its_first_step_it_records_its_start_once(
        faulty, expected, tmp_path):
    out = tmp_path / "run"
    faulty(2, "die", -1, 0, "run", small.EXAMPLE, "--out", out, *small.arguments(**SETTINGS))
    assert (out / "checkpoint.h5").exists() and len(list((out / "parts").iterdir())) == 1
    assert_ends_well(out, expected)
