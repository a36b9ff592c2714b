"""What a run says while it goes on, before it starts, and at its end."""
import resource
import sys
import time

from metacascade.base import screen
from metacascade.base.columns import DEAD
from metacascade.base.numerals import counted
from metacascade.base.screen import Screen, bare, one_line
from metacascade.io.needs import TUMOR
from metacascade.mechanisms import lumped
from metacascade.model.observables import REPORT
from metacascade.ranks import launcher

QUIET_S = 10.0        # seconds between two lines in a log


def progress(world, config):
    """A meter for rank 0: a bar on a terminal, now and then a line in a log; nothing on other ranks."""
    if world.rank:
        return Meter(config)
    false_terminal = launcher.open_mpi()     # it gives one to ranks even when it writes to a log
    return Bar(config) if sys.stdout.isatty() and not false_terminal else Log(config)


class Meter:
    """Shows nothing. As a context it is closed however the body ends, and the terminal is then as it was."""

    def __init__(self, config):
        self.end_s = config.run.duration_s

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

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
        """Say where the run is."""
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
        self.task = self.bar.add_task("", total=self.end_s)

    def __enter__(self):
        self.bar.start()            # from now on it shows what is printed, above the bar; the end of it undoes that
        sys.stdout, sys.stderr = Screen(sys.stdout), Screen(sys.stderr)
        return self

    def show(self, simulation):
        """Say where the run is."""
        self.bar.update(self.task, completed=simulation.time_s, description=state_of(simulation))

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


def state_of(simulation):
    """How many cells are where, as a line."""
    totals = simulation.ledger.totals
    return (f"{totals[simulation.lumped.column]:,} cells, {totals['shed']:,} shed, "
            f"{totals['circulating']:,} in the blood, {totals['arrested']:,} arrested, "
            f"{totals['lesions']:,} in lesions")


def summary(simulation, fates, organs, directory, seconds, memory):
    """What happened in a run, as lines of text.

    `fates`: of `Fates.totals`; `organs`: rows of the table by organ; `memory`: bytes of the largest rank.
    """
    totals = dict(simulation.ledger.totals, clones=len(simulation.clones))
    own_line = lumped.enabled(simulation.config)
    lines = [
        f"{simulation.time_s / 86400:g} day{'s' * (simulation.time_s != 86400)} in {simulation.step_number:,} steps, "
        f"{seconds:.1f} s on "
        f"{simulation.world.size} rank{'s' * (simulation.world.size > 1)}, at most {memory / 2**20:,.0f} MiB each",
        *(text for line in REPORT if not (own_line and line.title == TUMOR) for text in line.of(totals))]
    died = [f"{name} {n:,}" for name, n in simulation.ledger.of(DEAD).items() if n]
    lines.append(f"  deaths    {', '.join(died) or 'none'}")
    if fates:
        lines += ["  shed and injected cells (numbers of cells) by fate and organ"] + [
            f"    {name:<18}" + ", ".join(f"{node} {n:,}" for node, n in sorted(
                nodes.items(), key=lambda item: -item[1])) for name, nodes in fates.items()]
    lines += _lesions(simulation.circuit.names, organs)
    directory = one_line(directory)
    lines += [f"  every cell is accounted for: {simulation.ledger.born:,} born",
              f"  results in {directory}/results.h5; to look inside: metacascade info {directory}"]
    return "\n".join(lines)


def _lesions(nodes, organs):
    """A line for each organ with what lives in it, most first; a lumped tumor is none."""
    rows = sorted((row for row in organs if row["lesions"] and nodes[row["node"]] != TUMOR),
                  key=lambda row: -row["lesions"])
    lines = [f"    {nodes[row['node']]:<18}{row['lesions']:,}, {row['micro'] + row['vascular']:,} of them divide, "
             f"{counted(int(row['cells']), 'cell')}" for row in rows]
    return ["  single cells and lesions that live, by organ"] * bool(lines) + lines


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


def say(world, line):
    """Print a line, once."""
    if world.rank == 0:
        print(line, flush=True)


def warn(world, warnings):
    """Print warnings, once."""
    for warning in warnings if world.rank == 0 else ():
        screen.warn(warning)
