"""The compiled field against its NumPy twin, bit for bit."""
import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from metacascade._kernels import _field
from metacascade._kernels._layout import DENSITY, FACTOR, RATE as RATE_RECORD, Shape, Term
from metacascade.space import relaxation
from metacascade.space.relaxation import Mesh, NoHalo, System, schedule
from reference import field as twin

PARAMS = dict(per_dt=2.0, decay=30.0, linear=40.0, uptake=7000.0, michaelis=1.0, vessel=40.0, source=3.0)
RATE = 6680.0


def a_field(seed, shape=(2, 3, 2), edge=8):
    """Random c, (counts, moments, supply) and the neighbors of a block of tiles, with empty and saturated voxels."""
    rng = np.random.default_rng(seed)
    coords, neighbors = twin.block(*shape)
    size = (len(coords), 512)
    c = rng.uniform(0, 60, (len(coords), edge**3)).astype(np.float32)
    c[rng.random(c.shape) < 0.1] = 0.0
    counts = rng.integers(0, 12, size).astype(np.uint16)
    moments = (counts * rng.integers(0, 256, size)).astype(np.uint32)
    supply = np.where(rng.random(size) < 0.5, 0.0, rng.exponential(5e3, size)).astype(np.float32)
    return c, (counts, moments, supply), neighbors


def system(c, given, params=PARAMS):
    decay, rhs = np.empty((2, len(given[0]), c.shape[1]), np.float32)
    _field.coefficients(c, *given, decay, rhs, params)
    return decay, rhs


OMEGA = np.array([1.0, 1.6, 1.5, 1.4], np.float32)


def relax(c, decay, rhs, neighbors, rows=None, omega=OMEGA, mirror=1.0, outside=0.0):
    rows = np.arange(len(neighbors)) if rows is None else rows
    _field.relax(c, decay, rhs, neighbors, np.asarray(rows, np.int32), RATE, omega, mirror, outside)


def solve(c, decay, rhs, mesh, visits):
    relaxation.relax([System(c, decay, rhs, RATE, visits, mirror=1.0)], mesh, NoHalo())


def apart(shape):
    """Tiles of one color of a block, and all its coords."""
    coords, _ = twin.block(*shape)
    return np.flatnonzero(coords.sum(axis=1) % 2 == 0), coords


@pytest.mark.parametrize("seed", range(3))
def test_the_linear_system_equals_its_twin(seed):
    c, given, _ = a_field(seed)
    for ours, theirs in zip(system(c, given), twin.coefficients(c, *given, **PARAMS)):
        np.testing.assert_array_equal(ours, twin.fold(theirs))


def some_terms(seed, rows):
    """Random terms of all kinds with random factors, some of one kind, and the fields that they depend on."""
    rng = np.random.default_rng(seed)
    kinds = [Term.LOSE, Term.SECRETE, Term.LOSE, Term.ADMIT, Term.ADD, Term.ADD]
    rates, factors = np.zeros(len(kinds), RATE_RECORD), np.zeros(9, FACTOR)
    ends = np.sort(rng.integers(0, 10, len(kinds) - 1))
    for rate, kind, first, end in zip(rates, kinds, [0, *ends], [*ends, 9]):
        rate["base"], rate["action"], rate["first"], rate["factors"] = rng.uniform(0.5, 50), kind, first, end - first
    factors["signal"], factors["shape"] = rng.integers(DENSITY, 3, 9), rng.integers(Shape.HILL1, Shape.RAMP + 1, 9)
    factors["a"], factors["b"] = rng.uniform(0.2, 3, 9), rng.uniform(4, 6, 9)
    return rates, factors, [rng.uniform(0, 9, (rows, values)).astype(np.float32) for values in (512, 64, 8)]


@pytest.mark.parametrize("edge", [8, 4, 2])
@pytest.mark.parametrize("seed", range(5))
def test_terms_by_place_equal_their_twin(edge, seed):
    c, given, _ = a_field(seed, edge=edge)
    terms, (decay, rhs) = some_terms(seed, len(c)), np.empty((2, *c.shape), np.float32)
    _field.coefficients(c, *given, decay, rhs, PARAMS, terms, 6.0)
    expected = twin.coefficients(c, *given, **PARAMS, terms=twin.placed(*terms, given[0], 6.0))
    for ours, theirs in zip((decay, rhs), expected):
        np.testing.assert_array_equal(ours, twin.fold(theirs) if edge == 8 else theirs)


