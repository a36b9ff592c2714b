"""What a launcher of MPI says in the environment of the processes that it starts: who they are, and how many.

mpiexec of MPICH, mpiexec of Open MPI and srun of SLURM each have variables of their own. Those of SLURM are also there
where it is not the launcher: in a batch job, under an mpiexec, in a shell. So the others are asked first.
"""
import os
import sys

from metacascade.base.numerals import is_count

RANKS = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK")
SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
ON_NODE = ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE")
FIRST_ON_NODE = ("MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID")
SRUN_RANK, SRUN_SIZE, SRUN_NODE = "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_NODEID"
SRUN_ON_NODES, SRUN_TASK = "SLURM_STEP_TASKS_PER_NODE", "SLURM_TASK_PID"
OF_A_RANK = ("PMI_", "PMIX_", "OMPI_COMM_WORLD_", "HYDI_", "MPI_LOCAL",
             SRUN_RANK, SRUN_SIZE, SRUN_ON_NODES, SRUN_TASK, FIRST_ON_NODE[2])


def launched():
    """Was this process started as a rank by a launcher that knows MPI?"""
    return not typed() and any(name in os.environ for name in RANKS)


def open_mpi():
    """Is the launcher that of Open MPI?"""
    return SIZES[1] in os.environ


def rank():
    """The rank that the launcher gave to this process; 0 without a launcher."""
    if typed():
        return 0
    return next((n for n in map(_number, (*RANKS, SRUN_RANK)) if n is not None), 0)


def several():
    """(number of processes, variable that tells it) if a launcher started this one as one of several, else None."""
    names = [name for name in SIZES if _number(name)] or [SRUN_SIZE]
    found = [(_number(name) or 1, name) for name in names]
    return next((pair for pair in found if pair[0] > 1), None) if not typed() else None


def first_on_this_node():
    """Is this the first of the ranks on its node?"""
    return next((n for n in map(_number, FIRST_ON_NODE) if n is not None), 0) == 0


def on_this_node():
    """How many ranks the launcher started on the node of this one; None where it does not tell."""
    if typed() or not (several() or launched()):
        return 1
    return next((n for n in map(_number, ON_NODE) if n), None) or _of_srun()


def _of_srun():
    """The same by srun, whose list of nodes is such as ``4(x2),3``."""
    counts = []
    for part in filter(None, os.environ.get(SRUN_ON_NODES, "").split(",")):
        count, _, times = part.rstrip(")").partition("(x")
        if not (is_count(count) and is_count(times or "1")):
            return None
        counts += [int(count)] * int(times or 1)
    node = _number(SRUN_NODE)
    return counts[node] if node is not None and node < len(counts) else None


def typed():
    """Was this process started by hand, in a shell that ``srun --pty`` gave?

    What srun says there is about the shell: if it counts several tasks, the others have long ended. Such a shell gives
    each command a process group of its own, and the terminal.
    """
    task = _number(SRUN_TASK)
    if task in (None, os.getpid()) or any(name in os.environ for name in ON_NODE) or not _at_terminal():
        return False
    try:
        return os.getpgid(task) != os.getpgrp()
    except OSError:
        return False


def _at_terminal():
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def without(env=os.environ):
    """The environment without what tells of a rank: for processes that are none, or ranks of another launcher."""
    return {name: value for name, value in env.items() if not name.startswith(OF_A_RANK)}


def _number(name):
    """A variable of the environment as a whole number, None if it is none."""
    text = os.environ.get(name, "")
    return int(text) if is_count(text) else None
