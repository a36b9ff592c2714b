"""The copy of the Python environment on each node, with stand-ins for srun and sbcast: it runs from itself alone."""
import subprocess
import sys

import pytest

from metacascade.base.errors import InputError, RunError
from metacascade.slurm import job, nodedisk

LOG = 'echo "$(basename "$0") $*" >> "$(dirname "$0")/called"\n'
TWICE = '#!/usr/bin/env bash\n# two nodes that have one disk\n' + LOG + """\
while [[ $1 == --* ]]; do shift; done
"$@" & first=$!
"$@"; code=$?
wait $first && exit $code
"""
SBCAST = '#!/usr/bin/env bash\n' + LOG + 'exec cp "$2" "$3"\n'
JOB = {"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "2"}


@pytest.fixture
def nodes(stand_in, tmp_path, monkeypatch):
    """A folder for the disk of both nodes; the programs of SLURM as scripts that note their arguments in `called`."""
    stand_in(srun=TWICE, sbcast=SBCAST)
    (tmp_path / "disk").mkdir()
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return tmp_path / "disk"


def in_environment(installed, code, *arguments):
    """Python code in that environment; its output."""
    done = subprocess.run([installed / "bin" / "python", "-c", code, *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


USE = f"""
import subprocess, sys
from pathlib import Path
from metacascade.slurm import nodedisk
disk = Path(sys.argv[1])
(disk / "metacascade.7").mkdir()                    # of the job before it was queued again
(disk / "metacascade.7" / "old").touch()
with nodedisk.python(str(disk), {JOB}) as python:
    print(python)
    print(oct((disk / "metacascade.7").stat().st_mode & 0o777), *sorted(path.name for path in disk.glob("*/*")))
    sys.stdout.flush()
    code = "import json, metacascade; print(json.__file__); print(metacascade.__file__)"
    subprocess.run([python, "-I", "-c", code], check=True)
"""


def test_modules_of_python_and_the_package_are_those_of_the_copy_which_is_gone_in_the_end(nodes, installed):
    python, folder, modules, package = in_environment(installed, USE, nodes).splitlines()
    assert python == f"{nodes}/metacascade.7/python/bin/python" and folder == "0o700 base python"
    assert modules.startswith(f"{nodes}/metacascade.7/base/") and package.startswith(f"{nodes}/metacascade.7/python/")
    assert not list(nodes.iterdir())
    called = (nodes.parent / "called").read_text().splitlines()
    steps = [line for line in called if line.startswith("srun")]
    assert all("--nodes=2 --ntasks=2 --ntasks-per-node=1" in line for line in steps), called
    [sent] = [line.split()[-2:] for line in called if line.startswith("sbcast")]
    assert sent[0] != sent[1]


@pytest.mark.parametrize("disk, env", [("", JOB), ("/nowhere", {})])
def test_without_the_key_or_outside_slurm_it_is_this_python(disk, env):
    with nodedisk.python(disk, env) as python:
        assert python == sys.executable


@pytest.mark.parametrize("prefix, base", [("/usr", "/usr"), ("/nowhere/venv", "/usr")])
def test_a_package_that_is_not_in_a_virtual_environment_is_refused(nodes, monkeypatch, prefix, base):
    monkeypatch.setattr(sys, "prefix", prefix)
    monkeypatch.setattr(sys, "base_prefix", base)
    with pytest.raises(InputError, match="(?s)NODE_DISK .* is in none.*pip install .. without -e"):
        with nodedisk.python(str(nodes), JOB):
            pytest.fail("it is in none")
    assert not list(nodes.iterdir()) and not (nodes.parent / "called").exists()


@pytest.mark.parametrize("program, told", [
    ("sbcast", "sbcast --force .*\ndisk is full"), ("srun", "srun --mpi=none .*\ndisk is full")])
def test_what_fails_on_a_node_is_told_and_nothing_stays(nodes, stand_in, monkeypatch, program, told):
    monkeypatch.setattr(nodedisk, "refuse_what_is_elsewhere", lambda: None)
    monkeypatch.setattr(nodedisk, "_pack", lambda folder: folder.mkdir())
    stand_in(**{program: "#!/bin/sh\necho disk is full >&2\nexit 1\n"})
    with pytest.raises(RunError, match=f"(?s)could not be copied to the nodes .*{told}"):
        with nodedisk.python(str(nodes), JOB):
            pytest.fail("it was not copied")
    assert not list(nodes.iterdir())


def test_the_ranks_of_a_job_are_started_with_the_copy(monkeypatch, tmp_path):
    site = tmp_path / "site.conf"
    site.write_text("LAUNCH=true\nNODE_DISK=/disk\n")
    monkeypatch.setenv("METACASCADE_SITE", str(site))
    monkeypatch.setattr(nodedisk, "_copied", lambda folder, nodes: f"{folder}/python on {nodes}")
    monkeypatch.setattr(nodedisk, "refuse_what_is_elsewhere", lambda: None)
    monkeypatch.setattr(nodedisk, "_on_nodes", lambda *words: None)
    started = []
    monkeypatch.setattr(job, "supervised", lambda command: started.append(command) or 0)
    for words in ("run a.toml out", "ensemble s.toml out", "scaling strong a.toml out 1,2"):
        assert job.main(words.split(), JOB | {"SLURM_NTASKS": "2"}) == 0
        assert "/disk/metacascade.7/python on 2" in started[-1] and sys.executable not in started[-1]