@pytest.mark.parametrize("by_place", [False, True])
def test_what_falls_along_vessels_equals_its_twin(by_place):
    """Less comes in than goes out: with and without terms that admit it."""
    c, (counts, moments, supply), _ = a_field(5)
    both = np.stack([supply, supply * np.random.default_rng(5).random(supply.shape, np.float32)], axis=1)
    decay, rhs = np.empty((2, *c.shape), np.float32)
    terms = some_terms(5, len(c)) if by_place else None
    _field.coefficients(c, counts, moments, both[:, 0], decay, rhs, PARAMS, terms, 6.0, both[:, 1])
    expected = twin.coefficients(c, counts, moments, supply, **PARAMS, fed=both[:, 1],
                                 terms=twin.placed(*terms, counts, 6.0) if by_place else None)
    for ours, theirs in zip((decay, rhs), expected):
        np.testing.assert_array_equal(ours, twin.fold(theirs))
    for other, fed in ((None, both[:, 1]), (both[:, 0, :64], both[:, 1, :64]), (both[:, 0], both[1:, 1])):
        with pytest.raises(ValueError, match="not of the supply"):
            _field.coefficients(c, counts, moments, other, decay, rhs, PARAMS, terms, 6.0, fed)


@pytest.mark.parametrize("shape", [Shape.HILL2, Shape.HILL4, Shape.FALL2, Shape.FALL4])
def test_far_above_the_half_of_a_factor_terms_are_numbers_and_equal_their_twin(shape):
    """9 / 1e-12 to the fourth is infinite in single precision, and inf / inf would be a field of no numbers."""
    c, given, _ = a_field(1)
    terms, (decay, rhs) = some_terms(1, len(c)), np.empty((2, *c.shape), np.float32)
    terms[1]["shape"], terms[1]["a"] = shape, 1e-12
    _field.coefficients(c, *given, decay, rhs, PARAMS, terms, 6.0)
    expected = twin.coefficients(c, *given, **PARAMS, terms=twin.placed(*terms, given[0], 6.0))
    for ours, theirs in zip((decay, rhs), expected):
        np.testing.assert_array_equal(ours, twin.fold(theirs))
        assert np.isfinite(ours).all()


@pytest.mark.parametrize("edge", [4, 2])
def test_what_vessels_supply_of_cubes_equals_its_twin(edge):
    c, (counts, moments, _), _ = a_field(4, edge=edge)
    supply = np.random.default_rng(4).exponential(5e3, (len(c), 3, 64)).astype(np.float32)[:, 1]
    terms, (decay, rhs) = some_terms(4, len(c)), np.empty((2, *c.shape), np.float32)
    _field.coefficients(c, counts, moments, supply, decay, rhs, PARAMS, terms, 6.0)
    expected = twin.coefficients(c, counts, moments, supply, **PARAMS, terms=twin.placed(*terms, counts, 6.0))
    for ours, theirs in zip((decay, rhs), expected):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("edge", [8, 4, 2])
def test_without_diffusion_each_value_is_solved_as_by_a_sweep(edge):
    c, given, _ = a_field(7, edge=edge)
    terms, solved = some_terms(7, len(c)), np.empty_like(c)
    _field.coefficients(c, *given, None, solved, PARAMS, terms, 6.0)
    decay, rhs = twin.coefficients(c, *given, **PARAMS, terms=twin.placed(*terms, given[0], 6.0))
    alone, expected = np.full((len(c), 6), -1, np.int32), c.copy()
    twin.relax(expected, decay, rhs, alone, np.arange(len(c)), 0.0, np.ones(2, np.float32), 1.0)
    np.testing.assert_array_equal(solved, expected)
    assert (solved != c).any()


@pytest.mark.parametrize("member, value, message", [
    ("action", 4, "term 0 of a field is of the kind 4"), ("factors", 10, "rate 0 has factors beyond the 9 of the list")])
def test_terms_that_are_not_there_are_refused(member, value, message):
    c, given, _ = a_field(1)
    rates, factors, fields = some_terms(1, len(c))
    rates[member][0] = value
    with pytest.raises(ValueError, match=message):
        _field.coefficients(c, *given, c.copy(), c.copy(), PARAMS, (rates, factors, fields), 6.0)
    with pytest.raises(ValueError, match="depends on signal"):
        _field.coefficients(c, *given, c.copy(), c.copy(), PARAMS, (some_terms(1, 1)[0], factors, []), 6.0)


