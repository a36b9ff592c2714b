"""A tumor of tissue, a lumped tumor and a patient of a cohort with the same rates: the same law of what they found.

Each compares two samples: shed cells are binomial, lesions Poisson given them; all within 5 standard deviations of their
difference, 6e-7 for each number, with fixed seeds.
"""
import math

import numpy as np
import pytest

from metacascade._kernels._layout import LesionState
from metacascade.config.config import load
from metacascade.model.patient import Patient, Watch
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

HAZARD, ADHESION, CELLS, DAYS = 0.04, 0.3, 12_000, 6
COMMON = {
    "run": {"species": "mouse", "step": "2 h", "duration": f"{DAYS} days", "seed": 3},
    "output": {"interval": "1 day", "checkpoint": "1 day"},
    "blood": {"nk": "0.1/h"},
    "colonization": {"clonogenic": 0.2, "start": "0.5/day", "early_death": "0.1/day", "shed": "0/day",
                     "follow": "1e9/day"},
    "tumor": {"cells": CELLS}}
TISSUE = {      # all cells are in reach of young vessels, none divides, dies or moves
    "growth": {"enabled": False}, "hypoxia": {"enabled": False}, "migration": {"enabled": False},
    "crowding": {"enabled": False}, "oxygen": {"enabled": False}, "outline": {"enabled": False},
    "traits": {"motile_fraction": 0.0, "adhesion_mean": ADHESION, "adhesion_spread": 0.0},
    "vessels": {"length_density": "1500 mm/mm^3", "maturity_mean": 0.0, "maturity_spread": 0.0, "drop": 0.0},
    "intravasation": {"hazard": f"{HAZARD / (1 - ADHESION)}/day", "reach": "60 um", "cluster_fraction": 0.0}}
LUMPED = {"lumped": {"gompertz": "0/h", "cell_loss": 0.0, "shed": f"{HAZARD}/day", "cluster_fraction": 0.0, "emt": 0.0,
                     "adhesion": ADHESION},
          "tumor": {"cells": CELLS, "lumped": True}}


def simulated(config):
    """(cells shed, lesions) of a simulation."""
    sim = Simulation(config, serial_world())
    for _ in range(config.run.steps):
        sim.step()
    return sim.ledger.totals["shed"], sim.lesions.records


def growing(lesions):
    return lesions[np.isin(lesions["state"], (LesionState.MICRO, LesionState.VASCULAR))]


def agree(a, b):
    """Are two counts of equal expectation within 5 standard deviations of their difference?"""
    return abs(a - b) <= 5 * math.sqrt(max(a + b, 1))


@pytest.fixture(scope="module")
def lumped():
    return simulated(load(COMMON | LUMPED))


@pytest.mark.statistical
def test_tissue_and_a_lumped_tumor_shed_and_found_the_same(lumped):
    (shed, lesions), (others_shed, others) = lumped, simulated(load(COMMON | TISSUE))
    expected = CELLS * -math.expm1(-HAZARD * DAYS)
    for one in (shed, others_shed):
        assert abs(one - expected) < 5 * math.sqrt(expected)
    assert len(others) > 300 and agree(len(lesions), len(others))
    for node in range(19):
        assert agree(*(np.count_nonzero(found["node"] == node) for found in (lesions, others)))
    assert agree(*(len(growing(found)) for found in (lesions, others)))
    times = [found["t_founded"] for found in (lesions, others)]
    spread = math.sqrt(sum(t.var() / len(t) for t in times))
    assert abs(times[0].mean() - times[1].mean()) < 5 * spread


@pytest.mark.statistical
@pytest.mark.parametrize("step", ["2 h", "6 days"])
def test_a_patient_in_whom_only_clonogenic_cells_are_followed_has_the_same_lesions_that_grow(lumped, step):
    """Whatever the step: the others, of which the simulation follows each, cannot begin to divide."""
    tables = COMMON | LUMPED | {"run": COMMON["run"] | {"step": step}}
    watch = Watch(found_cells=math.inf, longest_s=DAYS * 86400, most_lesions=10**6)
    course = Patient(load(tables, ["run.seed=4", "output.interval=6 days", "output.checkpoint=6 days"]), watch).live()
    shed, lesions = lumped
    assert agree(course.shed, shed) and course.followed < 0.25 * shed
    mine, theirs = growing(course.lesions), growing(lesions)
    assert len(theirs) > 50 and agree(len(mine), len(theirs))
    for node in range(19):
        assert agree(*(np.count_nonzero(found["node"] == node) for found in (mine, theirs)))
    times = [found["t_founded"] for found in (mine, theirs)]
    assert abs(times[0].mean() - times[1].mean()) < 5 * math.sqrt(sum(t.var() / len(t) for t in times))


@pytest.mark.statistical
def test_what_the_config_does_at_the_time_of_diagnosis_it_does_once():
    """Of n = 12,000 cells half are left, and not a quarter: within 5 sd of 55 cells, 6e-7."""
    tables = COMMON | {"lumped": LUMPED["lumped"] | {"shed": "0/day"}, "tumor": LUMPED["tumor"],
                       "surgery": [{"time": "2 days", "share": 0.5}]}
    watch = Watch(found_cells=1000.0, first_visit_s=2 * 86400, every_s=10 * 86400, follow_up_s=86400)
    course = Patient(load(tables), watch, lambda time_s: ((), (), ())).live()
    assert course.diagnosed_s == 2 * 86400 and abs(course.left_cells - CELLS / 2) < 5 * math.sqrt(CELLS / 4)
