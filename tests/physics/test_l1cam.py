"""The L1CAM-high state: its balance by density against the law, its switches in blood and lesions, and what it does."""
import math

import numpy as np
import pytest

import small
from metacascade._kernels._layout import Flag
from metacascade.config.config import Config, load
from metacascade.mechanisms import plan_of
from metacascade.mechanisms.compile import placed_rates, switches
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world
from tiles import Patch, only

ON, OFF, HALF = 0.2, 0.1, 0.25


def share_high(cells, bits=0, steps=120):
    """(share of L1CAM-high cells, cells) in a tile with so many in each voxel, of a capacity of 8."""
    patch = Patch([(0, 0, 0)], **dict(only(l1cam=dict(enabled=True, on_per_h=ON, off_per_h=OFF, half=HALF)), capacity=8.0))
    patch.scatter(0, np.repeat(np.arange(512), cells), np.random.default_rng(1), bits=bits)
    for _ in range(steps):
        patch.step()
    return (patch.everyone()[0]["bits"] & 1).mean(), patch.cells


@pytest.mark.statistical
@pytest.mark.parametrize("cells", [1, 2, 3, 8])
def test_the_share_of_high_cells_by_density_is_the_balance_of_both_hazards(cells):
    """a / (a + b) (1 - (1 - p)^steps) of 512 to 4096 cells, within 4 sigma (false alarm 6e-5)."""
    found, n = share_high(cells)
    few = HALF**4 / ((cells / 8) ** 4 + HALF**4)
    a, b = ON * few, OFF * (1 - few)
    p_on, p_off = -math.expm1(-a * 0.5), -math.expm1(-b * 0.5)
    high = p_on / (p_on + p_off) * (1 - (1 - p_on - p_off) ** 120)
    assert abs(found - high) < 4 * math.sqrt(high * (1 - high) / n), (found, high)


def test_isolated_cells_become_high_and_embedded_ones_low_again():
    assert share_high(1, bits=0)[0] > 0.9 and share_high(16, bits=1)[0] < 0.05


@pytest.fixture(scope="module")
def model():
    """The small tumor after some hours; on the way to the blood all of its cells are low."""
    model = Simulation(load(small.EXAMPLE, small.settings(draw=[], surgery=[], radiation=[]) + [
        "l1cam.enabled=true", "l1cam.on=0/day", 'l1cam.blood_time="90 min"', "l1cam.lesion_cells=3"]), serial_world())
    for _ in range(8):
        model.step()
    return model


def test_in_the_blood_a_cell_is_high_after_a_time_and_not_before(model):
    ctcs = model.blood.records
    ctcs = ctcs[ctcs["flags"] & (Flag.LESION | Flag.RETURNED) == 0]      # others were high before
    hours = model.time_s / 3600 - ctcs["t_shed"]
    assert (hours < 1.5).sum() > 20 < (hours > 1.5).sum()
    assert (ctcs["bits"][hours > 1.5] & 1).all() and not (ctcs["bits"][hours < 1.5] & 1).any()


def test_a_lesion_is_high_while_it_is_small(model):
    found = model.lesions.records
    alive = found[found["n"] > 0]
    small_ones = alive["n"] < 3
    assert small_ones.sum() > 20 < (~small_ones).sum()
    assert (alive["bits"][small_ones] & 1).all() and not (alive["bits"][~small_ones] & 1).any()


def test_it_spares_from_chemotherapy_and_helps_to_found_a_colony():
    config = Config.from_dict({"tumor": {}, "chemotherapy": {"enabled": True}, "l1cam": {
        "enabled": True, "spared": 0.75, "clonogenic": 4.0, "blood_time_h": 3.0}})
    plan = plan_of(config)
    assert [f.value.number for f in plan.factors_of("tissue.chemotherapy") if getattr(f, "bit", "")] == [0.25]
    rates = placed_rates(plan, ["lesion.clonogenic"], ["lung"])
    assert rates.states("lesion.clonogenic", "bits")[[0, 1, 2, 3]].tolist() == [1, 4, 1, 4]
    assert switches(plan, "blood") == [(3.0, 1, 0)]


def test_without_the_mechanism_no_cell_has_the_bit():
    plan = plan_of(Config.from_dict({"tumor": {}, "chemotherapy": {"enabled": True}}))
    assert not plan.bits and not switches(plan, "blood") and not switches(plan, "lesion")
    assert not [f for f in plan.factors if getattr(f, "bit", "")]
