"""The site file: what bash sources is what Python reads, and a mistake is told with its line."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

from metacascade.base.errors import InputError
from metacascade.run import cluster

FULL = """\
# our cluster
PARTITION=batch        # the usual one
ACCOUNT='tumor_lab'
MODULES="gcc/12.2 mpich/4.2"

LAUNCH="srun --mpi=pmi2"
OPTIONS="--exclusive --mem=0"
NODE_DISK=/tmp
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        (tmp_path / "site.conf").write_text(text)
        return tmp_path / "site.conf"
    return write


@pytest.fixture(autouse=True)
def no_site_of_this_machine(monkeypatch, tmp_path):
    monkeypatch.delenv(cluster.VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def test_every_key_is_read(write):
    path = write(FULL)
    assert cluster.site(path) == cluster.Site(
        partition="batch", account="tumor_lab", modules=("gcc/12.2", "mpich/4.2"),
        launch=("srun", "--mpi=pmi2"), options=("--exclusive", "--mem=0"), node_disk="/tmp", path=path)


def test_bash_reads_the_same(write):
    path = write(FULL)
    script = 'set -euo pipefail; . "$1"; printf "%s\\n" "$PARTITION" "$ACCOUNT" "$MODULES" "$LAUNCH" "$OPTIONS" "$NODE_DISK"'
    said = subprocess.run(["bash", "-c", script, "bash", str(path)], capture_output=True, text=True, check=True, timeout=20)
    site = cluster.site(path)
    assert said.stdout.splitlines() == [
        site.partition, site.account, *(" ".join(words) for words in (site.modules, site.launch, site.options)), site.node_disk]


def test_without_a_file_the_defaults_hold():
    assert cluster.site() == cluster.Site()


def test_the_file_is_found_in_its_usual_place(write):
    cluster.usual_path().parent.mkdir(parents=True)
    write(FULL).rename(cluster.usual_path())
    assert cluster.site().account == "tumor_lab"


def test_the_variable_comes_before_the_usual_place_and_an_argument_before_both(write, monkeypatch, tmp_path):
    monkeypatch.setenv(cluster.VARIABLE, str(write(FULL)))
    assert cluster.site().account == "tumor_lab"
    other = tmp_path / "other.conf"
    other.write_text("ACCOUNT=other\n")
    assert cluster.site(other).account == "other"


def test_a_named_file_that_is_not_there_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv(cluster.VARIABLE, str(tmp_path / "none.conf"))
    with pytest.raises(InputError, match=f"none.conf .{cluster.VARIABLE}.: No such file"):
        cluster.site()


@pytest.mark.parametrize("line, told", [
    ("PARTITON=batch", "no key 'PARTITON' .did you mean 'PARTITION'.*; keys: PARTITION, ACCOUNT"),
    ("PARTITION = batch", "without spaces"), ("srun", "expected KEY=VALUE"), ("MODULES=gcc mpich", 'MODULES="gcc mpich"'),
    ("LAUNCH='srun", "no closing quotation"), ("MODULES=$HOME/gcc", "plain text"), ("OPTIONS=`date`", "plain text"),
    ("ACCOUNT=a;b", "plain text"), ("ACCOUNT=a#b", "plain text"), ("export ACCOUNT=a", "expected KEY=VALUE"),
    ("NODE_DISK=tmp", "full path of a directory on each node")])
def test_a_mistake_is_told_with_file_and_line(write, line, told):
    path = write(f"# site\n{line}\n")
    with pytest.raises(InputError, match=told) as caught:
        cluster.site(path)
    assert str(caught.value).startswith(f"{path}:2: ")


def test_all_mistakes_are_told_at_once(write):
    with pytest.raises(InputError, match=r"(?s):1: .*:3: "):
        cluster.site(write("A=1\nACCOUNT=x\nB=2\n"))


def test_the_launcher_of_the_site_starts_ranks(write, monkeypatch, tmp_path):
    executable(tmp_path / "srun")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cluster.site(write(FULL)).command(8) == ["srun", "--wait=60", "--mpi=pmi2", "-n", "8"]


def test_by_default_the_mpiexec_beside_this_python_does_else_the_one_on_the_path(monkeypatch, tmp_path):
    here, there = executable(tmp_path / "here" / "mpiexec"), executable(tmp_path / "there" / "mpiexec")
    monkeypatch.setenv("PATH", str(there.parent))
    monkeypatch.setattr(sys, "executable", str(here.parent / "python"))
    assert cluster.Site().command(2) == [str(here), "-n", "2"]
    here.unlink()
    assert cluster.Site().command(2) == ["mpiexec", "-n", "2"]


def test_a_missing_launcher_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(InputError, match="mpiexec starts the ranks, but is neither"):
        cluster.Site().command(2)


def executable(path: Path):
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n")
    os.chmod(path, 0o755)
    return path
