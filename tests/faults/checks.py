"""What a run that ended badly must still have done well."""
import hashlib
import re
import time
from pathlib import Path

import small
from faults.kill_and_resume import alive, kill, state
from metacascade.run import commands

SETTINGS = dict(run__duration="10 h", output__interval="1 h", output__checkpoint="4 h", tumor__cells=12_000)
STOPPED = 4               # steps after which the run is stopped that the tests go on with
FAILED, WRONG = 1, 2
SPOKEN = re.compile(r"^[ \0]*metacascade:", re.M)     # Open MPI ends a message of its own with such characters
PATIENCE = "4 s"          # of the watchdog
SECONDS = 60              # no command here takes longer, on a busy machine


def assert_one_message(done, code, *parts):
    """It ended with this exit code and one message that holds all these parts."""
    assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    assert len(SPOKEN.findall(done.stderr)) == 1, f"not one message:\n{done.stderr}"
    missing = [part for part in map(str, parts) if part not in done.stderr]
    assert not missing, f"{missing} not in:\n{done.stderr}"


def hashes(directory):
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in directory.rglob("*") if path.is_file() and path.name not in ("run.lock", "results.h5")}


def assert_intact(directory, before):
    """All earlier files are as they were, results can be read, and nothing unfinished lies about."""
    now = hashes(directory)
    assert {name: now.get(name) for name in before} == before
    assert not list(directory.rglob("*.tmp"))
    assert len(small.last(directory)) > 20


def assert_ends_well(directory, expected, ordered=False):
    """Resumed in this process, on one rank, it ends with the expected results."""
    assert commands.resume(directory) == 0
    assert small.content(directory, ordered) == expected


def frozen(session):
    """All processes of a session, and the one that stands still, when there is one."""
    deadline = time.monotonic() + SECONDS
    while session.process.poll() is None and time.monotonic() < deadline:
        everyone = session.everyone()
        if stopped := [pid for pid in everyone if state(pid) == "T"]:
            return everyone, stopped[0]
        time.sleep(0.01)
    raise AssertionError(f"no rank was stopped:\n{Path(session.log).read_text()}")


def assert_named_and_ended(session, rank, where):
    """A stopped `rank` was named, with where the others wait for it, and nobody is left but perhaps that one."""
    everyone, still = frozen(session)
    try:
        code, said = session.end(), Path(session.log).read_text()
        deadline = time.monotonic() + SECONDS
        while [pid for pid in everyone if alive(pid) and pid != still] and time.monotonic() < deadline:
            time.sleep(0.05)
        left = [pid for pid in everyone if alive(pid)]
    finally:
        kill(still)
    assert code == FAILED, said
    assert left in ([], [still]), "others were left behind"
    assert len(SPOKEN.findall(said)) == 1 and "Traceback" not in said, said
    assert f"rank {rank} " in said and f"process {still}) gives no sign of life" in said, said
    assert re.search(f"ranks? [0-9, -]+ waits? for others in {where}", said), said
