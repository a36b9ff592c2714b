"""A watchdog: a run that has come to a standstill ends, and says which rank is the cause, and where.

Its thread on each rank looks only at its own rank, and does nothing but look, until all have stood still for so
long. Then those that can write down where they are, in a file with a line for each rank: a rank that was stopped,
or whose node is gone, cannot. The lowest of the others reads the file and speaks.
"""
import os
import sys
import threading
from collections import namedtuple
from pathlib import Path

from metacascade import parallel
from metacascade.atomic import SIGNS
from metacascade.errors import FAILED

LINE = 160                    # bytes of a rank in the file
LOOKS = 20                    # the patience, in looks: a process that was itself stopped for long has looked once
GRACE = 2                     # looks more, for the slowest to write down where they are
WAITING = tuple(f"{os.sep}{name}.py" for name in ("exchange", "parallel"))
Sign = namedtuple("Sign", "rank host process step stage does")


class Watchdog:
    """Ends the job when nothing moves for `patience_s` seconds; never, if that is 0.

    Parameters
    ----------
    world : World
    directory : path of the run
    patience_s : float
        Longest time without a new stage or step on this rank.
    where : callable
        ``where()``: (step, stage, number of stages entered so far) of this rank. Called from another thread.
    """

    def __init__(self, world, directory, patience_s, where):
        self.world, self.path, self.patience_s, self.where = world, Path(directory) / SIGNS, patience_s, where
        self.main = threading.get_ident()
        self.ended = threading.Event()
        if patience_s:
            self._write("", "starts")
            threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def end(self):
        """The run is over, or another takes over."""
        self.ended.set()
        if self.patience_s and self.world.rank == 0:
            self.path.unlink(missing_ok=True)

    def _watch(self):
        last, still = None, 0
        while not self.ended.wait(self.patience_s / LOOKS):
            now = self.where()
            still = still + 1 if now == last else 0
            last = now
            if still >= LOOKS:
                self._end_the_job(*now[:2])
                still = 0

    def _end_the_job(self, step, stage):
        does = "waits" if self._is_waiting() else "works"
        self._write(f"{step} {stage}", does)
        if self.ended.wait(max(1.0, GRACE * self.patience_s / LOOKS)) or self.where()[:2] != (step, stage):
            return
        mine = Sign(self.world.rank, os.uname().nodename, os.getpid(), str(step), stage, does)
        signs = [sign for sign in self._read() if sign.rank != mine.rank] + [mine]      # whatever the file has of it
        if self.world.rank == min(sign.rank for sign in signs if sign.does != "starts"):
            print("metacascade: " + verdict(signs, self.patience_s), file=sys.stderr, flush=True)
        elif self.ended.wait(10.0):                # the one that speaks also ends all; else each for itself
            return
        if self.world.size > 1:
            parallel.abort(FAILED)
        os._exit(FAILED)

    def _is_waiting(self):
        """Is the main thread inside of communication?"""
        frame = sys._current_frames().get(self.main)
        while frame is not None:
            if frame.f_code.co_filename.endswith(WAITING):
                return True
            frame = frame.f_back
        return False

    def _write(self, at, does):
        """This rank's line of the file, if there are others to read it. A file that cannot be written ends no run."""
        if self.world.size == 1:
            return
        line = f"{self.world.rank} {os.uname().nodename} {os.getpid()} {at or '0 start'} {does}"
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                os.pwrite(handle, f"{line[:LINE - 1]:<{LINE - 1}}\n".encode(), LINE * self.world.rank)
            finally:
                os.close(handle)
        except OSError:
            pass

    def _read(self):
        """What the ranks have written: a list of Sign."""
        try:
            lines = self.path.read_text("utf-8", "replace").splitlines()
        except OSError:
            return []
        words = [line.strip("\0").split() for line in lines[:self.world.size]]
        return [Sign(int(w[0]), w[1], int(w[2]), *w[3:]) for w in words if len(w) == len(Sign._fields)]


def verdict(signs, patience_s):
    """Who holds up whom, in words."""
    silent = [s for s in signs if s.does == "starts"]
    working = [s for s in signs if s.does == "works"]
    waiting = [s for s in signs if s.does == "waits"]
    text = f"nothing has moved for {patience_s:g} s; the run is ended. Its last whole checkpoint can be resumed."
    for sign in silent:
        text += (f"\nrank {sign.rank} (host {sign.host}, process {sign.process}) gives no sign of life: "
                 "it was stopped, or it or its node is gone")
    for sign in working:
        text += (f"\nrank {sign.rank} (host {sign.host}, process {sign.process}) has not come out of "
                 f"stage {sign.stage} of step {sign.step}")
    for (step, stage), ranks in sorted(_by_place(waiting).items()):
        text += f"\nrank{'s' * (len(ranks) > 1)} {spans(ranks)} wait{'s' * (len(ranks) == 1)} for others " \
                f"in stage {stage} of step {step}"
    if not silent and not working:
        text += "\nThat all wait is a bug"
    return text + "\nIf a stage may take that long, allow more: --watchdog"


def _by_place(signs):
    places = {}
    for sign in signs:
        places.setdefault((sign.step, sign.stage), []).append(sign.rank)
    return places


def spans(numbers):
    """Numbers as text: ``0-3, 7``."""
    text, numbers = [], sorted(numbers)
    first = last = numbers[0]
    for number in numbers[1:] + [None]:
        if number != last + 1:
            text.append(f"{first}-{last}" if last > first else f"{first}")
            first = number
        last = number
    return ", ".join(text)
