"""Whole treatment arms from a checkpoint: what is compared is what the runs say, stopped or not, on any ranks."""
import csv
import statistics
import subprocess
import sys
import time

import pytest

import metacascade as mc
import small
from conftest import environment
from metacascade.__main__ import main
from metacascade.config import config

ARMS = """
from = "run"
replicates = 2
[set]
run.duration = "20 h"
[[arm]]
name = "control"
[[arm]]
name = "resection"
[[arm.surgery]]
time = "15 h"
share = 0.5
[[arm]]
name = "half a drug"
[[arm.therapy]]
rate = "tissue.intravasate"
factor = 0.1
duration = "15 h"
[compare]
columns = ["shed", "lesions_lung"]
"""
SECONDS = 240       # for what takes some seconds on an idle machine


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a file of three arms lies beside the run that they go on with, which has ended at 12 h."""
    folder = tmp_path_factory.mktemp("arms")
    settings = small.settings(tumor__cells=500, oxygen__sweeps=1, injection=[], therapy=[], surgery=[], radiation=[])
    (folder / "base.toml").write_text(config.load(small.EXAMPLE, settings).to_toml())
    mc.Simulation(folder / "base.toml").run(folder / "run")
    (folder / "arms.toml").write_text(ARMS)
    return folder


@pytest.fixture(scope="module")
def done(folder, metacascade):
    """The directory of the arms when all are done, and what was printed."""
    called = metacascade("arms", folder / "arms.toml", "--out", folder / "out", "--jobs", "2", timeout=SECONDS)
    assert called.returncode == 0, called.stderr
    return folder / "out", called.stdout


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def last(directory, column):
    return small.last(directory)[column]


def test_what_is_compared_is_what_came_out_of_the_runs(done):
    out, said = done
    found = {row["arm"]: row for row in rows(out / "arms.csv") if row["column"] == "shed"}
    shed = {name: [last(out / f"{k * 3 + i:04}", "shed") for k in range(2)] for i, name in enumerate(found)}
    for name, values in shed.items():
        assert float(found[name]["mean"]) == pytest.approx(statistics.fmean(values))
        differences = [own - control for own, control in zip(values, shed["control"])]
        if name != "control":
            half = 12.7062047 * statistics.stdev(differences) / 2**0.5
            assert float(found[name]["difference_low"]) == pytest.approx(statistics.fmean(differences) - half, rel=1e-6)
    assert max(map(sum, shed.values())) == sum(shed["control"]) and len(set(shed["control"])) == 2
    assert "3 arms from a checkpoint at 12 h, 2 replicates each" in said and "6 members: 6 done" in said
    assert max(map(len, said.split("3 arms from")[1].split("comparison in")[0].splitlines())) <= 80


def test_the_first_replicate_of_the_control_is_the_run_itself_gone_on(done, folder, tmp_path, metacascade):
    metacascade("branch", folder / "run", "--out", tmp_path / "on", "--set", "run.duration=20 h", check=True)
    assert small.content(tmp_path / "on") == small.content(done[0] / "0000")


def test_a_member_is_joined_with_the_run_that_all_went_on_with(done, folder, capsys):
    """Its first replicate of the control, with the rows of the run from its start on."""
    with mc.open(done[0] / "0000", parents=True) as both, mc.open(folder / "run") as before:
        assert both.parent.path == before.path and both.began_s == 12 * 3600
        assert both.series["time_s"].tolist()[:len(before.series["time_s"])] == before.series["time_s"].tolist()
        assert both.series["time_s"][-1] == 20 * 3600 and len(both.series["time_s"]) > len(before.series["time_s"])
    told = [main(["cascade", str(done[0] / "0003"), *words]) or capsys.readouterr().out for words in ([], ["--parents"])]
    assert told[0] != told[1]
    with mc.open(done[0] / "0003", parents=True) as both, mc.open(done[0] / "0003") as alone:
        assert len(both.shed) > len(alone.shed) > 0


def test_one_arm_is_one_command(done, folder, tmp_path, metacascade):
    words = ["--seed", rows(done[0] / "sweep.csv")[4]["seed"], "--set", "run.duration=20 h", "--set",
             'surgery.0={time = "15 h", share = 0.5}']
    metacascade("branch", folder / "run" / "checkpoint.h5", "--out", tmp_path / "one", *words, check=True)
    assert small.content(tmp_path / "one") == small.content(done[0] / "0004")


def test_stopped_arms_go_on_after_the_first_run_is_gone_and_end_the_same(done, folder, tmp_path, metacascade):
    """Those of both replicates of the resection, members 1 and 4."""
    (folder / "run").rename(folder / "moved")
    (tmp_path / "run").symlink_to(folder / "moved")
    (tmp_path / "arms.toml").write_text(ARMS)
    command = [sys.executable, "-m", "metacascade", "arms", str(tmp_path / "arms.toml"), "--out", str(tmp_path / "out"),
               "--part", "1/3"]
    process = subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    end = time.monotonic() + SECONDS
    while not (tmp_path / "out" / "0001" / "checkpoint.h5").exists() and time.monotonic() < end:
        time.sleep(0.01)
    process.terminate()
    assert process.wait(SECONDS) == 75
    (tmp_path / "run").unlink()
    again = metacascade(*command[3:], timeout=SECONDS)
    (folder / "moved").rename(folder / "run")
    assert again.returncode == 0, again.stderr
    of_both = ([row["digest"] for row in rows(out / "sweep.csv")[1::3]] for out in (tmp_path / "out", done[0]))
    assert next(of_both) == next(of_both) and "control: 0 of 2 done" in again.stdout


def test_info_and_gather_tell_the_comparison_without_running_anything(done, folder, capsys):
    before = (done[0] / "arms.csv").read_text()
    (folder / "other.toml").write_text(ARMS.replace('"shed", "lesions_lung"', '"tissue"'))
    assert main(["info", str(done[0])]) == 0
    said = capsys.readouterr().out
    assert "arms, 6 members: 6 done" in said and 'resection: surgery.0 = {"time" = "15 h", "share" = 0.5}' in said
    assert "shed [cells]" in said and "tissue" not in said.split("last rows")[1]
    assert main(["arms", str(folder / "other.toml"), "--out", str(done[0]), "--gather"]) == 0
    assert "tissue [cells]" in capsys.readouterr().out and "shed" not in (done[0] / "arms.csv").read_text()
    assert main(["arms", str(folder / "arms.toml"), "--out", str(done[0]), "--gather"]) == 0
    assert (done[0] / "arms.csv").read_text() == before


@pytest.mark.mpi
def test_members_on_two_ranks_end_the_same(mpirun, done, folder, tmp_path, metacascade):
    called = metacascade("arms", folder / "arms.toml", "--out", tmp_path / "out", "--ranks", "2", "--part", "6/6",
                         timeout=SECONDS)
    assert called.returncode == 0, called.stderr
    assert rows(tmp_path / "out" / "sweep.csv")[0]["digest"] == rows(done[0] / "sweep.csv")[0]["digest"]
    assert "control: 1 of 2 done" in called.stdout


@pytest.mark.mpi
def test_under_mpiexec_it_is_refused_before_anything_is_written(mpirun, folder, tmp_path):
    called = mpirun(2, "metacascade", "arms", folder / "arms.toml", "--out", tmp_path / "out", check=False)
    assert called.returncode == 2 and "arms starts the ranks of its members itself" in called.stderr
    assert not (tmp_path / "out").exists()
