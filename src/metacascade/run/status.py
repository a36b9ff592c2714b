"""What a run says of itself while it goes on, in files that `metacascade watch` reads. Nothing depends on them.

Rank 0 writes ``status.json`` anew every few seconds; each of the first ranks has a line of ``ranks.txt`` to itself. So
no rank waits for another. Both go when the run ends or stops; what a killed one leaves says that it was killed.
"""
import contextlib
import json
import os
import time
from pathlib import Path

from metacascade.base.memory import resident
from metacascade.io.atomic import RANKS, STATUS, temporary

FORMAT = 1
EVERY_S = 2.0           # between two looks
LINE, SHOWN = 64, 64    # bytes of a rank, and the ranks that write
FIELDS = ("rank", "step", "cells", "memory_bytes", "work_share")      # of a line


class Status:
    """The status of a run in a directory; of none without one.

    `tell` is called by all ranks after each step and costs a look at the clock; it is no collective. A file that cannot
    be written ends no run. Another directory that has come in the place of the first gets no file and loses none.
    """

    def __init__(self, world, directory):
        self.world, self.directory = world, directory and Path(directory)
        self.last, self.before = time.monotonic(), (0.0, 0.0)
        self.started, self.place = time.time(), _identity(self.directory)
        if directory and world.rank == 0:
            self.end()

    def tell(self, simulation, pace):
        """Write how far the run is, if it is time; `pace`: of progress."""
        now = time.monotonic()
        if self.directory is None or now - self.last < EVERY_S:
            return
        self.last = now
        if _identity(self.directory) != self.place:
            return
        with contextlib.suppress(OSError):
            if self.world.rank < SHOWN:
                self._write_line(simulation)
            if self.world.rank == 0:
                self._write(simulation, pace)

    def end(self):
        """Remove the files. Rank 0."""
        if self.directory is not None and self.world.rank == 0 and _identity(self.directory) == self.place:
            for name in (STATUS, RANKS):
                with contextlib.suppress(OSError):
                    (self.directory / name).unlink(missing_ok=True)

    def _write(self, simulation, pace):
        found = dict(
            format=FORMAT, host=os.uname().nodename, process=os.getpid(), ranks=self.world.size, started=self.started,
            written=time.time(), step=simulation.step_number, time_s=simulation.time_s, end_s=pace.end_s,
            days_per_min=pace.days_per_min, left_s=pace.left_s,
            totals={name: int(n) for name, n in simulation.ledger.totals.items()})
        path = self.directory / STATUS
        temporary(path).write_text(json.dumps(found), "utf-8")
        os.replace(temporary(path), path)

    def _write_line(self, simulation):
        """This rank's line: with the share of the time since the last one in which it did not wait for others."""
        now, waited = time.monotonic(), sum(simulation.clock.waited_s.values())
        began, before = self.before
        share = 1.0 - (waited - before) / max(now - began, 1e-9) if began else 1.0
        self.before = now, waited
        words = (self.world.rank, simulation.step_number, simulation.tissue.cells, resident(), f"{max(share, 0.0):.3f}")
        handle = os.open(self.directory / RANKS, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(handle, f"{' '.join(map(str, words)):<{LINE - 1}}\n".encode(), LINE * self.world.rank)
        finally:
            os.close(handle)


def _identity(directory):
    """What tells a directory from another that has come in its place; None where there is none."""
    with contextlib.suppress(OSError, TypeError):
        found = os.stat(directory)
        return found.st_dev, found.st_ino
    return None


def read(directory):
    """The status in a directory as a dict, with the lines of `ranks` as dicts by FIELDS; None where there is none."""
    try:
        found = json.loads((Path(directory) / STATUS).read_text("utf-8"))
        if found["format"] != FORMAT:
            return None
        return found | {"per_rank": _lines(Path(directory))}
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _lines(directory):
    try:
        lines = (directory / RANKS).read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines[:SHOWN]:
        with contextlib.suppress(ValueError):
            found.append(dict(zip(FIELDS, map(float, line.strip("\0").split()), strict=True)))
    return found
