"""The laws of lesions: sleep, birth and death, shedding, capacity, against theory, with fixed seeds."""
import math

import numpy as np
import pytest

from metacascade._kernels._layout import CTC, LESION, LesionState
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model.circuit import Circuit
from metacascade.model.lesions import Lesions

pytestmark = pytest.mark.statistical
SEED = 13
Z = 4.5  # false alarm of a two-sided test: 7e-6
STILL = dict(establish=1.0, dormant=0.0, wake_per_h=0.0, dormant_death_per_h=0.0, birth_per_h=0.0,
             death_per_h=0.0, shed_per_h=0.0, capacity=10**14)


def lesions_of(count, cells, state=LesionState.ACTIVE, **changes):
    """`count` lesions of `cells` each, founded at time 0."""
    cfg = Config.from_dict(dict(colonization=STILL | changes))
    lesions = Lesions(plan_of(cfg), Circuit(cfg, plan_of(cfg)), SEED)
    lesions.records = np.zeros(count, LESION)
    lesions.records["id"] = np.random.default_rng(count).integers(0, 2**64, count, dtype=np.uint64)
    lesions.records["n"], lesions.records["state"], lesions.records["node"] = cells, state, 5
    return lesions


def run(lesions, hours, steps):
    """All that was shed in equal steps."""
    dt = hours / steps
    return np.concatenate([lesions.advance(step, step * dt, dt).shed for step in range(steps)])


def z_mean(values, mean, variance):
    return (np.mean(values) - mean) / math.sqrt(variance / len(values))


def moments(b, d, t):
    """Mean and variance of the cells that one cell leaves after t (Kendall 1948)."""
    m = math.exp((b - d) * t)
    return m, 2 * b * t if b == d else (b + d) / (b - d) * m * (m - 1)


@pytest.mark.parametrize(("b", "d"), [(0.03, 0.002), (0.03, 0.03), (0.01, 0.05), (0.04, 0.0), (0.0, 0.04)])
@pytest.mark.parametrize(("cells", "steps"), [(1, 1), (1, 60), (40, 5), (20_000, 3)])
def test_mean_and_variance_are_those_of_birth_and_death(b, d, cells, steps):
    """4000 lesions after 30 h; the variance is compared by its own standard error from the sample."""
    n = lesions_of(4_000, cells, birth_per_h=b, death_per_h=d)
    run(n, 30.0, steps)
    m, v = moments(b, d, 30.0)
    seen = n.records["n"].astype(float)
    assert abs(z_mean(seen, cells * m, cells * v)) < Z
    squares = (seen - cells * m) ** 2
    assert abs(np.mean(squares) - cells * v) < Z * squares.std() / math.sqrt(squares.size)


@pytest.mark.parametrize("steps", [1, 90])
def test_one_cell_in_so_many_dies_out(steps):
    b, d, t, n = 0.05, 0.02, 90.0, 20_000
    lesions = lesions_of(n, 1, birth_per_h=b, death_per_h=d)
    run(lesions, t, steps)
    m = math.exp((b - d) * t)
    p = d * (m - 1) / (b * m - d)
    lost = (lesions.records["state"] == LesionState.CLEARED).sum()
    assert abs(lost - n * p) < Z * math.sqrt(n * p * (1 - p))


@pytest.mark.parametrize("steps", [1, 50])
def test_the_whole_law_of_the_size_is_that_of_kendall(steps):
    b, d, t, n = 0.05, 0.02, 40.0, 40_000
    lesions = lesions_of(n, 1, birth_per_h=b, death_per_h=d)
    run(lesions, t, steps)
    m = math.exp((b - d) * t)
    alpha, beta = d * (m - 1) / (b * m - d), b * (m - 1) / (b * m - d)
    last = 12  # counts of 1 .. 11 cells and of 12 or more
    law = np.array([alpha, *[(1 - alpha) * (1 - beta) * beta ** (k - 1) for k in range(1, last)]])
    law = np.append(law, 1 - law.sum()) * n
    counts = np.bincount(np.minimum(lesions.records["n"], last), minlength=last + 1)
    k = last
    chi = float(((counts - law) ** 2 / law).sum())
    assert ((chi / k) ** (1 / 3) - (1 - 2 / (9 * k))) / math.sqrt(2 / (9 * k)) < Z  # Wilson and Hilferty


@pytest.mark.parametrize("steps", [1, 40])
def test_sleepers_wake_and_die_at_their_rates(steps):
    wake, death, t, n = 0.01, 0.02, 40.0, 20_000
    lesions = lesions_of(n, 1, LesionState.DORMANT, wake_per_h=wake, dormant_death_per_h=death)
    run(lesions, t, steps)
    gone = 1 - math.exp(-(wake + death) * t)
    state = lesions.records["state"]
    for which, p in ((LesionState.ACTIVE, gone * wake / (wake + death)),
                     (LesionState.CLEARED, gone * death / (wake + death)), (LesionState.DORMANT, 1 - gone)):
        count = (state == which).sum()
        assert abs(count - n * p) < Z * math.sqrt(n * p * (1 - p)), which


