"""Launches that cannot work, refused with what to do before MPI fails without a word that helps."""
import os
import signal
import sys

from metacascade.base.errors import InputError, on_all_ranks
from metacascade.base.screen import warn
from metacascade.ranks import launcher, sharedmemory

OTHER_LAUNCHER = ("Start with the mpiexec of the MPI that this Python uses, or choose another "
                  "`srun --mpi=...` (see `srun --mpi=list`).")
OF_SRUN = (f"\nFor one rank alone, in a shell or notebook that `srun --pty` gave: ask for it with `srun -n 1 --pty`,"
           f" or `unset {launcher.SRUN_SIZE}` in it.")


def library_name(library):
    """First line of what an MPI library says of itself."""
    return " ".join(library.splitlines()[0].strip("\x00").split())


def refuse_pmix(library):
    """MPICH ends the process without a word of ours where the launcher speaks only PMIx and it does not."""
    if ("PMIX_RANK" in os.environ and "PMI_FD" not in os.environ and "PMI_SIZE" not in os.environ
            and library.startswith("MPICH") and "pmix" not in library):
        raise on_all_ranks(InputError(
            f"the launcher is that of another MPI, such as Open MPI; MPI library: {library_name(library)}.\n"
            + OTHER_LAUNCHER))


def refuse_lonely_rank(size, why):
    """N processes that each believe to be alone would all write the same files."""
    if size == 1 and (found := launcher.several()):
        raise on_all_ranks(InputError(
            f"the launcher started {found[0]} processes ({found[1]}), but each sees only itself; {why}.\n"
            + OTHER_LAUNCHER + OF_SRUN * (found[1] == launcher.SRUN_SIZE)))


def refuse_small_shared_memory(library):
    """Refuse to start MPI where that would crash. A node that has less than the others ends the ranks of all."""
    try:
        warning = sharedmemory.prepare(library)
    except InputError as error:
        error.speaks = launcher.first_on_this_node()
        if launcher.several() and launcher.on_this_node() < launcher.several()[0]:
            if error.speaks:
                print(f"metacascade: {os.uname().nodename}: {error}", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)    # an exit code would leave the others waiting in the start of MPI
        on_all_ranks(error)
        raise
    if warning and launcher.first_on_this_node():
        warn(f"{os.uname().nodename}: {warning}")
