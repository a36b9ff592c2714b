"""`metacascade doctor`: each check finds its fault, and says what to do."""
import errno
import fcntl
import json
import shutil
import sys
from collections import namedtuple

import pytest

from metacascade.__main__ import main
from metacascade.base import versions
from metacascade.ranks import sharedmemory
from metacascade.run import doctor
from metacascade.run.doctor import OK, WARN, WRONG

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """The present directory is one that may be written to, without a site file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


def launch(monkeypatch, tmp_path, script):
    """Let a script start the ranks."""
    program = tmp_path / "launch"
    program.write_text(script)
    program.chmod(0o755)
    (tmp_path / "site.conf").write_text(f'LAUNCH="{program}"\n')
    monkeypatch.setenv("METACASCADE_SITE", str(tmp_path / "site.conf"))


@pytest.mark.parametrize("states, code", [((OK, OK), 0), ((OK, WARN), 0), ((WARN, WRONG), 1)])
def test_only_what_is_wrong_makes_the_exit_code_1(monkeypatch, capsys, states, code):
    monkeypatch.setattr(doctor, "CHECKS", {f"check {n}": lambda state=state: (state, "found", "do this") for n, state in enumerate(states)})
    assert main(["doctor"]) == code
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == list(states) and "found. do this" in lines[0]
    assert main(["doctor", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] == (code == 0) and [one["state"] for one in told["checks"]] == list(states)
    assert told["checks"][0] == {"name": "check 0", "state": states[0], "found": "found", "remedy": "do this"}


def test_a_check_that_fails_in_itself_is_told_and_the_others_go_on(monkeypatch, capsys):
    def broken():
        raise KeyError("surprise")
    monkeypatch.setattr(doctor, "CHECKS", {"first": broken, "second": lambda: (OK, "fine")})
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "KeyError: 'surprise'" in out and "1 ok, 1 wrong" in out


@pytest.mark.parametrize("check", [doctor.kernels, doctor.hdf5, doctor.locks, doctor.disk, doctor.memory])
def test_a_machine_on_which_the_tests_run_has_nothing_wrong(check):
    assert check()[0] != WRONG, check()


def test_a_compiler_and_headers_that_are_missing_are_only_for_building(monkeypatch, tmp_path):
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setenv("PATH", str(tmp_path))
    state, found, remedy = doctor.compiler()
    assert state == WARN and "no C compiler" in found and "build-essential" in remedy
    monkeypatch.setattr(doctor.sysconfig, "get_path", lambda _: str(tmp_path))
    assert doctor.headers()[0] == WARN and "python3-dev" in doctor.headers()[2]


def test_kernels_that_do_not_load_are_wrong(monkeypatch):
    monkeypatch.setattr(versions, "kernels", lambda: ["_not_there"])
    state, found, remedy = doctor.kernels()
    assert state == WRONG and "_not_there" in found and "pip install ." in remedy


def test_no_mpi_library_is_wrong(monkeypatch):
    monkeypatch.setattr(doctor, "MPI_SAYS", "raise RuntimeError('cannot load MPI library')")
    state, found, remedy = doctor.mpi_library()
    assert state == WRONG and "cannot load MPI library" in found and "mpich" in remedy


TWICE = 'shift 2; for i in 1 2; do "$@"; done\n'        # -n 2 COMMAND: as a launcher of another MPI does


@pytest.mark.parametrize("script, state, told", [
    ("#!/bin/sh\n" + TWICE, WRONG, "each see only themselves"), ("#!/bin/sh\necho no daemon >&2; exit 3\n", WRONG, "exit code 3: no daemon"),
    ("#!/bin/sh\necho rank 0 of 2 2; echo rank 1 of 2 2\n", OK, "starts two that see each other")],
    ids=["another MPI", "broken", "right"])
def test_a_launcher_that_does_not_fit_is_wrong(monkeypatch, tmp_path, script, state, told):
    launch(monkeypatch, tmp_path, script)
    monkeypatch.setattr(doctor, "RANK_SAYS", "print('rank 0 of 1 1')")
    found = doctor.two_ranks()
    assert found[0] == state and told in found[1] and (state == OK or found[2])


def test_a_launcher_that_hangs_is_ended(monkeypatch, tmp_path):
    launch(monkeypatch, tmp_path, "#!/bin/sh\nexec sleep 600\n")
    said = doctor._said
    monkeypatch.setattr(doctor, "_said", lambda command: said(command, 0.2))
    assert doctor.two_ranks()[:2] == (WRONG, f"{tmp_path}/launch -n 2: no end after 0.2 s")


def test_no_launcher_leaves_one_rank(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert doctor.two_ranks()[0] == WARN and "one rank runs" in doctor.two_ranks()[2]


def test_little_shared_memory_is_told_for_mpich_alone(monkeypatch):
    monkeypatch.setattr(sharedmemory, "room", lambda: (1.0, 0.5))
    for library, state in (("MPICH Version: 5.0.2", WARN), ("Open MPI v5", OK)):
        monkeypatch.setattr(doctor, "_said", lambda command, library=library: (0, library, ""))
        assert doctor.shared_memory()[0] == state


def test_a_directory_without_locks_or_space_and_a_slow_disk_are_told(monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "fcntl", refuse)
        assert doctor.locks()[0] == WARN and "No locks available" in doctor.locks()[1]
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: Usage(10, 9, 1))
        assert doctor.disk()[0] == WARN and "dry-run" in doctor.disk()[2]
    with monkeypatch.context() as patch:
        patch.setattr(doctor, "SLOW", 1e15)
        assert doctor.disk()[0] == WARN and "checkpoints take long" in doctor.disk()[2]


def test_a_disk_that_takes_nothing_is_wrong(monkeypatch):
    def refuse(**_):
        raise OSError(errno.EROFS, "Read-only file system")
    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    assert doctor.disk()[:2] == (WRONG, f"cannot write in {doctor.os.getcwd()}: Read-only file system")


def test_a_quota_below_the_cores_and_a_busy_machine_are_told(monkeypatch):
    monkeypatch.setattr(doctor.os, "sched_getaffinity", lambda _: range(8))
    monkeypatch.setattr(doctor.os, "getloadavg", lambda: (0.0, 0, 0))
    monkeypatch.setattr(doctor, "_quota", lambda: 2.5)
    assert doctor.cores()[0] == WARN and "no more than 2 ranks" in doctor.cores()[2]
    monkeypatch.setattr(doctor, "_quota", lambda: None)
    assert doctor.cores()[0] == OK
    monkeypatch.setattr(doctor.os, "getloadavg", lambda: (9.0, 0, 0))
    assert doctor.cores()[0] == WARN and "times mean little" in doctor.cores()[2]


def test_threads_of_libraries_are_told(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert doctor.threads() == (WARN, "OMP_NUM_THREADS=8", "a rank is one thread: unset OMP_NUM_THREADS")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert doctor.threads()[0] == OK


def test_a_slurm_that_does_not_answer_is_told(monkeypatch, stand_in, tmp_path):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    stand_in(sbatch="#!/bin/sh\n", srun="#!/bin/sh\n", sinfo="#!/bin/sh\necho Unable to contact controller >&2; exit 1\n")
    assert doctor.slurm()[:2] == (WARN, "sinfo: Unable to contact controller")
    stand_in(sinfo="#!/bin/sh\necho debug\n")
    assert doctor.slurm()[:2] == (OK, "sinfo answers")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert doctor.slurm() == (OK, "in job 7")
