"""Handing a run in to SLURM: jobs/run.sbatch with everything filled in, after the config has been checked."""
import json
import math
import os
import shlex
import subprocess
import sys
from importlib import resources
from pathlib import Path

from metacascade.base.errors import DONE, InputError, RunError
from metacascade.base.screen import one_line
from metacascade.base.units import wall_time
from metacascade.io.atomic import reading, write_text, writing
from metacascade.io.results import NAME, open_results
from metacascade.io.rundirectory import holds_files
from metacascade.run import cluster, inputs
from metacascade.run.estimate import duration, expected
from metacascade.studies.sweep_table import state

SHORTEST_S = 60             # SLURM counts the time of a job in minutes
WARNING_S = 120             # before the end of its time a job is told to stop: at least so much earlier ...
WRITTEN_PER_S = 1e8         # ... and time for two steps and a checkpoint at so many bytes a second
FEW_CELLS = 100_000         # of a rank: all else in a step, such as messages, takes as long (docs/scaling.md)
OURS = "# By `metacascade submit`"     # in the second line of a script


def submit(config_path, out, nodes, time, ranks_per_node=None, site_path=None, overrides=(), options=(), watchdog=None,
           dry_run=False):
    """Write the script ``out.sbatch`` and hand it in, or with `dry_run` print it; the exit code.

    Parameters
    ----------
    time : str
        For one job: ``"12 h"`` or as SLURM writes it. A run that takes longer queues itself again.
    ranks_per_node : int, optional
        By default one for each core of a node, as SLURM knows it.
    options : sequence of str
        Further options of sbatch.

    Raises
    ------
    InputError
        If the config is wrong or not that of the run in `out`, if a job of that run is there, or if something
        of SLURM is missing.
    RunError
        If sbatch refuses the job.
    """
    given, site, out = inputs.read(config_path, overrides), cluster.site(site_path), Path(os.path.abspath(out))
    loaded = given.config
    seconds = time_of_a_job(time)
    found = _state(out, loaded)
    if found == "done":
        print(f"{out} is complete: nothing to submit")
        return DONE
    _refuse_second(out)
    cores, memory_bytes = _smallest_node(site, ranks_per_node)
    per_node = ranks_per_node or cores
    estimate = expected(loaded, nodes * per_node)
    warning_s = warning(estimate, seconds)
    arguments = [os.path.abspath(config_path), str(out), *(word for text in overrides for word in ("--set", text)),
                 "--wall-limit", f"{seconds - warning_s / 2:.0f} s", *(["--watchdog", watchdog] if watchdog else [])]
    script = written(out, site, nodes, per_node, seconds, warning_s, options, arguments)
    notes = [*given.notes, *_read_again(given)]
    inputs.tell([f"{'# ' * dry_run}{line}" for line in notes],
                [*given.of_one_run, *_doubts(estimate, seconds, nodes, memory_bytes)])
    if dry_run:
        print(script, end="")
    else:
        number = _handed_in(out, script)
        print(f"submitted job {number}: {nodes} node{'s' * (nodes > 1)} with {per_node} rank{'s' * (per_node > 1)} "
              f"each, {duration(seconds)}; it {'goes on from the checkpoint' if found == 'stopped' else 'begins'} "
              f"in {out}")
    for name, text in estimate.texts().items():
        print(f"{'# ' * dry_run}{name}: {text}")
    if not dry_run:
        print(f"watch it:   squeue -j {number}; tail -f {shlex.quote(f'{out}.log')}\n"
              f"stop it:    scancel {number}; it leaves a checkpoint, and the same submit goes on from there")
    return DONE


def time_of_a_job(text):
    """Seconds of a time such as "12 h" or "12:00:00". Raises InputError."""
    found = wall_time("--time", text)
    if found < SHORTEST_S:
        raise InputError(f"--time {text}: a job of SLURM has at least one minute")
    return found


def warning(estimate, seconds):
    """How long before the end of its time a job is told to stop [s]. Half of it later the run stops by itself.

    A guess, made before the run; its own wall limit knows how long a step and a checkpoint have become.
    """
    needed = WARNING_S + 2 * estimate.step_s + estimate.checkpoint_bytes / WRITTEN_PER_S
    return math.ceil(min(needed, seconds / 2))


def written(out, site, nodes, per_node, seconds, warning_s, options, arguments):
    """jobs/run.sbatch with its options and arguments filled in."""
    minutes = math.ceil(seconds / 60)
    lines = [f"--job-name={shlex.quote(one_line(out.name))}",
             f"--output={shlex.quote(f'{out}.log'.replace('%', '%%'))}",
             f"--nodes={nodes}", f"--ntasks-per-node={per_node}",
             f"--time={minutes // 1440}-{minutes // 60 % 24:02}:{minutes % 60:02}:00",
             f"--signal=B:USR1@{warning_s}", "--requeue", "--open-mode=append",
             *([f"--partition={site.partition}"] if site.partition else []),
             *([f"--account={site.account}"] if site.account else []),
             *([" ".join(site.options)] if site.options else []), *options]
    named = {"METACASCADE_PYTHON": sys.executable}
    if site.path:
        named[cluster.VARIABLE] = os.path.abspath(site.path)
    for line in lines:
        if "\n" in line:       # what follows it would be an option of its own, or a command
            raise InputError(f"a line break cannot be written in a job script: {one_line(line)}")
    body = resources.files("metacascade").joinpath("jobs", "run.sbatch").read_text("utf-8").partition("\ntrap")[2]
    return "\n".join([
        "#!/usr/bin/env bash",
        f"{OURS}. To hand it in again by hand: sbatch with the name of this file",
        *(f"#SBATCH {line}" for line in lines), "",
        *(f"export {name}={shlex.quote(value)}" for name, value in named.items()),
        f"set -- {shlex.join(arguments)}", f"trap{body}"])


