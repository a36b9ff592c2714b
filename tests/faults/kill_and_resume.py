"""Kill a run again and again, resume it each time on another number of ranks, and compare how it ends.

Usage: kill_and_resume.py [--kills 20] [--seed 1] [--keep DIR]. A run is started on 2 ranks, killed with SIGKILL,
all processes at once or one rank alone, at a random moment or just when a file is being written, and resumed on
1, 3 or 4 ranks, until it ends; then the next run is started. Exit code 0 if every run ended with the results of
one that nobody disturbed.
"""
import argparse
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "src")]
import small
from conftest import environment, launcher

SETTINGS = dict(run__duration="8 h", output__interval="1 h", output__checkpoint="1 h", output__keep=["5 h"],
                tumor__cells=12_000)
ALL = small.LIVING + small.MECHANISMS
ARGUMENTS = [*small.arguments(**SETTINGS), *(word for setting in ALL for word in ("--set", setting))]
LEFT = ["checkpoint.18000s.h5", "checkpoint.h5", "checkpoint.prev.h5", "results.h5"]
PATIENCE_S = 120.0        # a session that takes longer hangs
AFTERWARDS_S = 30.0       # the ranks that one left behind must be gone by then


@dataclass
class Kill:
    """One kill: what was aimed at, who was hit, and which files were being written."""

    aim: str              # "any moment", or a pattern of file names
    ranks: int
    victims: str          # "all" or "one rank"
    unfinished: tuple

    def __str__(self):
        return f"{self.victims:8} of {self.ranks} at {self.aim:20} unfinished: {', '.join(self.unfinished) or '-'}"


class Session:
    """The processes of one `metacascade run` or `metacascade resume`."""

    def __init__(self, ranks, *arguments, log, python=sys.executable, mpiexec=None, program=("-m", "metacascade")):
        command = [python, *map(str, program + arguments)]
        if ranks > 1:
            command = [mpiexec or launcher(), "-n", str(ranks), *command]
        self.ranks, self.log = ranks, log
        with open(log, "w") as file:
            self.process = subprocess.Popen(command, env=environment(), start_new_session=True, stdout=file,
                                            stderr=file, stdin=subprocess.DEVNULL)

    def everyone(self):
        """Process ids of this session: the launcher, its helpers and the ranks, parents first."""
        children = {}
        for entry in os.scandir("/proc"):
            if entry.name.isdigit() and (parent := parent_of(entry.name)):
                children.setdefault(parent, []).append(int(entry.name))
        found = [self.process.pid]
        for pid in found:
            found += children.get(pid, [])
        return found

    def kill(self, victims, dice):
        """Send SIGKILL to all, or to one rank; then wait until nobody is left."""
        everyone = self.freeze() if victims == "all" else self.everyone()
        ranks = [pid for pid in everyone if is_rank(pid)]
        memory = shared_memory(ranks)
        for pid in [dice.choice(ranks)] if victims == "one rank" and ranks else everyone:
            kill(pid)
        deadline = time.monotonic() + AFTERWARDS_S
        while any(map(alive, everyone)):
            if time.monotonic() > deadline:
                for pid in everyone:
                    kill(pid)
                raise AssertionError(f"{AFTERWARDS_S} s after {victims} of {self.ranks} was killed some still run")
            self.process.poll()
            time.sleep(0.005)
        for path in memory:       # the MPI library cannot remove what it shares when it is killed
            path.unlink(missing_ok=True)
        return self.process.wait()

    def freeze(self):
        """Stop everyone where they are, so that none starts another who would outlive this session."""
        frozen = []
        while len(everyone := self.everyone()) > len(frozen):
            for pid in everyone:
                kill(pid, signal.SIGSTOP)
            frozen = everyone
        return frozen

    def end(self):
        """Wait for the end; the exit code."""
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            for pid in self.everyone():
                kill(pid)
            raise AssertionError(f"a session hangs:\n{Path(self.log).read_text()[-3000:]}") from None


def parent_of(pid):
    """Process id of the parent; 0 if there is no such process."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def is_rank(pid):
    """Whether it is a Python that runs metacascade, not a launcher."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"python" in words[0] and words[1:3] == [b"-m", b"metacascade"]


def alive(pid):
    return state(pid) not in "ZX"


