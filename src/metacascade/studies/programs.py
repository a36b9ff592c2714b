"""Keeping so many programs at a time running, each an ordinary call of `metacascade`: of sweeps, arms and cohorts."""
import math
import subprocess
import sys
import time
from collections import deque

from metacascade.base import stopsignals
from metacascade.base.errors import RunError
from metacascade.io import atomic
from metacascade.ranks import launcher
from metacascade.run import cluster
from metacascade.run.walllimit import SLACK_S, STARTED

LOOK_S = 0.05              # between two looks at the programs
UNBOUND = {"OMPI_MCA_hwloc_base_binding_policy": "none", "PRTE_MCA_hwloc_default_binding_policy": "none"}


def launch_of(ranks):
    """The words that start the ranks of a program. One rank alone needs no mpiexec, but the launcher of a site."""
    site = cluster.site()
    cluster.refuse_too_many(ranks, site.launch)
    return [] if ranks == 1 and site.launch == cluster.Site().launch else site.command(ranks)


class Programs:
    """Keeps `jobs` at a time running, until all have ended, it is told to stop, or its time is over.

    What there is to do is `waiting`, of any kind: `consider` starts one, or finds that it need not be; `judge` is told
    how it ended.
    """

    def __init__(self, launch, jobs, wall_limit_s=None):
        self.launch, self.jobs = launch, jobs
        self.waiting = deque()
        self.running = {}           # process: (what it does, when it started)
        self.stop, self.reminded = False, 0.0
        self.end = math.inf if wall_limit_s is None else STARTED + wall_limit_s - SLACK_S     # then what comes after
        self.environment = launcher.without()
        if jobs > 1:                # else Open MPI would put all of them on the same first cores
            self.environment = UNBOUND | self.environment

    def consider(self, one):
        """Start one, unless there is no need to."""
        raise NotImplementedError

    def judge(self, one, code, seconds):
        """It has ended with this exit code."""
        raise NotImplementedError

    def go_through(self, waiting):
        """Do all of these, or as much as there is time for. A signal that asks for it stops them."""
        stopsignals.listen(self._wish_to_stop)
        try:
            self._go_through(deque(waiting))
        finally:
            self._end_all()

    def _go_through(self, waiting):
        self.waiting = waiting
        while self.running or (self.waiting and not self.stop):
            self._watch_the_time()
            while self.waiting and len(self.running) < self.jobs and not self.stop:
                self.consider(self.waiting.popleft())
            if self.stop:
                self._remind()
            self._collect()
            if self.running:
                time.sleep(LOOK_S)

    def start(self, one, words, path):
        """Start `metacascade` with these words; what it says goes to a log."""
        command = [*self.launch, sys.executable, "-m", "metacascade", *words, *self._limit()]
        with atomic.writing(path), open(path, "ab") as log:
            log.write(self.heading(command).encode())
            log.flush()
            try:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                           env=self.environment, start_new_session=True,    # Ctrl-C is passed on
                                           preexec_fn=None if self.launch else stopsignals.deaf)
            except OSError as error:
                raise RunError(f"cannot start {command[0]}: {error.strerror}") from None
        self.running[process] = one, time.monotonic()

    def heading(self, command) -> str:
        """The first line of a log."""
        return ""

    def _limit(self):
        return ["--wall-limit", f"{self._left_s():.1f} s"] if self.end < math.inf else []

    def _collect(self):
        """Note those that have ended."""
        for process in [process for process in self.running if process.poll() is not None]:
            one, started = self.running.pop(process)
            self.judge(one, process.returncode, time.monotonic() - started)

    # --- stopping -----------------------------------------------------------------------------------------

    def _wish_to_stop(self, *_):
        self.stop = True

    def _left_s(self):
        return self.end - time.monotonic()

    def _watch_the_time(self):
        if not self.stop and self._left_s() <= SLACK_S:       # what a member keeps free itself
            self.stop = True
            print("the wall limit is near: no other member is started; the same command goes on", flush=True)

    def _remind(self):
        """Tell what runs to stop, now and then again: one that was just starting may not have heard it."""
        if time.monotonic() - self.reminded >= cluster.REMIND_S:
            self.reminded = time.monotonic()
            for process in self.running:
                process.send_signal(stopsignals.PASSED_ON)

    def _end_all(self):
        """After an error here: let those that still run write their checkpoints."""
        while self.running:
            self._remind()
            time.sleep(LOOK_S)
            self.running = {process: one for process, one in self.running.items() if process.poll() is None}
