"""Running a sweep: a coordinator that starts its members, each an ordinary run, so many at a time."""
import math
import re
import shlex
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from metacascade.base import stopsignals
from metacascade.base.errors import DONE, FAILED, STOPPED_EARLY, InputError, RunError
from metacascade.base.screen import LONGEST_LINE, one_line
from metacascade.config import read as config_read
from metacascade.config.config import build
from metacascade.io import atomic, results, rundirectory
from metacascade.ranks import launcher
from metacascade.run import cluster, commands
from metacascade.run.walllimit import SLACK_S, STARTED
from metacascade.studies import sweep_plan, sweep_table
from metacascade.studies.sweep_plan import folder

LOOK_S = 0.05              # between two looks at the members
UNBOUND = {"OMPI_MCA_hwloc_base_binding_policy": "none", "PRTE_MCA_hwloc_default_binding_policy": "none"}


@dataclass(frozen=True)
class Study:
    """A command that runs members. `what`: it makes; `opened` gives and `write` keeps its plan, and `after` makes of it
    and {number: row of the table} lines to print in the end."""
    name: str
    what: str
    opened: Callable
    write: Callable = sweep_plan.write
    after: Callable = lambda out, plan, rows: []


SWEEP = Study("sweep", "a sweep", lambda out, path: sweep_plan.opened(out, path))


def run(sweep_path, out, ranks=1, jobs=1, part=None, gather=False, dry_run=False, wall_limit_s=None, study=SWEEP):
    """Run the members of a sweep that are not done, or only gather the table; the exit code.

    Parameters
    ----------
    part : str, optional
        ``"I/N"``: only the members whose number is I modulo N.
    wall_limit_s : float, optional
        From the start of this process; before it is over the running members stop with checkpoints.
    study : Study
        Of which command it is.

    Raises
    ------
    InputError
        Before anything is started: for all that is wrong in the sweep file, the config or a member, and where `out` is
        the directory of another sweep.
    """
    mine = _part(part)
    plan = study.opened(out, sweep_path)
    members = [member for member in plan["members"] if mine(member["number"])]
    if dry_run:
        print(_preview(out, plan, members))
        return DONE
    if not gather and launcher.several():
        raise InputError(f"{study.name} starts the ranks of its members itself: call it without mpiexec or srun, "
                         "with --ranks R for R ranks each")
    if gather and not (Path(out) / sweep_plan.NAME).exists():
        raise InputError(f"{out} is not the directory of {study.what}: there is nothing to gather")
    launch = [] if gather else launch_of(ranks)
    study.write(out, plan)
    with stopsignals.given_back():       # until the table is there: a signal that comes late must not cost it
        code = DONE if gather else Coordinator(out, plan, members, launch, jobs, wall_limit_s).run()
        rows = sweep_table.write_rows(out, plan)
        lines = study.after(out, plan, rows)
    print("".join(f"{line}\n" for line in lines), end="")
    damaged = _summed_up(out, plan, members, sweep_table.by_status(rows))
    return FAILED if damaged and code == DONE else code


def _summed_up(out, plan, members, found):
    """Print how the members are, and which of those of this call are damaged; the directories of these."""
    print(f"{len(plan['members'])} members: " + ", ".join(f"{len(n)} {status}" for status, n in found.items() if n)
          + f"; table in {Path(out) / sweep_table.NAME}", flush=True)
    damaged = [folder(out, member) for member in members if member["number"] in found["damaged"]]
    for directory in damaged:
        print(f"{directory / results.NAME} is damaged: remove {directory}, and the next call simulates it again",
              file=sys.stderr, flush=True)
    return damaged


def _part(text):
    """Which numbers are in a part: those that leave the same rest as I. So 0/8 and 8/8 are the same."""
    if text is None:
        return lambda number: True
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if not match or int(match[1]) > int(match[2]) or int(match[2]) == 0:
        raise InputError(f"--part {text}: must be I/N with I from 1 to N, or from 0 to N - 1")
    index, parts = int(match[1]), int(match[2])
    return lambda number: (number - index) % parts == 0


def launch_of(ranks):
    """The words that start the ranks of a member. One rank alone needs no mpiexec, but the launcher of a site."""
    site = cluster.site()
    cluster.refuse_too_many(ranks, site.launch)
    return [] if ranks == 1 and site.launch == cluster.Site().launch else site.command(ranks)


def _preview(out, plan, members):
    """What a sweep would do, as text."""
    lines = [f"{folder(out, member)}  {sweep_table.state(folder(out, member))}  {sweep_plan.described(member)}"
             for member in members]
    if members:
        document = config_read.parse_text(plan["config"], sweep_plan.CONFIG)
        document.stored = bool(plan.get("start"))
        config_read.override(document, sweep_plan.arguments(plan, members[0]))
        whole = " if it ran from its start and not from the checkpoint" * document.stored
        lines.append(f"each, by the settings of member {members[0]['number']:04}{whole}:")
        lines += [f"  {name}: {value}" for name, value in commands.estimate(build(document)).items()]
    return "\n".join([f"{len(members)} of {len(plan['members'])} members"] + lines)


