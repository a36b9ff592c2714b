"""Other optimization, other instruction sets: the same bits. Builds the kernels anew, which takes minutes."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "tests" / "mpi" / "tissue_steps.py"
NATIVE = "-O3 -DMETACASCADE_NO_CLONES -march=native"


def steps(source, kind):
    """What eight steps of a tumor come to with the package in `source`."""
    env = dict(os.environ, PYTHONPATH=os.pathsep.join([str(source), str(ROOT / "tests")]), PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run([sys.executable, PROGRAM, kind], env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module", params=["-O0", "-O1 -DMETACASCADE_NO_CLONES", NATIVE])
def other(request, tmp_path_factory):
    """The package built with other flags."""
    if not shutil.which(os.environ.get("CC", "cc")):
        pytest.skip("no C compiler")
    pytest.importorskip("Cython")
    copy = tmp_path_factory.mktemp("build")
    for name in ("cython_ext", "src"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, copy)
    env = dict(os.environ, METACASCADE_CFLAGS=request.param)
    done = subprocess.run([sys.executable, "setup.py", "build_ext", "--inplace"], cwd=copy, env=env,
                          capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr[-4000:]
    return copy / "src"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["patch", "tissue"])
def test_every_build_gives_the_same_bits(other, kind):
    assert steps(other, kind) == steps(ROOT / "src", kind)
