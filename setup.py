"""The list of compiled kernels and how they are compiled; everything else is in pyproject.toml.

METACASCADE_CHECKED=1 turns bounds checks on; METACASCADE_CFLAGS replaces the optimization flags.
"""
import os
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

checked = os.environ.get("METACASCADE_CHECKED") == "1"
# No -march and no -ffast-math: one portable binary, the same bits on every instruction set. Python's own flags have
# -fwrapv, by which an index of int may wrap around: loops with one would not be vectorized.
flags = os.environ.get("METACASCADE_CFLAGS", "-O3").split() + [
    "-fno-wrapv", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-Wno-unused-function"]

extensions = [
    Extension(
        f"metacascade._kernels.{source.stem}", [str(source)],
        include_dirs=["cython_ext", numpy.get_include()],
        depends=[str(p) for p in Path("cython_ext").glob("*.h")],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
        extra_compile_args=flags)
    for source in sorted(Path("cython_ext").glob("*.pyx"))
]

setup(
    options={"build_ext": {"parallel": os.cpu_count()}},
    ext_modules=cythonize(
        extensions, include_path=["cython_ext"], build_dir="build/cython",
        compiler_directives=dict(
            language_level=3, boundscheck=checked, wraparound=False, cdivision=True,
            initializedcheck=checked, embedsignature=True)))
