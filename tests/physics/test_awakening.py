"""Awakening: after an operation cells that sleep wake, and lesions get vessels, more often, until that has faded."""
import math

import pytest

from metacascade._kernels._layout import LesionState
from metacascade.base.errors import InputError
from metacascade.base.nodes import BEDS
from metacascade.config.config import load
from metacascade.config.windows import windows
from metacascade.model.patient import Patient, Watch
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

DAY = 86400
AWAKE = {"enabled": True, "wake": 20.0, "vessels": 6.0, "time": "30 days"}


def config(awakening=AWAKE, **tables):
    return load({"run": {"duration": "200 days", "step": "1 day"}, "output": {"interval": "20 days", "checkpoint": "200 days"},
                 "injection": [{"organ": "lung", "cells": 20_000}], "awakening": awakening} | tables)


def simulated(c):
    sim = Simulation(c, serial_world())
    while sim.time_s < c.run.duration_s:
        sim.step()
    return sim.ledger.totals


def factors(one, name):
    """By bed, how many times the hazard of a lesion is that of the config."""
    by_node = dict(zip(one.circuit.names, one.lesions.rates.by_node(name).tolist()))
    usual = one.plan.number(name)
    soil = one.config.organs
    return {bed: by_node[bed] / (usual * (soil[bed].soil if name == "lesion.wake" else 1.0)) for bed in BEDS}


def test_cells_that_sleep_wake_as_the_integral_of_the_hazard_says():
    """A binomial of 20,000 cells, none of which dies: five standard deviations, false alarm 6e-7."""
    c = config(run={"duration": "200 days", "step": "20 days"}, surgery=[{"where": "bone", "time": "40 days"}], colonization=dict(
        sleep="24/day", start="0/day", early_death="0/day", dormant_death="0/day", clonogenic=1.0, wake="0.05/year",
        gompertz="0/day"))
    year, gain = 365.25, 20.0 * 30 * -math.expm1(-160 / 30)
    slept = 200 + gain - 1 / 24         # days, of the usual hazard
    expected = 20_000 * -math.expm1(-0.05 * slept / year)
    assert simulated(c)["woken"] == pytest.approx(expected, abs=5 * math.sqrt(expected))
    assert expected - 20_000 * -math.expm1(-0.05 * 200 / year) > 10 * math.sqrt(expected), "the test proves nothing"


def patient(treat=None, **tables):
    c = config(**{"run": {"duration": "30 days", "step": "30 days"}, "output": {"interval": "30 days", "checkpoint": "30 days"},
                  "injection": [], "tumor": {"cells": 3000, "lumped": True, "organ": "breast"}} | tables)
    return Patient(c, Watch(found_cells=3000, longest_s=10**9, follow_up_s=400 * DAY), treat)


def test_an_operation_after_diagnosis_awakens_the_lesions_of_a_patient_in_all_organs_and_fades():
    surgery = config(surgery=[{"time": "20 days"}]).surgery
    one, found = patient(lambda _: ((), surgery, ())), []
    one._look()
    while one.time_s < 400 * DAY:
        one.advance(one._next_s())
        found.append((one.time_s, factors(one, "lesion.wake"), factors(one, "lesion.vascularize")))
    assert all(set(of_beds.values()) == {1.0} for t_s, *both in found if t_s < 20 * DAY for of_beds in both)
    for gain, k in ((20.0, 1), (6.0, 2)):
        at_first = next(row for row in found if row[0] == 20 * DAY)[k]
        assert at_first == pytest.approx(dict.fromkeys(BEDS, 1.0 + gain))
        late = next(row for row in found if row[0] > 80 * DAY)      # in steps of a quarter of the half-life, 5.2 days
        assert late[k]["brain"] == pytest.approx(1.0 + gain * math.exp(-(late[0] / DAY - 20) / 30), rel=0.2)
        assert set(found[-1][k].values()) == {1.0}


def test_it_acts_where_it_is_said_to_and_operations_add_up():
    both = config(AWAKE | {"where": "lung, bone"}, surgery=[{"where": "liver", "time": "1 day"}] * 2)
    sim = Simulation(both, serial_world())
    for _ in range(3):
        sim.step()
    assert {bed for bed, times in factors(sim, "lesion.wake").items() if times > 1.0} == {"lung", "bone"}
    assert 30 < factors(sim, "lesion.wake")["lung"] < 41
    with pytest.raises(InputError, match="'spine' is no organ"):
        config(AWAKE | {"where": "spine"})


def test_radiation_awakens_by_its_share_and_a_therapy_acts_on_what_is_added():
    course = [{"where": "liver", "time": "1 day", "fractions": 5}]
    for share, therapy, factor in ((0.0, [], 1.0), (0.5, [], 11.0), (0.5, [{"rate": "lesion.awakening", "factor": 0.1}], 2.0)):
        sim = Simulation(config(AWAKE | {"radiation": share}, radiation=course, therapy=therapy), serial_world())
        for _ in range(4):
            sim.step()
        assert factors(sim, "lesion.wake")["kidney"] == pytest.approx(factor)


def test_it_is_off_unless_it_is_asked_for():
    assert windows(config({}, surgery=[{"where": "bone"}])) == ()


def test_lasting_inflammation_of_one_organ_is_a_therapy_there():
    """As in lungs with smoke or endotoxin: cells that sleep in the lung wake, and those in the liver sleep on."""
    c = config({}, run={"duration": "200 days", "step": "20 days"}, injection=[{"organ": organ, "cells": 3000} for organ in ("lung", "liver")],
               therapy=[{"rate": "lesion.wake", "factor": 100, "where": "lung"}],
               colonization=dict(sleep="24/day", start="0/day", clonogenic=1.0, wake="0.02/year", gompertz="0/day"))
    sim = Simulation(c, serial_world())
    while sim.time_s < c.run.duration_s:
        sim.step()
    records = sim.lesions.records
    woken = [int(((records["node"] == sim.circuit.index(organ)) & (records["state"] == LesionState.MICRO)).sum())
             for organ in ("lung", "liver")]
    assert woken[0] > 1500 and woken[1] < 100      # 2,000 and 33 are expected if no sleeper dies
