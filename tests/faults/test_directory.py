"""A results directory that goes, is another, or can no longer be written to while a run goes on."""
import shutil
from pathlib import Path

import pytest

from faults.checks import FAILED, STOPPED, assert_ends_well, assert_intact, assert_one_message, hashes

pytestmark = pytest.mark.mpi


@pytest.mark.parametrize("ranks, rank", [(1, 0), (2, 1), pytest.param(4, 0, marks=pytest.mark.slow)])
def test_a_removed_directory_ends_the_run_at_the_end_of_the_step(faulty, stopped, ranks, rank):
    done = faulty(ranks, "remove", rank, STOPPED + 1, "resume", stopped)
    assert_one_message(done, FAILED, stopped, "removed, moved or replaced")
    assert not stopped.exists(), "nothing is written into a new directory of the same name"


def test_a_replaced_directory_ends_the_run_and_gets_no_file(faulty, stopped, expected):
    done = faulty(2, "replace", 0, STOPPED + 1, "resume", stopped)
    assert_one_message(done, FAILED, stopped, "removed, moved or replaced")
    moved = Path(f"{stopped}.moved")
    assert hashes(stopped) == hashes(moved), "the copy is as it was made"
    shutil.rmtree(stopped)
    moved.rename(stopped)
    assert_ends_well(stopped, expected)


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_directory_that_can_no_longer_be_written_to_ends_the_run(faulty, stopped, expected, ranks):
    before = hashes(stopped)
    done = faulty(ranks, "forbid", -1, STOPPED + 1, "resume", stopped)
    for place in stopped, stopped / "parts":
        place.chmod(0o755)
    assert_one_message(done, FAILED, f"cannot write {stopped}", "Permission denied", "must be writable")
    assert_intact(stopped, before)
    if ranks == 1:
        assert_ends_well(stopped, expected)
