"""What an edit of a source builds anew: one kernel, those that use a header, or the whole installation."""
import os
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OLD = 1_000_000_000     # a time of files, of long ago
PYTHON = """#!/bin/sh
[ "$1 $2" = "-m pip" ] && [ "$3" = --version ] && exit 0
echo "$*" >> "$(dirname "$0")/called"
"""


@pytest.fixture(scope="module")
def uses():
    """Kernel -> names of the headers for which it is compiled anew, by setup.py."""
    pytest.importorskip("setuptools")
    build = pytest.importorskip("Cython.Build")
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setattr("setuptools.setup", lambda **_: None)
        patch.setattr(build, "cythonize", lambda extensions, **_: found.update(
            {one.name.rpartition(".")[2]: {Path(path).name for path in one.depends} for one in extensions}))
        runpy.run_path("setup.py")
    return found


def test_a_header_builds_the_kernels_that_use_it_and_no_others(uses):
    assert len(uses) == len(list((ROOT / "cython_ext").glob("*.pyx")))
    assert {name for name, headers in uses.items() if "pressure.h" in headers} == {"_pressure"}
    assert {"tissue.h", "clones.h", "philox.h", "rates.h", "types.h"} <= uses["_tissue"]       # through others, too
    assert "tissue.h" not in uses["_curve"] and set.union(*uses.values()) == {
        path.name for path in (ROOT / "cython_ext").glob("*.h")}


@pytest.fixture
def checkout(tmp_path):
    """``checkout(kind)``: what set_up calls in a checkout of two kernels, with a stand-in for Python."""
    if shutil.which("bash") is None:
        pytest.skip("there is no bash here")
    for path in ("jobs", "cython_ext", ".venv/bin", "src/metacascade/_kernels"):
        (tmp_path / path).mkdir(parents=True)
    shutil.copy(ROOT / "jobs" / "_setup.sh", tmp_path / "jobs")
    for path in ("cython_ext/_a.pyx", "cython_ext/_b.pyx", "setup.py", "pyproject.toml", "LICENSE"):
        (tmp_path / path).write_text("one")
        os.utime(tmp_path / path, (OLD, OLD))
    (tmp_path / ".venv/bin/python").write_text(PYTHON)
    (tmp_path / ".venv/bin/python").chmod(0o755)

    def set_up(kind="editable"):
        called = tmp_path / ".venv/bin/called"
        called.unlink(missing_ok=True)
        done = subprocess.run(["bash", "-c", f'set -euo pipefail; . jobs/_setup.sh; set_up "mpich,test" {kind}'], cwd=tmp_path,
                              capture_output=True, text=True, timeout=60, env={"PATH": os.environ["PATH"]})
        assert done.returncode == 0 and not done.stdout, done.stderr
        return called.read_text().splitlines() if called.exists() else []
    return set_up


INSTALL, BUILD = "-m pip install -qq --editable .[mpich,test]", "setup.py --quiet build_ext --build-lib src"


def test_nothing_is_built_where_nothing_has_changed(checkout):
    assert checkout() == [INSTALL] and checkout() == [] and checkout("") == []


def test_an_edited_kernel_is_built_in_place_whatever_the_time_of_its_file(checkout, tmp_path):
    """A tool that copies files may keep old times, by which a build would see nothing new."""
    checkout()
    (tmp_path / "cython_ext/_a.pyx").write_text("two")
    os.utime(tmp_path / "cython_ext/_a.pyx", (OLD, OLD))
    assert checkout() == [BUILD]
    assert (tmp_path / "cython_ext/_a.pyx").stat().st_mtime > OLD == (tmp_path / "cython_ext/_b.pyx").stat().st_mtime
    assert checkout() == []


def test_a_kernel_that_is_gone_leaves_no_compiled_one(checkout, tmp_path):
    checkout()
    for name in ("_a", "_b"):
        (tmp_path / f"src/metacascade/_kernels/{name}.cpython-311.so").touch()
    (tmp_path / "cython_ext/_b.pyx").unlink()
    assert checkout() == [BUILD]
    assert [path.name for path in (tmp_path / "src/metacascade/_kernels").iterdir()] == ["_a.cpython-311.so"]


def test_other_packages_or_another_kind_are_installed_anew(checkout, tmp_path):
    checkout()
    (tmp_path / "pyproject.toml").write_text("two")
    assert checkout() == [INSTALL]
    (tmp_path / ".venv/metacascade.sums").unlink()
    (tmp_path / "cython_ext/_a.pyx").write_text("two")
    assert checkout() == [INSTALL]
    (tmp_path / "cython_ext/_a.pyx").write_text("three")
    assert checkout("") == ["-m pip install -qq .[mpich,test]"]
    (tmp_path / "cython_ext/_a.pyx").write_text("four")
    assert checkout() == [INSTALL]
