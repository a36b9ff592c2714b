"""The site file: what is special about a cluster, in lines that both bash and this module read.

::

    PARTITION=batch                  # of sbatch
    ACCOUNT=tumor_lab                # of sbatch
    MODULES="gcc/12.2 mpich/4.2"     # loaded in a job before anything else
    LAUNCH="srun --mpi=pmi2"         # starts ranks, followed by `-n RANKS`; default: mpiexec
    OPTIONS="--exclusive --mem=0"    # further options of sbatch
    NODE_DISK=/tmp                   # a disk of each node's own: a job copies Python there before the ranks start

It is the file that METACASCADE_SITE names, else ~/.config/metacascade/site.conf; without one the
defaults hold.
"""
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.base.screen import one_line, visible

VARIABLE = "METACASCADE_SITE"
MPIEXEC = "mpiexec"
RANKS_PER_CORE = 128  # on this machine: each takes some 80 MB, and time to start
LARGEST = 100_000     # bytes of a site file
REMIND_S = 5.0        # between two signals to ranks that are to stop: the first may come before they listen
SRUN_WAIT_S = 60      # srun alone would wait for ever for the other ranks of one that has died
KEYS = ("PARTITION", "ACCOUNT", "MODULES", "LAUNCH", "OPTIONS", "NODE_DISK")


@dataclass(frozen=True)
class Site:
    """One cluster, or this machine. `path`: the file it was read from, None for the defaults."""
    partition: str = ""
    account: str = ""
    modules: tuple[str, ...] = ()
    launch: tuple[str, ...] = (MPIEXEC,)
    options: tuple[str, ...] = ()
    node_disk: str = ""
    path: Path | None = None

    def command(self, ranks):
        """The words before ``PYTHON -m metacascade ...`` that start so many ranks; InputError without a launcher."""
        program, *options = self.launch
        if Path(program).name == "srun":
            options.insert(0, f"--wait={SRUN_WAIT_S}")
        return [_found(program, self.path), *options, "-n", str(ranks)]


def refuse_too_many(ranks, launch):
    """InputError for more ranks than this machine holds; of a job, or a launcher of the site, nothing is known here."""
    cores = len(os.sched_getaffinity(0))
    if tuple(launch) == Site().launch and "SLURM_JOB_ID" not in os.environ and ranks > RANKS_PER_CORE * cores:
        raise InputError(f"{ranks:,} ranks cannot be started here: {MPIEXEC} starts them all on this machine, which "
                         f"has {cores} core{'s' * (cores > 1)}, and more than {RANKS_PER_CORE} ranks a core "
                         "are refused.\n"
                         "On a cluster: in a job of SLURM, or with LAUNCH in the site file; `metacascade scaling "
                         "project` projects to more ranks")


def site(path=None):
    """The Site of a file, of the one in its usual place, or the defaults; InputError for what is wrong in it."""
    chosen = path or os.environ.get(VARIABLE)
    if chosen:
        return _read(Path(chosen), "--site" if path else VARIABLE)
    usual = usual_path()
    return _read(usual, "the usual place") if usual.is_file() else Site()


def usual_path():
    """Where a site file is looked for when nothing names one."""
    return Path(os.environ.get("HOME") or "/") / ".config" / "metacascade" / "site.conf"


def _read(path, named_by):
    try:
        with open(path, "rb") as file:
            text = file.read(LARGEST + 1).decode()
        if len(text) > LARGEST:
            raise ValueError(f"it is larger than {LARGEST:,} bytes")
    except (OSError, ValueError) as error:
        not_text = isinstance(error, UnicodeDecodeError)
        why = "it is not text in UTF-8" if not_text else getattr(error, "strerror", None) or error
        raise InputError(f"site file {path} ({named_by}): {why}") from None
    values, problems = {}, []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            values |= _setting(line)
        except ValueError as error:
            problems.append(f"{path}:{number}: {one_line(error)}")
    if problems:
        raise InputError("\n".join(problems))
    return Site(
        partition=values.get("PARTITION", ""), account=values.get("ACCOUNT", ""),
        modules=tuple(values.get("MODULES", "").split()), launch=tuple(values.get("LAUNCH", "").split()) or (MPIEXEC,),
        options=tuple(values.get("OPTIONS", "").split()), node_disk=values.get("NODE_DISK", ""), path=path)


def _setting(line):
    """A line as {KEY: value}, {} for an empty one; ValueError where bash would read something else."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        raise ValueError(f"{str(error).lower()}: {line.strip()}") from None
    if not words:
        return {}
    if visible(line) != line:
        raise ValueError(f"a hidden character, which bash would keep: {line}")
    key, equals, value = words[0].partition("=")
    if not equals or not line.lstrip().startswith(f"{key}="):
        raise ValueError(f"expected KEY=VALUE without spaces round the =, found: {line.strip()}")
    if key not in KEYS:
        raise ValueError(f"there is no key {key!r}{nearest(key, KEYS)}; keys: {', '.join(KEYS)}")
    if len(words) > 1:
        raise ValueError(f'a value with spaces needs quotes: {key}="{" ".join([value, *words[1:]])}"')
    first = line.split()[0]
    unquoted = first if not set(first) & set("\"'") else ""
    if set(value) & set("$`\\\"'") or set(unquoted) & set("~;&|<>()#"):
        raise ValueError(f"{key} is a plain text, in which nothing is replaced or run: {line.strip()}")
    if key == "NODE_DISK" and value and not value.startswith("/"):
        raise ValueError(f"expected the full path of a directory on each node, such as NODE_DISK=/tmp: {line.strip()}")
    return {key: value}


def _found(program, path):
    """The program that starts ranks: of mpiexec the one beside this Python, which belongs to its MPI."""
    beside = Path(sys.executable).parent / program
    if program == MPIEXEC and os.access(beside, os.X_OK):
        return str(beside)
    if shutil.which(program):
        return program
    where = f"LAUNCH in {path}" if path else f"no site file ({usual_path()} or ${VARIABLE}) says otherwise"
    raise InputError(f"{program} starts the ranks, but is neither beside this Python nor on the PATH; {where}.\n"
                     'Load the MPI of the site, set LAUNCH, or install one: pip install "metacascade[mpich]"')
