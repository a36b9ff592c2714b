"""A watchdog: a run that has come to a standstill ends, and says which rank is the cause, and where.

Its thread on each rank does nothing but look, until its own rank has stood still for so long. Then it writes down
where that is, in a file with a line for each rank, and asks the others in one more line. A rank that has moved
meanwhile answers, and the job goes on. One that was stopped, or whose node is gone, cannot. When nobody moves, the
lowest rank of those that can speaks.
"""
import contextlib
import os
import sys
import threading
from collections import namedtuple
from pathlib import Path

from metacascade.base.errors import FAILED
from metacascade.base.numerals import is_count
from metacascade.io.atomic import SIGNS
from metacascade.ranks import parallel

LINE = 160                    # bytes of a rank in the file
LOOKS = 20                    # the patience, in looks: a process that was itself stopped for long has looked once
SHORTEST_S, LONGEST_S = 1e-3, 1e6     # between two looks
GRACE = 2                     # looks more, for the slowest to write down where they are
WAITING = tuple(f"{os.sep}{name}.py" for name in ("exchange", "parallel"))
Sign = namedtuple("Sign", "rank host process step stage does look", defaults=("0",))


class Watchdog:
    """Ends the job when nothing moves for `patience_s` seconds; never, if that is 0.

    Parameters
    ----------
    world : World
    directory : path of the run
    patience_s : float
        Longest time without a new stage or step on any rank.
    where : callable
        ``where()``: (step, stage, number of stages entered so far) of this rank. Called from another thread.
    make_way : callable
        Called, from that thread, before anything is said: takes what it would be said over from the terminal.
    """

    def __init__(self, world, directory, patience_s, where, make_way=lambda: None):
        self.world, self.path, self.patience_s, self.where = world, Path(directory) / SIGNS, patience_s, where
        self.make_way, self.main = make_way, threading.get_ident()
        self.ended, self.looks = threading.Event(), 0
        self.between_s = min(max(patience_s / LOOKS, SHORTEST_S), LONGEST_S)
        self.grace_s = max(1.0, GRACE * self.between_s)
        if patience_s:
            self._write("", "starts")
            threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self):
        """It watches no more, and touches no file: after an error the directory may no longer be that of the run."""
        self.ended.set()

    def end(self):
        """The run is over, or another takes over."""
        self.stop()
        if self.patience_s and self.world.rank == 0:
            with contextlib.suppress(OSError):      # as `_put`: this file ends no run, least of all one that is done
                self.path.unlink()

    def _watch(self):
        last, still, heard = None, 0, self._question()
        while not self.ended.wait(self.between_s):
            now, question = self.where(), self._question()
            self.looks += 1
            still = still + 1 if now == last else 0
            last = now
            if still >= LOOKS:
                self._end_the_job(now)
            elif question != heard:
                self._write(f"{now[0]} {now[1]}", "moves")
            heard = question

    def _end_the_job(self, now):
        """End it, unless another rank has moved within the patience: then it is asked again after the next look."""
        does, former = "waits" if self._is_waiting() else "works", self._read()
        self._write(f"{now[0]} {now[1]}", does)
        self._ask()
        if self.ended.wait(self.grace_s):
            return
        if self.where() != now:
            self._write("", "starts")              # what was written no longer holds
            return
        mine = Sign(self.world.rank, os.uname().nodename, os.getpid(), str(now[0]), now[1], does)
        signs = sorted([mine] + [sign for sign in self._read() if sign.rank != mine.rank])
        if any(sign.does == "moves" and sign not in former for sign in signs):
            return
        signs = [sign._replace(does="starts") if sign.does == "moves" else sign for sign in signs]     # of long ago
        if mine.rank == min(sign.rank for sign in signs if sign.does != "starts"):
            self.make_way()
            print("metacascade: " + verdict(signs, self.patience_s), file=sys.stderr, flush=True)
        elif self.ended.wait(self.grace_s + 10.0):     # the one that speaks also ends all; else each for itself
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
        place = f"{os.uname().nodename} {os.getpid()} {at or '0 start'}"
        self._put(self.world.rank, f"{self.world.rank} {place} {does} {self.looks}")

    def _ask(self):
        """Change the line behind those of all ranks, at which all look."""
        if self.world.size > 1:
            self._put(self.world.size, f"does anybody move? {self.world.rank} {self.looks}")

    def _question(self):
        """That line, as bytes."""
        if self.world.size == 1:
            return b""
        try:
            with open(self.path, "rb") as file:
                return os.pread(file.fileno(), LINE, LINE * self.world.size)
        except OSError:
            return b""

    def _put(self, row, line):
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                os.pwrite(handle, f"{line[:LINE - 1]:<{LINE - 1}}\n".encode(), LINE * row)
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
        return [Sign(int(w[0]), w[1], int(w[2]), *w[3:]) for w in words
                if len(w) == len(Sign._fields) and is_count(w[0]) and is_count(w[2])]


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
