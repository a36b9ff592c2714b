"""What the files of ``jobs`` do once they have found this Python: start ranks, pass on a wish to stop, queue again.

::

    python -m metacascade.slurm.job run CONFIG OUT [OPTIONS OF run]
    python -m metacascade.slurm.job ensemble SWEEP OUT [OPTIONS OF sweep]     or a file of arms
    python -m metacascade.slurm.job cohort COHORT OUT [OPTIONS OF cohort]
    python -m metacascade.slurm.job scaling strong|weak CONFIG OUT RANKS [OPTIONS OF scaling]

SLURM sends SIGUSR1 to a job before its time limit, and SIGTERM when it is canceled. Both, and all other signals to
stop, go to the launcher as SIGUSR1, which every launcher passes on. After a stop with a checkpoint (exit code 75) a job
whose time was up is queued again under its number; outside SLURM, and when canceled, 75 is the end.
"""
import contextlib
import functools
import os
import shlex
import signal
import subprocess
import sys

from metacascade.base import stopsignals

wishes = []         # signals received; before all imports that take time, as the first may come at once
running = []        # the launcher, once there is one


def _wish(number, _):
    wishes.append(number)
    for process in running:
        process.send_signal(stopsignals.PASSED_ON)


if __name__ == "__main__":
    stopsignals.listen(_wish)

from pathlib import Path

from metacascade.__main__ import message, refuse_unclear
from metacascade.base.errors import DONE, FAILED, STOPPED_EARLY, WRONG_INPUT, InputError, RunError, exit_code
from metacascade.base.numerals import is_count, whole
from metacascade.base.screen import screened
from metacascade.io import checkpoint, rundirectory
from metacascade.io.sealed import BLOCK
from metacascade.run import cluster
from metacascade.slurm import nodedisk
from metacascade.studies import arms_file
from metacascade.studies.cohort_results import FOLDER, NAME

# Of a run, a sweep's members, a scaling study, a cohort.
PROGRESS = (checkpoint.NAME, f"*/{checkpoint.NAME}", "bench/*.json", f"{FOLDER}/*.h5", NAME)
ALSO_OF_RESUME = ("--wall-limit", "--watchdog")      # options of run that resume has, too
OURS = (DONE, FAILED, WRONG_INPUT, STOPPED_EARLY)     # exit codes; others are of a launcher or a signal
STARTS = 3                                           # of ranks that die before a new checkpoint


def main(words, env=os.environ):
    """One job: its exit code. Raises InputError and RunError."""
    refuse_unclear(words)
    commands = {"run": run, "ensemble": ensemble, "cohort": cohort, "scaling": scaling}
    if not words or words[0] not in commands:
        raise InputError(f"expected one of {', '.join(commands)}, found {' '.join(words[:1]) or 'nothing'}")
    make = functools.partial(commands[words[0]], words[1:])
    command, out = make(env)
    before = progress(out, env)
    with nodedisk.python(cluster.site().node_disk, env) as python:
        code = started(make, command, python, out, before, env)
    if code not in OURS and wishes and rundirectory.finished(out):
        say(f"{out} is complete: a signal has met the launcher when the ranks had ended")
        return DONE
    if code == STOPPED_EARLY and "SLURM_JOB_ID" in env:
        go_on(out, before, env)
    return code


def started(make, command, python, out, before, env):
    """Run the command that starts ranks by `python`, again if they die before a new checkpoint; its exit code."""
    use_up_steps(command, env)
    for start in range(1, STARTS + 1):
        words = [python if word == sys.executable else word for word in command]
        say(f"{_where(env)}: {shlex.join(words)}")
        code = supervised(words)
        if start == STARTS or code in OURS or wishes or "SLURM_JOB_ID" not in env or progress(out, env) != before:
            return code
        say(f"the ranks ended with {code} before a new checkpoint; they are started again")    # MPI under srun can
        command, _ = make(env | {"SLURM_RESTART_COUNT": "1"})       # what they left is replaced


