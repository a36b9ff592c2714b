"""Injections and draws happen at the second that is asked for, whatever the step, and each that is listed happens."""
import re

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import metacascade as mc
from metacascade._kernels._layout import LESION, LesionState
from metacascade.base.nodes import NODES
from metacascade.config.config import Config
from metacascade.model.simulation import Simulation
from metacascade.ranks import parallel

HOURS = 2
END_S = HOURS * 3600
INJECTED = 400
WITHOUT_TUMOR = [node for node in NODES if node != "tumor"]
TIMES = st.integers(0, END_S) | st.sampled_from([0, 1, 1800, 3600, END_S - 1, END_S])
BLOOD = dict(tension_mN_per_m=0.0, nuclear_stiffness_kPa=0.0, stretch=1000.0, viscosity_Pa_s=0.0, binding_per_h=1e-3,
             anoikis_per_h=0.3, anoikis_resistance=0.0)


def happened(injection, draw, step_s, cut_at=None):
    """Rows of the draws, ids of what they took, and the state at the end, of cells that only circulate and die."""
    config = Config.from_dict(dict(
        run=dict(step_s=step_s, duration_s=END_S), blood=BLOOD, colonization=dict(enabled=False), injection=injection,
        draw=draw))
    rows, ended = [], []
    sim = Simulation(config, parallel.start(), on_draw=lambda **row: rows.append(row), on_ended=ended.append)
    while sim.time_s < END_S:
        if sim.time_s == cut_at:        # a stop and a resume
            sim = Simulation(config, parallel.start(), saved=sim.state(), on_draw=sim.on_draw, on_ended=sim.on_ended)
        sim.step()
    ctcs = np.sort(np.concatenate(ended), order="id")
    return rows, ctcs.tobytes(), np.sort(sim.blood.records, order="id").tobytes(), sim.ledger.totals["injected"]


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(TIMES, st.integers(0, END_S), st.sampled_from(WITHOUT_TUMOR)), min_size=1, max_size=3),
       st.lists(st.tuples(TIMES, st.sampled_from(WITHOUT_TUMOR)), max_size=5),
       st.sampled_from([100, 1800, 3600, 7200]))
def test_events_do_not_know_the_step(injections, draws, step_s):
    injection = [dict(time_s=time, duration_s=lasts, node=node, cells=INJECTED) for time, lasts, node in injections]
    draw = [dict(time_s=time, node=node, volume_mL=0.5) for time, node in draws]
    expected = happened(injection, draw, step_s=1200)
    assert happened(injection, draw, step_s) == expected
    assert happened(injection, draw, step_s, cut_at=step_s) == expected
    assert [row["index"] for row in expected[0]] == sorted(range(len(draws)), key=lambda i: (draws[i][0], i))
    assert [row["time_s"] for row in expected[0]] == sorted(time for time, _ in draws)


def bolus(time_s, node="venous", cells=20_000):
    return dict(time_s=time_s, node=node, cells=cells)


def sample(time_s, node="venous", volume_mL=1000.0):
    return dict(time_s=time_s, node=node, volume_mL=volume_mL)


@pytest.mark.parametrize("step_s", [60, 1800, 3600])
def test_a_draw_finds_what_is_there_at_its_time_and_not_at_the_start_of_the_step(step_s):
    at_once, later = (happened([bolus(0, cells=4000)], [sample(time, volume_mL=0.5)], step_s)[0][0] for time in (1, 300))
    assert (at_once["time_s"], later["time_s"]) == (1, 300)
    assert at_once["cells"] > 2 * later["cells"] > 0        # from the veins they spread over all of the blood


@pytest.mark.parametrize("time_s", [0, 1234, 1800, END_S])
def test_a_draw_comes_before_an_injection_at_the_same_time(time_s):
    [row], _, state, injected = happened([bolus(time_s)], [sample(time_s)], 1800)
    assert row["cells"] == 0 and injected == 20_000 and len(state) > 0


def test_draws_at_the_same_time_are_in_the_order_of_the_config_and_take_from_what_is_left():
    first, second, elsewhere = happened(
        [bolus(0)], [sample(60), sample(60), sample(60, "lung")], 1800)[0]
    assert first["cells"] > 0 and second["cells"] == 0 and elsewhere["cells"] > 0


def test_a_cell_that_enters_the_blood_later_in_the_step_is_not_in_a_draw():
    infusion = dict(time_s=600, duration_s=600, node="liver", cells=2000)
    before, half = happened([infusion], [sample(599, "liver"), sample(900, "liver")], 1800)[0]
    assert before["cells"] == 0 and half["cells"] < 1100


@pytest.mark.parametrize("step_s", [60, 3600])
def test_a_draw_finds_what_lesions_have_shed_since_the_step_began(step_s):
    """Some 20,000 of 1e6 cells enter in an hour; a draw of all that is in the veins finds those of the last seconds."""
    config = Config.from_dict(dict(
        run=dict(step_s=step_s, duration_s=3600), draw=[sample(3599)],
        blood=BLOOD, colonization=dict(shed_per_h=0.02, gompertz_per_h=0.0, follow_per_h=1e9)))
    rows = []
    sim = Simulation(config, parallel.start(), on_draw=lambda **row: rows.append(row))
    sim.lesions.records = np.zeros(1000, LESION)
    sim.lesions.records["id"] = np.arange(1000, dtype=np.uint64) << np.uint64(40)
    sim.lesions.records["n"], sim.lesions.records["state"] = 1000, LesionState.VASCULAR
    sim.lesions.records["node"] = NODES.index("liver")
    sim.ledger.add(initial=10**6)
    while sim.time_s < 3600:
        sim.step()
    in_veins = sim.circuit.volume_mL[NODES.index("venous")] / sim.circuit.volume_mL.sum()
    entered = 1e6 * -np.expm1(-0.02)
    assert 0.5 * entered * in_veins < rows[0]["cells"] < 2 * entered * in_veins


CONFIG = """
[run]
duration = "4 h"
[output]
interval = "1 h"
checkpoint = "2 h"
[tumor]
cells = 500
[[injection]]
time = "0 h"
cells = 1000
[[injection]]
time = "4 h"
node = "lung"
cells = 300
""" + "".join(f"[[draw]]\ntime = '{time}'\n" for time in ("0 h", "1 min", "30 min", "100 min", "4 h", "14399 s"))


def test_every_event_that_check_lists_has_its_row(tmp_path, metacascade):
    (tmp_path / "run.toml").write_text(CONFIG)
    listed = metacascade("check", tmp_path / "run.toml", check=True).stdout
    metacascade("run", tmp_path / "run.toml", "--out", tmp_path / "out", check=True)
    with mc.open(tmp_path / "out") as results:
        draws, shed, injected = results.draws[:], results.shed[:], results.series["injected"]
    assert len(re.findall("^draw of", listed, re.M)) == 6 == len(draws)
    assert sorted(draws["index"]) == [0, 1, 2, 3, 4, 5]
    assert draws["time_s"].tolist() == [0, 60, 1800, 6000, 14399, 14400]
    assert len(re.findall("^injection of", listed, re.M)) == 2
    assert injected.tolist() == [0, 1000, 1000, 1000, 1300]
    entered = shed[(shed["flags"] & 2) > 0]
    assert (entered["t_shed"] == 0).sum() == 1000 and (entered["t_shed"] == 4).sum() == 300
