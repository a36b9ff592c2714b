"""EMT: up in hypoxia and back, against the law of a chain of steps; what it acts on; the control with oxygen."""
import math

import numpy as np
import pytest

from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model.tissue import along, speeds
from tiles import Patch, only

N, STEPS = 20, 40


def tile(oxygen, emt=0, **values):
    """A tile whose cells only change their EMT, at an oxygen that is held."""
    patch = Patch([(0, 0, 0)], oxygen=oxygen, **dict(only(emt=dict(enabled=True, **values)), mobility=0.0))
    patch.scatter(0, np.repeat(np.arange(512), N), np.random.default_rng(1), emt=emt)
    return patch


def states(patch, steps=STEPS):
    for _ in range(steps):
        patch.step()
    return patch.everyone()[0]["emt"].astype(int)


@pytest.mark.statistical
@pytest.mark.parametrize("oxygen, share", [(1.0, 1.0), (3.0, 1.0), (6.5, 0.5), (10.0, 0.0), (40.0, 0.0)])
def test_steps_up_are_a_poisson_process_of_the_hazard_at_that_oxygen(oxygen, share):
    """Mean steps of 10,240 cells within 4 sigma (false alarm 6e-5): p a step of time, binomial over 40 of them."""
    patch = tile(oxygen, up_per_h=0.02, down_per_h=0.0, step=5)
    found = states(patch)
    p = -math.expm1(-0.02 * share * patch.parameters["dt_h"])
    n = len(found)
    assert abs(found.sum() / 5 - n * STEPS * p) <= 4 * math.sqrt(n * STEPS * p * (1 - p))
    assert set(found % 5) == {0}


@pytest.mark.statistical
def test_with_time_a_mesenchymal_cell_is_epithelial_again():
    """Those that have not yet stepped down are exp(-down t) of 10,240, within 4 sigma; in the end all are at 0."""
    patch = tile(40.0, emt=250, up_per_h=0.5, down_per_h=0.03, step=50)
    found = states(patch)
    n, p = len(found), math.exp(-0.03 * STEPS * patch.parameters["dt_h"])
    assert abs((found == 250).sum() - n * p) < 4 * math.sqrt(n * p * (1 - p))
    fast = tile(40.0, emt=250, up_per_h=0.5, down_per_h=4.0, step=250)
    assert not states(fast, 60).any()


def test_hypoxia_raises_and_oxygen_lowers_the_same_cells():
    patch = tile(0.0, up_per_h=0.4, down_per_h=0.05, step=16)
    low = states(patch).mean()
    patch.oxygen.value[:] = 40.0
    assert low > 60 and states(patch, 400).mean() < 0.1 * low


@pytest.mark.statistical
@pytest.mark.parametrize("rate", [0.02, 0.04])
@pytest.mark.parametrize("level", [0.0, 0.5, 1.5])
def test_macrophages_raise_it_in_proportion_to_their_hold(rate, level):
    """Steps of 10,240 cells: rate M / (M + half), within 4 sigma (false alarm 6e-5); without the field none."""
    patch = tile(40.0, up_per_h=0.5, down_per_h=0.0, step=5, macrophages_per_h=rate)
    assert not states(patch, 5).any()
    made = only(emt=dict(enabled=True, up_per_h=0.5, down_per_h=0.0, step=5, macrophages_per_h=rate),
                macrophages=dict(enabled=True))
    patch = Patch([(0, 0, 0)], oxygen=40.0, **dict(made, mobility=0.0))
    patch.more |= {name: np.full((patch.region.rows, 64), level, np.float32) for name in made["rates"].signals
                   if name not in ("oxygen", "pressure")}
    patch.scatter(0, np.repeat(np.arange(512), N), np.random.default_rng(1))
    found = states(patch, 20)
    p = -math.expm1(-rate * level / (level + 0.5) * patch.parameters["dt_h"])
    assert abs(found.sum() / 5 - len(found) * 20 * p) <= 4 * math.sqrt(len(found) * 20 * p * (1 - p))


def test_a_step_stays_within_the_axis():
    assert set(states(tile(0.0, emt=255, up_per_h=2.0, down_per_h=0.0, step=100))) == {255}
    assert set(states(tile(40.0, emt=30, up_per_h=0.0, down_per_h=1.0, step=100), 200)) == {0}


def test_the_state_acts_on_speed_detachment_clusters_and_anoikis():
    plan = plan_of(Config.from_dict({"tumor": {}, "emt": {
        "enabled": True, "detachment": 2.0, "scattering": 0.75, "anoikis_resistance": 0.5}}))

    def at_ends(name):
        return [factor.values[byte] for factor in plan.factors_of(name) for byte in (0, 255)
                if getattr(factor, "by", "") == "emt"]

    assert at_ends("tissue.intravasate") == [1, 3] and at_ends("blood.anoikis") == [1, 0.5]
    assert along(plan)[0, [0, 255]].tolist() == [1, 0.25] and speeds(plan)[[0, 255]].tolist() == [0, 256]
