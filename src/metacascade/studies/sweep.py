"""Running a sweep: a coordinator that starts its members, each an ordinary run, so many at a time."""
import re
import shlex
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from metacascade.base import stopsignals
from metacascade.base.errors import DONE, FAILED, STOPPED_EARLY, InputError
from metacascade.base.numerals import counted
from metacascade.base.screen import LONGEST_LINE, one_line
from metacascade.config import read as config_read
from metacascade.config.config import build
from metacascade.io import results, rundirectory
from metacascade.ranks import launcher
from metacascade.run import commands
from metacascade.studies import sweep_compare, sweep_plan, sweep_sensitivity, sweep_start, sweep_table
from metacascade.studies.programs import Programs, launch_of
from metacascade.studies.sweep_plan import folder


@dataclass(frozen=True)
class Study:
    """A command that runs members. `what`: it makes; `opened` gives its plan; `compares`: points, in the end."""
    name: str
    what: str
    opened: Callable
    compares: bool = True


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
    sweep_plan.write(out, plan)
    with stopsignals.given_back():       # until the table is there: a signal that comes late must not cost it
        code = DONE if gather else Coordinator(out, plan, members, launch, jobs, wall_limit_s).run()
        rows = sweep_table.write_rows(out, plan)
        lines = _compared(out, plan, rows) if study.compares else []
    print("".join(f"{line}\n" for line in lines), end="")
    damaged = _summed_up(out, plan, members, sweep_table.by_status(rows))
    return FAILED if damaged and code == DONE else code


def _compared(out, plan, rows):
    """Write the comparison of points or arms, or what their parameters matter for; its lines."""
    if plan.get("compare") is None:
        return []
    if sweep_compare.names_of(plan) is None:
        sweep_sensitivity.write(out, plan, rows)
        return [*sweep_sensitivity.lines(plan, rows), f"sensitivity in {Path(out) / sweep_sensitivity.NAME}"]
    sweep_compare.write(out, plan, rows)
    return [*sweep_compare.lines(plan, rows), f"comparison in {Path(out) / sweep_compare.file_of(plan)}"]


def _summed_up(out, plan, members, found):
    """Print how the members are, and which of those of this call are damaged; the directories of these."""
    told = ", ".join(f"{len(numbers)} {status}" for status, numbers in found.items() if numbers)
    print(f"{counted(len(plan['members']), 'member')}: {told}; table in {Path(out) / sweep_table.NAME}", flush=True)
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


def _preview(out, plan, members):
    """What a sweep would do, as text."""
    lines = [f"{folder(out, member)}  {sweep_table.state(folder(out, member))}  {sweep_plan.described(member)}"
             for member in members]
    if members:
        document = config_read.parse_text(plan["config"], sweep_plan.CONFIG)
        document.stored = bool(plan.get("start"))
        config_read.override(document, sweep_plan.arguments(plan, members[0]))
        meta, whence = None, ""
        if start := plan.get("start"):
            meta = sweep_start.find(start["path"], Path(out) / start["file"]).meta
            whence = ", from the checkpoint on and without what it has in blood and organs"
        lines.append(f"each, by the settings of member {members[0]['number']:04}{whence}:")
        lines += [f"  {name}: {value}" for name, value in commands.estimate(build(document), meta).items()]
    return "\n".join([f"{len(members)} of {counted(len(plan['members']), 'member')}"] + lines)


class Coordinator(Programs):
    """Simulates the members of a sweep, so many at a time."""

    def __init__(self, directory, plan, members, launch, jobs, wall_limit_s=None):
        super().__init__(launch, jobs, wall_limit_s)
        self.directory, self.plan, self.members = Path(directory), plan, members
        self.ended = {}             # number: done, stopped, failed, elsewhere
        self.messages = []          # about those that failed

    def run(self):
        """All members; the exit code."""
        self.go_through(self.members)
        elsewhere = [number for number, how in self.ended.items() if how == "elsewhere"]
        self.go_through([self.plan["members"][number] for number in elsewhere])      # ended meanwhile?
        for line in self.messages:
            print(line, file=sys.stderr, flush=True)
        return self._exit_code()

    def _exit_code(self):
        how = list(self.ended.values())
        if self.stop and how.count("done") < len(self.members):
            return STOPPED_EARLY
        return FAILED if "failed" in how else STOPPED_EARLY if {"stopped", "elsewhere"} & set(how) else DONE

    def consider(self, member):
        """Start a member, unless it is done or runs elsewhere."""
        state = sweep_table.state(folder(self.directory, member))
        if state == "done":
            self.ended[member["number"]] = "done"
        elif state == "running":
            self._note(member, "elsewhere", "runs elsewhere")
        elif state == "stopped" and sweep_table.damaged(folder(self.directory, member)):
            self._note(member, "failed", "has damaged results")
        else:
            self.start(member, self._words(member, state), sweep_table.log(self.directory, member))
            self._say(member, f"{'goes on' if state == 'stopped' else 'starts'}: {sweep_plan.described(member)}")

    def _words(self, member, state):
        out = folder(self.directory, member)
        if state != "waiting":
            return ["resume", str(out)]
        words = [*sweep_plan.beginning(self.plan, self.directory), "--out", str(out)]
        if rundirectory.holds_files(out):
            words.append("--overwrite")         # it ended before its first checkpoint
        return words + [word for text in sweep_plan.arguments(self.plan, member) for word in ("--set", text)]

    def heading(self, command):
        """What is called."""
        return f"sweep: {one_line(shlex.join(command), LONGEST_LINE)}\n"

    def judge(self, member, code, seconds):
        """Note how a member has ended."""
        sweep_table.write_end(self.directory, member, code, seconds)
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
        head = f"[{done} of {len(self.members)} done, {len(self.running)} running]"
        print(f"{head} {member['number']:04} {text}", flush=True)


def _ending(code):
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
