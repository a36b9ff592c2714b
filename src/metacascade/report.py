"""What a run says while it goes on, before it starts, and at its end."""
import os
import resource
import sys
import time
from dataclasses import dataclass

from metacascade.screen import Screen, bare, one_line
from metacascade.state import CELL

QUIET_S = 10.0        # seconds between two lines in a log
SPEED = 3e7           # cells a second on one core
FIXED_S = 4e-3        # of a step, however few the cells of a rank
OF_A_RANK = 0.15 * 2**30      # bytes of memory without any cell


def progress(world, config):
    """A meter for rank 0: a bar on a terminal, now and then a line in a log; nothing on other ranks."""
    if world.rank:
        return Meter(config)
    false_terminal = "OMPI_COMM_WORLD_SIZE" in os.environ     # Open MPI gives one to ranks even when it writes to a log
    return Bar(config) if sys.stdout.isatty() and not false_terminal else Log(config)


class Meter:
    """Shows nothing."""

    def __init__(self, config):
        self.end_s = config.run.duration_s

    def show(self, simulation):
        """After each step."""

    def close(self):
        """At the end."""


class Log(Meter):
    """A line every QUIET_S seconds."""

    def __init__(self, config):
        super().__init__(config)
        self.last = time.monotonic()

    def show(self, simulation):
        if time.monotonic() - self.last >= QUIET_S:
            self.last = time.monotonic()
            print(f"day {simulation.time_s / 86400:.2f} of {self.end_s / 86400:g}: {state_of(simulation)}", flush=True)


class Bar(Meter):
    """A bar with the cells of the moment."""

    def __init__(self, config):
        super().__init__(config)
        from rich.console import Console
        from rich.progress import Progress
        self.bar = Progress(transient=True, console=Console(file=bare(sys.stdout)))
        self.bar.start()            # from now on it shows what is printed, above the bar; the end of it undoes that
        sys.stdout, sys.stderr = Screen(sys.stdout), Screen(sys.stderr)
        self.task = self.bar.add_task("", total=self.end_s)

    def show(self, simulation):
        self.bar.update(self.task, completed=simulation.time_s, description=state_of(simulation))

    def close(self):
        self.bar.stop()


def ranks_and_cores(places):
    """What a run has to compute with, in words, and what is wrong with it; `places` as World.places has it."""
    ranks, cores = (sum(numbers) for numbers in zip(*places.values()))
    text = f"{_number(ranks, 'rank')} on {_number(len(places), 'node')} with {_number(cores, 'core')}"
    return text, [
        f"{n} ranks share {_number(m, 'core')} of {host}: they wait for each other; start one rank per core"
        for host, (n, m) in places.items() if n > m]


def _number(n, thing):
    return f"{n:,} {thing}{'s' * (n != 1)}"


def state_of(simulation):
    totals = simulation.ledger.totals
    return (f"{totals['tissue']:,} cells, {totals['shed']:,} shed, {totals['circulating']:,} in the blood, "
            f"{totals['arrested']:,} arrested, {totals['lesions']:,} in lesions")


def summary(simulation, fates, directory, seconds, memory):
    """What happened in a run, as lines of text; `memory`: bytes of the largest rank."""
    t = simulation.ledger.totals
    lines = [
        f"{simulation.time_s / 86400:g} day{'s' * (simulation.time_s != 86400)} in {simulation.step_number:,} steps, "
        f"{seconds:.1f} s on "
        f"{simulation.world.size} rank{'s' * (simulation.world.size > 1)}, at most {memory / 2**20:,.0f} MiB each",
        f"  tumor     {t['tissue']:,} cells (started with {t['initial']:,}; {t['divided_tissue']:,} divisions, "
        f"{t['apoptosis']:,} died by apoptosis, {t['hypoxia']:,} of hypoxia)",
        f"  shed      {t['shed']:,} cells in {t['shed_ctcs']:,} single cells and clusters; {t['injected']:,} injected; "
        f"{t['self_seeded']:,} came back to the tumor",
        f"  blood     {t['circulating']:,} circulating, {t['arrested']:,} arrested, {t['drawn']:,} drawn; "
        f"{t['passages']:,} passages of capillary beds",
        f"  lesions   {t['founded']:,} founded, {t['woken']:,} woke; {t['lesions']:,} cells in them; "
        f"{t['shed_lesion']:,} cells shed by them"]
    if fates:
        lines += ["  fates of shed and injected cells, by organ"] + [
            f"    {name:<18}" + ", ".join(f"{node} {n:,}" for node, n in sorted(
                nodes.items(), key=lambda item: -item[1])) for name, nodes in fates.items()]
    directory = one_line(directory)
    lines += [f"  every cell is accounted for: {simulation.ledger.born:,} born",
              f"  results in {directory}/results.h5; to look inside: metacascade info {directory}"]
    return "\n".join(lines)


@dataclass(frozen=True)
class Expected:
    """What a run will need, on all its ranks together, if its tumor keeps the size that it starts with."""

    cells: int
    steps: int
    step_h: float
    ranks: int
    memory_bytes: float
    checkpoint_bytes: float
    step_s: float               # wall time of a step

    @property
    def seconds(self):
        """Wall time of the whole run."""
        return self.steps * self.step_s

    def texts(self):
        """The same for people: name -> text."""
        return {
            "cells at the start": f"{self.cells:,}",
            "steps": f"{self.steps:,} of {self.step_h:g} h",
            "memory": f"{_size(self.memory_bytes)} over all ranks, with the cells at the start",
            "checkpoint": f"{_size(self.checkpoint_bytes)}, twice; three times while one is written",
            "time": f"{duration(self.step_s * 24 / self.step_h)} a day, {duration(self.seconds)} in all, on "
                    f"{'one core' if self.ranks == 1 else f'{self.ranks:,} cores'} at {SPEED / 1e6:g} million cells a "
                    f"second each and {1e3 * FIXED_S:g} ms a step, if the tumor keeps its size",
        }


def expected(config, ranks=1):
    """What a run of this config on so many ranks will need: an Expected."""
    cells = config.tumor.cells if config.tumor else 0
    voxels = cells / config.tissue.capacity
    return Expected(
        cells=cells, steps=config.run.steps, step_h=config.run.step_h, ranks=ranks,
        memory_bytes=cells * CELL.itemsize * 1.1 + 2.5 * voxels * 30 + ranks * OF_A_RANK,
        checkpoint_bytes=cells * CELL.itemsize + voxels * 12, step_s=cells / SPEED / ranks + FIXED_S)


def _size(number):
    """Bytes as text: ``1.25 GiB``, ``3.1 MiB``."""
    return f"{number / 2**30:,.2f} GiB" if number >= 2**30 else f"{number / 2**20:,.1f} MiB"


def duration(seconds):
    """A wall time as text: ``50 s``, ``2.5 h``."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def memory():
    """Resident memory of this process now [bytes]; the peak where the system does not tell."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:
        return peak_memory()


def peak_memory():
    """Largest resident memory of this process so far [bytes]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
