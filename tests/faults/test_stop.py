"""A signal to stop: a checkpoint, exit code 75, and the resumed run is the run that never stopped."""
import os
import signal
import sys
import time

import pytest

import small
from conftest import TESTS, hydra
from faults.checks import FAILED, SETTINGS, STOPPED, assert_ends_well, assert_one_message
from faults.kill_and_resume import Session, is_rank

pytestmark = [pytest.mark.mpi, pytest.mark.skipif(sys.platform != "linux", reason="finds the ranks in /proc")]
STOPPED_EARLY = 75


def send(session, number, to):
    """A signal to the launcher alone, to all ranks as srun does, or to one rank."""
    ranks = [pid for pid in session.everyone() if is_rank(pid)]
    assert len(ranks) == session.ranks
    for pid in {"launcher": [session.process.pid], "every rank": ranks, "one rank": ranks[-1:]}[to]:
        os.kill(pid, number)


def test_stopped_by_its_wall_limit_it_can_be_resumed_to_the_same_end(start, undisturbed, tmp_path):
    """A limit that is over at once: each session does one step, which is more than none."""
    out = tmp_path / "run"
    for step, ranks in enumerate((1, 2), 1):
        command = ("run", small.EXAMPLE, "--out", out, *small.arguments(**SETTINGS)) if step == 1 else ("resume", out)
        done = start(ranks, *command, "--wall-limit", "1 s")
        assert done.returncode == STOPPED_EARLY and f"metacascade resume {out}" in done.stdout, done.stderr
        assert small.last(out)["step"] == step
    assert start(3, "resume", out, "--wall-limit", "1 h").returncode == 0
    assert small.content(out, ordered=True) == small.content(undisturbed, ordered=True)


def test_stopped_when_a_checkpoint_is_due_it_writes_one_and_keeps_the_former(template):
    assert (template / "checkpoint.h5").read_bytes() != (template / "checkpoint.prev.h5").read_bytes()


@pytest.mark.parametrize("ranks, rank", [(1, 0), (2, 1)])
def test_stopped_while_a_checkpoint_is_written_it_makes_no_step_more(faulty, tmp_path, ranks, rank):
    out = tmp_path / "run"
    done = faulty(ranks, "stop_saving", rank, STOPPED - 1, "run", small.EXAMPLE, "--out", out,
                  *small.arguments(**SETTINGS))
    assert done.returncode == STOPPED_EARLY and small.last(out)["step"] == STOPPED, done.stderr


@pytest.mark.parametrize("option, text, part", [
    ("--wall-limit", "3600", "bare number is minutes to SLURM"), ("--wall-limit", "2 um", "time"), ("--watchdog", "-3 s", "negative")])
def test_a_time_that_is_none_is_refused(start, tmp_path, option, text, part):
    done = start(1, "run", small.EXAMPLE, "--out", tmp_path / "run", option, text)
    assert done.returncode == 2 and option in done.stderr and part in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("ranks, number, to, resumed_on", [
    (1, signal.SIGTERM, "every rank", 2), (2, signal.SIGUSR1, "every rank", 1), (1, signal.SIGXCPU, "every rank", 1),
    (2, signal.SIGTERM, "one rank", 3), (2, signal.SIGTERM, "launcher", 1),    # all on one rank: test_terminal.py
    pytest.param(1, signal.SIGINT, "every rank", 1, marks=pytest.mark.slow),
    pytest.param(2, signal.SIGUSR2, "one rank", 1, marks=pytest.mark.slow)],
    ids=lambda value: getattr(value, "name", str(value).replace(" ", "_")))
def test_stopped_by_a_signal_it_can_be_resumed_to_the_same_end(
        start, undisturbed, tmp_path, ranks, number, to, resumed_on):
    if to == "launcher" and not hydra():
        pytest.skip("only the mpiexec of MPICH hands on a SIGTERM; test_openmpi.py")
    out = tmp_path / "run"
    session = Session(ranks, "run", small.EXAMPLE, "--out", out, *small.arguments(**SETTINGS), log=tmp_path / "log")
    while session.process.poll() is None and not (out / "parts" / "part.000001.h5").exists():
        time.sleep(0.001)
    send(session, number, to)
    code, said = session.end(), (tmp_path / "log").read_text()
    assert code == STOPPED_EARLY, said
    assert "Traceback" not in said and f"metacascade resume {out}" in said
    assert (out / "checkpoint.h5").exists() and not list(out.rglob("*.tmp"))
    if resumed_on > 1:
        done = start(resumed_on, "resume", out)
        assert done.returncode == 0, done.stderr
        assert small.content(out, ordered=True) == small.content(undisturbed, ordered=True)
    else:
        assert_ends_well(out, small.content(undisturbed, ordered=True), ordered=True)


@pytest.mark.parametrize("ranks, options, code", [(1, (), 0), (2, ("--wall-limit", "1 s"), STOPPED_EARLY), *(
    pytest.param(*case, marks=pytest.mark.slow) for case in [(2, (), 0), (1, ("--wall-limit", "1 s"), STOPPED_EARLY)])])
def test_signals_in_the_last_moments_change_no_exit_code(start, tmp_path, monkeypatch, ranks, options, code):
    monkeypatch.setenv("PYTHONPATH", str(TESTS / "late"))
    done = start(ranks, "run", small.EXAMPLE, "--out", tmp_path / "run", *small.arguments(**SETTINGS), *options)
    assert done.returncode == code, done.stderr


@pytest.mark.parametrize("ranks, number", [(1, signal.SIGXCPU), (2, signal.SIGTERM)])
def test_a_signal_that_comes_before_the_run_is_under_way_is_told(start, tmp_path, ranks, number):
    """It comes while the config is read: by a module that the config names."""
    (tmp_path / "ends.py").write_text(f"import os\nos.kill(os.getpid(), {int(number)})\n")
    (tmp_path / "my.toml").write_text('[tumor]\ncells = 1000\n[mechanisms]\nmodules = ["ends.py"]\n')
    done = start(ranks, "run", tmp_path / "my.toml", "--out", tmp_path / "run")
    assert_one_message(done, FAILED, f"ended by {number.name} while no run was under way: no checkpoint")
    assert not (tmp_path / "run").exists()