def test_folding_brings_every_voxel_to_its_color():
    voxels = np.arange(1024, dtype=np.float32).reshape(2, 512)
    folded = voxels.copy()
    _field.fold(folded)
    np.testing.assert_array_equal(folded, twin.fold(voxels))
    assert sorted(folded[1]) == list(range(512, 1024))
    v = folded[0, :256].astype(int)
    assert not ((v ^ v >> 3 ^ v >> 6) & 1).any()


@pytest.mark.parametrize("edge", [4, 2])
def test_the_linear_system_of_fewer_values_equals_its_twin(edge):
    c, given, _ = a_field(14, edge=edge)
    for ours, theirs in zip(system(c, given), twin.coefficients(c, *given, **PARAMS)):
        np.testing.assert_array_equal(ours, theirs)


RIMS = [(1.0, 0.0), (0.7, 0.0), (0.7, 50.0), (0.0, 0.0), (0.0, 50.0)]


@pytest.mark.parametrize("mirror, outside", RIMS)
@pytest.mark.parametrize("edge", [4, 2])
def test_sweeps_of_fewer_values_equal_their_twin(edge, mirror, outside):
    c, given, neighbors = a_field(15, edge=edge)
    decay, rhs = system(c, given)
    rows, _ = apart((2, 3, 2))
    expected = c.copy()
    relax(c, decay, rhs, neighbors, rows, mirror=mirror, outside=outside)
    twin.relax(expected, decay, rhs, neighbors, rows, RATE, OMEGA, mirror, outside)
    np.testing.assert_array_equal(c, expected)


def test_no_cells_and_no_vessels_may_be_left_out():
    c, (counts, _, _), _ = a_field(16)
    none = counts * 0, np.zeros(c.shape, np.uint32), np.zeros(c.shape, np.float32)
    for ours, theirs in zip(system(c, (none[0], None, None)), system(c, none)):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("mirror, outside", RIMS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 1), (2, 3, 2)])
def test_sweeps_of_tiles_equal_their_twin(shape, mirror, outside):
    c, given, neighbors = a_field(5, shape)
    natural = twin.coefficients(c, *given, **PARAMS)
    rows, _ = apart(shape)
    expected = c.copy()
    relax(c, *system(c, given), neighbors, rows, mirror=mirror, outside=outside)
    twin.relax(expected, *natural, neighbors, rows, RATE, OMEGA, mirror, outside)
    np.testing.assert_array_equal(c, expected)


def test_without_decay_it_is_one_everywhere():
    c, (_, _, rhs), neighbors = a_field(12)
    rows, _ = apart((2, 3, 2))
    expected = c.copy()
    relax(expected, np.ones_like(rhs), rhs, neighbors, rows)
    relax(c, None, rhs, neighbors, rows)
    np.testing.assert_array_equal(c, expected)


def test_a_half_sweep_leaves_the_other_color_and_the_other_tiles_alone():
    c, given, neighbors = a_field(6)
    before, (rows, _) = c.copy(), apart((2, 3, 2))
    relax(c, *system(c, given), neighbors, rows, OMEGA[:1])
    v = np.arange(512)
    red = ((v + (v >> 3) + (v >> 6)) & 1) == 0
    np.testing.assert_array_equal(c[:, ~red], before[:, ~red])
    assert (c[rows][:, red] != before[rows][:, red]).any()
    np.testing.assert_array_equal(np.delete(c, rows, axis=0), np.delete(before, rows, axis=0))


def test_tiles_that_are_swept_in_parts_and_in_any_order_get_the_same_bits():
    c, given, neighbors = a_field(8, (4, 3, 2))
    decay, rhs = system(c, given)
    rows, _ = apart((4, 3, 2))
    mixed = np.random.default_rng(8).permutation(rows)
    whole, in_parts = c.copy(), c.copy()
    relax(whole, decay, rhs, neighbors, rows)
    for some in (mixed[:5], mixed[5:5], mixed[5:]):
        relax(in_parts, decay, rhs, neighbors, some)
    np.testing.assert_array_equal(in_parts, whole)


def test_tiles_in_two_groups_with_ghosts_give_the_same_bits_as_in_one():
    c, given, neighbors = a_field(7, (4, 3, 2))
    decay, rhs = system(c, given)
    even, coords = apart((4, 3, 2))
    groups = [np.flatnonzero(np.arange(len(c)) % 3 == 0), np.flatnonzero(np.arange(len(c)) % 3 != 0)]
    parts = [split(mine, neighbors) for mine in groups]
    whole, shared = c.copy(), c.copy()
    for color in (0, 1, 0, 1):
        relax(whole, decay, rhs, neighbors, np.flatnonzero(coords.sum(axis=1) % 2 == color))
        for mine, (rows, local) in zip(groups, parts):
            own = np.ascontiguousarray(shared[rows])
            relax(own, decay[mine], rhs[mine], local, np.flatnonzero(coords[mine].sum(axis=1) % 2 == color))
            shared[mine] = own[:len(mine)]
    np.testing.assert_array_equal(shared, whole)


