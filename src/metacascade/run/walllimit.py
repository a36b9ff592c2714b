"""When to stop so that the last checkpoint is whole before the time of a job is over."""
import time

SLACK_S = 5.0                 # for what is not measured: the start of Python, the end of MPI
STARTED = time.monotonic()    # this module is imported when a command begins to run


class WallLimit:
    """A limit of wall time, from the start of this process; None: no limit.

    The time for the last write is reserved from what the last checkpoint took, per cell.
    """

    def __init__(self, limit_s):
        self.limit_s = limit_s
        self.step_s = 0.0              # the slowest of the last steps, output included
        self.write_s_per_cell = 0.0
        self.clock = time.monotonic    # not that of the wall, which may be set anew

    def step_took(self, seconds):
        """Learn how long a step takes; former slow ones count less and less."""
        self.step_s = max(seconds, 0.9 * self.step_s)

    def write_took(self, seconds, cells):
        """Learn how long a checkpoint takes."""
        self.write_s_per_cell = seconds / max(cells, 1)

    def reached(self, cells):
        """Must the next step be the last? `cells`: those to be written after it."""
        if self.limit_s is None:
            return False
        reserve = 2.0 * self.step_s + 1.5 * self.write_s_per_cell * max(cells, 1) + SLACK_S
        return self.clock() - STARTED + reserve > self.limit_s
