"""`metacascade watch`: what goes on in a directory, in a terminal of 80 columns and 24 lines."""
import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

import metacascade as mc
import small
from conftest import environment
from metacascade.__main__ import main
from metacascade.base import sheets
from metacascade.io import runlock
from metacascade.studies import standing, watch

SECONDS = 60
LONG = small.arguments(run__duration="1000 days", output__interval="1 day", output__checkpoint="1000 days", tumor__cells=500,
                       injection=[], draw=[])
QUICK = dict(run__duration="6 h", output__interval="2 h", output__checkpoint="4 h")


def until(condition):
    """Wait for it; what it has come to."""
    end = time.monotonic() + SECONDS
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    assert found
    return found


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The directory of a run in which everything happens."""
    out = tmp_path_factory.mktemp("watch") / "run"
    mc.Simulation(small.EXAMPLE, small.settings(**QUICK)).run(out).close()
    return out


@pytest.fixture
def going(done, tmp_path):
    """The same as if it went on on two ranks: its results, and a status that is newer."""
    out = tmp_path / "run"
    shutil.copytree(done, out)
    with mc.open(out) as results:
        totals = {name: int(values[-1]) for name, values in results.series.items() if results.units(f"series/{name}") == "cells"}
    told = dict(format=1, host="a", process=1, ranks=2, started=0.0, written=time.time(), step=7, time_s=25200, end_s=86400,
                days_per_min=0.5, left_s=85.0, totals=totals)
    (out / "status.json").write_text(json.dumps(told))
    (out / "ranks.txt").write_text("".join(f"{line:<63}\n" for line in ("0 7 1200 104857600 0.910", "1 7 800 52428800 0.250")))
    return SimpleNamespace(out=out, totals=totals)


def once(capsys, path):
    """One view, as lines."""
    assert main(["watch", "--once", str(path)]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_run_that_goes_on_shows_how_far_it_is_and_when_it_ends(going, capsys):
    with runlock.locking(going.out):
        lines = once(capsys, going.out)
    text = "\n".join(lines)
    assert len(lines) < watch.LINES and max(map(len, lines)) <= sheets.WIDTH
    assert "running" in text and "29.2 %, 0.29 of 1" in text and "0.5 days/min, 85 s left" in text
    assert f"tissue {going.totals['tissue']:,}" in text and "so far; at" in text
    assert [line.split() for line in lines[-2:]] == [["0", "1,200", "100.0", "MiB", "91", "%", "7"],
                                                     ["1", "800", "50.0", "MiB", "25", "%", "7"]]
    born = next(line for line in lines if line.startswith("account")).split()
    assert born[1] == born[3]


def test_a_run_that_was_killed_is_told_as_such(going, capsys):
    """Nobody holds its lock, and its status is there."""
    (going.out / "run.lock").touch()
    lines = once(capsys, shutil.copytree(going.out, going.out.parent / "other"))
    assert "killed; go on with" not in "\n".join(lines) and "complete" in "\n".join(lines)    # it has all results
    results = going.out / "results.h5"
    results.unlink()
    text = " ".join(" ".join(once(capsys, going.out)).split())
    assert "killed; go on with `metacascade resume" in text and "0.29 of 1" in text


def test_a_run_that_ends_between_two_glances_is_complete_with_its_last_numbers(done, tmp_path, monkeypatch):
    """Its results are written anew after the view has read them, and before it looks at the lock."""
    view, locked = watch.OfRun(tmp_path), runlock.locked

    def ended(directory):
        monkeypatch.setattr(runlock, "locked", locked)
        shutil.copy(done / "results.h5", tmp_path)
        return False
    monkeypatch.setattr(runlock, "locked", ended)
    assert view.look(80, 24)[1] and view.words == "complete, day 0.25 of 0.25"


def test_ranks_that_do_not_fit_are_those_that_work_least():
    view = watch.OfRun.__new__(watch.OfRun)
    view.state, view.told = "running", dict(ranks=64, per_rank=[
        dict(rank=rank, cells=5, memory_bytes=1e8, work_share=rank / 64, step=1) for rank in range(64)])
    shown = view._ranks(3)
    assert [row[0] for row in shown.rows] == ["0", "1", "2"] and "3 of 64 ranks" in shown.title


@pytest.mark.parametrize("harm, told", [
    (lambda path: os.truncate(path, 20_000), "results.h5 is damaged: it has 20000 bytes instead of"),
    (lambda path: path.write_text("other"), "is not a metacascade results file"),
    (lambda path: path.unlink() or path.mkdir(), "Is a directory")], ids=["cut", "other", "a directory"])
def test_results_that_cannot_be_read_are_told_and_not_to_be_resumed(going, capsys, harm, told):
    harm(going.out / "results.h5")
    assert main(["watch", "--once", str(going.out)]) == 2
    said = capsys.readouterr()
    assert "damaged" in said.out and "resume" not in said.out + said.err and told in said.err
    with runlock.locking(going.out):        # its run may be about to write them anew
        assert "damaged" not in "".join(once(capsys, going.out))


def test_a_run_without_one_of_its_parts_is_damaged(tmp_path, capsys):
    new = mc.Simulation(small.EXAMPLE, small.settings(**QUICK))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("metacascade.run.run.Run._finish", lambda _: None)
        new.run(tmp_path / "run").close()
    for path in (tmp_path / "run" / "parts").iterdir():
        path.unlink()
    assert main(["watch", "--once", str(tmp_path / "run")]) == 2
    said = capsys.readouterr()
    assert "damaged" in said.out and "is not beside it" in said.err


def test_what_is_no_run_and_no_terminal_are_refused(tmp_path, done, capsys):
    assert main(["watch", str(tmp_path)]) == 2 and "nothing to watch" in capsys.readouterr().err
    assert main(["watch", str(done)]) == 2 and "DIR --once` prints one view" in capsys.readouterr().err


@pytest.fixture
def on_a_terminal(monkeypatch):
    """The standard output is one, as far as watch asks; a view ends at once."""
    monkeypatch.setattr(watch, "sys", SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setattr(watch, "_watch", lambda view: view.look(80, 24))


def test_a_run_that_makes_its_directory_in_a_moment_is_waited_for(done, tmp_path, monkeypatch, on_a_terminal, capsys):
    waits = iter([lambda: None, (tmp_path / "run").mkdir, lambda: shutil.copytree(done, tmp_path / "run", dirs_exist_ok=True)])
    monkeypatch.setattr(watch.time, "sleep", lambda _: next(waits)())
    assert watch.run(tmp_path / "run") == 0
    assert capsys.readouterr().out == (f"{tmp_path / 'run'} is not there yet: waiting up to 30 s for it\n"
                                       f"{tmp_path / 'run'}: complete, day 0.25 of 0.25\n")


def test_what_is_still_not_there_or_holds_something_else_is_refused(done, tmp_path, monkeypatch, on_a_terminal, capsys):
    monkeypatch.setattr(watch, "START_S", 0.2)
    with pytest.raises(mc.InputError, match="nothing to watch"):
        watch.run(tmp_path / "run")
    assert "waiting" in capsys.readouterr().out
    (tmp_path / "other.txt").touch()
    for other in (tmp_path, tmp_path / "other.txt"):
        with pytest.raises(mc.InputError, match="nothing to watch"):
            watch.run(other)
    assert capsys.readouterr().out == ""


def test_a_cohort_and_a_sweep_are_watched_until_nobody_works_on_them(tmp_path, monkeypatch):
    (tmp_path / "cohort.json").write_text(json.dumps({"cohort": {"patients": 40}}))
    view = watch.view_of(tmp_path)
    with runlock.locking(tmp_path):
        assert not view.look(80, 24)[1]
    assert view.look(80, 24)[1] and view.state == "stopped" and "0 of 40" in view.words
    monkeypatch.setattr(standing.sweep_plan, "kept", lambda _: {"members": [{"number": 0, "settings": {}, "seed": 1}]})
    monkeypatch.setattr(standing.sweep_table, "state", lambda _: "waiting")
    view = watch.OfMembers(tmp_path)
    clock = iter((29.0, 31.0, 31.0))         # since the view began: between two members Python has to start
    monkeypatch.setattr(watch.time, "monotonic", lambda: view.last + next(clock))
    assert [view.look(80, 24)[1] for _ in range(2)] == [False, True] and view.state == "stopped"
    monkeypatch.setattr(standing.sweep_table, "state", lambda _: "done")
    assert view.look(80, 24)[1] and (view.state, view.words) == (
        "complete", f"1 member: 1 done; metacascade info {tmp_path} compares them")


def test_members_with_long_settings_have_a_line_each_on_one_screen(tmp_path, monkeypatch):
    """More of them than are shown, all running, with what tells them from each other."""
    members = [{"number": k, "point": k, "replicate": 0, "seed": 3774865218643195, "settings": {
        "organs.lung.extravasation_time": f"{k} h", "colonization.avascular_limit": 1000 + k}} for k in range(40)]
    monkeypatch.setattr(standing.sweep_plan, "kept", lambda _: {"members": members})
    monkeypatch.setattr(standing.sweep_table, "state", lambda _: "running")
    monkeypatch.setattr(standing.status, "read", lambda _: {"time_s": 432000, "end_s": 8640000, "left_s": 71.23456})
    tables, _ = watch.OfMembers(tmp_path).look(80, 24)
    lines = sheets.plain(tables).splitlines()
    assert len(lines) < 24 and max(map(len, lines)) <= 80 and "28 others" in lines[-1]
    assert "about 71 s left" in "".join(lines)
    assert "extravasation_time = 11 h, " in lines[-2] and lines[-2].endswith("...; 71 s left"), "of long settings the end is cut"


@pytest.fixture
def tmux(tmp_path):
    """``tmux(*arguments)``: what it prints; a server of its own, which ends with the test."""
    if shutil.which("tmux") is None:
        pytest.skip("there is no tmux here to look at a terminal with (Debian: apt install tmux)")

    def call(*arguments, check=True):
        done = subprocess.run(["tmux", "-S", str(tmp_path / "socket"), "-f", "/dev/null", *arguments], env=environment(),
                              capture_output=True, text=True, timeout=SECONDS)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout
    yield call
    call("kill-server", check=False)


@pytest.fixture
def living(tmp_path):
    """A run that goes on: its process and directory."""
    out = tmp_path / "run"
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen([sys.executable, "-m", "metacascade", "run", str(small.EXAMPLE), "--out", str(out), *LONG],
                                   env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    until(lambda: (out / "status.json").exists() or process.poll() is not None)
    yield SimpleNamespace(process=process, out=out)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("sent, state, code", [(signal.SIGTERM, "stopped", 75), (signal.SIGKILL, "killed", 1)],
                         ids=["stopped", "killed"])
def test_in_a_terminal_of_80_columns_it_shows_a_run_and_ends_with_it(living, tmux, sent, state, code):
    words = [sys.executable, "-m", "metacascade", "watch", str(living.out)]
    tmux("new-session", "-d", "-x", "80", "-y", "24", f"{shlex.join(words)}; echo code $?; sleep 600")
    screen = until(lambda: (text := tmux("capture-pane", "-p")).count("days/min") and text).rstrip("\n")
    lines = screen.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80 and lines[0].startswith(str(living.out)[:40])
    assert "state  running" in screen and " of 1000" in screen and "accounted for" in screen
    assert tmux("display-message", "-p", "#{alternate_on}").strip() == "1"
    living.process.send_signal(sent)
    living.process.wait(SECONDS)
    ended = until(lambda: (text := tmux("capture-pane", "-p", "-J")).count("code ") and text)
    assert f": {state}, day" in ended and f"code {code}" in ended and "metacascade resume" in ended
    assert tmux("display-message", "-p", "#{alternate_on}").strip() == "0", "the terminal is as it was"
