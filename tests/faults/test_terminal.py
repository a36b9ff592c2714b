"""On a terminal a run shows a bar, and however it ends the terminal is as before: the cursor is seen, and so is what is said."""
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

import small
from conftest import environment, launcher
from faults.checks import FAILED, SECONDS, WRONG

STOPPED_EARLY, CTRL_C = 75, b"\x03"
HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"
PROGRAM = Path(__file__).parent / "terminal.py"
LONG = small.arguments(run__duration="1000 days", output__interval="1 day", output__checkpoint="1000 days", tumor__cells=500,
                       injection=[], draw=[])
SHORT = small.arguments(run__duration="4 h", output__interval="4 h", output__checkpoint="4 h", tumor__cells=500,
                        injection=[], draw=[])


class Terminal:
    """A command that has a terminal of 80 columns to itself; `launch`: the words before it."""

    def __init__(self, fault, *arguments, launch=()):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.said = b""
        self.process = subprocess.Popen(
            [*launch, sys.executable, PROGRAM, fault, *map(str, arguments)], env=environment() | {"TERM": "xterm"},
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True, preexec_fn=self._own)
        os.close(slave)

    @staticmethod
    def _own():
        signal.signal(signal.SIGHUP, signal.SIG_DFL)            # the tests themselves may be under nohup
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def read(self, until=None):
        """What was printed, up to some bytes, or to the end of the process."""
        os.set_blocking(self.master, False)
        end = time.monotonic() + SECONDS
        while (until is None or until not in self.said) and time.monotonic() < end:
            ended = self.process.poll() is not None
            try:
                self.said += os.read(self.master, 65536)
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:             # the other side is closed
                break
            if ended and until is not None:
                break
        assert until is None or until in self.said, self.said
        return self.said

    def end(self):
        """The exit code, and all that was printed."""
        said = self.read()
        code = self.process.wait(SECONDS)
        os.close(self.master)
        return code, said


@pytest.fixture
def terminal():
    """``terminal(fault, *arguments)``: a Terminal, see terminal.py."""
    started = []

    def start(*arguments, **launch):
        started.append(Terminal(*arguments, **launch))
        return started[-1]
    yield start
    for one in started:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()


def long_named(tmp_path):
    """A directory with a name that does not fit into a line."""
    return tmp_path / ("so_long_a_name_that_no_line_of_the_terminal_holds_it_" + 30 * "x")


def assert_as_before(said, *last):
    """There was a bar; the cursor is seen again before the last words, which are not cut."""
    assert said.count(HIDE) >= 1 and said.rfind(SHOW) > said.rfind(HIDE), said
    words = said[said.rfind(SHOW):].decode()
    assert all(part in words for part in last), words


def test_when_it_is_done(terminal, tmp_path):
    out = long_named(tmp_path)
    code, said = terminal("none", "run", small.EXAMPLE, "--out", out, *SHORT).end()
    assert code == 0
    assert_as_before(said, f"results in {out}/results.h5; to look inside: metacascade info {out}")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2, CTRL_C, *(
    pytest.param(one, marks=pytest.mark.slow) for one in (signal.SIGUSR1, signal.SIGXCPU, signal.SIGINT))],
    ids=lambda how: getattr(how, "name", "Ctrl-C"))
def test_when_a_signal_stops_it(terminal, tmp_path, how):
    out = long_named(tmp_path)
    run = terminal("none", "run", small.EXAMPLE, "--out", out, *LONG)
    run.read(until=HIDE)
    os.write(run.master, how) if how == CTRL_C else run.process.send_signal(how)
    code, said = run.end()
    assert code == STOPPED_EARLY, said
    assert_as_before(said, "stopped at day", f"go on with `metacascade resume {out}`")
    assert not (out / "run.lock").exists() and (out / "checkpoint.h5").exists()


