"""Whole sweeps: killed, stopped, shared out and with a member that fails, they end with the same table."""
import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import small
from conftest import environment
from metacascade.__main__ import main
from metacascade.config import config
from metacascade.io import checkpoint, runlock
from metacascade.io.results import open_results
from metacascade.ranks.parallel import serial_world
from metacascade.run import cluster
from metacascade.run.walllimit import SLACK_S, STARTED
from metacascade.studies import programs, sweep, sweep_plan

SWEEP = """
config = "base.toml"
replicates = 2
[set]
run.duration = "60 h"
[vary]
intravasation.hazard = ["4/day", "1/day"]
"""
SECONDS = 240       # for what takes some seconds on an idle machine
UNSEEN = ("wall_s",)
HOLLOW = b'{"format": 1, "sweep": {}, "config": "", "fixed": {}, "units": {}, "members": [1]}'


@pytest.fixture(scope="session")
def sweep_file(tmp_path_factory):
    """Two points with two replicates; a member takes about a second, and its start as long."""
    folder = tmp_path_factory.mktemp("sweep")
    settings = small.settings(tumor__cells=500, oxygen__sweeps=1, injection=[], colonization__shed="0.01/day",
                              output__interval="12 h", output__checkpoint="12 h")
    (folder / "base.toml").write_text(config.load(small.EXAMPLE, settings).to_toml())
    (folder / "sweep.toml").write_text(SWEEP)
    return folder / "sweep.toml"


@pytest.fixture(scope="session")
def call(metacascade, sweep_file):
    """``call(out, *options)``: the command, to its end."""
    return lambda out, *options: metacascade("sweep", sweep_file, "--out", out, *options, timeout=SECONDS)


@pytest.fixture(scope="session")
def undisturbed(call, tmp_path_factory):
    """The directory of the sweep that nothing disturbs."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    done = call(out, "--jobs", "2")
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def expected(undisturbed):
    """Its table."""
    return table(undisturbed)


@pytest.fixture
def planned(sweep_file, tmp_path):
    """The directory of a sweep of which nothing has run yet."""
    out = tmp_path / "out"
    sweep_plan.write(out, sweep_plan.opened(out, sweep_file))
    return out


@pytest.fixture
def begun(sweep_file, tmp_path):
    """``begun(*options)``: a coordinator that goes on by itself, and its directory; all of it ends with the test."""
    started, out = [], tmp_path / "out"

    def begin(*options):
        started.append(subprocess.Popen(
            [sys.executable, "-m", "metacascade", "sweep", str(sweep_file), "--out", str(out), *options],
            env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        return started[-1], out
    yield begin
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
    for process in processes(f"{out}/"):
        os.kill(process, signal.SIGKILL)


def table(out):
    """sweep.csv as a list of dicts, without what differs from call to call."""
    with open(out / "sweep.csv", newline="") as file:
        return [{name: text for name, text in row.items() if name not in UNSEEN} for row in csv.DictReader(file)]


def processes(text):
    """The ids of the processes with `text` in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text.encode() in path.read_bytes() and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
        except OSError:
            pass        # it has ended
    return found