def _state(out, loaded):
    """Whether the run in `out` is done, stopped (it goes on) or waiting (it begins); InputError if it must not."""
    found = state(out)
    if found == "running":
        raise InputError(f"{out}: another run is writing here; wait for it, or choose another --out")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; --out names a directory")
    if found == "waiting" and holds_files(out):
        raise InputError(f"{out} holds files already, but no checkpoint; choose another --out")
    if found in ("done", "stopped") and (out / NAME).exists():      # without it a run goes on, from its checkpoint
        with open_results(out, parts_needed=False) as results:
            former = results.config
        if differ := _difference(json.loads(json.dumps(loaded.to_dict())), former):
            raise InputError(f"{out} holds a run with another {differ}; a run goes on with its own config.\n"
                             "Choose another --out, or start from its checkpoint with `metacascade branch`")
    return found


def _refuse_second(out):
    """InputError if SLURM has a job of this script that has not ended. If it cannot tell, the lock of `out` is left."""
    try:
        said = subprocess.run(["squeue", "--me", "--noheader", "--format=%i %T %o"], capture_output=True, text=True)
    except OSError:
        return
    for line in said.stdout.splitlines():
        number, state, script = (line.split(" ", 2) + ["", ""])[:3]
        if script == f"{out}.sbatch":
            raise InputError(f"{out}: job {number} ({state.lower()}) is submitted for it; wait for its end, "
                             f"`scancel {number}`, or choose another --out")


def _difference(wanted, former):
    """The first section, or key of one, in which two configs differ; empty if in none."""
    for name, values in wanted.items():
        if values != (other := former.get(name)):
            keys = [key for key in values if values[key] != other.get(key)] if isinstance(values, dict) \
                and isinstance(other, dict) else []
            return f"{name}.{keys[0]}" if keys else f"[{name}]"
    return ""


def _read_again(given):
    """Where the vessels were read: the job reads them anew."""
    if given.network:
        yield (f"  read here, on {os.uname().nodename}; the job reads it again when it begins, so it must be there on "
               "its nodes, and as it is now")


def _smallest_node(site, ranks_per_node):
    """(cores, bytes of memory) of the smallest node of the partition, as SLURM knows it; 0 where it does not tell."""
    partition = ["--partition", site.partition] if site.partition else []
    failure = "sinfo lists none"
    try:
        said = subprocess.run(["sinfo", "--noheader", "--format=%P %X %Y %m", *partition],
                              capture_output=True, text=True)
        failure = said.stderr.strip() or failure
        lines = [line.split() for line in said.stdout.splitlines()]
    except OSError:
        failure, lines = "sinfo does not start here", []
    lines = [line for line in lines if line[0].endswith("*")] or lines
    nodes = [[int(number.rstrip("+")) for number in line[1:]] for line in lines]
    if not nodes and not ranks_per_node:
        raise InputError(f"SLURM does not tell the cores of a node ({failure}): give --ranks-per-node")
    return (min((sockets * each for sockets, each, _ in nodes), default=0),
            min((megabytes * 2**20 for _, _, megabytes in nodes), default=0))


def _doubts(estimate, seconds, nodes, memory_of_a_node):
    """What may be wrong with the time, the ranks and the nodes that are asked for."""
    if 0 < memory_of_a_node < estimate.memory_bytes / nodes:
        yield (f"the run needs {estimate.memory_bytes / 2**30:,.0f} GiB by estimate, and a node has "
               f"{memory_of_a_node / 2**30:,.0f} GiB: ask for more nodes")
    few = estimate.cells / estimate.ranks
    if estimate.ranks > 1 and 0 < few < FEW_CELLS:
        yield (f"a rank has {few:,.0f} cells at the start; with fewer than {FEW_CELLS:,} it spends more time on all "
               f"else than on cells: {max(estimate.cells // FEW_CELLS, 1):,} would do, instead of "
               f"{estimate.ranks:,} ranks")
    if estimate.step_s > seconds / 2:
        yield (f"a step takes {duration(estimate.step_s)} by estimate, and the job has {duration(seconds)}: "
               "ask for more nodes or more time")
    elif estimate.seconds > seconds:
        sessions = math.ceil(estimate.seconds / (seconds - warning(estimate, seconds)))
        yield (f"the run takes {duration(estimate.seconds)} by estimate, and a job has {duration(seconds)}: "
               f"it will queue itself again about {sessions - 1} times")


def _is_ours(path):
    """Is this a script that `submit` has written?"""
    with reading(path), open(path, "rb") as file:
        return file.read(200).partition(b"\n")[2].startswith(OURS.encode())


def _handed_in(out, script):
    """The number that sbatch gives to the script."""
    path = f"{out}.sbatch"
    with writing(path):
        out.parent.mkdir(parents=True, exist_ok=True)
    if os.path.exists(path) and not _is_ours(path):
        raise InputError(f"{path} is there, and not by `metacascade submit`: move it away, or choose another --out")
    write_text(path, script)
    try:
        done = subprocess.run(["sbatch", "--parsable", path], capture_output=True, text=True)
    except OSError as error:
        raise InputError(f"sbatch does not start ({error.strerror}): submit from a machine of the cluster.\n"
                         "Without SLURM: `bash jobs/run.sbatch CONFIG OUT`, or metacascade run under mpiexec") from None
    if done.returncode:
        raise RunError(f"sbatch refuses {path}: {done.stderr.strip() or f'exit code {done.returncode}'}\n"
                       "Options of sbatch come from the site file (docs/cluster.md) and from --sbatch")
    return done.stdout.strip().partition(";")[0]
