"""A view of what goes on in a directory: a run, a sweep, arms, a cohort, for a terminal of 80 columns and 24 lines.

All of it is read from files that are there anyway, and the small status of a run; nothing is asked of what runs.
"""
import contextlib
import os
import shutil
import sys
import time
from pathlib import Path

from metacascade.base import sheets
from metacascade.base.columns import ALIVE, BORN, DEAD, REMOVED
from metacascade.base.errors import DONE, FAILED, STOPPED_EARLY, InputError
from metacascade.base.numerals import counted, size
from metacascade.base.screen import bare, one_line
from metacascade.base.sheets import Sheet, facts, share
from metacascade.io import checkpoint, results, runlock
from metacascade.io.atomic import STATUS
from metacascade.io.needs import Missing
from metacascade.run import glance, status, tables
from metacascade.run.estimate import duration
from metacascade.studies import standing
from metacascade.studies.standing import Members

EVERY_S = 2.0           # between two looks
START_S = 30.0          # for a run to make its directory
LINES = 24              # of a screen that does not tell
QUIET_S = 30.0          # after which many runs of which none runs are taken to have ended: the next has to start
BAR = 30                # columns of the bar
DAMAGED = "damaged"     # of results that cannot be read: a run does not go on without them
CODES = {glance.COMPLETE: DONE, glance.STOPPED: STOPPED_EARLY, glance.KILLED: FAILED}


def run(directory, once=False):
    """Show how far what is in a directory is, until it ends; `once`: print it one time, as text. The exit code.

    0 if it is complete, 75 if it stopped early, 1 if it was killed; with `once` always 0.

    Raises
    ------
    InputError
        If there is nothing to watch, or no terminal; at the end, if results are damaged.
    """
    if not once and sys.stdout.isatty():
        _wait_for(Path(directory))
    view = view_of(Path(directory))
    if once:
        tables_, _ = view.look(sheets.WIDTH, LINES)
        print(sheets.plain(tables_), flush=True)
        _refuse_damaged(view)
        return DONE
    if not sys.stdout.isatty():
        raise InputError("watch needs a terminal; `metacascade watch DIR --once` prints one view of it as text")
    with contextlib.suppress(KeyboardInterrupt):
        _watch(view)
    _refuse_damaged(view)
    print(f"{one_line(directory)}: {view.words}", flush=True)
    return CODES.get(view.state, DONE)


def _wait_for(directory):
    """Wait until there is something in a directory, START_S at most: a run that has just started makes it soon."""
    end = time.monotonic() + START_S
    if _is_empty(directory):
        print(f"{one_line(directory)} is not there yet: waiting up to {START_S:g} s for it", flush=True)
    while _is_empty(directory) and time.monotonic() < end:
        time.sleep(0.1)


def _is_empty(directory):
    try:
        view_of(directory)
    except InputError:
        return not directory.exists() or directory.is_dir() and not any(directory.iterdir())
    return False


def _refuse_damaged(view):
    if view.state == DAMAGED:
        raise InputError(view.damage)


def view_of(directory):
    """The view of a directory."""
    if standing.is_sweep(directory):
        return OfMembers(directory)
    if standing.is_cohort(directory):
        return OfCohort(directory)
    if glance.is_run(directory) or runlock.locked(directory):
        return OfRun(directory)
    raise InputError(f"{directory} is no directory of a run, of a sweep, of arms or of a cohort: nothing to watch")


def _watch(view):
    from rich.console import Console
    from rich.live import Live
    console = Console(file=bare(sys.stdout))
    with Live(console=console, screen=True, auto_refresh=False) as live:
        over = False
        while not over:
            columns, lines = shutil.get_terminal_size((sheets.WIDTH, LINES))
            tables_, over = view.look(columns, lines)
            live.update(sheets.styled(tables_, columns), refresh=True)
            if not over:
                time.sleep(EVERY_S)


