"""jobs/run.sbatch on a real SLURM of two nodes: it queues itself again, and the results are those of no disturbance."""
import subprocess
import sys

import pytest

import small
from conftest import run
from slurm.conftest import HERE, JOBS, PATIENCE_S

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1500)]
TWO_NODES = ("--nodes=2", "--ntasks-per-node=1")
RUN = JOBS / "run.sbatch"


def slowed(slurm, longer_s):
    """The option of sbatch with which each step takes so much longer."""
    return f"--export=ALL,STEP_LONGER_S={longer_s},PYTHONPATH={HERE / 'slowed'}:{slurm.env['PYTHONPATH']}"


def assert_undisturbed(out, undisturbed):
    assert small.content(out, ordered=True) == small.content(undisturbed, ordered=True)


def test_stopped_before_its_limit_three_times_it_queues_itself_again_and_ends_like_one_that_was_not(
        slurm, tmp_path, long_config, undisturbed, steps):
    """Of 96 steps, which take a quarter of a second and more, so that it is not over before it is told to stop."""
    out, log = tmp_path / "run", tmp_path / "log"
    number = slurm.sbatch(*TWO_NODES, "--output", log, slowed(slurm, 0.25), RUN, long_config, out, cwd=tmp_path)
    for step in (16, 40, 64):
        slurm.until(lambda: steps(out) >= step, log)
        slurm.scancel("--signal=USR1", "--batch", number)
        slurm.until(lambda: slurm.jobs(number)[0]["JobState"] == "PENDING", log)
    [job] = slurm.end(number, log)
    said = log.read_text()
    assert (job["Restarts"], job["NumNodes"]) == ("3", "2"), said
    assert said.count(f"job {number} is queued again") == 3 and said.count("going on from") == 3, said
    assert_undisturbed(out, undisturbed)


@pytest.mark.slow
def test_with_a_limit_of_a_minute_it_queues_itself_again_until_it_is_done(slurm, tmp_path, long_config, undisturbed):
    """96 steps of 0.8 s and more; SLURM looks at its clock every 30 s: the job is told after 5 to 35 s, then after 25."""
    out, log = tmp_path / "run", tmp_path / "log"
    number = slurm.sbatch(*TWO_NODES, "--output", log, "--time=1", "--signal=B:USR1@25", slowed(slurm, 0.8), RUN,
                          long_config, out, cwd=tmp_path)
    [job] = slurm.end(number, log, patience_s=480)
    said = log.read_text()
    assert said.count("is queued again") == int(job["Restarts"]) >= 3, said
    assert_undisturbed(out, undisturbed)


def test_canceled_it_leaves_a_checkpoint_is_not_queued_again_and_the_same_sbatch_goes_on(
        slurm, tmp_path, long_config, undisturbed, steps):
    out, log = tmp_path / "run", tmp_path / "log"
    submit = (*TWO_NODES, "--output", log, RUN, long_config, out)
    number = slurm.sbatch(*submit, cwd=tmp_path)
    slurm.until(lambda: steps(out) >= 16, log)
    slurm.scancel(number)
    [job] = slurm.end(number, log, state="CANCELLED")
    assert job["Restarts"] == "0" and (out / "checkpoint.h5").exists() and not list(out.rglob("*.tmp")), log.read_text()
    slurm.end(slurm.sbatch(*submit, cwd=tmp_path), log)
    assert "going on from" in log.read_text(), log.read_text()
    assert_undisturbed(out, undisturbed)


def test_when_a_node_fails_slurm_queues_it_again_and_it_goes_on_from_its_last_checkpoint(
        slurm, tmp_path, write_config, metacascade, steps):
    config, out, log = write_config("often", run__duration="4 days", tumor__cells=12_000, output__checkpoint="4 h",
                                    colonization__gompertz="0.04/day"), tmp_path / "run", tmp_path / "log"
    number = slurm.sbatch(*TWO_NODES, "--output", log, RUN, config, out, cwd=tmp_path)
    slurm.until(lambda: steps(out) >= 16, log)
    slurm.call("scontrol", "update", "NodeName=n2", "State=DOWN", "Reason=test")
    slurm.until(lambda: slurm.jobs(number)[0]["Restarts"] == "1", log)
    slurm.call("scontrol", "update", "NodeName=n2", "State=RESUME", check=False)     # it may have come back by itself
    slurm.end(number, log)
    assert "going on from" in log.read_text(), log.read_text()
    metacascade("run", config, "--out", tmp_path / "undisturbed", check=True)
    assert_undisturbed(out, tmp_path / "undisturbed")