def test_lesions_that_wake_within_a_step_grow_for_the_rest_of_it():
    """Mean of exp(b (t - wake)) over the exponential law of waking: 1 - F + b-weighted integral."""
    wake, b, t, n = 0.05, 0.04, 30.0, 40_000
    expected = math.exp(-wake * t) + wake / (b + wake) * (math.exp(b * t) - math.exp(-wake * t))
    for steps in (1, 30):
        lesions = lesions_of(n, 1, LesionState.DORMANT, wake_per_h=wake, birth_per_h=b)
        run(lesions, t, steps)
        seen = lesions.records["n"].astype(float)
        assert abs(seen.mean() - expected) < Z * seen.std() / math.sqrt(n), steps


@pytest.mark.parametrize("cells", [1, 3_000])
def test_cells_enter_the_blood_at_their_rate_with_the_traits_of_the_lesion(cells):
    h, t = 0.01, 20.0
    n = 60_000 // cells
    lesions = lesions_of(n, cells, shed_per_h=h)
    shed = run(lesions, t, 10)
    p, total = 1 - math.exp(-h * t), n * cells
    assert abs(shed.size - total * p) < Z * math.sqrt(total * p * (1 - p))
    dose = np.sort((1 - np.exp(-h * shed["t_shed"])) / p)
    distance = np.abs(dose - (np.arange(dose.size) + 0.5) / dose.size).max()
    assert distance * math.sqrt(dose.size) < 2.5 + 2e-3 * math.sqrt(dose.size)  # uniform within a step
    assert (shed["n"] == 1).all() and (shed["origin"] == 5).all() and shed.dtype == CTC


def test_growth_ends_at_the_capacity():
    lesions = lesions_of(200, 50, birth_per_h=0.2, death_per_h=0.05, capacity=2_000)
    run(lesions, 200.0, 400)
    seen = lesions.records["n"].astype(float)
    # turnover d at both rates: the variance about K is K d / (b - d)
    assert abs(z_mean(seen, 2_000, 2_000 * 0.05 / 0.15)) < 2 * Z
    assert seen.std() == pytest.approx(math.sqrt(2_000 * 0.05 / 0.15), rel=0.25)


def test_halving_the_step_changes_mean_growth_near_capacity_by_less_than_two_per_cent():
    means = []
    for steps in (48, 96):
        lesions = lesions_of(2_000, 500, birth_per_h=0.05, death_per_h=0.01, capacity=5_000)
        run(lesions, 96.0, steps)
        means.append(lesions.records["n"].mean())
    assert means[0] == pytest.approx(means[1], rel=0.02)


@pytest.mark.parametrize("n", [1, 5, 40])
def test_of_a_cluster_one_surviving_cell_is_enough(n):
    cfg = Config.from_dict(dict(colonization=dict(establish=0.02, dormant=0.25),
                                organs=dict(bone=dict(soil=2.0))))
    lesions, ctcs = Lesions(plan_of(cfg), Circuit(cfg, plan_of(cfg)), SEED), np.zeros(20_000, CTC)
    ctcs["id"] = np.arange(ctcs.size, dtype=np.uint64) << np.uint64(40)
    ctcs["n"], ctcs["node"] = n, np.resize([5, 7], ctcs.size)
    lesions.found(ctcs)
    for node, p in ((5, 1 - 0.98**n), (7, 1 - 0.96**n)):
        count = (lesions.records["node"] == node).sum()
        assert abs(count - 10_000 * p) < Z * math.sqrt(10_000 * p * (1 - p)), node
    asleep, total = (lesions.records["state"] == LesionState.DORMANT).sum(), lesions.records.size
    assert abs(asleep - 0.25 * total) < Z * math.sqrt(total * 0.25 * 0.75)
    assert (lesions.records["n"] == n).all()


@pytest.mark.parametrize("parts", [(0.0, 0.3), (0.25, 0.25), (0.9,)])
def test_a_change_within_a_step_acts_from_its_time(parts):
    """20 000 dormant cells, death 0.02 / h, and 3 times that from each change on (relative to the one before; at parts
    of one step of 40 h): alive are exp(-integral). At factor 1 the law is the same with the change and without."""
    n, h, t = 20_000, 0.02, 40.0
    for factor in (3.0, 1.0):
        lesions = lesions_of(n, 1, LesionState.DORMANT, dormant_death_per_h=h)
        hazard, integral, last = h, 0.0, 0.0
        for part in parts:
            integral, last, hazard = integral + hazard * t * (part - last), part, hazard * factor
            lesions.change_rates(t * part, {"lesion.dormant_death": hazard / h})
        lesions.advance(0, 0.0, t)
        p = math.exp(-(integral + hazard * t * (1.0 - last)))
        assert abs((lesions.records["n"] > 0).sum() - n * p) < Z * math.sqrt(n * p * (1 - p))


def test_lesions_grow_by_the_birth_rate_of_each_part_of_a_step():
    """20 000 lesions of one cell, birth 0.03 / h, doubled for the middle third of a step of 30 h: mean e^(0.03 * 40)."""
    n, b, t = 20_000, 0.03, 30.0
    lesions = lesions_of(n, 1, birth_per_h=b)
    lesions.change_rates(10.0, {"lesion.birth": 2.0})
    lesions.change_rates(20.0)
    lesions.advance(0, 0.0, t)
    seen = lesions.records["n"].astype(float)
    assert abs(seen.mean() - math.exp(b * 40.0)) < Z * seen.std() / math.sqrt(n)
