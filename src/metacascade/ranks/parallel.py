"""The ranks of a run: who they are, exact sums, and how one rank's error ends all.

Only this module and ``exchange`` import mpi4py, and only when a run starts, so that file tools and
``check`` work where no MPI library is installed or MPI may not be started.
"""
import contextlib
import functools
import os
import sys
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass

import numpy as np

from metacascade.base import memory
from metacascade.base.errors import InputError, RunError, on_all_ranks
from metacascade.base.screen import warn
from metacascade.ranks import launcher, wronglaunch

# looks for a message before a waiting rank sleeps: to wake up takes longer than most waits
POLLS, POLLS_CROWDED = 20_000, 200
LAST_WORDS_S = 0.3      # mpiexec reads what a rank says; of one that aborts at once the message was lost now and then
BY_HAND = ("this shell of `srun --pty` is one of several tasks, of which the others have ended: one rank. For more on "
           "this node: `mpiexec -launcher fork -n RANKS` of MPICH; on all: salloc, and srun or mpiexec in it")


def owner_of_id(ids, size):
    """Rank that owns each id: ``(id >> 48) * size >> 16``, so that the order of ranks is that of ids."""
    return (((np.asarray(ids, np.uint64) >> np.uint64(48)) * np.uint64(size)) >> np.uint64(16)).astype(np.int64)


@dataclass
class Traffic:
    """What one kind of communication has cost this rank so far.

    `count`: messages sent, or collectives taken part in; `bytes`: handed over by this rank; `wall_s` and `cpu_s`:
    sending, receiving and waiting. A rank that waits may use its core all the while: `cpu_s` is no work.
    """

    count: int = 0
    bytes: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def add(self, sent):
        """Count one message or collective of so many bytes."""
        self.count += 1
        self.bytes += sent

    @contextlib.contextmanager
    def timed(self):
        """Count the time of the body as communication of this kind."""
        wall, cpu = time.perf_counter(), time.thread_time()
        yield
        self.wall_s += time.perf_counter() - wall
        self.cpu_s += time.thread_time() - cpu

    def one(self, sent=0):
        """Count the body as one collective of so many bytes (0 for objects), with its time."""
        self.add(sent)
        return self.timed()


class World:
    """The ranks of this run. With one rank no MPI call is ever made.

    Every method is collective: all ranks call it, in the same order. `collectives` counts them. `polls`: how often a
    waiting rank looks for a message before it begins to sleep.
    """

    def __init__(self, comm=None, polls=None):
        self.comm = comm
        self.polls = polls or (POLLS_CROWDED if _crowded(comm) else POLLS)
        self.collectives = Traffic()
        self.rank = 0 if comm is None else comm.rank
        self.size = 1 if comm is None else comm.size

    def sum(self, values):
        """Exact sum over ranks of an int64 array; the same array on all."""
        values = np.ascontiguousarray(values, np.int64)
        if self.size == 1:
            return values.copy()
        total = np.empty_like(values)
        with self.collectives.one(values.nbytes):
            self.comm.Allreduce(values, total)
        return total

    def max(self, value):
        """Largest of one integer per rank."""
        if self.size == 1:
            return value
        from mpi4py import MPI
        largest = np.empty(1, np.int64)
        with self.collectives.one(8):
            self.comm.Allreduce(np.array([value], np.int64), largest, MPI.MAX)
        return int(largest[0])

    def maxima(self, values):
        """Largest over ranks of each of some integers: an int64 array, the same on all."""
        values = np.ascontiguousarray(values, np.int64)
        if self.size == 1:
            return values.copy()
        from mpi4py import MPI
        largest = np.empty_like(values)
        with self.collectives.one(values.nbytes):
            self.comm.Allreduce(values, largest, MPI.MAX)
        return largest

    def exscan(self, value):
        """Sum of `value` over the ranks before this one."""
        if self.size == 1:
            return 0
        with self.collectives.one(8):
            before = self.comm.exscan(int(value))
        return 0 if self.rank == 0 else before

    def gather(self, value):
        """A list with one object per rank on rank 0, None elsewhere. For small things."""
        if self.size == 1:
            return [value]
        with self.collectives.one():
            return self.comm.gather(value)

    def allgather(self, value):
        """A list with one object per rank, on all ranks. For small things."""
        if self.size == 1:
            return [value]
        with self.collectives.one():
            return self.comm.allgather(value)

    def bcast(self, value):
        """Rank 0's object on all ranks."""
        if self.size == 1:
            return value
        with self.collectives.one():
            return self.comm.bcast(value)

    def barrier(self):
        """Wait until all ranks are here."""
        if self.size > 1:
            with self.collectives.one():
                self.comm.Barrier()

    def agree(self, error):
        """Raise the error of the lowest rank that has one, on every rank; do nothing if none has."""
        if self.size == 1:
            if error is not None:
                raise error
            return
        failed = np.array([self.rank if error is not None else self.size])
        lowest = np.empty_like(failed)
        from mpi4py import MPI
        with self.collectives.one(8):
            self.comm.Allreduce(failed, lowest, MPI.MIN)
        if lowest[0] == self.size:
            return
        shared = self.comm.bcast(_portable(error), root=int(lowest[0]))
        raise on_all_ranks(error if self.rank == lowest[0] else shared)

    @contextlib.contextmanager
    def together(self):
        """An error in the body on any rank is raised on every rank. The body makes no MPI call."""
        error = None
        try:
            yield
        except Exception as exception:
            error = exception
        self.agree(error)

    def places(self):
        """Where the ranks are, on rank 0: {host: (ranks, cores that they may use)}."""
        ranks, cores = Counter(), Counter()
        for host, bits in self.gather((os.uname().nodename, _usable_cores())) or ():
            ranks[host] += 1
            cores[host] |= bits
        return {host: (n, cores[host].bit_count()) for host, n in ranks.items()}

    def library(self):
        """First line of what the MPI library says of itself."""
        if self.comm is None:
            return "none"
        from mpi4py import MPI
        return wronglaunch.library_name(MPI.Get_library_version())