def state(pid):
    """R for running, S for sleeping, T for stopped, Z for ended, X if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def kill(pid, number=signal.SIGKILL):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def shared_memory(pids):
    """Files in memory that the MPI library made for these processes."""
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            maps = Path(f"/proc/{pid}/maps").read_text()
            found |= {Path(path) for path in re.findall(r"(/dev/shm/\S+)", maps)}
    return found


def unfinished(directory, *patterns):
    """Files that are being written, by default all: names, sorted. A folder may go while one looks at it."""
    found = []
    for pattern in patterns or ("*.tmp", "*/*.tmp"):
        with contextlib.suppress(FileNotFoundError):
            found += directory.glob(pattern)
    return tuple(sorted(str(path.relative_to(directory)) for path in found))


class Torture:
    """Runs in `folder` that are killed `kills` times altogether."""

    AIMS = ("any moment", "any moment", "checkpoint.h5.tmp", "checkpoint.h5.tmp", "parts/part.*.tmp", "results.h5.tmp")

    def __init__(self, folder, kills, seed, say=lambda line: None):
        self.folder, self.left, self.dice, self.say = Path(folder), kills, random.Random(seed), say
        self.kills, self.runs = [], 0
        undisturbed = self.folder / "undisturbed"
        began = time.monotonic()
        if (code := self.start(2, "run", small.EXAMPLE, "--out", undisturbed, *ARGUMENTS).end()):
            raise AssertionError(f"exit code {code}: {(self.folder / 'log').read_text()[-3000:]}")
        self.usual_s = time.monotonic() - began
        self.expected = small.content(undisturbed)

    def start(self, ranks, *arguments):
        return Session(ranks, *arguments, log=self.folder / "log")

    def run(self):
        """Start runs until all kills are done; each ends as the undisturbed one did."""
        while self.left:
            self.runs += 1
            directory = self.folder / f"run.{self.runs}"
            self.one(directory)
            shutil.rmtree(directory)
        return self.kills

    def one(self, directory):
        """A run that is killed now and then, to its end."""
        session = self.start(2, "run", small.EXAMPLE, "--out", directory, *ARGUMENTS)
        while self.left and self.wait_and_kill(session, directory):
            session = self.start(self.dice.choice((1, 3, 4)), *self.next_command(directory))
        code = session.end()
        if code:
            raise AssertionError(f"exit code {code} on {session.ranks} ranks:\n{Path(session.log).read_text()[-3000:]}")
        self.compare(directory)

    def next_command(self, directory):
        """Resume; a run that was killed before its first checkpoint is started again."""
        if (directory / "checkpoint.h5").exists() or (directory / "checkpoint.prev.h5").exists():
            return "resume", directory
        return "run", small.EXAMPLE, "--out", directory, "--overwrite", *ARGUMENTS

    def wait_and_kill(self, session, directory):
        """Kill a session at some moment; False if it came to its end before."""
        aim, victims, times = self.aim()
        victims = "all" if session.ranks == 1 else victims
        if aim == "any moment":
            self.wait(session, self.dice.uniform(0, self.usual_s))
        else:
            self.watch(session, directory, aim, times)
        if session.process.poll() is not None:
            return False
        session.kill(victims, self.dice)
        if (directory / "results.h5").exists() and session.process.returncode == 0:
            return False
        self.kills.append(Kill(aim, session.ranks, victims, unfinished(directory)))
        self.left -= 1
        self.say(f"{len(self.kills):4} {self.kills[-1]}")
        return True

    def aim(self):
        """When to kill, whom, and how often the file that is aimed at must appear before."""
        return (self.dice.choice(self.AIMS), "one rank" if self.dice.random() < 0.4 else "all",
                self.dice.randint(1, 6))

    def wait(self, session, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and session.process.poll() is None:
            time.sleep(0.002)

    def watch(self, session, directory, pattern, times):
        """Wait until files of the pattern have appeared so many times."""
        there, deadline = bool(unfinished(directory, pattern)), time.monotonic() + PATIENCE_S
        while session.process.poll() is None and time.monotonic() < deadline:
            before, there = there, bool(unfinished(directory, pattern))
            times -= there and not before
            if times == 0:
                return

    def compare(self, directory):
        """The run ended with the results of the undisturbed one, and nothing else is left of it."""
        found = small.content(directory)
        differ = [name for name in self.expected.keys() | found.keys() if found.get(name) != self.expected.get(name)]
        if differ:
            raise AssertionError(f"after these kills other results in {', '.join(sorted(differ))}:\n" +
                                 "\n".join(map(str, self.kills)))
        names = sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))
        if [name for name in names if name != "run.lock"] != LEFT:
            raise AssertionError(f"left behind: {names}")


def summary(torture):
    """How many kills there were, and what they hit."""
    hit = Counter(name.split("/")[0].split(".")[0] for kill in torture.kills for name in kill.unfinished)
    return (f"{len(torture.kills)} kills of {torture.runs} runs, {sum(k.victims == 'one rank' for k in torture.kills)} "
            f"of one rank alone; while a checkpoint was written: {hit['checkpoint']}, a part: {hit['parts']}, "
            f"results.h5: {hit['results']}. Every run ended with the same digest, time series and shed cells.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="work in this directory and leave there what a failure leaves")
    asked = parser.parse_args()
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="metacascade-kills-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        torture = Torture(folder, asked.kills, asked.seed, say=lambda line: print(line, flush=True))
        torture.run()
        print(summary(torture))
    except AssertionError as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    finally:
        if not asked.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