def test_when_its_wall_limit_stops_it(terminal, tmp_path):
    out = long_named(tmp_path)
    code, said = terminal("none", "run", small.EXAMPLE, "--out", out, *LONG, "--wall-limit", "00:00:01").end()
    assert code == STOPPED_EARLY, said
    assert_as_before(said, f"go on with `metacascade resume {out}`")


@pytest.mark.parametrize("error, code, told", [
    ("RunError", FAILED, "metacascade: the magnet failed"), ("InputError", WRONG, "metacascade: the magnet failed"),
    ("KeyboardInterrupt", FAILED, "metacascade: interrupted"), ("MemoryError", FAILED, "internal error: MemoryError"),
    ("CellsLost", FAILED, "internal error: the magnet failed")])
def test_when_an_error_ends_it(terminal, tmp_path, error, code, told):
    found, said = terminal(error, "run", small.EXAMPLE, "--out", tmp_path / "run", *LONG).end()
    assert found == code, said
    assert_as_before(said, told)
    assert not (tmp_path / "run" / "run.lock").exists()


def test_when_the_watchdog_ends_it(terminal, tmp_path):
    run = terminal("sleep", "run", small.EXAMPLE, "--out", tmp_path / "run", *LONG, "--watchdog", "2 s")
    code, said = run.end()
    assert code == FAILED, said
    assert_as_before(said, "metacascade: nothing has moved for 2 s; the run is ended.")


def test_a_closed_terminal_is_no_reason_to_stop_under_nohup(tmp_path):
    """The signal has met a process that still runs: it is then stopped by another."""
    with open(tmp_path / "log", "w") as log:
        run = subprocess.Popen([sys.executable, PROGRAM, "none", "run", small.EXAMPLE, "--out", tmp_path / "run", *LONG],
                               env=environment(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    parts, end = tmp_path / "run" / "parts", time.monotonic() + SECONDS
    while not (parts / "part.000001.h5").exists() and time.monotonic() < end:
        time.sleep(0.01)
    run.send_signal(signal.SIGHUP)
    before = len(list(parts.iterdir()))
    while len(list(parts.iterdir())) < before + 3 and run.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    assert run.poll() is None
    run.send_signal(signal.SIGTERM)
    assert run.wait(SECONDS) == STOPPED_EARLY


@pytest.fixture
def two_ranks():
    """The words that start them."""
    if launcher() is None:
        pytest.skip("no mpiexec beside this Python or on the PATH (pip install mpich)")
    return [launcher(), "-n", "2"]


@pytest.mark.mpi
def test_ranks_of_a_launcher_on_a_terminal_have_a_bar_too(terminal, two_ranks, tmp_path):
    """mpiexec gives its ranks pipes. They never hide the cursor for long: a rank that it kills cannot show it again."""
    code, said = terminal("none", "run", small.EXAMPLE, "--out", tmp_path / "run", *SHORT, launch=two_ranks).end()
    assert code == 0, said
    assert said.rfind(SHOW) > said.rfind(HIDE)
    bars = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in re.split(r"[\r\n]+", said.decode()) if " % " in line]
    assert bars and all(len(line) <= 80 for line in bars) and any("day 0." in line and " left, " in line for line in bars)


@pytest.mark.mpi
@pytest.mark.parametrize("rest", ["| cat", "> $OUT.log; cat $OUT.log"])
def test_ranks_whose_launcher_writes_elsewhere_print_no_escapes(terminal, two_ranks, tmp_path, rest):
    """Also where it was started in a terminal: a log of a batch job or of tee is none."""
    script = tmp_path / "start.sh"
    script.write_text(f'OUT={tmp_path}/run\n{" ".join(two_ranks)} "$@" {rest}\n')
    code, said = terminal("none", "run", small.EXAMPLE, "--out", tmp_path / "run", *SHORT,
                          launch=["sh", str(script)]).end()
    assert code == 0 and b"\x1b" not in said and b"results in " in said, said