def _usable_cores():
    """The cores that this process may use, as bits of a number."""
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count())
    return sum(1 << core for core in usable)


def _crowded(comm):
    """Do more ranks than cores share this node? Collective."""
    if comm is None:
        return False
    from mpi4py import MPI
    node = comm.Split_type(MPI.COMM_TYPE_SHARED)
    cores = 0
    for bits in node.allgather(_usable_cores()):
        cores |= bits
    crowded = node.size > cores.bit_count()
    node.Free()
    return crowded


def _portable(error):
    """What other ranks get of `error`: one with the same message, that ends them with the same exit code."""
    if error is None or type(error) in (InputError, RunError):
        return error
    return InputError(str(error)) if isinstance(error, InputError) else RunError(f"{type(error).__name__}: {error}")


def serial_world():
    """One rank, without MPI."""
    return World()


def start():
    """The world of this process: MPI if it is there, one rank if not; refuses a wrong launch."""
    memory.give_back()
    if launcher.typed():
        warn(BY_HAND)
        return World()
    try:
        import mpi4py
        mpi4py.rc(initialize=False, finalize=True, thread_level="funneled")
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        wronglaunch.refuse_lonely_rank(1, f"no MPI library could be loaded ({str(error).splitlines()[0]})")
        return World()
    library = MPI.Get_library_version()
    if not MPI.Is_initialized():
        wronglaunch.refuse_pmix(library)
        wronglaunch.refuse_small_shared_memory(library)
        with warnings.catch_warnings():                # mpi4py's, of what is refused below
            warnings.simplefilter("ignore", RuntimeWarning)
            MPI.Init_thread(MPI.THREAD_FUNNELED)
    wronglaunch.refuse_lonely_rank(MPI.COMM_WORLD.size, f"MPI library: {wronglaunch.library_name(library)}")
    if MPI.COMM_WORLD.size == 1:
        return World()
    _abort_on_error(MPI)
    first = _first_world(MPI)
    return World(first.comm, first.polls)


@functools.cache
def _first_world(MPI):
    """Its communicator serves all worlds of this process: MPI has some 2,000, and a script may make many runs."""
    return World(MPI.COMM_WORLD.Dup())


def _abort_on_error(MPI):
    """An exception that nobody caught ends all ranks, not only its own."""
    def hook(kind, error, trace):
        sys.stdout.flush()
        print(f"rank {MPI.COMM_WORLD.rank}: ", end="", file=sys.stderr)
        traceback.print_exception(kind, error, trace)
        abort(1)
    sys.excepthook = hook


def abort(code):
    """End every rank now; for an error that only this rank knows of."""
    sys.stdout.flush()
    sys.stderr.flush()
    time.sleep(LAST_WORDS_S)
    from mpi4py import MPI
    MPI.COMM_WORLD.Abort(code)
