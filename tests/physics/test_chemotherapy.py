"""Chemotherapy: the kill against its closed form in a field held constant, the way of the drug, and the controls."""
import math

import numpy as np
import pytest

import small
from metacascade.config.config import Config, load
from metacascade.mechanisms import plan_of
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world
from tiles import Patch, only

KILL, HALF, STEPS, N = 0.06, 1.0, 40, 20


def survivors(drug_uM, bits=0, fields=(), **sections):
    """(cells left, cells at the start, hours) of a tile in which the drug is held at a concentration."""
    drug = dict(enabled=True, kill_per_h=KILL, half_uM=HALF, cycling=False) | sections.pop("chemotherapy", {})
    p = only(chemotherapy=drug, **sections)
    patch = Patch([(0, 0, 0)], **p, **dict(fields))
    patch.more["drug"] = np.full((1, 64), drug_uM, np.float32)
    patch.scatter(0, np.repeat(np.arange(512), N), np.random.default_rng(1), bits=bits)
    before = patch.cells
    tally = sum(patch.step()[1]["chemotherapy"] for _ in range(STEPS))
    assert tally == before - patch.cells
    return patch.cells, before, STEPS * p["dt_h"]


@pytest.mark.statistical
@pytest.mark.parametrize("drug, resistance, l1cam", [(5.0, 0, 0), (1.0, 0, 0), (0.3, 0, 0), (5.0, 0.6, 0), (5.0, 0, 0.7)])
def test_survival_is_the_closed_form_in_a_constant_field(drug, resistance, l1cam):
    """exp(-kill D^2 / (D^2 + half^2) (1 - resistance) t) of 10,240 cells, within 4 sigma (false alarm 6e-5)."""
    high = dict(l1cam=dict(enabled=True, spared=l1cam, on_per_h=0.0, off_per_h=0.0)) if l1cam else {}
    left, n, hours = survivors(drug, bits=1 if l1cam else 0, chemotherapy=dict(resistance=resistance), **high)
    share = round(255 * resistance) / 255
    p = math.exp(-KILL * drug**2 / (drug**2 + HALF**2) * (1 - share) * (1 - l1cam) * hours)
    assert abs(left - n * p) < 4 * math.sqrt(n * p * (1 - p)), (left, n * p)


@pytest.mark.statistical
@pytest.mark.parametrize("oxygen, pressure", [(2.0, 0.0), (40.0, 0.5)])
def test_cells_are_killed_the_less_the_slower_they_divide(oxygen, pressure):
    """The same with the factors of division: oxygen / (oxygen + half), and 1 - pressure / pressure_max."""
    given = dict(chemotherapy=dict(cycling=True), crowding=dict(pressure_max=2.0, mobility_um2_per_h=0.0))
    left, n, hours = survivors(5.0, fields=dict(oxygen=oxygen, pressure=pressure), **given)
    p = math.exp(-KILL * 25 / 26 * oxygen / (oxygen + 5.0) * (1.0 - pressure / 2.0) * hours)
    assert abs(left - n * p) < 4 * math.sqrt(n * p * (1 - p)), (left, n * p)


def test_without_drug_and_with_full_resistance_nobody_dies():
    for drug, resistance in ((0.0, 0), (50.0, 1)):
        left, n, _ = survivors(drug, chemotherapy=dict(resistance=resistance))
        assert left == n


def concentration(hours, **chemotherapy):
    config = load(small.EXAMPLE, small.settings(tumor__cells=3000, draw=[], surgery=[], radiation=[], injection=[]) + [
        f"chemotherapy.{key}={value}" for key, value in dict(enabled="true", **chemotherapy).items()])
    model = Simulation(config, serial_world())
    for _ in range(hours):
        model.step()
    return model.tissue.fields()["drug"][:len(model.tissue.region.keys)], model.ledger.totals


def test_the_drug_comes_from_the_vessels_decays_and_kills():
    drug, totals = concentration(6)
    assert 0.0 < drug.min() < 0.8 * drug.max() and drug.max() < 5.0
    assert totals["chemotherapy"] > 0
    more_decay, _ = concentration(6, decay='"50/h"')
    assert more_decay.mean() < 0.5 * drug.mean()


def test_without_drug_in_the_blood_there_is_none_in_tissue_and_nobody_dies_of_it():
    drug, totals = concentration(4, blood='"0 uM"')
    assert not drug.any() and totals["chemotherapy"] == 0


def test_a_therapy_may_give_the_drug_times():
    assert "drug.vessel" in plan_of(Config.from_dict({"chemotherapy": {"enabled": True}})).names


def test_the_mean_of_the_drug_is_a_column_only_where_there_is_one():
    on = plan_of(Config.from_dict({"chemotherapy": {"enabled": True}}))
    assert {column.name: column.unit for column in on.columns}["drug_mean"] == "uM"
    assert "drug_mean" not in {column.name for column in plan_of(Config.from_dict({})).columns}
