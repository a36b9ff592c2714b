"""The kernels built anew, in another folder. Other optimization, other instruction sets: the same bits (slow).

With bounds checked and under the address and undefined-behavior sanitizers: the tests of the kernels, the laws of
tests/physics and whole steps. All of it with `bash jobs/test.sh -m slow tests/kernels/test_builds.py`.
"""
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
# -fno-wrapv: what Python is built with defines the overflow of signed integers, and would hide it.
SANITIZED = ("-O1 -g -fno-omit-frame-pointer -DMETACASCADE_NO_CLONES -fno-sanitize-recover=all -fno-wrapv "
             "-fsanitize=address,undefined,float-divide-by-zero,float-cast-overflow")
COMPILER = os.environ.get("CC", "cc")


def steps(source, kind):
    """What eight steps of a tumor come to with the package in `source`."""
    env = dict(os.environ, PYTHONPATH=os.pathsep.join([str(source), str(ROOT / "tests")]), PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run([sys.executable, PROGRAM, kind], env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def build(copy, flags, checked=False):
    """The package and its tests in the folder `copy`, with kernels built with other flags, and checks of bounds."""
    for name in ("cython_ext", "src", "tests", "examples"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, copy)
    done = subprocess.run([sys.executable, "setup.py", "build_ext", "--inplace"], cwd=copy, capture_output=True,
                          text=True, timeout=1200, env=dict(
                              os.environ, METACASCADE_CFLAGS=flags, METACASCADE_CHECKED=str(int(checked))))
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


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory):
    """``sanitized(*command)``: Python runs it with checked and sanitized kernels; what it printed."""
    need_compiler()
    preloaded = f"{runtime('asan')} {runtime('ubsan')}"
    copy = build(tmp_path_factory.mktemp("sanitized"), SANITIZED, checked=True)
    for kernel in (copy / "src" / "metacascade" / "_kernels").glob("*.so"):
        assert b"__asan_init" in kernel.read_bytes()
    # Python and its libraries keep memory to the end, which is no leak
    env = dict(os.environ, LD_PRELOAD=preloaded, ASAN_OPTIONS="detect_leaks=0", UBSAN_OPTIONS="print_stacktrace=1",
               PYTHONMALLOC="malloc", PYTHONPATH=os.pathsep.join([str(copy / "src"), str(copy / "tests")]),
               PYTHONDONTWRITEBYTECODE="1")

    def run(*command):
        done = subprocess.run([sys.executable, *command], cwd=copy, env=env, capture_output=True, text=True,
                              timeout=2400)
        assert done.returncode == 0 and "runtime error" not in done.stdout + done.stderr, (
            done.stdout[-4000:] + done.stderr[-8000:])
        return done.stdout

    assert run("-c", "import metacascade._kernels._layout as one; print(one.__file__)").startswith(str(copy))
    return run


def suite(folder):
    """The command line of pytest for a folder, but for this file. `-s`: what a sanitizer says goes to stderr."""
    return ["-m", "pytest", "-q", "-s", "-x", "-p", "no:cacheprovider", folder,
            f"--ignore=tests/kernels/{Path(__file__).name}"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_kernel_leaves_its_arrays_or_does_what_c_leaves_undefined(sanitized):
    """Also no division by zero, and no conversion of floating point out of range, while their tests run."""
    assert "passed" in sanitized(*suite("tests/kernels"))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nor_does_one_while_the_laws_are_tested(sanitized):
    assert "passed" in sanitized(*suite("tests/physics"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["patch", "tissue"])
def test_whole_steps_under_the_sanitizers_give_the_same_bits(sanitized, kind):
    assert json.loads(sanitized(f"tests/mpi/{PROGRAM.name}", kind)) == steps(ROOT / "src", kind)


@pytest.mark.parametrize("change", ["", "MOST_RATES = 64", "SPARE = 16", "BLOCK = 1024"])
def test_a_length_that_other_files_have_as_a_number_cannot_change_alone(change, tmp_path):
    if not shutil.which(COMPILER):
        pytest.skip("no C compiler")
    for header in (ROOT / "cython_ext").glob("*.h"):
        text = header.read_text("utf-8")
        (tmp_path / header.name).write_text(text.replace(change, f"{change}+8") if change else text, "utf-8")
    (tmp_path / "one.c").write_text('#include "tissue.h"\n', "utf-8")
    done = subprocess.run([COMPILER, "-fsyntax-only", tmp_path / "one.c"], capture_output=True, text=True, timeout=60)
    assert (done.returncode == 0) == (change == ""), done.stderr
    assert change == "" or "have these lengths as numbers" in done.stderr
