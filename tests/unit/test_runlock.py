"""The lock of a directory: who holds it is told, what a killed process left means nothing, and letting go leaves nothing."""
import errno
import fcntl
import os
import subprocess
import sys
import threading

import pytest

from metacascade.base.errors import InputError, RunError
from metacascade.io import runlock

HOLDER = ("import sys, time; from metacascade.io import runlock\n"
          "held = runlock.lock(sys.argv[1]); print('held', flush=True); time.sleep(99)")
WITHOUT = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock of `tmp_path`."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    yield process
    kill(process)
    process.stdout.close()


def kill(process):
    process.kill()
    process.wait()


def test_who_holds_it_is_told_and_one_that_was_killed_does_not_block_it(tmp_path, other):
    assert runlock.locked(tmp_path)
    with pytest.raises(InputError, match=f"is writing here, process {other.pid} on {os.uname().nodename}; wait for it"):
        runlock.lock(tmp_path)
    kill(other)
    assert (tmp_path / "run.lock").exists() and not runlock.locked(tmp_path)
    with runlock.locking(tmp_path):
        assert (tmp_path / "run.lock").read_text() == f"{os.uname().nodename} {os.getpid()}\n"
    assert not list(tmp_path.iterdir())


def test_two_threads_of_one_process_are_two(tmp_path):
    found = []

    def another():
        try:
            runlock.lock(tmp_path)
        except InputError as error:
            found.append(error)
    with runlock.locking(tmp_path):
        thread = threading.Thread(target=another)
        thread.start()
        thread.join()
        assert len(found) == 1 and runlock.locked(tmp_path)


def test_reading_the_file_elsewhere_in_the_process_does_not_end_it(tmp_path):
    with runlock.locking(tmp_path):
        (tmp_path / "run.lock").read_text()
        code = "import sys; from metacascade.io import runlock; print(runlock.locked(sys.argv[1]))"
        done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
        assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_it_is_gone_after_an_error(tmp_path, error):
    with pytest.raises(error), runlock.locking(tmp_path):
        raise error
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_is_cleared_and_what_is_held_is_not(tmp_path, other):
    with runlock.if_free(tmp_path) as free:
        assert not free
    assert runlock.locked(tmp_path)
    kill(other)
    for _ in range(2):
        with runlock.if_free(tmp_path) as free:
            assert free and runlock.locked(tmp_path)
        assert not list(tmp_path.iterdir())
    with pytest.raises(RunError), runlock.if_free(tmp_path):
        raise RunError("of the body")
    assert not list(tmp_path.iterdir())


def test_one_who_waits_in_the_door_does_not_hold_a_file_that_is_gone(tmp_path, monkeypatch):
    """Another process removes the file between the opening and the locking of it."""
    former = runlock.lock(tmp_path)
    take, times = runlock._taken, []

    def late(file, directory):
        if not times:
            runlock.unlock(tmp_path, former)
        times.append(1)
        return take(file, directory)
    monkeypatch.setattr(runlock, "_taken", late)
    file = runlock.lock(tmp_path)
    runlock.still_locked(tmp_path, file)
    assert len(times) == 2
    runlock.unlock(tmp_path, file)


def test_the_directory_of_another_is_not_let_go_of(tmp_path):
    mine = runlock.lock(tmp_path)
    (tmp_path / "run.lock").unlink()
    theirs = runlock.lock(tmp_path)
    with pytest.raises(RunError, match="removed, moved or replaced"):
        runlock.still_locked(tmp_path, mine)
    runlock.unlock(tmp_path, mine)
    runlock.still_locked(tmp_path, theirs)
    runlock.unlock(tmp_path, theirs)


@pytest.fixture(params=WITHOUT, ids=errno.errorcode.get)
def no_locks(request, monkeypatch):
    """A file system that has none."""
    def fail(*_):
        raise OSError(request.param, os.strerror(request.param))
    monkeypatch.setattr(fcntl, "fcntl", fail)


def test_without_locks_the_next_takes_it_over_and_says_who_had_it(tmp_path, no_locks, capsys):
    first = runlock.lock(tmp_path)
    second = runlock.lock(tmp_path)
    said = capsys.readouterr().err
    assert said.count("has no locks") == 2 and f"as now does process {os.getpid()} on {os.uname().nodename}" in said
    runlock.still_locked(tmp_path, second)
    with pytest.raises(RunError, match="by another run"):
        runlock.still_locked(tmp_path, first)
    runlock.unlock(tmp_path, first)
    runlock.still_locked(tmp_path, second)
    with runlock.if_free(tmp_path) as free:
        assert not free
    runlock.unlock(tmp_path, second)
    assert not list(tmp_path.iterdir()) and not runlock.locked(tmp_path)


@pytest.mark.parametrize("text", ["", "nonsense", "a b c", "\x00\xff", "host 99999999999999999999\n", "\x1b[31m 5"])
def test_what_is_in_a_file_of_others_is_not_repeated(tmp_path, no_locks, capsys, text):
    (tmp_path / "run.lock").write_text(text, encoding="latin-1")
    runlock.unlock(tmp_path, runlock.lock(tmp_path))
    assert "process" not in capsys.readouterr().err
