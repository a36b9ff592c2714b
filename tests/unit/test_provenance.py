import json
import subprocess
import sys

import pytest

import metacascade
from metacascade.io import provenance
from metacascade.ranks.parallel import serial_world


def test_it_says_who_made_a_result_and_can_be_stored_as_json():
    found = provenance.collect(serial_world(), ["metacascade", "run", "my case.toml"])
    assert json.loads(json.dumps(found)) == found
    assert found["command"] == "metacascade run 'my case.toml'"
    assert found["ranks"] == 1 and sum(found["hosts"].values()) == 1
    assert found["versions"]["metacascade"] == metacascade.__version__ and found["versions"]["numpy"]


def test_only_named_variables_of_the_environment_are_stored(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    monkeypatch.setenv("SECRET_TOKEN", "hush")
    found = provenance.collect(serial_world())
    assert found["environment"]["SLURM_JOB_ID"] == "42" and "hush" not in json.dumps(found)


def git(directory, *arguments):
    name = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run(["git", *name, *arguments], cwd=directory, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "other.py").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_a_package_inside_the_repository_of_another_project_is_not_its_commit(repository):
    (repository / "provenance.py").write_text("installed here, not tracked")
    assert provenance.git_state(repository) == ""


def test_the_commit_of_the_source_is_told_and_whether_it_was_changed(repository):
    (repository / "provenance.py").write_text("1")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "second")
    commit = provenance.git_state(repository)
    assert len(commit) == 40
    (repository / "provenance.py").write_text("2")
    assert provenance.git_state(repository) == commit + "-dirty"


def test_without_git_there_is_no_state(tmp_path, monkeypatch):
    assert provenance.git_state(tmp_path) == ""
    monkeypatch.setenv("PATH", "")
    assert provenance.git_state(tmp_path) == ""


def test_it_starts_neither_mpi_nor_hdf5():
    code = "import sys, metacascade.io.provenance; sys.exit('mpi4py' in sys.modules or 'h5py' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
