"""What /dev/shm must hold for the ranks of a node, and that it is looked at before MPI starts."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import small
from conftest import environment, hydra, launcher
from metacascade.base.errors import InputError
from metacascade.ranks import sharedmemory

MPICH = "MPICH Version:      5.0.2\nMPICH Device:       ch4:ucx ofi\n"
WITHOUT_UCX = MPICH.replace("ucx ", "")
OLD = "MPICH Version:\t4.0.3\nMPICH Device:\tch4:ofi\n"
OLDER = "MPICH Version:\t3.4.3\nMPICH Device:\tch3:nemesis\n"
OTHERS = ("Open MPI v5.0.11", "Intel(R) MPI Library 2021", "MPI VERSION : CRAY MPICH version 8.1")
ENOUGH, PLENTY = 30.0, 1e6


@pytest.fixture
def looked(monkeypatch):
    """``looked(library, ranks, size, free)``: the warning; and what UCX_TLS is then."""
    for name in [name for name in os.environ if name.startswith((sharedmemory.UCX, sharedmemory.OF_USER))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "environ", dict(os.environ))

    def looked(library, ranks, size, free=None):
        monkeypatch.setattr(sharedmemory.launcher, "on_this_node", lambda: ranks)
        monkeypatch.setattr(sharedmemory, "room", lambda: (size, size if free is None else free))
        return sharedmemory.prepare(library)
    return looked


@pytest.mark.parametrize("ranks, size, allowed", [(24, 64, True), (63, 64, True), (64, 64, False), (4, 4, False), (1, 1, False)])
def test_ranks_that_cannot_start_are_refused_with_what_to_do(looked, ranks, size, allowed):
    if allowed:
        looked(MPICH, ranks, size)
        return
    with pytest.raises(InputError, match=f"(?s)has {size}.0 MiB.*for {ranks} rank.*--shm-size=1g.*--ipc=host"):
        looked(MPICH, ranks, size)


@pytest.mark.parametrize("library, size, free, warned", [
    (MPICH, PLENTY, PLENTY, False), (MPICH, 64, ENOUGH, False), (MPICH, 64, 25, True), (WITHOUT_UCX, 64, 25, True),
    (OLD, 64, 64, True), (OLD, PLENTY, 110, False), (OLDER, 10, 10, True), *((other, 1, 1, False) for other in OTHERS)], ids=str)
def test_what_is_near_the_limit_is_warned_of(looked, library, size, free, warned):
    found = looked(library, 24, size, free)
    assert bool(found) == warned and (not warned or "they may crash" in found and "docker run" in found)


@pytest.mark.parametrize("library, free, set_", [
    (MPICH, 64, True), (MPICH, PLENTY, False), (WITHOUT_UCX, 64, False), *((other, 64, False) for other in OTHERS)], ids=str)
def test_ucx_leaves_the_memory_alone_where_it_is_scarce(looked, library, free, set_):
    looked(library, 24, PLENTY, free)
    assert (os.environ.get("UCX_TLS") == "^posix") == set_


def test_what_the_user_has_set_stays_and_is_trusted(looked):
    os.environ["UCX_TLS"] = "tcp"
    looked(MPICH, 24, 64)
    assert os.environ["UCX_TLS"] == "tcp"
    os.environ["MPIR_CVAR_CH4_SHM_POSIX_IQUEUE_NUM_CELLS"] = "8"
    assert looked(MPICH, 24, 4) is None


@pytest.mark.parametrize("ranks, size", [(None, 1), (24, None)])
def test_where_nothing_is_known_nothing_is_refused(looked, ranks, size):
    assert looked(MPICH, ranks, size) is None and "UCX_TLS" not in os.environ


# --- for real -----------------------------------------------------------------------------------------------

def with_memory(megabytes, ranks, *arguments, each=()):
    """metacascade on so many ranks where /dev/shm has so much."""
    mount = f'mount -t tmpfs -o size={megabytes}m tmpfs /dev/shm && exec "$@"'
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", mount, "sh", launcher(), "-n", str(ranks), *each, sys.executable, "-m", "metacascade",
         *map(str, arguments)], env=environment(), capture_output=True, text=True, timeout=120, start_new_session=True)


@pytest.fixture
def mounted(mpirun):
    """`with_memory`, where that can be tried."""
    tried = shutil.which("unshare") and subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/dev/shm"], capture_output=True)
    if not tried or tried.returncode or not hydra() or not Path(sharedmemory.FOLDER).is_dir():
        pytest.skip("needs root, util-linux and the mpiexec of MPICH")
    return with_memory


RUN = ("run", small.EXAMPLE, *small.arguments(run__duration="2 h", output__interval="2 h", output__checkpoint="2 h",
                                              tumor__cells=500, injection=[], draw=[]), "--out")


@pytest.mark.mpi
@pytest.mark.parametrize("megabytes, ranks", [
    (16, 4), *(pytest.param(*more, marks=pytest.mark.slow) for more in ((22, 4), (64, 24)))])
def test_in_a_small_container_ranks_run_that_crashed_before(mounted, tmp_path, megabytes, ranks):
    done = mounted(megabytes, ranks, *RUN, tmp_path / "run")
    assert done.returncode == 0 and f"{ranks} ranks on 1 node" in done.stdout, done.stderr


@pytest.mark.mpi
def test_where_mpi_would_crash_it_does_not_start(mounted, tmp_path):
    done = mounted(3, 4, *RUN, tmp_path / "run")
    assert done.returncode == 2 and done.stderr.count("metacascade:\n/dev/shm") == 1, done.stderr
    assert "docker run --shm-size" in done.stderr and not (tmp_path / "run").exists()


@pytest.mark.mpi
def test_a_node_with_too_little_ends_the_ranks_of_all_others_too(mounted, tmp_path):
    """Each rank is told to be a node of its own, and only one of them has too little."""
    each = ["sh", "-c", 'export MPI_LOCALNRANKS=1 MPI_LOCALRANKID=0; [ "$PMI_RANK" != 1 ] || exec unshare --mount sh -c '
            '\'mount -t tmpfs -o size=1m tmpfs /dev/shm && exec "$@"\' sh "$@"; exec "$@"', "sh"]
    done = mounted(64, 3, *RUN, tmp_path / "run", each=each)
    assert done.returncode != 0 and done.stderr.count("docker run --shm-size") == 1, done.stderr
    assert not (tmp_path / "run").exists()
