"""The compiled field against its NumPy twin, bit for bit."""
import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from reference import field as twin

from metacascade._kernels import _field

PARAMS = dict(per_dt=2.0, uptake=7000.0, michaelis=1.0, vessel=40.0)
RATE = 6680.0


def a_field(seed, shape=(2, 3, 2)):
    """Random c, counts, supply and the neighbors of a block of tiles, with empty and saturated voxels."""
    rng = np.random.default_rng(seed)
    coords, neighbors = twin.block(*shape)
    size = (len(coords), 512)
    c = rng.uniform(0, 60, size).astype(np.float32)
    c[rng.random(size) < 0.1] = 0.0
    counts = rng.integers(0, 12, size).astype(np.uint16)
    supply = np.where(rng.random(size) < 0.5, 0.0, rng.exponential(5e3, size)).astype(np.float32)
    return c, counts, supply, neighbors


def system(c, counts, supply, params=PARAMS):
    decay, rhs = np.empty((2, *supply.shape), np.float32)
    _field.coefficients(c, counts, supply, decay, rhs, params)
    return decay, rhs


@pytest.mark.parametrize("seed", range(3))
def test_the_linear_system_equals_its_twin(seed):
    c, counts, supply, _ = a_field(seed)
    for ours, theirs in zip(system(c, counts, supply), twin.coefficients(c, counts, supply, **PARAMS)):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("color", [0, 1])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 1), (2, 3, 2)])
def test_a_half_sweep_equals_its_twin(shape, color):
    c, counts, supply, neighbors = a_field(5, shape)
    decay, rhs = system(c, counts, supply)
    expected = c.copy()
    _field.sweep(c, decay, rhs, neighbors, RATE, 1.5, color)
    twin.sweep(expected, decay, rhs, neighbors, RATE, 1.5, color)
    np.testing.assert_array_equal(c, expected)


def test_a_half_sweep_leaves_the_other_color_alone():
    c, counts, supply, neighbors = a_field(6)
    decay, rhs = system(c, counts, supply)
    before = c.copy()
    _field.sweep(c, decay, rhs, neighbors, RATE, 1.3, 0)
    v = np.arange(512)
    red = ((v + (v >> 3) + (v >> 6)) & 1) == 0
    np.testing.assert_array_equal(c[:, ~red], before[:, ~red])
    assert (c[:, red] != before[:, red]).any()


def test_tiles_that_are_swept_in_parts_and_in_any_order_get_the_same_bits():
    c, counts, supply, neighbors = a_field(8, (4, 3, 2))
    decay, rhs = system(c, counts, supply)
    rows = np.random.default_rng(8).permutation(len(c)).astype(np.int32)
    whole, in_parts = c.copy(), c.copy()
    for half in range(4):
        _field.sweep(whole, decay, rhs, neighbors, RATE, 1.5, half % 2)
        for some in (rows[:7], rows[7:7], rows[7:]):
            _field.sweep(in_parts, decay, rhs, neighbors, RATE, 1.5, half % 2, some)
    np.testing.assert_array_equal(in_parts, whole)


def test_tiles_in_two_groups_with_ghosts_give_the_same_bits_as_in_one():
    c, counts, supply, neighbors = a_field(7, (4, 3, 2))
    decay, rhs = system(c, counts, supply)
    groups = [np.flatnonzero(np.arange(len(c)) % 3 == 0), np.flatnonzero(np.arange(len(c)) % 3 != 0)]
    parts = [split(mine, neighbors) for mine in groups]
    whole, shared = c.copy(), c.copy()
    for half in range(6):
        _field.sweep(whole, decay, rhs, neighbors, RATE, 1.5, half % 2)
        for mine, (rows, local) in zip(groups, parts):
            own = np.ascontiguousarray(shared[rows])              # ghosts as they were or as they are: no matter
            _field.sweep(own, decay[mine], rhs[mine], local, RATE, 1.5, half % 2)
            shared[mine] = own[:len(mine)]
    np.testing.assert_array_equal(shared, whole)


def split(mine, neighbors):
    """Global rows of a group, its own first and then its ghosts, and its neighbors by local row."""
    ghosts = np.setdiff1d(neighbors[mine], np.append(mine, -1))
    rows = np.concatenate([mine, ghosts])
    local = np.full(neighbors.max() + 2, -1, np.int32)
    local[rows] = np.arange(len(rows))
    return rows, np.where(neighbors[mine] < 0, -1, local[neighbors[mine]]).astype(np.int32)


