"""jobs/ensemble.sbatch and jobs/scaling.sbatch, on a real SLURM of two nodes and without."""
import csv
import json
import sys

import pytest

import small
from conftest import run
from metacascade.studies import sweep_plan
from slurm.conftest import JOBS

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1500)]
TASKS = 4


@pytest.fixture(scope="session")
def sweep(write_config, tmp_path_factory):
    """A sweep of runs that differ in their seed."""
    config = write_config("member", run__duration="3 days", tumor__cells=12_000, colonization__gompertz="0.04/day")
    path = tmp_path_factory.mktemp("sweep") / "sweep.toml"
    path.write_text(f'config = "{config}"\nreplicates = {TASKS}\n')
    return path


@pytest.fixture(autouse=True)
def this_python(monkeypatch):
    monkeypatch.setenv("METACASCADE_PYTHON", sys.executable)
    monkeypatch.setenv("RANKS", "2")


def table(out):
    with open(out / "sweep.csv", newline="") as file:
        return list(csv.DictReader(file))


def members(out):
    plan = json.loads((out / sweep_plan.NAME).read_text())["members"]
    return [sweep_plan.folder(out, member) for member in plan]


@pytest.fixture(scope="session")
def without_slurm(sweep, tmp_path_factory):
    """The directory of the same ensemble, simulated by ``bash jobs/ensemble.sbatch``."""
    out = tmp_path_factory.mktemp("ensemble") / "all"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METACASCADE_PYTHON", sys.executable)
        patch.setenv("RANKS", "2")
        run(["bash", str(JOBS / "ensemble.sbatch"), str(sweep), str(out)], 240, check=True)
    return out


def test_without_slurm_an_ensemble_has_all_members_in_one_table(without_slurm):
    assert [row["status"] for row in table(without_slurm)] == ["done"] * TASKS


def test_an_array_of_which_a_node_is_drained_and_a_task_is_out_of_time_has_all_members_in_one_table(
        slurm, tmp_path, sweep, without_slurm, steps):
    out = tmp_path / "ensemble"
    number = slurm.sbatch(f"--array=1-{TASKS}", "--cpus-per-task=2", "--output", tmp_path / "log.%a",
                          JOBS / "ensemble.sbatch", sweep, out, cwd=tmp_path)
    logs = [tmp_path / f"log.{task}" for task in range(1, TASKS + 1)]

    def under_way():
        """The tasks on n2 whose member has made steps, but not all: task -> number of its job."""
        running = {int(job["ArrayTaskId"]): job["JobId"] for job in slurm.jobs(number)
                   if job["JobState"] == "RUNNING" and job.get("NodeList") == "n2"}
        return {task: job for task, job in running.items() if 4 <= steps(members(out)[task % TASKS]) < 54}

    slurm.until((out / sweep_plan.NAME).exists, *logs)
    slurm.call("scontrol", "update", "NodeName=n2", "State=DRAIN", "Reason=test")
    stopped, job = slurm.until(under_way, *logs).popitem()
    slurm.scancel("--signal=USR1", "--batch", job)
    jobs = slurm.end(number, *logs)
    again = {int(job["ArrayTaskId"]): job["NodeList"] for job in jobs if job["Restarts"] != "0"}
    assert again == {stopped: "n1"}
    assert [row["status"] for row in table(out)] == ["done"] * TASKS
    for here, there in zip(members(out), members(without_slurm), strict=True):
        assert small.content(here, ordered=True) == small.content(there, ordered=True)


SCALING = ("2,3", "--steps", "2", "--warm", "1")


def assert_measured(out):
    assert (out / "scaling.csv").exists() and len(list((out / "bench").glob("*.json"))) >= 2


def test_a_scaling_series_over_two_nodes(slurm, tmp_path, write_config):
    number = slurm.sbatch("--nodes=2", "--ntasks-per-node=2", "--output", tmp_path / "log", JOBS / "scaling.sbatch",
                          "strong", write_config(), tmp_path / "out", *SCALING, cwd=tmp_path)
    slurm.end(number, tmp_path / "log")
    assert_measured(tmp_path / "out")


def test_without_slurm_a_scaling_series(tmp_path, write_config, mpirun):
    run(["bash", str(JOBS / "scaling.sbatch"), "weak", str(write_config()), str(tmp_path / "out"), *SCALING], 240, check=True)
    assert_measured(tmp_path / "out")
