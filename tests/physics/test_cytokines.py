"""IL-6 and IL-8 by who makes them: beds draw cells as the tumor and lesions in them have cells, and rates follow these."""
import math

import numpy as np
import pytest

from binomial import assert_binomial
from metacascade._kernels._layout import CTC, Flag
from metacascade.config.config import Config, load
from metacascade.mechanisms import plan_of
from metacascade.model import burden
from metacascade.model.blood import Blood
from metacascade.model.circuit import Circuit
from metacascade.model.patient import Patient, Watch
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

N, BIND, EXIT, DEATH, TRANSIT_H = 30_000, 2.0, 0.2, 0.7, 0.1
ALONE = dict(anoikis_per_h=0.0, shear_slope_cm2_per_dyn_h=0.0, nk_per_h=0.0, release_per_h=0.0, binding_per_h=BIND,
             tension_mN_per_m=0.0, nuclear_stiffness_kPa=0.0, stretch=1000.0, arrested_death_per_h=0.1,
             viscosity_Pa_s=0.0)
SIGNALS = dict(enabled=True, half=10**6, half_organ=10**8)


def circuit(attraction=5.0, cells=(), scales=(), **signals):
    config = Config.from_dict(dict(
        tumor=dict(cells=10**6), blood=ALONE, colonization=dict(attraction=attraction), vessel_growth=dict(enabled=False),
        cytokines=SIGNALS | signals, organs=dict(tumor=dict(adhesion=1.0), lung=dict(adhesion=1.0))))
    made = Circuit(config, plan_of(config))
    made.set_rates(scales)
    made.set_burden([dict(cells).get(name, 0) for name in made.names])
    return config, made


@pytest.mark.parametrize("n", [1, 2, 3, 5, 1000, 123_457, 2**31 - 1, 2**40 + 1, 10**12])
def test_counts_are_rounded_up_to_the_next_power_of_the_fourth_root_of_two(n):
    assert n <= burden.rounded(n) * (1 + 1e-15) and burden.rounded(n) < n * 2**0.25 * (1 + 1e-12)
    assert 4 * math.log2(burden.rounded(n)) == pytest.approx(round(4 * math.log2(burden.rounded(n))), abs=1e-9)


def test_homing_follows_the_cells_of_each_node_and_of_no_other():
    _, made = circuit(cells={"tumor": 2**20, "lung": 2**26, "bone": 1000})
    homing = dict(zip(made.names, made.rates.by_node("blood.homing")))
    assert homing.pop("tumor") == pytest.approx(4 * 2**20 / (2**20 + 1e6), rel=1e-12)
    assert homing.pop("lung") == pytest.approx(4 * 2**26 / (2**26 + 1e8), rel=1e-12)
    assert not any(homing.values()), "a thousandth of half is none"
    assert not any(circuit(lesions=0.0, cells={"lung": 10**10})[1].rates.by_node("blood.homing"))


@pytest.mark.statistical
@pytest.mark.parametrize("place, cells", [("tumor", 0), ("tumor", 2**20), ("tumor", 2**40), ("lung", 2**27)])
def test_as_many_leave_a_bed_alive_as_two_races_of_hazards_say(place, cells):
    """Binomial, n = 30,000 who start in a bed: they bind before they leave it with B / (B + 1 / transit), and leave the
    vessel before they die with E / (E + death), B and E the hazards of binding and of exit times 1 + homing."""
    config, made = circuit(cells={place: cells}, half_organ=10**6)
    node = made.index(place)
    made.nodes["transit_h"][:] = 1e12               # who flows on stays where it comes, and binds nowhere
    made.nodes["transit_h"][node] = TRANSIT_H
    made.rates.by_node("blood.bind")[np.arange(len(made.names)) != node] = 0.0
    made.rates.by_node("blood.extravasate")[node], made.rates.by_node("blood.arrested_death")[node] = EXIT, DEATH
    blood, ctcs = Blood(config, made, 5), np.zeros(N, CTC)
    ctcs["id"], ctcs["n"], ctcs["diameter"] = np.arange(N, dtype=np.uint64) << np.uint64(20), 1, 12.0
    ctcs["origin"], ctcs["flags"] = node, Flag.INJECTED
    blood.admit(ctcs)
    walked = blood.advance(100.0)
    gain = 1 + 4 * burden.rounded(cells) / (burden.rounded(cells) + 1e6)
    expected = BIND * gain / (BIND * gain + 1 / TRANSIT_H) * EXIT * gain / (EXIT * gain + DEATH)
    assert_binomial(len(walked.returning) + len(walked.extravasated), N, expected)


def test_what_blocks_the_signals_blocks_those_of_lesions_too():
    made = circuit(cells={"tumor": 10**9, "lung": 10**9}, scales={"blood.homing": 0.0, "blood.cytokines": 0.0})[1]
    assert not made.rates.by_node("blood.homing").any()
    placed = circuit(cells={"lung": 10**9, "liver": 10**9}, scales={"blood.cytokines@lung": 0.5})[1]
    homing = placed.rates.by_node("blood.homing")
    assert homing[placed.index("lung")] == homing[placed.index("liver")] / 2 > 0


GROWING = {"colonization": {"clonogenic": 1.0, "start": "24/day", "gompertz": "0.5/day", "cell_loss": 0.0, "attraction": 9},
           "cytokines": {"enabled": True, "half_organ": 500}, "output": {"interval": "1 day", "checkpoint": "1 day"}}


def test_a_run_has_the_signals_of_its_lesions_and_draws_anew_when_they_change():
    c = load(GROWING | {"run": {"duration": "4 days", "step": "12 h", "long_step": "12 h"}, "injection": [
        {"organ": "lung", "cells": 40}, {"cells": 2000, "duration": "4 days"}]})
    sim, seen = Simulation(c, serial_world()), set()
    while sim.time_s < c.run.duration_s:
        before = sim.circuit.shares
        sim.step()
        cells = np.bincount(sim.lesions.records["node"], sim.lesions.records["n"], len(sim.circuit.names))
        assert sim.circuit.shares == burden.shares(sim.plan, [0, *cells[1:]])
        assert sim.redraws == (sim.circuit.shares != before)
        seen.add(sim.circuit.shares[sim.circuit.index("lung")])
    assert len(seen) > 3 and max(seen) > 0.3


def test_a_patient_has_the_signals_of_tumor_and_lesions_until_the_tumor_is_taken_out():
    c = load({"run": {"step": "30 days", "duration": "30 days"}, "output": {"interval": "30 days", "checkpoint": "30 days"},
              "tumor": {"cells": 10**9, "lumped": True, "organ": "breast"}, "cytokines": {"enabled": True, "half": 1e9},
              "surgery": [{"time": "90 days"}]})
    one = Patient(c, Watch(found_cells=1e13, longest_s=10**9))
    for day in (30, 60, 90):
        tumor = one.circuit.shares[0]
        one.advance(86400 * day)
        assert one.circuit.shares == burden.shares(one.plan, one._cells())
        assert (one.circuit.shares[0] > tumor) == (day < 90)
    assert one.circuit.shares[0] == 0.0


def test_off_the_bed_of_the_tumor_draws_whatever_its_size():
    c = load({"tumor": {"cells": 10}})
    made = Circuit(c, plan_of(c))
    assert made.shares == () and not made.set_burden([10**9] * len(made.names))
    assert made.rates.by_node("blood.homing")[0] == 4.0 and not made.rates.by_node("blood.homing")[1:].any()
