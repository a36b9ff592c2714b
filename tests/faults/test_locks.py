"""File systems without locks: runs end, are stopped, resumed and read there, and say what nothing keeps."""
import errno
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import small
from faults.checks import SETTINGS

pytestmark = pytest.mark.mpi
ERRORS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)
WARNING = "has no locks"


def without_locks(*numbers):
    return pytest.mark.parametrize("no_locks", numbers, ids=lambda number: errno.errorcode[number], indirect=True)


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """The library that stands in for such a file system."""
    if not (compiler := shutil.which("cc")):
        pytest.skip("no C compiler")
    path = tmp_path_factory.mktemp("shim") / "no_locks.so"
    source = Path(__file__).with_name("no_locks.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", path, source, "-ldl"], check=True)
    return path


@pytest.fixture
def no_locks(request, shim, monkeypatch):
    monkeypatch.setenv("NO_LOCKS", str(request.param))
    monkeypatch.setenv("LD_PRELOAD", str(shim))
    return request.param


@without_locks(*ERRORS)
def test_the_shim_refuses_every_lock(no_locks):
    code = ("import fcntl, sys\nfile = open(sys.argv[1], 'a')\n"
            "for lock in (fcntl.flock, fcntl.lockf):\n"
            "    try: lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n    except OSError as error: print(error.errno)")
    done = subprocess.run([sys.executable, "-c", code, "/dev/null"], capture_output=True, text=True)
    assert done.stdout.split() == [str(no_locks)] * 2


@without_locks(ERRORS[0], *(pytest.param(number, marks=pytest.mark.slow) for number in ERRORS[1:]))
def test_a_run_is_resumed_to_its_end_and_read(no_locks, start, stopped, expected):
    code = ("import sys, metacascade as mc; found = mc.open(sys.argv[1]); "
            "print(found.complete, len(found.shed['fate']) > 0, len(found.series['step']) > 0)")

    def read():
        done = subprocess.run([sys.executable, "-c", code, stopped], capture_output=True, text=True)
        return done.stdout.split() or done.stderr
    assert read() == ["False", "True", "True"], "over the parts, which HDF5 opens by itself"
    done = start(2, "resume", stopped)
    assert done.returncode == 0 and done.stderr.count(WARNING) == 1, done.stderr
    assert read() == ["True"] * 3 and small.content(stopped) == expected
    for command in ("info", "resume"):
        done = start(1, command, stopped)
        assert done.returncode == 0 and not done.stderr, done.stderr


@without_locks(errno.ENOLCK)
def test_a_run_is_stopped_and_resumed(no_locks, start, faulty, tmp_path, expected):
    out = tmp_path / "run"
    done = faulty(1, "stop", 0, 2, "run", small.EXAMPLE, "--out", out, *small.arguments(**SETTINGS))
    assert done.returncode == 75 and WARNING in done.stderr, done.stderr
    assert start(1, "info", out).returncode == 0
    done = start(1, "resume", out)
    assert done.returncode == 0 and WARNING in done.stderr, done.stderr
    assert small.content(out) == expected


def test_who_is_there_first_ends_when_another_run_starts(shim, monkeypatch, tmp_path):
    monkeypatch.setenv("NO_LOCKS", str(errno.ENOLCK))
    monkeypatch.setenv("LD_PRELOAD", str(shim))
    code = ("import sys; from metacascade.io import runlock\n"
            "mine = runlock.lock(sys.argv[1]); runlock.still_locked(sys.argv[1], mine); print('mine', flush=True)\n"
            "sys.stdin.readline(); runlock.still_locked(sys.argv[1], mine)")
    both = []
    for _ in range(2):
        both.append(subprocess.Popen([sys.executable, "-c", code, tmp_path], text=True, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        assert both[-1].stdout.readline() == "mine\n"
    first, second = (process.communicate("\n")[1] for process in both)
    assert WARNING in first and WARNING in second and "by another run" in first and "Traceback" not in second


def test_where_there_are_locks_none_is_missed(start, stopped):
    done = start(1, "resume", stopped)
    assert done.returncode == 0 and WARNING not in done.stderr
