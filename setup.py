"""The compiled kernels and how they are compiled, and the commit that is built; everything else is in pyproject.toml.

METACASCADE_CHECKED=1 turns bounds checks on; METACASCADE_CFLAGS replaces the optimization flags.
"""
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

DESCRIBING = {"sdist", "egg_info", "dist_info"}       # what compiles nothing
BUILDING = {"build", "build_ext", "bdist_wheel", "editable_wheel", "develop", "install"}


def refuse_without_compiler():
    """Say in one line what is missing, before anything is compiled."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    command = [*compiler, "-fsyntax-only", "-I", sysconfig.get_paths()["include"], "-x", "c", "-"]
    needs = {"#include <math.h>": "a C compiler that works, with its headers: apt install gcc libc6-dev",
             "#include <Python.h>": "the headers of Python: apt install python3-dev, dnf install python3-devel"}
    try:
        for text, what in needs.items():
            done = subprocess.run(command, input=f"{text}\n", capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"metacascade: needs {what} ({compiler[0]}: {(done.stderr.splitlines() or ['failed'])[0]})")
    except OSError:
        sys.exit(f"metacascade: needs a C compiler, and {compiler[0]} is none that can be started: apt install gcc "
                 "libc6-dev, dnf install gcc, or CC=... for another one")


if BUILDING & set(sys.argv):
    refuse_without_compiler()

checked = os.environ.get("METACASCADE_CHECKED") == "1"
# No -march and no -ffast-math: one portable binary, the same bits on every instruction set. Python's own flags have
# -fwrapv, by which an index of int may wrap around: loops with one would not be vectorized.
flags = os.environ.get("METACASCADE_CFLAGS", "-O3").split() + [
    "-fno-wrapv", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-Wno-unused-function"]

FOLDER = Path("cython_ext")
USES = re.compile(     # FROM cimport, cimport THIS, extern from "THIS", #include "THIS"
    r'^\s*from (\w+) cimport|^\s*cimport (\w+)|extern from "([\w.]+)"|^\s*#include "([\w.]+)"', re.MULTILINE)


def headers(source):
    """The headers of C that a kernel uses, itself or through others: it is compiled anew when one of them changes."""
    found, waiting = {source}, [source]
    while waiting:
        for module, other, extern, included in USES.findall(waiting.pop().read_text("utf-8")):
            path = FOLDER / (extern or included or f"{module or other}.pxd")
            if path.is_file() and path not in found:
                found.add(path)
                waiting.append(path)
    return sorted(str(path) for path in found if path.suffix == ".h")


extensions = [
    Extension(
        f"metacascade._kernels.{source.stem}", [str(source)],
        include_dirs=["cython_ext", numpy.get_include()],
        depends=headers(source),
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
        extra_compile_args=flags)
    for source in sorted(FOLDER.glob("*.pyx"))
]

BUILT = Path("metacascade", "base", "built.py")       # only in what is built, never in a checkout: there git is asked


def commit():
    """The commit of this checkout, with "-dirty" if files are changed; "" where git does not know this file."""
    try:
        for command in (["ls-files", "--error-unmatch", "setup.py"],
                        ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]):
            done = subprocess.run(["git", *command], check=True, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def write_built(package_dir):
    """Write the commit into a copy of the package, unless the source is that of an sdist and has it already."""
    found = commit()
    if not found and Path("src", BUILT).exists():
        return
    if not found:
        print("setup.py: no git here, and no record of the commit: what is built will not know from which commit it is",
              file=sys.stderr)
    (Path(package_dir) / BUILT).write_text(f'"""The commit of which this was built."""\nCOMMIT = "{found}"\n', "utf-8")


class BuildWithCommit(build_py):
    """Copies the package, and writes down its commit."""

    def run(self):
        """Copy, and write the commit but into a checkout in use."""
        super().run()
        if not self.editable_mode:
            write_built(self.build_lib)


class SourcesWithCommit(sdist):
    """The source distribution, with its commit."""

    def make_release_tree(self, base_dir, files):
        """Gather the files in `base_dir`."""
        super().make_release_tree(base_dir, files)
        write_built(Path(base_dir, "src"))


setup(
    cmdclass=dict(build_py=BuildWithCommit, sdist=SourcesWithCommit),
    options={"build_ext": {"parallel": os.cpu_count()}},
    ext_modules=extensions if DESCRIBING & set(sys.argv) else cythonize(
        extensions, include_path=["cython_ext"], build_dir="build/cython",
        compiler_directives=dict(
            language_level=3, boundscheck=checked, wraparound=False, cdivision=True,
            initializedcheck=checked, embedsignature=True)))