def test_a_level_field_without_sources_keeps_every_bit():
    _, neighbors = twin.block(2, 2, 1)
    c = np.full((4, 512), np.float32(np.pi * 10), np.float32)
    before = c.copy()
    decay, rhs = system(c, np.zeros((4, 512), np.uint16), np.zeros((4, 512), np.float32))
    for half in range(8):
        _field.sweep(c, decay, rhs, neighbors, RATE, 1.7, half % 2)
    np.testing.assert_array_equal(c, before)


def test_over_relaxation_never_makes_a_voxel_negative():
    c, counts, supply, neighbors = a_field(8)
    decay, rhs = system(c, 50 * counts, supply)
    for half in range(20):
        _field.sweep(c, decay, rhs, neighbors, RATE, 1.95, half % 2)
        assert c.min() >= 0.0


@pytest.mark.parametrize("wrong", [np.nan, -1.0, np.inf])
def test_a_field_that_is_no_number_stops_the_run(wrong):
    c, counts, supply, _ = a_field(9)
    c[1, 77] = wrong
    with pytest.raises(FloatingPointError, match="1 voxels"):
        system(c, counts, supply)


def test_no_tiles_are_no_work():
    none = np.empty((0, 512), np.float32)
    _field.coefficients(none, np.empty((0, 512), np.uint16), none, none, none, PARAMS)
    _field.sweep(none, none, none, np.empty((0, 6), np.int32), RATE, 1.0, 0)


# ---- the same bits on every instruction set ----

DOOR = """
#include "field.h"
void sweep(float *c, const float *d, const float *q, const int32_t *nb, int64_t n, float r, float w, int k)
{ field_sweep(c, d, q, nb, 0, n, r, w, k); }
int64_t coefficients(const float *c, const uint16_t *n, const float *s, float *d, float *q, int64_t m, float a,
                     float b, float e, float f) { field_t p = {a, b, e, f}; return field_coefficients(c, n, s, d, q, m, p); }
"""


def cpu_flags():
    try:
        return Path("/proc/cpuinfo").read_text().split("flags", 1)[1].split("\n", 1)[0].split()
    except (OSError, IndexError):
        return []


@pytest.mark.parametrize("instructions", ["", "avx2,fma", "avx512f,avx512vl,fma"])
def test_every_instruction_set_gives_the_same_bits(tmp_path, instructions):
    flags = [f"-m{name}" for name in instructions.split(",") if name]
    if not set(instructions.split(",")) - {""} <= set(cpu_flags()):
        pytest.skip(f"this processor has no {instructions}")
    library = compiled(tmp_path, flags)
    c, counts, supply, neighbors = a_field(10)
    decay, rhs = system(c, counts, supply)
    other, d, q = c.copy(), np.empty_like(c), np.empty_like(c)
    point = lambda a: a.ctypes.data_as(ctypes.c_void_p)
    real, whole = ctypes.c_float, ctypes.c_int64
    library.coefficients(point(other), point(counts), point(supply), point(d), point(q), whole(c.size),
                         *(real(x) for x in PARAMS.values()))
    np.testing.assert_array_equal(d, decay)
    np.testing.assert_array_equal(q, rhs)
    for half in range(4):
        _field.sweep(c, decay, rhs, neighbors, RATE, 1.5, half % 2)
        library.sweep(point(other), point(d), point(q), point(neighbors), whole(len(c)), real(RATE), real(1.5),
                      ctypes.c_int(half % 2))
    np.testing.assert_array_equal(other, c)


def compiled(folder, flags):
    compiler, headers = shutil.which("gcc"), Path(__file__).parents[2] / "cython_ext"
    if compiler is None or not headers.is_dir():
        pytest.skip("no gcc or no sources to build the kernel for another instruction set")
    (folder / "door.c").write_text(DOOR)
    subprocess.run([compiler, "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", *flags,
                    "-DMETACASCADE_NO_CLONES", f"-I{headers}", "-shared", "-fPIC", "-o", folder / "door.so",
                    folder / "door.c"], check=True, timeout=120)
    return ctypes.CDLL(str(folder / "door.so"))
