"""What motile cells are guided by: the matrix under them, and gradients besides that of oxygen; each with its control.

n = 30,000 cells in a tile. Bounds are Z = 4.5 standard deviations: false alarm 7e-6 for each number that is compared.
"""
import numpy as np
import pytest

from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model import motion
from metacascade.model.motion import speed_factors
from tiles import Patch, only, rates_of, with_margin

pytestmark = pytest.mark.statistical
N, Z, HOURS = 30_000, 4.5, 4
SPEED, DIFFUSION = 15.0, 15.0**2 * 0.25 / 3


def config(**tables):
    return Config.from_dict({"tumor": {}, "run": {"step_s": 1800}, "migration": {"bias": 0.0}} | {
        name: {"enabled": True} | held for name, held in tables.items()})


def walkers(made, factors=()):
    """Motile cells all over the tile at the origin, told apart by their clones, of which tables have three."""
    patch = Patch(with_margin(1, 1, 1), **dict(
        only(run=dict(step_s=1800), migration=dict(bias=0.0)), rates=rates_of([], clones=3), speed_factors=factors,
        biases=motion.biases(made, plan_of(made))))
    patch.more |= {"matrix": np.ones((patch.region.rows, 512), np.float32),
                   "macrophages": np.zeros((patch.region.rows, 64), np.float32)}
    patch.scatter(patch.row(0, 0, 0), np.arange(N) % 512, np.random.default_rng(1), emt=255)
    return patch


def displacements(patch):
    """[um] of each cell, told apart by its bytes of adhesion, bits and flags."""
    cells = np.concatenate([patch.arena.block(row) for row in range(len(patch.region.keys))])
    assert len(cells) == N

    def by_cell():
        cells, places = patch.places()
        return places[np.lexsort((cells["adhesion"], cells["bits"], cells["flags"]))]

    row = patch.row(0, 0, 0)
    for k, name in enumerate(("adhesion", "bits", "flags")):
        patch.arena.block(row)[name] = np.arange(N) >> 8 * k & 255
    before = by_cell()
    for _ in range(round(HOURS / patch.parameters["dt_h"])):
        patch.step()
    return by_cell() - before


def slope(patch, name, gradient):
    """A field that rises linearly along x, `gradient` [1/um]."""
    field = patch.more[name]
    along = round(field.shape[1] ** (1 / 3))
    x = (along * patch.region.coords[:, :1] + np.arange(field.shape[1]) % along + 0.5) * 8 / along
    field[:] = 100 + gradient * x * patch.parameters["edge_um"]


def assert_drift(moved, expected):
    sd = (2 * DIFFUSION * HOURS / N) ** 0.5
    assert (np.abs(moved.mean(axis=0) - [expected, 0, 0]) < Z * sd + 0.002 * abs(expected)).all(), moved.mean(axis=0)


@pytest.mark.parametrize("mechanism, field", [("haptotaxis", "matrix"), ("chemotaxis", "macrophages")])
@pytest.mark.parametrize("bias", [0.2, 0.4])
@pytest.mark.parametrize("steepness", [-1.0, 4.0])
def test_drift_up_a_fine_or_coarse_gradient_is_the_bias_of_its_steepness(mechanism, field, bias, steepness):
    """bias speed g / (g + half), g half the half-maximum or four times it; off: no gradient at all."""
    patch = walkers(config(**{mechanism: {"bias": bias}, "matrix": {}, **({"macrophages": {}} if field != "matrix" else {})}))
    slope(patch, field, steepness * 0.005)
    share = abs(steepness) / (abs(steepness) + 1)
    assert_drift(displacements(patch), np.sign(steepness) * bias * SPEED * HOURS * share)
    assert motion.biases(config(matrix={}), plan_of(config(matrix={}))) == ()


def test_drifts_up_two_gradients_add_up():
    patch = walkers(config(haptotaxis={"bias": 0.4}, chemotaxis={"bias": 0.3, "half": 0.01}, matrix={}, macrophages={}))
    slope(patch, "matrix", -0.005)
    slope(patch, "macrophages", 0.03)
    assert_drift(displacements(patch), (0.3 * 0.75 - 0.4 * 0.5) * SPEED * HOURS)


@pytest.mark.parametrize("matrix", [0.0, 0.2, 1.0])
def test_speed_is_greatest_in_between(matrix):
    """Clone 0 has no integrins, clone 1 those of the founder, clone 2 all: D goes with the square of the speed of
    DiMilla's law at the nearest of 16 densities; variance of a displacement: sd sqrt(2 / 3n) of it."""
    made = plan_of(config(integrins={}, matrix={}))
    levels = np.array([0, 102, 255], np.uint8)
    for k, level in enumerate(levels / 255):
        patch = walkers(config(matrix={}), speed_factors(made, {"": levels, "integrin": np.full(3, levels[k])}))
        patch.more["matrix"][:] = matrix
        x = level * matrix / 0.2
        speed = 0.1 + 0.9 * 4 * x / (1 + x)**2
        ratio = (displacements(patch)**2).mean() / (2 * DIFFUSION * HOURS) / round(256 * speed)**2 * 256**2
        assert abs(ratio - 1) < Z * (2 / (3 * N)) ** 0.5 + 0.01, (level, ratio)


def test_without_a_matrix_the_speed_is_that_on_normal_stroma():
    off, on = (speed_factors(plan_of(config(integrins={}, **tables))) for tables in ({}, {"matrix": {}}))
    assert off[2] is None and on[2] == "matrix" and off[1][0, 0] == on[1][0, -1]
    assert on[1][0].max() in on[1][0, 6:9] and speed_factors(plan_of(config(matrix={}))) == ()


def test_the_bias_of_all_gradients_counts_for_the_longest_step():
    slow = config(migration={"bias": 0.3}, haptotaxis={"bias": 0.2}, matrix={})
    assert len(motion.biases(slow, plan_of(slow))) == 2
    from metacascade.config.moves import moves_um
    assert moves_um(slow, plan_of(slow))[1] == pytest.approx(0.5 * 15.0 * 0.5)
