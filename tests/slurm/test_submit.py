"""`metacascade submit` on a real SLURM of two nodes."""
import sys

import pytest

import small
from slurm.conftest import JOBS

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1500)]


def number_of(said):
    return said.stdout.partition("submitted job ")[2].partition(":")[0]


def test_a_run_that_is_submitted_ends_and_a_dry_run_shows_the_same_script(slurm, tmp_path, write_config, metacascade):
    config, out = write_config(), tmp_path / "runs" / "a"
    words = [sys.executable, "-m", "metacascade", "submit", config, "--out", out, "--nodes", "2", "--ranks-per-node", "1",
             "--time", "10 min"]
    shown = slurm.call(*words, "--dry-run").stdout
    assert not out.parent.exists()
    said = slurm.call(*words)
    script = (out.parent / "a.sbatch").read_text()
    assert shown.startswith(script) and script.startswith("#!")
    [job] = slurm.end(number_of(said), f"{out}.log")
    assert (job["NumNodes"], job["TimeLimit"]) == ("2", "00:10:00")
    metacascade("run", config, "--out", tmp_path / "undisturbed", check=True)
    assert small.content(out, ordered=True) == small.content(tmp_path / "undisturbed", ordered=True)
    assert "is complete: nothing to submit" in slurm.call(*words).stdout


def test_a_second_submit_is_refused_until_the_first_job_has_ended(slurm, tmp_path, write_config):
    words = [sys.executable, "-m", "metacascade", "submit", write_config(), "--out", tmp_path / "a b", "--time", "10 min",
             "--ranks-per-node", "1"]
    number = number_of(slurm.call(*words, "--sbatch=--hold"))
    done = slurm.call(*words, check=False)
    assert done.returncode == 2 and f"job {number} (pending) is submitted for it" in done.stderr
    slurm.scancel(number)
    slurm.end(number, state="CANCELLED")
    slurm.end(number_of(slurm.call(*words)), tmp_path / "a b.log")


def test_of_two_jobs_with_one_directory_the_second_ends_with_one_message(
        slurm, tmp_path, long_config, undisturbed, steps):
    out, log, second = tmp_path / "run", tmp_path / "log", tmp_path / "second"
    number = slurm.sbatch("--ntasks=1", "--output", log, JOBS / "run.sbatch", long_config, out, cwd=tmp_path)
    slurm.until(lambda: steps(out) >= 4, log)
    slurm.scancel("--signal=STOP", number)          # the ranks stand still until the second job has ended
    other = slurm.sbatch("--ntasks=1", "--output", second, JOBS / "run.sbatch", long_config, out, cwd=tmp_path)
    [job] = slurm.end(other, second, state="FAILED")
    assert job["ExitCode"] == "2:0" and "another run is writing here" in second.read_text(), second.read_text()
    slurm.scancel("--signal=CONT", number)
    slurm.end(number, log)
    assert small.content(out, ordered=True) == small.content(undisturbed, ordered=True)


@pytest.mark.parametrize("module, state", [('() { echo "loaded $2"; }', "COMPLETED"), ("() { return 3; }", "FAILED")])
def test_a_job_loads_the_modules_of_its_site_and_takes_the_python_that_submitted_it(
        slurm, tmp_path, write_config, monkeypatch, module, state):
    site, log = tmp_path / "site.conf", tmp_path / "a.log"
    site.write_text('LAUNCH="srun --mpi=pmi2"\nMODULES="gcc/12 mpich/4"\n')
    monkeypatch.setitem(slurm.env, "BASH_FUNC_module%%", module)         # as clusters give it to every bash
    monkeypatch.setitem(slurm.env, "METACASCADE_PYTHON", "/nowhere/python")
    said = slurm.call(sys.executable, "-m", "metacascade", "submit", write_config(), "--out", tmp_path / "a", "--site", site,
                      "--ranks-per-node", "1", "--time", "10 min")
    [job] = slurm.end(number_of(said), log, state=state)
    if state == "COMPLETED":
        assert log.read_text().startswith("loaded gcc/12\nloaded mpich/4\nmetacascade job"), log.read_text()
    else:
        assert job["ExitCode"] == "3:0" and "metacascade" not in log.read_text(), log.read_text()


def test_what_slurm_refuses_is_one_message_and_nothing_runs(slurm, tmp_path, write_config):
    done = slurm.call(sys.executable, "-m", "metacascade", "submit", write_config(), "--out", tmp_path / "a", "--time", "1 h",
                      "--sbatch=--partition=none", check=False)
    assert done.returncode == 1 and "invalid partition specified: none" in done.stderr and "Traceback" not in done.stderr
    assert slurm.call("squeue", "-h").stdout == ""
