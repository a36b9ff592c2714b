"""The inflamed bed: what treatment adds to homing, how it fades, that it draws cells, and that returned cells are told."""
import math

import numpy as np
import pytest

from metacascade._kernels._layout import CTC
from metacascade.config.config import load
from metacascade.config.windows import windows, wound_g
from metacascade.mechanisms import plan_of
from metacascade.model.circuit import Circuit
from metacascade.model.observables import Observables
from metacascade.model.patient import Patient, Watch
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


def test_a_bed_without_its_tumor_draws_by_its_inflammation_alone_and_is_perfused():
    """The tumor that drew cells is gone; one that is left lies in its bed, and does not add to its mass."""
    c = config(surgery=[{"time": "10 days"}])
    circuit = Circuit(c, plan_of(c))
    circuit.set_rates(Schedule(windows(c)).scales(10 * DAY, "blood."))
    for cells, attraction in ((10**6, c.colonization.attraction - 1), (0, 0.0)):
        circuit.set_burden([cells] + [0] * (len(circuit.names) - 1))
        assert circuit.rates.by_node("blood.homing")[0] == attraction + 6.0
    grams = []
    for bed in ((0, 0.1), (10**6, 0.1), (10**9, 0.1), (10**9, 0.0)):
        circuit.set_tumor_flow(*bed)
        grams.append(circuit.volume_mL[0] / 0.03)
    assert grams == pytest.approx([0.1, 0.1, 10 / 3, 10 / 3])


@pytest.mark.parametrize("event", [{"surgery": [{"time": "60 days"}]}, {"radiation": [
    {"time": "60 days", "where": "tumor", "dose": "30 Gy", "fractions": 2, "interval": "30 days"}]}, {}])
def test_the_bed_of_a_patient_is_perfused_and_draws_after_treatment(event):
    c = config(run={"duration": "30 days", "step": "30 days"}, output={"interval": "30 days", "checkpoint": "30 days"},
               tumor={"cells": 3000, "lumped": True, "organ": "breast", "perfusion": "0.3 mL/min/g"}, **event)
    one = Patient(c, Watch(found_cells=1e13, longest_s=10**9))
    while one.time_s < 92 * DAY:
        one.blood.records = np.zeros(1, CTC)            # somebody flows, and nothing happens to him
        one.blood.records["n"], one.blood.records["t_event"] = 1, 1e9
        one.advance(min(one._next_s(), 92 * DAY))
    assert (one.tumor.cells == 0) == bool(event)
    assert one.circuit.volume_mL[0] / 0.03 == pytest.approx(0.1 if event else one._perfused[0] / 3e8)
    homing = one.circuit.rates.by_node("blood.homing")[0]
    since = {"surgery": 32, "radiation": 2}.get("".join(event))        # a step of the fall is 5.2 days
    assert homing == (pytest.approx(6 * math.exp(-since / 30), rel=0.15) if event else c.colonization.attraction - 1)


def test_what_comes_back_to_an_empty_bed_is_tissue_after_a_short_step():
    c = config(run={"duration": "30 days", "step": "1 h", "long_step": "5 days"}, tumor={"cells": 500},
               output={"interval": "5 days", "checkpoint": "30 days"}, outline={"enabled": False},
               surgery=[{"time": "1 h", "share": 1}], organs={"tumor": {"extravasation_time": "10 h"}}, blood={"nk": "0/h"},
               injection=[{"node": "tumor", "cells": 300, "time": "3 h", "diameter": "30 um", "diameter_spread": 0}])
    sim, ends = Simulation(c, serial_world()), []
    while not sim.ledger.totals["tissue"] or sim.time_s < 7200:
        sim.step()
        ends.append((sim.time_s, sim.waiting))
    assert ends[-2][1] > 0 and ends[-1][0] - ends[-2][0] == 3600
    assert ends[-2][0] - ends[-3][0] > 12 * 3600, "the bed was empty for a long step"


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