def run(words, env):
    """The command that starts a run, or goes on with it where `out` holds a checkpoint; and `out`."""
    config, out, *options = _needs(words, "CONFIG OUT")
    site = cluster.site()
    cluster.refuse_too_many(ranks(env), site.launch)
    start = site.command(ranks(env)) + [sys.executable, "-m", "metacascade"]
    if "--overwrite" in options:
        raise InputError(f"a job goes on with what is in {out}: remove it for a new run, instead of --overwrite")
    if checkpoint.found(out):
        say(f"{out} holds a checkpoint: it goes on from there, with the config in it")
        return start + ["resume", out] + _of_resume(options), out
    again = ["--overwrite"] if env.get("SLURM_RESTART_COUNT", "0") != "0" else []    # ended before its first checkpoint
    return start + ["run", config, "--out", out, *again, *options], out


def ensemble(words, env):
    """The command that simulates the members of a sweep, or of treatment arms; and `out`.

    In SLURM one after the other on all ranks of the job, in an array only this task's part; else all, side by side.
    """
    sweep, out, *options = _needs(words, "SWEEP OUT")
    part = ["--part", array_part(env)] if "SLURM_ARRAY_TASK_ID" in env else []
    many = ["--ranks", str(ranks(env))] if "SLURM_JOB_ID" in env else ["--jobs", str(ranks(env))]
    return [sys.executable, "-m", "metacascade", _command(sweep), sweep, "--out", out, *many, *part, *options], out


def _command(path):
    """That of a file: arms, or else sweep, which says what is wrong with a file that is neither."""
    with contextlib.suppress(InputError):
        return "arms" if arms_file.is_one(path) else "sweep"
    return "sweep"


def cohort(words, env):
    """The command that lives the patients of a cohort through, or goes on with them; and `out`."""
    file, out, *options = _needs(words, "COHORT OUT")
    site = cluster.site()
    cluster.refuse_too_many(ranks(env), site.launch)
    start = site.command(ranks(env)) + [sys.executable, "-m", "metacascade"]
    return [*start, "cohort", file, "--out", out, *options], out


def scaling(words, env):
    """The command that measures a series of ranks; and `out`."""
    kind, config, out, series, *options = _needs(words, "strong|weak CONFIG OUT RANKS")
    return [sys.executable, "-m", "metacascade", "scaling", kind, config,
            "--ranks", series, "--out", out, *options], out


def use_up_steps(command, env):
    """See that the next step of SLURM has a number that no step of this job had before it was queued again.

    Job and step name the shared memory of MPICH; what killed ranks left of it on a node is taken for that of the
    new ones, which then fail to start.
    """
    for _ in range(int(env.get("SLURM_RESTART_COUNT", 0)) if Path(command[0]).name == "srun" else 0):
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(["srun", "--ntasks=1", "--nodes=1", "true"], stdin=subprocess.DEVNULL, timeout=60)


def _needs(words, names):
    if len(words) < len(names.split()) or any(word.startswith("-") for word in words[:len(names.split())]):
        raise InputError(f"expected the arguments {names} [OPTIONS], found: {shlex.join(words) or 'nothing'}")
    return words


def _of_resume(options):
    """Those options of run that resume has as well."""
    kept, wanted = [], False
    for word in options:
        if word.startswith("--"):
            wanted = word.partition("=")[0] in ALSO_OF_RESUME
        kept += [word] if wanted else []
    return kept


def ranks(env):
    """How many ranks: those of the job, else RANKS, else one for each core of this machine."""
    text = env.get("SLURM_NTASKS") or env.get("RANKS") or str(len(os.sched_getaffinity(0)))
    if not is_count(text) or int(text) < 1:
        raise InputError(f"RANKS={text}: the number of ranks must be a whole number from 1")
    return int(text)


def array_part(env):
    """``I/N``: which part of the ensemble an array task does, counted from 1."""
    first, count, step = (whole(env.get(f"SLURM_ARRAY_TASK_{name}", "1")) for name in ("MIN", "COUNT", "STEP"))
    number, rest = divmod(whole(env["SLURM_ARRAY_TASK_ID"]) - first, step)
    if rest or int(env.get("SLURM_ARRAY_TASK_MAX", first)) != first + step * (count - 1):
        raise InputError("the numbers of the array must be even, such as --array=1-8: they say which part a task does")
    return f"{number + 1}/{count}"