def until(condition, what):
    """Wait for a condition."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)


def starts(out, number):
    """How often a member was started."""
    return (out / f"{number:04}.log").read_text().count("sweep: " + sys.executable)


def test_the_table_has_every_member_with_its_settings_and_results(expected):
    columns = ("number", "replicate", "intravasation.hazard [1/day]", "status")
    shown = [[row[name] for name in columns] for row in expected]
    assert shown == [["0", "0", "4", "done"], ["1", "1", "4", "done"], ["2", "0", "1", "done"], ["3", "1", "1", "done"]]
    assert expected[0]["seed"] == expected[2]["seed"] != expected[1]["seed"]
    assert len({row["digest"] for row in expected}) == 4 and all(text for row in expected for text in row.values())


def test_a_member_is_an_ordinary_run_and_its_row_is_what_came_out_of_it(metacascade, sweep_file, undisturbed, tmp_path):
    settings = ["--set", "run.duration=60 h", "--set", "intravasation.hazard=1/day"]
    metacascade("run", sweep_file.parent / "base.toml", "--out", tmp_path / "run", *settings, check=True)
    content, last, row = small.content(tmp_path / "run"), small.last(tmp_path / "run"), table(undisturbed)[2]
    assert content == small.content(undisturbed / "0002") and row["digest"] == content["digest"]
    assert {name: int(row[name]) for name in last} == last
    with open_results(tmp_path / "run") as found:
        rows, nodes = found.lesions[:], found.names("lesions")["node"]
    in_lung = [one for one in rows if one["n"] and nodes[int(one["node"])] == "lung"]
    assert len(in_lung) == int(row["lesions_lung"]) > 0


def test_the_table_is_gathered_anew_without_running_anything(capsys, sweep_file, undisturbed):
    before = (undisturbed / "sweep.csv").read_bytes()
    (undisturbed / "sweep.csv").unlink()
    assert main(["sweep", str(sweep_file), "--out", str(undisturbed), "--gather"]) == 0
    assert (undisturbed / "sweep.csv").read_bytes() == before and "4 members: 4 done" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--gather", "--part=1/4"])
@pytest.mark.parametrize("name, content, code, message", [
    ("members.json", b'{"format": 1}', 2, "members.json is damaged: bring back a copy"),
    ("members.json", HOLLOW, 2, "members.json is damaged: bring back a copy"),
    ("members.json", b"", 2, "members.json is damaged"),
    ("members.json", HOLLOW.replace(b"1", b"9"), 2, "has format 9; this version of metacascade reads format 1: choose"),
    ("config.toml", b"", 2, "config.toml is not the config that the sweep began with: remove it"),
    ("0001/results.h5", None, 1, "0001/results.h5 is damaged: remove"),
    ("0001/results.h5", b"", 1, "0001/results.h5 is damaged: remove")])
def test_a_damaged_file_is_named_with_what_to_do(
        capsys, sweep_file, undisturbed, tmp_path, name, content, code, message, option):
    out = shutil.copytree(undisturbed, tmp_path / "out")
    (out / name).write_bytes((out / name).read_bytes()[:-100] if content is None else content)
    assert main(["sweep", str(sweep_file), "--out", str(out), option]) == code
    said = capsys.readouterr().err
    assert message in said and "internal error" not in said
    assert code == 2 or [row["status"] for row in table(out)] == ["done", "damaged", "done", "done"]


def test_a_damaged_member_that_was_removed_is_simulated_again(call, undisturbed, expected, tmp_path):
    out = shutil.copytree(undisturbed, tmp_path / "out")
    shutil.rmtree(out / "0001")
    assert call(out).returncode == 0 and table(out) == expected


def test_what_is_wrong_is_refused_before_anything_is_written(capsys, sweep_file, tmp_path, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)       # its srun may start any number of ranks
    out = tmp_path / "out"
    for options, message in (
            (["--part=3/2"], "must be I/N"), (["--part=0/0"], "must be I/N"), (["--part=1"], "must be I/N"),
            (["--gather"], "nothing to gather"), (["--ranks=1000000"], "1,000,000 ranks cannot"),
            (["--jobs=0"], "'--jobs'"), (["--rank=2"], "did you mean '--ranks'?")):
        assert main(["sweep", str(sweep_file), "--out", str(out), *options]) == 2 and message in capsys.readouterr().err
    assert main(["sweep", str(sweep_file), "--out", str(out), "--dry-run", "--part=1/2"]) == 0
    shown = capsys.readouterr().out
    assert "2 of 4 members" in shown and "0003  waiting  intravasation.hazard = 1/day" in shown
    assert not out.exists()


def test_a_member_that_is_killed_does_not_end_the_others_and_is_taken_up_again(begun, call, expected):
    process, out = begun("--jobs", "2", "--part", "1/2")
    until((out / "0001" / "checkpoint.h5").exists, "member 1")
    member, = processes(f"{out}/0001")
    os.kill(member, signal.SIGKILL)
    text, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1 and "member 0001 failed: killed by SIGKILL" in text
    assert [row["status"] for row in table(out)] == ["waiting", "failed", "waiting", "done"]
    again = call(out, "--part", "1/2")
    assert again.returncode == 0 and "0001 goes on" in again.stdout
    assert table(out)[1::2] == expected[1::2] and [starts(out, number) for number in (1, 3)] == [2, 1]


def test_a_member_that_cannot_start_is_listed_and_tried_again(call, planned, expected):
    (planned / "0001").touch()              # where its directory should be
    failed = call(planned, "--part", "1/4")
    assert failed.returncode == 1 and "member 0001 failed: exit code" in failed.stderr and "0001.log" in failed.stderr
    assert "metacascade: " in (planned / "0001.log").read_text()
    (planned / "0001").unlink()
    assert call(planned, "--part", "1/4").returncode == 0 and table(planned)[1] == expected[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, *(
    pytest.param(number, marks=pytest.mark.slow) for number in (signal.SIGUSR1, signal.SIGINT))])
def test_a_signal_stops_members_with_checkpoints_and_the_next_call_goes_on(begun, call, expected, number):
    process, out = begun("--part", "1/4")
    until((out / "0001" / "checkpoint.h5").exists, "member 1")
    process.send_signal(number)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 75 and processes(f"{out}/") == []
    assert [row["status"] for row in table(out)] == ["waiting", "stopped", "waiting", "waiting"]
    assert "exit code 75 after" in (out / "0001.log").read_text()
    assert call(out, "--part", "1/4").returncode == 0 and table(out)[1] == expected[1]


@pytest.fixture
def long_sweep(sweep_file):
    """A sweep of one member that takes minutes."""
    path = sweep_file.with_name("long.toml")
    path.write_text('config = "base.toml"\n[set]\nrun.duration = "1000 days"\n')
    return path


def limited(file, out, seconds):
    """The exit code of a sweep in this process that has `seconds` left of its wall limit."""
    return main(["sweep", str(file), "--out", str(out), "--wall-limit", f"{time.monotonic() - STARTED + seconds} s"])


def test_members_stop_with_checkpoints_before_the_wall_limit_and_the_next_call_goes_on(long_sweep, tmp_path):
    steps = []
    for _ in range(2):
        assert limited(long_sweep, tmp_path / "out", 2.5 * SLACK_S) == 75
        assert table(tmp_path / "out")[0]["status"] == "stopped"
        steps.append(checkpoint.read(serial_world(), tmp_path / "out" / "0000" / "checkpoint.h5").meta["step"])
    log = (tmp_path / "out" / "0000.log").read_text()
    assert 0 < steps[0] < steps[1] and log.count("exit code 75") == 2 and log.count("metacascade resume") >= 1
    assert log.count("--wall-limit") == 2


def test_no_member_is_started_when_no_time_is_left(capsys, long_sweep, tmp_path):
    assert limited(long_sweep, tmp_path / "out", 1.9 * SLACK_S) == 75
    assert "the wall limit is near" in capsys.readouterr().out and table(tmp_path / "out")[0]["status"] == "waiting"


def test_after_a_kill_of_the_coordinator_no_member_is_run_twice(begun, call, expected):
    process, out = begun("--part", "1/4")
    until((out / "0001" / "checkpoint.h5").exists, "member 1")
    process.kill()
    process.communicate()
    codes = [75]
    while codes[-1] == 75 and len(codes) < 9:       # member 1 still runs
        codes.append(call(out, "--part", "1/4").returncode)
    assert codes[-1] == 0 and table(out)[1] == expected[1] and starts(out, 1) == 1


def test_a_member_that_runs_elsewhere_is_left_alone(call, planned, expected):
    with runlock.lock(planned / "0003"):
        locked = call(planned, "--part", "1/2")
        assert locked.returncode == 75 and "0003 runs elsewhere" in locked.stdout
        assert [row["status"] for row in table(planned)] == ["waiting", "done", "waiting", "running"]
    assert call(planned, "--part", "1/2").returncode == 0 and table(planned)[1::2] == expected[1::2]


def test_parts_that_begin_at_the_same_moment_make_one_table(begun, expected):
    both = [begun("--part", "1/4"), begun("--part", "2/4")]
    out = both[0][1]
    for process, _ in both:
        text, _ = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, text
    assert table(out)[1:3] == expected[1:3] and [starts(out, number) for number in (1, 2)] == [1, 1]


class HardOfHearing:
    """A process that stops when it was told twice: at first it was just starting."""
    told = looks = 0

    def send_signal(self, number):
        self.told += 1

    def poll(self):
        self.looks += 1
        return 0 if self.told == 2 or self.looks > 1000 else None


def test_after_an_error_of_its_own_it_tells_members_to_stop_until_they_hear(monkeypatch, tmp_path):
    monkeypatch.setattr(cluster, "REMIND_S", 0.001)
    monkeypatch.setattr(programs, "LOOK_S", 0.001)
    coordinator, member = sweep.Coordinator(tmp_path, {}, [], [], 1), HardOfHearing()
    coordinator.running = {member: None}
    coordinator._end_all()
    assert member.told == 2 and not coordinator.running


@pytest.mark.slow
def test_coordinators_of_the_same_members_share_them(begun, call, expected):
    both = [begun(), begun()]
    out = both[0][1]
    assert {process.wait(timeout=SECONDS) for process, _ in both} <= {0, 75}
    assert call(out).returncode == 0 and table(out) == expected


@pytest.mark.mpi
def test_a_member_on_two_ranks_is_stopped_and_goes_on_to_the_same_row(mpirun, begun, call, expected):
    process, out = begun("--ranks", "2", "--part", "1/4")
    until((out / "0001" / "checkpoint.h5").exists, "member 1")
    process.terminate()
    process.communicate(timeout=SECONDS)
    assert process.returncode == 75 and processes(f"{out}/") == []
    assert call(out, "--part", "1/4").returncode == 0 and table(out)[1] == expected[1]


@pytest.mark.mpi
def test_under_mpiexec_it_is_refused_before_anything_is_written(mpirun, sweep_file, tmp_path):
    done = mpirun(2, "metacascade", "sweep", sweep_file, "--out", tmp_path / "out", check=False)
    assert done.returncode == 2 and "sweep starts the ranks of its members itself" in done.stderr
    assert not (tmp_path / "out").exists()
