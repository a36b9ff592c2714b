"""What the stages of a simulation cost on this rank, and which one is going on."""
import time
from collections import defaultdict
from contextlib import contextmanager


class StageClock:
    """Seconds by stage.

    Parameters
    ----------
    spent : callable
        Returns what communication has cost this rank so far [s]: wall time, and the CPU time of it.

    Attributes
    ----------
    now : str
        The present stage.
    begun : int
        How many have begun.
    wall_s, cpu_s, waited_s : dict of str to float
        Wall time; CPU time without what sending and waiting used; wall time of sending, receiving and waiting.
    """

    def __init__(self, spent):
        self.now, self.begun, self._spent = "start", 0, spent
        self.wall_s, self.cpu_s, self.waited_s = defaultdict(float), defaultdict(float), defaultdict(float)

    @contextmanager
    def stage(self, name):
        """Count the time of the body as that of a stage."""
        self.now, self.begun = name, self.begun + 1
        before = self._seconds()
        yield
        for spent, after, then in zip((self.wall_s, self.cpu_s, self.waited_s), self._seconds(), before):
            spent[name] += after - then

    def _seconds(self):
        """So far: wall, CPU without communication, communication and waiting."""
        waited, waiting_cpu = self._spent()
        return time.perf_counter(), time.thread_time() - waiting_cpu, waited