def supervised(command):
    """Run a command, with a wish to stop passed on to it; its exit code, 128 + n if signal n ended it."""
    if wishes:
        say("stopped before it began")
        return STOPPED_EARLY
    running.append(subprocess.Popen(command, preexec_fn=stopsignals.deaf if command[1] == "-m" else None))
    code = None
    while code is None:
        if wishes:              # told now and then again: who was just starting may not have heard it
            running[0].send_signal(stopsignals.PASSED_ON)
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = running[0].wait(cluster.REMIND_S)
    running.clear()
    return code if code >= 0 else 128 - code


def go_on(out, before, env):
    """Queue this job again, unless it was canceled; RunError if that would be in vain."""
    warned, canceled = ([n for n in wishes if n in kind] for kind in (stopsignals.TIME_IS_UP, stopsignals.GIVEN_UP))
    if warned and signal.SIGTERM in canceled:
        say("stopped too late to be queued again: its time was over. The same sbatch goes on from the last checkpoint "
            f"in {out}, if there is one; let SLURM warn it earlier, by --signal=B:USR1@SECONDS")
    elif canceled:
        say(f"canceled; the same sbatch goes on from the last checkpoint in {out}, if there is one")
    elif progress(out, env) == before:
        raise RunError(f"{out} is where it was when this job began, so it is not queued again: the time limit does not "
                       "suffice for one step.\nAsk for more time, more ranks, or a shorter --signal before the end.")
    else:
        requeue(job_name(env))


def requeue(name):
    """Queue a job of SLURM again under its number."""
    say(f"stopped with a checkpoint before the end of its time; job {name} is queued again")
    try:
        done = subprocess.run(["scontrol", "requeue", name], capture_output=True, text=True)
        failure = done.stderr.strip() if done.returncode else None
    except OSError as error:
        failure = f"scontrol: {error.strerror}"
    if failure:
        raise RunError(f"SLURM does not queue job {name} again: {failure}\n"
                       "The same sbatch goes on from the checkpoint.")


def job_name(env):
    """What scontrol calls this job; the plain number of a task may be that of its whole array."""
    if "SLURM_ARRAY_JOB_ID" in env:
        return f"{env['SLURM_ARRAY_JOB_ID']}_{env['SLURM_ARRAY_TASK_ID']}"
    return env["SLURM_JOB_ID"]


def progress(out, env):
    """Path -> first bytes of all that tells how far a job has come: equal when nothing went on.

    Those of a checkpoint are its seal, which has the checksum of the rest. Of an ensemble, the members of this task.
    """
    found = [path for pattern in PROGRESS for path in Path(out).glob(pattern)]
    if "SLURM_ARRAY_TASK_ID" in env:
        index, parts = map(int, array_part(env).split("/"))
        found = [path for path in found if path.parent == Path(out) or not is_count(path.parent.name)
                 or (int(path.parent.name) - index) % parts == 0]
    return {path: _head(path) for path in found}


def _head(path):
    try:
        with open(path, "rb") as file:
            return file.read(BLOCK)
    except OSError:         # it is just being replaced
        return b""


def say(line):
    """A line in the log of the job."""
    print(f"metacascade job: {line}", flush=True)


def _where(env):
    if "SLURM_JOB_ID" not in env:
        return os.uname().nodename
    times = int(env.get("SLURM_RESTART_COUNT", 0))
    return f"job {job_name(env)} on {env.get('SLURM_JOB_NODELIST')}" + (f", queued again {times} x" if times else "")


if __name__ == "__main__":
    with screened():
        try:
            _code = main(sys.argv[1:])
        except (InputError, RunError) as error:
            print(message(error), file=sys.stderr)
            _code = exit_code(error)
    stopsignals.ignore()                # Python would let go of its handlers first, and then be killed
    sys.exit(_code)
