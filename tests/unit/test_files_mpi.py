"""Files on several ranks: the same bytes, the same digest, one error for all."""
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import environment, launcher
from metacascade.io import checkpoint
from metacascade.ranks.parallel import serial_world
from metacascade.state.digest import digest
from states import whole_state

pytestmark = pytest.mark.mpi
PROGRAM = Path(__file__).parents[1] / "mpi" / "files.py"


@pytest.fixture(scope="module")
def alone(mpirun, tmp_path_factory):
    return json.loads(mpirun(1, PROGRAM, "write", tmp_path_factory.mktemp("one") / "run").stdout)


@pytest.fixture(scope="module", params=[2, 3, 4])
def together(request, mpirun, tmp_path_factory):
    directory = tmp_path_factory.mktemp("many") / "run"
    return json.loads(mpirun(request.param, PROGRAM, "write", directory).stdout) | {"directory": directory}


def test_a_checkpoint_is_read_back_in_shares_that_are_the_whole(alone, together):
    assert alone["same"] and together["same"]


def test_every_file_has_the_same_bytes_on_any_number_of_ranks(alone, together):
    assert together["files"] == alone["files"] and len(alone["files"]) > 5


def test_parts_and_results_have_the_same_bytes_on_any_number_of_ranks(alone, together):
    assert together["part"] == alone["part"]
    assert together["results"] == alone["results"] and "shed" in alone["results"]


def test_the_digest_of_the_run_on_any_number_of_ranks_is_that_of_the_file_on_one(together):
    expected = digest(serial_world(), whole_state())
    assert together["digests"] == [expected, expected]
    assert checkpoint.digest_of(together["directory"] / "checkpoint.h5") == expected


@pytest.mark.parametrize("n", [1, 3])
def test_a_disk_that_is_full_on_one_rank_is_the_same_error_on_all_and_harms_no_file(mpirun, tmp_path, n):
    found = json.loads(mpirun(n, PROGRAM, "fail", tmp_path).stdout)
    assert len(found["messages"]) == n and len(set(found["messages"])) == 1
    assert "RunError" in found["messages"][0] and "No space left" in found["messages"][0]
    assert found["intact"] and found["files"] == ["checkpoint.h5"]


def test_a_damaged_file_is_the_same_input_error_on_all_ranks(mpirun, tmp_path):
    found = json.loads(mpirun(3, PROGRAM, "damaged", tmp_path).stdout)
    assert len(set(found["messages"])) == 1 and "InputError" in found["messages"][0]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(15))
def test_two_ranks_killed_at_a_random_moment_leave_an_intact_checkpoint(mpirun, tmp_path, seed):
    process = subprocess.Popen(
        [launcher(), "-n", "2", sys.executable, str(PROGRAM), "forever", str(tmp_path)], env=environment(),
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, start_new_session=True)
    for _ in range(3):
        assert process.stdout.readline()
    time.sleep(random.Random(seed).uniform(0, 0.3))
    kill_all(process.pid)
    steps = [3] + [int(line) for line in process.communicate()[0].split()]
    state, _, remark = checkpoint.read_newest(serial_world(), tmp_path)
    assert remark is None and state.meta["step"] - steps[-1] in (0, 1)
    assert len(state.cells(0, 200)) == whole_state(tiles=200).first_cell[-1]


def kill_all(pid):
    """SIGKILL to a process and to all that it started, in sessions of their own too."""
    os.kill(pid, signal.SIGSTOP)
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for child in children:
        kill_all(int(child))
    os.kill(pid, signal.SIGKILL)