def test_processes_that_do_not_know_of_each_other_are_refused_before_anything_is_written(slurm, tmp_path, write_config):
    site, out, log = tmp_path / "site.conf", tmp_path / "run", tmp_path / "log"
    site.write_text('LAUNCH="srun --mpi=none"\n')
    number = slurm.sbatch(*TWO_NODES, "--output", log, f"--export=ALL,METACASCADE_SITE={site}", RUN, write_config(), out,
                          cwd=tmp_path)
    [job] = slurm.end(number, log, state="FAILED")
    said = log.read_text()
    assert job["ExitCode"] == "2:0" and "the launcher started 2 processes" in said and not out.exists(), said


def test_with_the_mpiexec_of_this_python_it_runs_as_well(slurm, tmp_path, write_config, metacascade, mpirun):
    site, config, log = tmp_path / "site.conf", write_config(), tmp_path / "log"
    site.write_text("LAUNCH=mpiexec\n")
    number = slurm.sbatch(*TWO_NODES, "--output", log, f"--export=ALL,METACASCADE_SITE={site}", RUN, config, "run", cwd=tmp_path)
    slurm.end(number, log)
    metacascade("run", config, "--out", tmp_path / "undisturbed", check=True)
    assert_undisturbed(tmp_path / "run", tmp_path / "undisturbed")


def test_with_a_disk_on_each_node_the_ranks_start_from_a_copy_there_that_is_gone_in_the_end(
        slurm, tmp_path, installed, long_config, undisturbed, steps):
    """Twice: the job is stopped and queues itself again."""
    site, disk, out, log = tmp_path / "site.conf", tmp_path / "disk", tmp_path / "run", tmp_path / "log"
    site.write_text(f'LAUNCH="srun --mpi=pmi2"\nNODE_DISK={disk}\n')
    disk.mkdir()
    export = f"--export=ALL,METACASCADE_SITE={site},METACASCADE_PYTHON={installed}/bin/python,PYTHONPATH="
    number = slurm.sbatch(*TWO_NODES, "--output", log, export, RUN, long_config, out, cwd=tmp_path)
    slurm.until(lambda: steps(out) >= 16, log)
    slurm.scancel("--signal=USR1", "--batch", number)
    slurm.until(lambda: slurm.jobs(number)[0]["JobState"] == "PENDING", log)
    assert not list(disk.iterdir())
    slurm.end(number, log)
    said = log.read_text()
    assert said.count(f"-n 2 {disk}/metacascade.{number}/python/bin/python -m metacascade") == 2, said
    assert not list(disk.iterdir())
    assert_undisturbed(out, undisturbed)


def test_what_is_typed_in_a_shell_of_srun_is_one_rank_also_where_that_has_several_tasks(slurm, tmp_path, write_config):
    command = f"{sys.executable} -m metacascade run {write_config()} --out {tmp_path}/run; echo ended with $?; exit\n"
    shell = ["script", "-qec", "srun -n 4 --pty bash --norc -i", "/dev/null"]
    done = subprocess.run(shell, env=slurm.env, input=command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert "ended with 0" in done.stdout and "1 rank on 1 node" in done.stdout, done.stdout


def test_without_slurm_it_runs_on_a_workstation(metacascade, mpirun, tmp_path, write_config, monkeypatch):
    monkeypatch.setenv("METACASCADE_PYTHON", sys.executable)
    monkeypatch.setenv("RANKS", "2")
    run(["bash", str(RUN), str(write_config()), str(tmp_path / "run")], 120, check=True)
    metacascade("run", write_config(), "--out", tmp_path / "undisturbed", check=True)
    assert_undisturbed(tmp_path / "run", tmp_path / "undisturbed")