class OfRun:
    """One run. `state`: of `glance.standing`, or DAMAGED; `words`: what there is to say in the end; `damage`: why."""

    def __init__(self, directory):
        self.directory, self.path = directory, directory / results.NAME
        self.written, self.found, self.told, self.damage = None, {}, None, ""
        self.state = glance.RUNNING

    @property
    def words(self):
        """How it stands, and how far it is."""
        more = f"; go on with `metacascade resume {one_line(self.directory)}`" * (
            self.state in (glance.KILLED, glance.STOPPED))
        return f"{self.state}, day {self._time_s() / 86400:g} of {self._end_s() / 86400:g}{more}"

    def look(self, columns, lines):
        """(tables for so many columns and lines, whether it goes on no more)."""
        self._read()
        told = status.read(self.directory)
        self.told = told or self.told
        self.state = glance.standing(self.directory, self.found.get("complete", False), told)
        if self.state != glance.RUNNING:
            self._read()        # what it wrote at its end
            self.state = DAMAGED if self.damage else self.state
        blocks = [self._head(columns), self._account()]
        room = lines - 1 - len(sheets.plain(blocks, columns).splitlines()) - 1
        ranks = self._ranks(max(room // 3, 2))
        room -= len(ranks.rows) + 2 if ranks.rows else 0
        blocks.append(tables.organs(self.found.get("organs", ()), most=max(room - 4, 1)))
        return [*blocks, ranks], self.state != glance.RUNNING

    def _read(self):
        """Look at the results again, if they are others by now. What cannot be read just now is as it was."""
        try:
            written = self.path.stat().st_mtime_ns
            if written == self.written:
                return
            with results.open_results(self.directory) as found:
                self.found = self._of_results(found) | dict(complete=found.complete)
            self.written, self.damage = written, ""
        except (OSError, InputError) as error:
            self.damage = str(error) if os.path.lexists(self.path) else ""

    @staticmethod
    def _of_results(found):
        series, config = found.series, found.config
        last = {name: values[-1] for name, values in series.items() if len(values)}
        try:
            organs = found.burdens()
        except Missing:
            organs = []
        draws = found.draws[:]
        names = found.names("draws").get("node", {})
        return dict(last=last, organs=organs, end_s=config["run"]["duration_s"], columns=glance.columns_of(config),
                    title=config.get("title") or "", draws=len(draws),
                    draw=tables.draws(draws, names, 1).rows[-1:] if len(draws) else [])

    def _totals(self):
        """The columns of the account of cells, by their names: of the status, if that is newer."""
        last = self.found.get("last", {})
        newer = self.told and self.told["time_s"] >= last.get("time_s", 0)
        return {name: int(n) for name, n in self.told["totals"].items()} if newer else last

    def _time_s(self):
        return max(float(self.found.get("last", {}).get("time_s", 0)), self.told["time_s"] if self.told else 0)

    def _end_s(self):
        return self.told["end_s"] if self.told else self.found.get("end_s", 0)

    def _head(self, columns):
        """Where it is, and when it will end."""
        time_s, end_s = self._time_s(), self._end_s()
        done = round(BAR * time_s / end_s) if end_s else 0
        rate = ""
        if self.state == glance.RUNNING and self.told and self.told["left_s"] is not None:
            end = time.strftime("%a %H:%M", time.localtime(self.told["written"] + self.told["left_s"]))
            rate = f"{self.told['days_per_min']:.3g} days/min, {duration(round(self.told['left_s']))} left: {end}"
        files = [(name, glance.written_ago(path)) for name, path in (
            ("status", self.directory / STATUS), ("results", self.path),
            ("checkpoint", self.directory / checkpoint.NAME))]
        title = one_line(f"{self.directory}  {self.found.get('title', '')}", columns)
        pairs = [("state", self.state + f"; go on with `metacascade resume {one_line(self.directory)}`"
                  * (self.state in (glance.KILLED, glance.STOPPED))),
                 ("day", f"[{'#' * done}{'.' * (BAR - done)}] {share(time_s, end_s)}, {time_s / 86400:.2f} of "
                         f"{end_s / 86400:g}" if end_s else "starting"),
                 ("rate", rate),
                 ("files", ", ".join(f"{name} {ago}" for name, ago in files if ago))]
        return Sheet(title, (), [pair for pair in pairs if pair[1]], (1,))

    def _account(self):
        """Cells by state, of what they died, that the account balances, and the last blood draw."""
        totals, columns = self._totals(), self.found.get("columns", ())
        if not totals or not columns:
            return facts("", [])
        living = {column.name: int(totals.get(column.name, 0)) for column in columns if column.part == ALIVE}
        born, gone = (sum(int(totals.get(column.name, 0)) for column in columns if column.part in parts)
                      for parts in ((BORN,), (DEAD, REMOVED)))
        alive, draw, shed = sum(living.values()), self.found["draw"], int(totals.get("shed", 0))
        return facts("", [
            ("alive", ", ".join(f"{name} {n:,}" for name, n in living.items())),
            ("gone", tables.gone(totals, columns)),
            ("account", f"{born:,} born, {alive + gone:,} accounted for; {shed:,} shed so far"),
            ("draw", f"{self.found['draws']} so far; at {', '.join(draw[0][:3])}: {counted_text(draw[0][3])}"
                     if draw else "")])

    def _ranks(self, most):
        """Load and memory by rank, those that wait most first if there are more."""
        rows = self.told["per_rank"] if self.told and self.state == glance.RUNNING else []
        shown = sorted(sorted(rows, key=lambda row: row["work_share"])[:most], key=lambda row: row["rank"])
        title = "ranks" if len(shown) == len(rows) else f"{most} of {self.told['ranks']:,} ranks, that work least"
        return Sheet(title, ("", "cells", "memory", "work, not waiting", "step"), [
            (f"{int(row['rank'])}", f"{int(row['cells']):,}", size(row["memory_bytes"]),
             f"{100 * row['work_share']:.0f} %", f"{int(row['step']):,}") for row in shown])


def counted_text(number):
    """``1 cell`` of a number that is a text."""
    return counted(int(number.replace(",", "")), "cell")


class OfMembers:
    """A sweep or arms. It has ended when all of its members are done, or none has run for QUIET_S."""

    def __init__(self, directory):
        self.directory, self.members, self.last = directory, Members(directory), time.monotonic()
        self.state, self.words = glance.RUNNING, ""

    def look(self, columns, lines):
        """As of a run."""
        found = self.members.stand()
        blocks = self.members.sheets()
        now = time.monotonic()
        self.last = now if "running" in found.values() else self.last
        done = all(how == "done" for how in found.values())
        self.state = glance.COMPLETE if done else glance.STOPPED if now - self.last >= QUIET_S else glance.RUNNING
        self.words = blocks[0].rows[0][1] + (
            f"; metacascade info {self.directory} compares them" if done else "; the same command goes on")
        head = Sheet(one_line(self.directory, columns), (), blocks[0].rows, (1,))
        return [head, *blocks[1:]], self.state != glance.RUNNING


class OfCohort:
    """A cohort. It has ended when nobody holds its lock any more."""

    def __init__(self, directory):
        self.directory, self.state, self.words = directory, glance.RUNNING, ""

    def look(self, columns, lines):
        """As of a run."""
        going = runlock.locked(self.directory)
        blocks = standing.cohort(self.directory)
        told = dict(blocks[0].rows)
        complete = told["state"].startswith("complete")
        self.state = glance.RUNNING if going else glance.COMPLETE if complete else glance.STOPPED
        self.words = ", ".join(told[name] for name in ("state", "patients") if name in told)
        return [Sheet(one_line(self.directory, columns), (), blocks[0].rows, (1,))], not going
