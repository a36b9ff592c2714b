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
SANITIZED = ("-O1 -g -fno-omit-frame-pointer -DMETACASCADE_NO_CLONES -fno-sanitize-recover=all "
             "-fsanitize=address,undefined,float-divide-by-zero,float-cast-overflow")
COMPILER = os.environ.get("CC", "cc")


def steps(source, kind):
    """What eight steps of a tumor come to with the package in `source`."""
    env = dict(os.environ, PYTHONPATH=os.pathsep.join([str(source), str(ROOT / "tests")]), PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run([sys.executable, PROGRAM, kind], env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def build(copy, flags):
    """The package and its tests in the folder `copy`, with kernels built with other flags."""
    for name in ("cython_ext", "src", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, copy)
    done = subprocess.run([sys.executable, "setup.py", "build_ext", "--inplace"], cwd=copy, capture_output=True,
                          text=True, env=dict(os.environ, METACASCADE_CFLAGS=flags), timeout=1200)
    assert done.returncode == 0, done.stderr[-4000:]
    return copy


@pytest.fixture(scope="module", params=["-O0", "-O1 -DMETACASCADE_NO_CLONES", NATIVE])
def other(request, tmp_path_factory):
    """The package built with other flags."""
    need_compiler()
    return build(tmp_path_factory.mktemp("build"), request.param) / "src"


def need_compiler():
    if not shutil.which(COMPILER):
        pytest.skip("no C compiler")
    pytest.importorskip("Cython")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["patch", "tissue"])
def test_every_build_gives_the_same_bits(other, kind):
    assert steps(other, kind) == steps(ROOT / "src", kind)


def runtime(name):
    """The library of a sanitizer; GCC's, since clang links it otherwise."""
    done = subprocess.run([COMPILER, f"-print-file-name=lib{name}.so"], capture_output=True, text=True)
    if not os.path.isabs(done.stdout.strip()):
        pytest.skip(f"the compiler has no lib{name}.so")
    return done.stdout.strip()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_sanitizers_find_nothing_while_the_tests_of_the_kernels_run(tmp_path):
    """Undefined behavior and overruns; also division by zero and conversions out of range of floating point."""
    need_compiler()
    preloaded = f"{runtime('asan')} {runtime('ubsan')}"
    copy = build(tmp_path, SANITIZED)
    env = dict(os.environ, LD_PRELOAD=preloaded, ASAN_OPTIONS="detect_leaks=0", UBSAN_OPTIONS="print_stacktrace=1",
               PYTHONMALLOC="malloc", PYTHONPATH="", PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "tests/kernels"],
                          cwd=copy, env=env, capture_output=True, text=True, timeout=2400)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "passed" in done.stdout and "runtime error" not in done.stdout + done.stderr
