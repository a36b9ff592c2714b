"""What launchers tell: each variable that one of them sets, alone and where another's is there too."""
import fcntl
import os
import pty
import subprocess
import sys
import termios

import pytest

import small
from conftest import environment
from metacascade.base.errors import InputError
from metacascade.ranks import launcher
from metacascade.ranks.parallel import start
from metacascade.ranks.wronglaunch import refuse_lonely_rank

HYDRA = dict(PMI_RANK="2", PMI_SIZE="4", MPI_LOCALNRANKS="3", MPI_LOCALRANKID="2")
OPEN_MPI = dict(OMPI_COMM_WORLD_RANK="3", OMPI_COMM_WORLD_SIZE="4", OMPI_COMM_WORLD_LOCAL_SIZE="4",
                OMPI_COMM_WORLD_LOCAL_RANK="3", PMIX_RANK="3")
SRUN = dict(SLURM_PROCID="5", SLURM_STEP_NUM_TASKS="7", SLURM_STEP_TASKS_PER_NODE="2(x3),1", SLURM_NODEID="2",
            SLURM_LOCALID="1", SLURM_TASK_PID="1")
BATCH = dict(SLURM_PROCID="0", SLURM_LOCALID="0", SLURM_NODEID="0", SLURM_TASK_PID="1", SLURM_TASKS_PER_NODE="4")
ALONE = dict(PMI_RANK="0", PMI_SIZE="1", MPI_LOCALNRANKS="1", MPI_LOCALRANKID="0")


@pytest.fixture
def told(monkeypatch):
    """``told(**variables)``: the environment has these and no others of a launcher."""
    def told(**variables):
        for name in os.environ:
            if name.startswith((*launcher.OF_A_RANK, "SLURM_")):
                monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
    return told


@pytest.mark.parametrize("variables, rank, several, here, first", [
    ({}, 0, None, 1, True),
    (HYDRA, 2, (4, "PMI_SIZE"), 3, False),
    (OPEN_MPI, 3, (4, "OMPI_COMM_WORLD_SIZE"), 4, False),
    (SRUN, 5, (7, "SLURM_STEP_NUM_TASKS"), 2, False),
    (SRUN | {"SLURM_NODEID": "3", "SLURM_LOCALID": "0"}, 5, (7, "SLURM_STEP_NUM_TASKS"), 1, True),
    (SRUN | {"SLURM_STEP_TASKS_PER_NODE": "2(y3)"}, 5, (7, "SLURM_STEP_NUM_TASKS"), None, False),
    (SRUN | dict(PMI_RANK="5", PMI_SIZE="7"), 5, (7, "PMI_SIZE"), 2, False),
    (BATCH, 0, None, 1, True),
    (BATCH | HYDRA, 2, (4, "PMI_SIZE"), 3, False),
    (SRUN | ALONE, 0, None, 1, True),              # an mpiexec in a step of several tasks
    (dict(PMI_RANK="²", PMI_SIZE="many"), 0, None, None, True)], ids=str)
def test_who_and_how_many(told, variables, rank, several, here, first):
    told(**variables)
    assert (launcher.rank(), launcher.several(), launcher.on_this_node()) == (rank, several, here)
    assert launcher.first_on_this_node() == first


@pytest.mark.parametrize("variables, launched, open_mpi", [
    ({}, False, False), (SRUN, False, False), (BATCH, False, False), (HYDRA, True, False), (OPEN_MPI, True, True)])
def test_who_started_it(told, variables, launched, open_mpi):
    told(**variables)
    assert (launcher.launched(), launcher.open_mpi()) == (launched, open_mpi)


def test_what_is_started_by_a_rank_need_be_none(told, monkeypatch):
    told(**HYDRA, **OPEN_MPI, **SRUN, SLURM_JOB_ID="7")
    monkeypatch.setattr(os, "environ", launcher.without())
    assert (launcher.rank(), launcher.several(), launcher.launched()) == (0, None, False)
    assert os.environ["SLURM_JOB_ID"] == "7"


def test_processes_that_do_not_know_of_each_other_are_refused_and_what_to_do_is_said(told):
    told(**SRUN)
    with pytest.raises(InputError, match="(?s)started 7 processes.*SLURM_STEP_NUM_TASKS.*`srun -n 1 --pty`.*`unset"):
        refuse_lonely_rank(1, "why")
    told(**HYDRA)
    with pytest.raises(InputError, match="started 4 processes") as refused:
        refuse_lonely_rank(1, "why")
    assert "--pty" not in str(refused.value)


@pytest.mark.parametrize("variables", [SRUN, SRUN | dict(PMI_RANK="0", PMI_SIZE="7", PMI_FD="11")], ids=["none", "pmi2"])
@pytest.mark.parametrize("alone", [True, False], ids=["a_command", "the_shell"])
def test_what_is_typed_in_a_shell_of_srun_is_one_rank(told, variables, alone):
    """The step counts the shell as one of several tasks; a command in it has the terminal and a process group of its own."""
    code = ("import os, signal, sys; from metacascade.ranks import launcher\n"
            "signal.signal(signal.SIGTTOU, signal.SIG_IGN)\n"
            "os.environ['SLURM_TASK_PID'] = str(os.getpid())\n"
            f"child = os.fork() if {alone} else 0\n"
            "if child: sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
            f"if {alone}: os.setpgid(0, 0)\n"
            "print(launcher.typed(), launcher.several(), launcher.rank(), launcher.on_this_node())")
    master, slave = pty.openpty()
    done = subprocess.run([sys.executable, "-c", code], env=environment() | variables, stdin=slave, capture_output=True,
                          text=True, timeout=60, start_new_session=True,
                          preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(master)
    os.close(slave)
    assert done.stdout.startswith("True None 0 1" if alone else "False (7"), done.stderr


def test_there_it_runs_without_mpi_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(launcher, "typed", lambda: True)
    world = start()
    assert (world.size, world.comm) == (1, None) and "mpiexec -launcher fork" in capsys.readouterr().err


COMMANDS = [("info",), ("info", "--parameters"), ("check", "CONFIG"), ("run", "CONFIG", "--out", "OUT", "--dry-run"), ("schema",),
            ("init",), ("sweep", "SWEEP", "--out", "OUT", "--dry-run"), ("--version",)]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_command_that_starts_no_ranks_is_never_refused(metacascade, monkeypatch, tmp_path, arguments):
    for name, value in (SRUN | {"SLURM_PROCID": "0"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("conftest.NOT_OF_USERS", ("PMI_",))
    where = dict(CONFIG=small.EXAMPLE, OUT=tmp_path / "out", SWEEP=small.EXAMPLE.parent / "sweep_shedding.toml")
    done = metacascade(*(where.get(word, word) for word in arguments), cwd=tmp_path)
    assert done.returncode == 0 and done.stdout, done.stderr
