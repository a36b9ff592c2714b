"""A SLURM of two nodes on this machine, and a small run to give it."""
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import small
from conftest import environment
from metacascade.config import config as configs

HERE = Path(__file__).parent
JOBS = HERE.parents[1] / "jobs"
START = 'eval "$(bash "$0" start -n 2 -c 4 -d "$1")" && echo up; read; bash "$0" stop -d "$1"'
PATIENCE_S = 480          # a member of a sweep takes 40 s where six groups of tests share two slow cores
ENDED = "COMPLETED FAILED CANCELLED TIMEOUT NODE_FAIL OUT_OF_MEMORY BOOT_FAIL DEADLINE".split()


class Slurm:
    """The cluster: ``slurm.sbatch(...)`` gives the number of a job; nobody waits for ever."""

    def __init__(self, folder, site):
        self.folder = folder
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.env = environment() | {
            "SLURM_CONF": str(folder / "slurm.conf"), "METACASCADE_PYTHON": sys.executable, "PATH": path,
            "METACASCADE_SITE": str(site),
            # MPICH over UCX now and then does not start under the PMI 2 of SLURM 22.05: messages arrive damaged
            "MPIR_CVAR_CH4_NETMOD": "ofi"}

    def call(self, *words, check=True, cwd=None, timeout=PATIENCE_S):
        """A command, as one who is logged in there starts it; killed with all its children after `timeout`."""
        process = subprocess.Popen(list(map(str, words)), env=self.env, cwd=cwd, text=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            out, err = process.communicate()
            pytest.fail(f"no end after {timeout} s: {words}\n{out}\n{err}", pytrace=False)
        if check and process.returncode:
            pytest.fail(f"exit code {process.returncode}: {words}\n{out}\n{err}", pytrace=False)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def sbatch(self, *words, cwd):
        return self.call("sbatch", "--parsable", *words, cwd=cwd).stdout.strip()

    def scancel(self, *words):
        """Its effect is for the test to see: on a job that is just ending it tries again and again, and then fails."""
        self.call("timeout", 5, "scancel", *words, check=False)

    def jobs(self, number):
        """What SLURM knows of a job, or of each task of an array: a list of dicts."""
        lines = self.call("scontrol", "show", "job", "-o", number).stdout.splitlines()
        return [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines]

    def end(self, number, *logs, state="COMPLETED", patience_s=PATIENCE_S):
        """Wait until a job has ended, all its tasks, in this state; what SLURM says of them."""
        jobs = self.until(lambda: all_ended(self.jobs(number)), *logs, patience_s=patience_s)
        if any(job["JobState"] != state for job in jobs):
            how = [(job["JobId"], job["JobState"], job["ExitCode"]) for job in jobs]
            pytest.fail(f"not all are {state}: {how}\n{said(logs)}", pytrace=False)
        return jobs

    def until(self, true, *logs, patience_s=PATIENCE_S):
        """Wait until ``true()`` is true, and return what it gave; the logs are shown if that takes too long."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if found := true():
                return found
            time.sleep(0.1)
        queue = self.call("squeue", check=False).stdout
        pytest.fail(f"did not happen in {patience_s} s\n{queue}\n{said(logs)}", pytrace=False)


def said(logs):
    return "\n".join(f"{log}:\n{Path(log).read_text()[-3000:]}" for log in logs if Path(log).exists())


def all_ended(jobs):
    return jobs if jobs and all(job["JobState"] in ENDED for job in jobs) else None


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """The cluster, for the whole session. It stops however the tests end: it waits for the end of a pipe."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    if not all(shutil.which(name, path=path) for name in ("slurmctld", "slurmd", "sbatch")):
        pytest.skip("no SLURM here (slurmctld, slurmd): apt-get install slurm-wlm slurmctld slurmd")
    folder = tmp_path_factory.mktemp("slurm")
    (folder / "site.conf").write_text('LAUNCH="srun --mpi=pmi2"\n')
    keeper = subprocess.Popen(["bash", "-c", START, str(HERE / "slurm_local.sh"), str(folder)], text=True, env=environment(),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    try:
        if keeper.stdout.readline() != "up\n":
            pytest.skip(f"SLURM does not start here; see {folder}/log")
        yield Slurm(folder, folder / "site.conf")
    finally:
        keeper.stdin.close()
        keeper.wait(60)
        keeper.stdout.close()


@pytest.fixture
def slurm(cluster):
    """The cluster with both nodes idle; what a test leaves running is canceled."""
    yield cluster
    cluster.scancel("--user", os.getuid(), "--full")
    for node in ("n1", "n2"):
        cluster.call("scontrol", "update", f"NodeName={node}", "State=RESUME", check=False)
    cluster.until(lambda: cluster.call("sinfo", "-h", "-N", "-p", "debug", "-t", "idle").stdout.count("\n") == 2)


@pytest.fixture(scope="session")
def write_config(tmp_path_factory):
    """``write_config(**changes)``: the small run of tests/small.py as a file, with changes."""
    folder = tmp_path_factory.mktemp("configs")

    def write(name="small", **changes):
        path = folder / f"{name}.toml"
        path.write_text(configs.load(small.EXAMPLE, small.settings(**changes)).to_toml())
        return path
    return write


@pytest.fixture(scope="session")
def long_config(write_config):
    """A run of 96 steps: long enough to be stopped several times, of a few seconds."""
    return write_config("long", run__duration="4 days", tumor__cells=12_000, output__checkpoint="2 days",
                        colonization__gompertz="0.04/day")


@pytest.fixture(scope="session")
def undisturbed(metacascade, long_config, tmp_path_factory):
    """The directory of the run of `long_config` that nothing disturbs."""
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    metacascade("run", long_config, "--out", out, check=True, timeout=PATIENCE_S)
    return out


@pytest.fixture
def steps():
    """``steps(out)``: how many steps a run has made, as far as its results tell; 0 before there are any."""
    def steps(out):
        try:
            return small.last(out)["step"]
        except Exception:       # not there yet, or just being replaced
            return 0
    return steps
