"""Version and commit come from git when the package is built, and are told by every installation of it."""
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import types
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import metacascade
from conftest import environment
from metacascade.io import provenance
from metacascade.io.provenance import versions

ROOT = Path(__file__).parents[2]
BASE = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools_scm"]["fallback_version"]
FINAL = BASE.split(".dev")[0]
MADE_FROM = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in", "jobs/_setup.sh", "src/metacascade/__init__.py",
             "src/metacascade/base/__init__.py")       # without kernels, which take minutes
BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, 'build_' + sys.argv[1])(sys.argv[2]))"


def test_the_version_is_that_of_the_installed_package():
    try:
        installed = metadata.version("metacascade")
    except metadata.PackageNotFoundError:
        installed = "0+not.installed"
    assert metacascade.__version__ == versions()["metacascade"] == installed


def test_no_other_file_has_the_base_of_the_version():
    files = [*ROOT.glob("*"), *(p for name in ("src", "cython_ext", "jobs", "docs") for p in (ROOT / name).rglob("*"))]
    text = {path: path.read_text("utf-8", "replace") for path in files if "egg-info" not in str(path)
            and path.suffix in (".py", ".pyx", ".pxd", ".h", ".toml", ".cff", ".md", ".sh", ".sbatch")}
    number = re.compile(rf"\b{re.escape(BASE)}\b")
    said = {path.name for path, found in text.items() if number.search(found)}
    assert said - {"validation.md"} == {"pyproject.toml"}        # that page says by which version it was computed


def test_the_change_log_begins_with_it():
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert heading[1] == FINAL


def git(directory, *arguments):
    name = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    done = subprocess.run(["git", *name, *arguments], cwd=directory, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """A small checkout of this package, with one commit and no tag."""
    pytest.importorskip("setuptools_scm")
    folder = tmp_path / "checkout"
    for name in MADE_FROM:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def built(folder, kind):
    """(the wheel or sdist that is built there, what was said on the way)."""
    env = {name: value for name, value in environment().items() if not name.startswith("SETUPTOOLS_SCM")}
    shutil.rmtree(folder / "build", ignore_errors=True)
    done = subprocess.run([sys.executable, "-c", BUILD, kind, "made"], cwd=folder, capture_output=True, text=True,
                          env={**env, "GIT_CEILING_DIRECTORIES": str(folder.parent)})
    assert done.returncode == 0, done.stderr
    return folder / "made" / done.stdout.splitlines()[-1], done.stderr


def told_by(wheel):
    """(version, commit) of a wheel."""
    with zipfile.ZipFile(wheel) as file:
        head, = (file.read(name).decode() for name in file.namelist() if name.endswith("METADATA"))
        record = file.read("metacascade/base/built.py").decode()
    return re.search(r"^Version: (.*)", head, re.M)[1], re.search(r'COMMIT = "(.*)"', record)[1]


def unpacked(sdist, folder):
    with tarfile.open(sdist) as file:
        file.extractall(folder, filter="data")
    inside, = folder.iterdir()
    return inside


def test_without_a_tag_wheel_and_sdist_have_the_base_and_the_commit(checkout, tmp_path):
    commit = git(checkout, "rev-parse", "HEAD")
    version, found = told_by(built(checkout, "wheel")[0])
    assert re.fullmatch(rf"{re.escape(FINAL)}\.dev1\+g{commit[:7]}[0-9a-f]*", version) and found == commit
    source = unpacked(built(checkout, "sdist")[0], tmp_path / "sdist")
    assert told_by(built(source, "wheel")[0]) == (version, commit)
    assert not (checkout / "src" / "metacascade" / "base" / "built.py").exists()


def test_a_tag_is_the_version_and_what_is_changed_says_so(checkout):
    git(checkout, "tag", f"v{FINAL}")
    commit = git(checkout, "rev-parse", "HEAD")
    assert told_by(built(checkout, "wheel")[0]) == (FINAL, commit)
    with open(checkout / "setup.py", "a") as file:
        file.write("# changed\n")
    version, found = told_by(built(checkout, "wheel")[0])
    assert version.startswith(FINAL.rsplit(".", 1)[0]) and "+" in version and re.search(r"\.d\d{8}$", version)
    assert found == f"{commit}-dirty"


def test_a_tarball_without_git_builds_with_the_base_and_says_that_its_commit_is_unknown(checkout):
    shutil.rmtree(checkout / ".git")
    wheel, said = built(checkout, "wheel")
    assert told_by(wheel) == (BASE, "") and "will not know from which commit it is" in said


def test_an_installation_tells_the_commit_of_which_it_was_built(monkeypatch):
    monkeypatch.setitem(sys.modules, "metacascade.base.built", types.SimpleNamespace(COMMIT="abc"))
    monkeypatch.setattr(provenance, "git_state", lambda: "")
    assert provenance.commit() == "abc"
    monkeypatch.setattr(provenance, "git_state", lambda: "that of the checkout now")
    assert provenance.commit() == "that of the checkout now"


@pytest.mark.parametrize("kind, renewed", [("copied", True), ("editable", False)])
def test_an_installation_of_another_commit_is_renewed_by_the_jobs_unless_it_asks_git(checkout, kind, renewed):
    def fingerprint():
        return subprocess.run(["bash", "-c", f"mkdir -p cython_ext; . jobs/_setup.sh; fingerprint {kind}"], cwd=checkout,
                              check=True, capture_output=True, text=True, env=dict(os.environ)).stdout
    before = fingerprint()
    git(checkout, "commit", "-qm", "second", "--allow-empty")
    assert (fingerprint() != before) is renewed and fingerprint()
