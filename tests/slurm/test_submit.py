"""`metacascade submit` on a real SLURM of two nodes."""
import sys

import pytest

import small

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(600)]


def test_a_run_that_is_submitted_ends_and_a_dry_run_shows_the_same_script(slurm, tmp_path, write_config, metacascade):
    config, out = write_config(), tmp_path / "runs" / "a"
    words = [sys.executable, "-m", "metacascade", "submit", config, "--out", out, "--nodes", "2", "--ranks-per-node", "1",
             "--time", "10 min"]
    shown = slurm.call(*words, "--dry-run").stdout
    assert not out.parent.exists()
    said = slurm.call(*words).stdout
    script = (out.parent / "a.sbatch").read_text()
    assert shown.startswith(script) and script.startswith("#!")
    number = said.partition("submitted job ")[2].partition(":")[0]
    [job] = slurm.end(number, f"{out}.log")
    assert (job["JobState"], job["NumNodes"], job["TimeLimit"]) == ("COMPLETED", "2", "00:10:00")
    metacascade("run", config, "--out", tmp_path / "undisturbed", check=True)
    assert small.content(out, ordered=True) == small.content(tmp_path / "undisturbed", ordered=True)
    assert "is complete: nothing to submit" in slurm.call(*words).stdout


def test_what_slurm_refuses_is_one_message_and_nothing_runs(slurm, tmp_path, write_config):
    done = slurm.call(sys.executable, "-m", "metacascade", "submit", write_config(), "--out", tmp_path / "a", "--time", "1 h",
                      "--sbatch=--partition=none", check=False)
    assert done.returncode == 1 and "invalid partition specified: none" in done.stderr and "Traceback" not in done.stderr
    assert slurm.call("squeue", "-h").stdout == ""
