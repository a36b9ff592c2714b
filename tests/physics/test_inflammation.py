"""The inflamed bed: what treatment adds to homing, how it fades, that it draws cells, and that returned cells are told."""
import math

import numpy as np
import pytest

from metacascade.config.config import load
from metacascade.config.windows import windows, wound_g
from metacascade.mechanisms import plan_of
from metacascade.model.circuit import Circuit
from metacascade.model.observables import Observables
from metacascade.model.schedule import Schedule
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

DAY = 86400
INFLAMED = {"enabled": True, "gain": 6.0, "time": "30 days"}


def config(inflammation=INFLAMED, **tables):
    return load({"run": {"duration": "200 days"}, "tumor": {}, "inflammation": inflammation} | tables)


def homing(c, day):
    circuit = Circuit(c, plan_of(c))
    circuit.set_rates(Schedule(windows(c)).scales(int(day * DAY), "blood."))
    return dict(zip(circuit.names, circuit.rates.by_node("blood.homing").tolist()))


def test_surgery_adds_the_gain_to_homing_in_its_beds_and_it_fades_as_an_exponential():
    c = config(surgery=[{"time": "10 days", "where": "tumor, liver"}])
    before = homing(c, 9)
    assert {name for name, value in homing(c, 10).items() if value != before[name]} == {"tumor", "liver"}
    assert homing(c, 10)["tumor"] == before["tumor"] + 6.0 and homing(c, 10)["liver"] == 6.0
    quarter = 30 * math.log(2) / 4          # steps have the mean of the curve over them
    for k in (0, 5, 20):
        mean = (math.exp(-k * quarter / 30) - math.exp(-(k + 1) * quarter / 30)) * 30 / quarter
        assert homing(c, 10 + (k + 0.5) * quarter)["liver"] == pytest.approx(6.0 * mean, rel=1e-4)
    assert homing(c, 10 + 11 * 4 * quarter)["liver"] == 0.0


def test_treatments_of_one_bed_add_up_and_a_drug_is_a_factor_on_all_of_them():
    events = dict(surgery=[{"time": "10 days"}], radiation=[{"time": "20 days", "fractions": 5, "where": "tumor"}])
    alone = [config(**{name: plans}) for name, plans in events.items()]
    day, base = 22.0, homing(config(), 22.0)["tumor"]
    each = [homing(c, day)["tumor"] - base for c in alone]
    assert each[1] == 6.0 and homing(config(**events), day)["tumor"] == pytest.approx(base + sum(each))
    treated = config(**events, therapy=[{"drug": "anti-IL-6/IL-8", "efficacy": 0.5}])
    assert homing(treated, day)["tumor"] == pytest.approx(0.5 * (base + sum(each)))


def test_it_is_off_unless_it_is_asked_for():
    surgery = [{"time": "10 days", "where": "tumor, liver"}]
    off = config({}, surgery=surgery)
    assert windows(off) == () and homing(off, 11) == homing(off, 1) and wound_g(off, 20 * DAY) == 0.0
    assert [wound_g(config(surgery=surgery), day * DAY) for day in (9, 10)] == [0.0, 0.1]


def held(gain):
    """Of 4,000 cells that came into the liver 6 h after an operation there, how many are held or end there."""
    c = load({"run": {"duration": "10 h", "step": "1 h"}, "inflammation": INFLAMED | {"gain": gain},
              "surgery": [{"time": "1 h", "where": "liver"}], "blood": {"anoikis": "0/h", "nk": "0/h"},
              "injection": [{"cells": 4000, "node": "liver", "time": "6 h", "diameter": "8 um", "diameter_spread": 0}]})
    sim = Simulation(c, serial_world())
    for _ in range(8):
        sim.step()
    liver = sim.circuit.index("liver")
    ended = sum(of_fate.get("liver", 0) for of_fate in sim.fates.totals().values())
    return ended + int((sim.blood.records["node"] == liver).sum())


def test_an_inflamed_organ_holds_more_of_what_passes():
    """Two binomials of 4,000: five standard deviations of their difference at most 220, false alarm 6e-7."""
    assert held(20.0) - held(0.0) > 220


def test_cells_that_came_back_and_their_daughters_are_told_from_residual_ones():
    c = load({"run": {"duration": "2 days"}, "tumor": {"cells": 3000}, "growth": {"division_time": "8 h"},
              "injection": [{"cells": 300, "node": "tumor", "diameter": "30 um", "diameter_spread": 0, "label": "donor"}],
              "organs": {"tumor": {"extravasation_time": "1 h"}}, "blood": {"nk": "0/h"}})
    sim = Simulation(c, serial_world())
    while sim.time_s < c.run.duration_s:
        sim.step()
    row = Observables(sim).row()
    arena = sim.tissue.arena
    donors = sum(int((arena.block(t)["clone"] == 1).sum()) for t in np.flatnonzero(arena.n))
    assert row["self_seeded"] > 0 and row["returned"] >= row["donor_tissue"] == donors > row["self_seeded"] / 2
    assert row["tissue"] - row["returned"] > 1000