def split(mine, neighbors):
    """Global rows of a group, its own first and then its ghosts, and its neighbors by local row."""
    ghosts = np.setdiff1d(neighbors[mine], np.append(mine, -1))
    rows = np.concatenate([mine, ghosts])
    local = np.full(neighbors.max() + 2, -1, np.int32)
    local[rows] = np.arange(len(rows))
    return rows, np.where(neighbors[mine] < 0, -1, local[neighbors[mine]]).astype(np.int32)


def test_a_whole_solution_equals_its_twin():
    c, given, neighbors = a_field(13, (3, 2, 2))
    coords, visits = twin.block(3, 2, 2)[0], schedule(0.99, 5, 30.0)
    natural = twin.coefficients(c, *given, **PARAMS)
    expected = c.copy()
    solve(c, *system(c, given), Mesh(coords, neighbors), visits)
    twin.solve(expected, *natural, coords, neighbors, RATE, visits)
    np.testing.assert_array_equal(c, expected)


def test_a_level_field_without_sources_keeps_every_bit():
    coords, neighbors = twin.block(2, 2, 1)
    c = np.full((4, 512), np.float32(np.pi * 10), np.float32)
    before = c.copy()
    decay, rhs = system(c, (np.zeros((4, 512), np.uint16), None, None), dict(PARAMS, decay=0.0))
    solve(c, decay, rhs, Mesh(coords, neighbors), schedule(1.0, 8, 30.0))
    np.testing.assert_array_equal(c, before)


def test_over_relaxation_never_makes_a_voxel_negative():
    c, given, neighbors = a_field(8)
    decay, rhs = system(c, (50 * given[0], *given[1:]))
    for color in (0, 1) * 5:
        relax(c, decay, rhs, neighbors, np.flatnonzero(twin.block(2, 3, 2)[0].sum(axis=1) % 2 == color),
              np.full(8, 1.95, np.float32))
        assert c.min() >= 0.0


@pytest.mark.parametrize("wrong", [np.nan, -1.0, np.inf])
def test_a_field_that_is_no_number_stops_the_run(wrong):
    c, given, _ = a_field(9)
    c[1, 77] = wrong
    with pytest.raises(FloatingPointError, match="1 voxels"):
        system(c, given)


def test_no_tiles_are_no_work():
    none = np.empty((0, 512), np.float32)
    _field.coefficients(none, np.empty((0, 512), np.uint16), None, None, none, none, PARAMS)
    _field.fold(none)
    relax(none, none, none, np.empty((0, 6), np.int32))


# ---- the same bits on every instruction set ----

DOOR = """
#include "fieldsystem.h"
void relax(float *c, const float *d, const float *q, const int32_t *nb, const int32_t *rows, int64_t n, float r,
           const float *w, int halves) { field_relax(c, d, q, nb, rows, n, r, w, halves, 1, 0); }
int64_t coefficients(const float *c, const uint16_t *n, const uint32_t *m, const float *s, float *d, float *q, int64_t k,
                     const float *w) { return field_coefficients(c, n, m, s, 512, 1, 0, d, q, k, 8, *(const field_t *)w); }
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
    c, given, neighbors = a_field(10)
    decay, rhs = system(c, given)
    other, d, q = c.copy(), np.empty_like(c), np.empty_like(c)
    point = lambda a: a.ctypes.data_as(ctypes.c_void_p)
    real, whole = ctypes.c_float, ctypes.c_int64
    values = np.array(list(PARAMS.values()), np.float32)
    library.coefficients(point(other), *map(point, given), point(d), point(q), whole(len(c)), point(values))
    np.testing.assert_array_equal(d, decay)
    np.testing.assert_array_equal(q, rhs)
    rows = apart((2, 3, 2))[0].astype(np.int32)
    relax(c, decay, rhs, neighbors, rows)
    library.relax(point(other), point(d), point(q), point(neighbors), point(rows), whole(len(rows)), real(RATE),
                  point(OMEGA), ctypes.c_int(len(OMEGA)))
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
