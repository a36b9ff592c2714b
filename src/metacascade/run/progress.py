"""What a run says while it goes on, and before it starts."""
import sys
import time
from collections import deque

from metacascade.base import screen
from metacascade.base.columns import ALIVE
from metacascade.base.numerals import counted
from metacascade.base.screen import Screen, bare
from metacascade.ranks import terminal
from metacascade.run.estimate import duration
from metacascade.run.status import Status

QUIET_S, QUIETEST_S, QUIETER = 10.0, 60.0, 1.25      # between two lines in a log: at first, in the end, the ratio
WINDOW_S = 60.0                                      # of wall time, over which the rate is taken
REFRESH = 4                                          # times a second, of a bar


def progress(world, config, directory=None):
    """A meter for rank 0: a bar on a terminal, now and then a line in a log; nothing on other ranks."""
    status = Status(world, directory)
    if world.rank:
        return Meter(config, status)
    columns = terminal.columns()
    return Bar(config, status, columns) if columns else Log(config, status)


class Pace:
    """How fast a run goes on: simulated seconds over wall seconds of the last minute.

    `end_s`: when the run ends [s of simulated time].
    """

    def __init__(self, end_s):
        self.end_s, self.seen = end_s, deque()

    def at(self, time_s):
        """Learn how far the run is now."""
        now = time.monotonic()
        self.seen.append((now, time_s))
        while len(self.seen) > 2 and self.seen[1][0] <= now - WINDOW_S:
            self.seen.popleft()

    @property
    def rate(self):
        """Simulated seconds per wall second; 0.0 before two steps."""
        if len(self.seen) < 2:
            return 0.0
        (began, first), (now, last) = self.seen[0], self.seen[-1]
        return (last - first) / max(now - began, 1e-9)

    @property
    def left_s(self):
        """Wall seconds to the end at this rate, None if there is none yet."""
        return (self.end_s - self.seen[-1][1]) / self.rate if self.rate else None

    def __str__(self):
        if not self.rate:
            return ""
        left_s = max(round(self.left_s), 1 if self.left_s else 0)
        return f"{self.days_per_min:.3g} days/min, {duration(left_s)} left"

    @property
    def days_per_min(self):
        """The rate in simulated days per minute."""
        return self.rate / 1440


class Meter:
    """Shows nothing, and keeps the status of the run. As a context it is closed however the body ends, and the
    terminal is then as it was."""

    def __init__(self, config, status=None):
        self.end_s, self.status = config.run.duration_s, status
        self.pace = Pace(self.end_s)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def show(self, simulation):
        """After each step."""
        self.pace.at(simulation.time_s)
        if self.status:
            self.status.tell(simulation, self.pace)
        self._show(simulation)

    def _show(self, simulation):
        """What of it is seen."""

    def end(self):
        """The run is over, or has stopped: nothing is left that says that it goes on."""
        if self.status:
            self.status.end()

    def close(self):
        """What it shows ends."""


class Log(Meter):
    """A line after QUIET_S seconds, and then less and less often."""

    def __init__(self, config, status=None):
        super().__init__(config, status)
        self.last, self.quiet_s = time.monotonic(), QUIET_S

    def _show(self, simulation):
        if time.monotonic() - self.last >= self.quiet_s:
            self.last, self.quiet_s = time.monotonic(), min(self.quiet_s * QUIETER, QUIETEST_S)
            print(f"{100 * simulation.time_s / self.end_s:.0f} %, {where(simulation, self)}, "
                  f"{simulation.ledger.totals['shed']:,} shed", flush=True)


class Bar(Meter):
    """A bar, in `columns` columns: share, day, rate, time left, cells of the moment."""

    def __init__(self, config, status, columns):
        super().__init__(config, status)
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column
        self.bar = Progress(
            TextColumn("{task.percentage:3.0f} %"), BarColumn(None, table_column=Column(ratio=1, min_width=6)),
            TextColumn("{task.description}", table_column=Column(no_wrap=True)), transient=True, expand=True,
            refresh_per_second=REFRESH,
            console=Console(file=bare(sys.stdout), width=columns - 1, force_terminal=True, legacy_windows=False))
        self.task = self.bar.add_task("", total=self.end_s)

    def __enter__(self):
        self.bar.start()            # from now on it shows what is printed, above the bar; the end of it undoes that
        if not sys.stdout.isatty():     # of a launcher, which may be killed before this process can show it again
            self.bar.console.show_cursor(True)
        sys.stdout, sys.stderr = Screen(sys.stdout), Screen(sys.stderr)
        return self

    def _show(self, simulation):
        self.bar.update(self.task, completed=simulation.time_s, description=where(simulation, self))

    def close(self):
        """Leave the terminal as it was."""
        self.bar.stop()


def ranks_and_cores(places):
    """What a run has to compute with, in words, and what is wrong with it; `places` as World.places has it."""
    ranks, cores = (sum(numbers) for numbers in zip(*places.values()))
    text = f"{counted(ranks, 'rank')} on {counted(len(places), 'node')} with {counted(cores, 'core')}"
    return text, [
        f"{n} ranks share {counted(m, 'core')} of {host}: they wait for each other; start one rank per core"
        for host, (n, m) in places.items() if n > m]


def where(simulation, meter):
    """The simulated day, the rate, the time left, and how many cells live, as words."""
    day = f"day {simulation.time_s / 86400:.2f} of {meter.end_s / 86400:g}"
    return ", ".join(filter(None, (day, str(meter.pace), counted(sum(simulation.ledger.of(ALIVE).values()), "cell"))))


def say(world, line):
    """Print a line, once."""
    if world.rank == 0:
        print(line, flush=True)


def warn(world, warnings):
    """Print warnings, once."""
    for warning in warnings if world.rank == 0 else ():
        screen.warn(warning)
