"""Rates of the blood and of lesions that change at set times: in the middle of steps, over stops, and not at all."""
from types import SimpleNamespace

import numpy as np
import pytest

import small
from metacascade.config.config import load
from metacascade.model.schedule import Schedule
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

STEPS, STEP_S = 6, 3600
RATES = ("blood.nk", "blood.extravasate", "lesion.birth", "lesion.clonogenic", "lesion.shed")


def plan(rate, factor, start_s, duration_s=4000, every_s=9000):
    return SimpleNamespace(rate=rate, factor=factor, otherwise=1.0, start_s=start_s, duration_s=duration_s, every_s=every_s,
                           times=None, ramp_s=None, half_life_s=None)


# changes in the middle of steps, between two, and several in one
TREATMENT = [*(plan(rate, 3.0, 600 * i, every_s=5000 + 1000 * i) for i, rate in enumerate(RATES)),
             plan("blood.shear", 0.0, STEP_S), plan("blood.anoikis", 5.0, 2 * STEP_S)]


def config():
    return load(small.EXAMPLE, small.settings(tumor__cells=3000, draw=[], therapy=[], surgery=[], radiation=[]))


def run(plans, stop_at=()):
    sim, seen = Simulation(config(), serial_world()), []
    sim.schedule = Schedule(plans)
    for step in range(STEPS):
        if step in stop_at:
            sim = Simulation(sim.config, serial_world(), saved=sim.state())
            sim.schedule = Schedule(plans)
        sim.step()
        seen.append(sim.digest())
    return seen


@pytest.fixture(scope="module")
def untreated():
    return run([])


@pytest.fixture(scope="module")
def treated():
    return run(TREATMENT)


def test_a_treatment_changes_the_run(untreated, treated):
    assert treated[0] != untreated[0] and len({*treated, *untreated}) == 2 * STEPS


def test_a_factor_of_one_changes_no_bit(untreated):
    assert run([plan(rate, 1.0, 700) for rate in RATES]) == untreated


@pytest.mark.parametrize("stop_at", [(1, 2), (3, 4, 5)])
def test_a_stop_at_any_step_changes_no_bit(treated, stop_at):
    assert run(TREATMENT, stop_at) == treated


def test_until_the_first_change_nothing_is_different(untreated):
    late = run([plan("blood.nk", 2.0, 3 * STEP_S), plan("lesion.birth", 2.0, 3 * STEP_S)])
    assert late[:3] == untreated[:3] and late[3] != untreated[3]
    assert np.unique(late).size == STEPS