class Coordinator:
    """Keeps `jobs` members at a time running, until all have ended, it is told to stop, or its time is over."""

    def __init__(self, directory, plan, members, launch, jobs, wall_limit_s=None):
        self.directory, self.plan, self.launch, self.jobs = Path(directory), plan, launch, jobs
        self.waiting, self.total = deque(members), len(members)
        self.running = {}           # process: (member, when it started)
        self.ended = {}             # number: done, stopped, failed, elsewhere
        self.messages = []          # about those that failed
        self.stop, self.reminded = False, 0.0
        self.end = math.inf if wall_limit_s is None else STARTED + wall_limit_s - SLACK_S     # then the table
        self.environment = launcher.without()
        if jobs > 1:                # else Open MPI would put all members on the same first cores
            self.environment = UNBOUND | self.environment

    def run(self):
        """All members; the exit code."""
        stopsignals.listen(self._wish_to_stop)
        try:
            self._go_through(self.waiting)
            elsewhere = [number for number, how in self.ended.items() if how == "elsewhere"]
            self._go_through(deque(self.plan["members"][number] for number in elsewhere))    # ended meanwhile?
        finally:
            self._end_all()
        for line in self.messages:
            print(line, file=sys.stderr, flush=True)
        return self._exit_code()

    def _exit_code(self):
        how = list(self.ended.values())
        if self.stop and how.count("done") < self.total:
            return STOPPED_EARLY
        return FAILED if "failed" in how else STOPPED_EARLY if {"stopped", "elsewhere"} & set(how) else DONE

    def _go_through(self, waiting):
        self.waiting = waiting
        while self.running or (self.waiting and not self.stop):
            self._watch_the_time()
            while self.waiting and len(self.running) < self.jobs and not self.stop:
                self._consider(self.waiting.popleft())
            if self.stop:
                self._remind()
            self._collect()
            if self.running:
                time.sleep(LOOK_S)

    def _consider(self, member):
        """Start a member, unless it is done or runs elsewhere."""
        state = sweep_table.state(folder(self.directory, member))
        if state == "done":
            self.ended[member["number"]] = "done"
        elif state == "running":
            self._note(member, "elsewhere", "runs elsewhere")
        elif state == "stopped" and sweep_table.damaged(folder(self.directory, member)):
            self._note(member, "failed", "has damaged results")
        else:
            self._start(member, self._command(member, state))
            self._say(member, f"{'goes on' if state == 'stopped' else 'starts'}: {sweep_plan.described(member)}")

    def _command(self, member, state):
        out = folder(self.directory, member)
        words = ["resume", str(out)]
        if state == "waiting":
            words = [*sweep_plan.beginning(self.plan, self.directory), "--out", str(out)]
            if rundirectory.holds_files(out):
                words.append("--overwrite")         # it ended before its first checkpoint
            words += [word for text in sweep_plan.arguments(self.plan, member) for word in ("--set", text)]
        if self.end < math.inf:
            words += ["--wall-limit", f"{self._left_s():.1f} s"]
        return [*self.launch, sys.executable, "-m", "metacascade", *words]

    def _start(self, member, command):
        path = sweep_table.log(self.directory, member)
        with atomic.writing(path), open(path, "ab") as log:
            log.write(f"sweep: {one_line(shlex.join(command), LONGEST_LINE)}\n".encode())
            log.flush()
            try:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                           env=self.environment, start_new_session=True,    # Ctrl-C is passed on
                                           preexec_fn=None if self.launch else stopsignals.deaf)
            except OSError as error:
                raise RunError(f"cannot start {command[0]}: {error.strerror}") from None
        self.running[process] = member, time.monotonic()

    def _collect(self):
        """Note the members that have ended."""
        for process in [process for process in self.running if process.poll() is not None]:
            member, started = self.running.pop(process)
            seconds, code = time.monotonic() - started, process.returncode
            sweep_table.write_end(self.directory, member, code, seconds)
            self._judge(member, code, seconds)

    def _judge(self, member, code, seconds):
        state = sweep_table.state(folder(self.directory, member))
        if state == "done":
            self._note(member, "done", f"done in {seconds:.1f} s")
        elif state == "running":
            self._note(member, "elsewhere", "runs elsewhere")
        elif code == STOPPED_EARLY or self.stop:
            self._note(member, "stopped", f"stopped after {seconds:.1f} s")
        else:
            why = f"{_ending(code)} after {seconds:.1f} s; see {sweep_table.log(self.directory, member)}"
            self._note(member, "failed", f"failed: {why}")
            self.messages.append(f"member {member['number']:04} failed: {why}; calling again tries it again")

    def _note(self, member, how, text):
        self.ended[member["number"]] = how
        self._say(member, text)

    def _say(self, member, text):
        done = list(self.ended.values()).count("done")
        print(f"[{done} of {self.total} done, {len(self.running)} running] {member['number']:04} {text}", flush=True)

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
        """Tell the running members to stop, now and then again: one that was just starting may not have heard it."""
        if time.monotonic() - self.reminded >= cluster.REMIND_S:
            self.reminded = time.monotonic()
            for process in self.running:
                process.send_signal(stopsignals.PASSED_ON)

    def _end_all(self):
        """After an error of the coordinator: let the members that still run write their checkpoints."""
        while self.running:
            self._remind()
            time.sleep(LOOK_S)
            self.running = {process: member for process, member in self.running.items() if process.poll() is None}


def _ending(code):
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
