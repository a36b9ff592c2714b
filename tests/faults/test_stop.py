"""A signal to stop: a checkpoint, exit code 75, and the resumed run is the run that never stopped."""
import os
import signal
import sys
import time

import pytest

import small
from faults.checks import SETTINGS
from faults.kill_and_resume import Session, is_rank

pytestmark = [pytest.mark.mpi, pytest.mark.skipif(sys.platform != "linux", reason="finds the ranks in /proc")]
STOPPED_EARLY = 75


def send(session, number, to):
    """A signal to the launcher alone, to all ranks as srun does, or to one rank."""
    ranks = [pid for pid in session.everyone() if is_rank(pid)]
    assert len(ranks) == session.ranks
    for pid in {"launcher": [session.process.pid], "every rank": ranks, "one rank": ranks[-1:]}[to]:
        os.kill(pid, number)


@pytest.mark.parametrize("ranks, number, to, resumed_on", [
    (1, signal.SIGTERM, "every rank", 2), (1, signal.SIGINT, "every rank", 1), (2, signal.SIGUSR1, "every rank", 1),
    (2, signal.SIGTERM, "one rank", 3), (2, signal.SIGTERM, "launcher", 1)],
    ids=lambda value: getattr(value, "name", str(value).replace(" ", "_")))
def test_stopped_by_a_signal_it_can_be_resumed_to_the_same_end(
        start, undisturbed, tmp_path, ranks, number, to, resumed_on):
    out = tmp_path / "run"
    session = Session(ranks, "run", small.EXAMPLE, "--out", out, *small.arguments(**SETTINGS), log=tmp_path / "log")
    while session.process.poll() is None and not (out / "parts" / "part.000001.h5").exists():
        time.sleep(0.001)
    send(session, number, to)
    code, said = session.end(), (tmp_path / "log").read_text()
    assert code == STOPPED_EARLY, said
    assert "Traceback" not in said and f"metacascade resume {out}" in said
    assert (out / "checkpoint.h5").exists() and not list(out.rglob("*.tmp"))
    done = start(resumed_on, "resume", out)
    assert done.returncode == 0, done.stderr
    assert small.content(out, ordered=True) == small.content(undisturbed, ordered=True)
