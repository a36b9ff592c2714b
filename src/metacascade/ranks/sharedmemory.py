"""Whether /dev/shm holds what MPI is about to put there: a container has 64 MiB, and without room MPI crashes or hangs.

Measured by df, 2 to 48 ranks of one node (docs/cluster.md): MPICH from 4.3 on takes 1.01 MiB a rank at its start, all
at once, and dies of a bus error where that is not there. The UCX in it takes 4.1 MiB a rank more, which no message
within a node ever uses, and crashes at some sizes below 27 MiB, such as 16, even for one rank. Open MPI finds out by
itself and does without.
"""
import os
import re

from metacascade.base.errors import InputError
from metacascade.ranks import launcher

FOLDER, MIB = "/dev/shm", 2**20
OF_MPICH, OF_OLDER_MPICH = 1.01, 4.3       # MiB a rank; before 4.3 up to so much, as messages come
ROOM = 1.1                                 # of that for safety: with all messages between all ranks it is 1.04 MiB
SCARCE, FOR_UCX = 64, 16                   # MiB, and a rank: more than UCX must have, as to be without it costs nothing
UCX, NOT_SHARED = "UCX_TLS", "^posix"
OF_USER = "MPIR_CVAR_CH4_SHM_POSIX_IQUEUE_"      # says otherwise how much MPICH takes
REMEDY = """\
In a container: `docker run --shm-size=1g` (or --ipc=host); in Kubernetes an emptyDir of `medium: Memory` at /dev/shm.
Otherwise: remove what killed programs left there, start fewer ranks, or
`export MPIR_CVAR_CH4_SHM_POSIX_IQUEUE_NUM_CELLS=8`, with which MPICH takes a seventh, and messages are slower"""


def prepare(library):
    """See that an MPI library, by what it says of itself, can start the ranks of this node; a warning, or None.

    Before MPI starts; costs one look at the file system. InputError where no rank could start. That is judged by the
    size of the file system, which all ranks see alike: those that are ahead have taken some of what is free.
    """
    found, ranks, (size, free) = re.match(r"MPICH Version:\s*(\d+)\.(\d+)", library), launcher.on_this_node(), room()
    if not found or not ranks or size is None:
        return None
    if "ch4" in library and "ucx" in library and free < SCARCE + FOR_UCX * ranks:
        os.environ.setdefault(UCX, NOT_SHARED)
    if any(name.startswith(OF_USER) for name in os.environ):
        return None
    known = (int(found[1]), int(found[2])) >= (4, 3) and "ch4" in library
    if known and size < OF_MPICH * ranks:
        raise InputError(_told(ranks, OF_MPICH, f"has {size:,.1f} MiB", "they would crash as they start"))
    needed = OF_MPICH * ROOM if known else OF_OLDER_MPICH
    return _told(ranks, needed, f"has {free:,.1f} MiB free", "they may crash") if free < needed * ranks else None


def _told(ranks, each, there, what):
    return (f"{FOLDER}, the memory that the ranks of a node share, {there}, and MPICH takes {each * ranks:,.1f} MiB "
            f"there for {ranks:,} rank{'s' * (ranks > 1)}: {what}.\n{REMEDY}")


def room():
    """Size and free part of the file system [MiB]; None where there is none."""
    try:
        found = os.statvfs(FOLDER)
    except OSError:
        return None, None
    return found.f_blocks * found.f_frsize / MIB, found.f_bavail * found.f_frsize / MIB
