"""Injected cells: all of them, once, at their time, the same on any number of ranks."""
import numpy as np
import pytest

from binomial import assert_binomial
from metacascade._kernels._layout import CTC, Flag, LesionState
from metacascade.base.errors import InputError
from metacascade.config.config import Config, load
from metacascade.model.injection import Injections
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world
from metacascade.run.forecast import forecast
from metacascade.state.state import shed_rows

SEED = 5
PLANS = [dict(node="portal", time_s=3600, cells=5_000, diameter_um=18.4, diameter_spread=0.1, adhesion=0.2),
         dict(node="venous", time_s=1800, duration_s=7200, cells=20_000)]


def config(plans):
    return Config.from_dict(dict(injection=plans))


def steps(injections, seconds=600, last=14_400):
    return [injections.due(t, t + seconds)[0] for t in range(0, last, seconds)]


def injections_due(config, seed, after_s, last_s):
    """What enters the blood, on one rank."""
    return Injections(config, seed).due(after_s, last_s)[0]


def test_every_cell_enters_once_in_its_interval():
    parts = steps(Injections(config(PLANS), SEED))
    ctcs = np.concatenate(parts)
    assert np.unique(ctcs["id"]).size == ctcs.size == 25_000
    for i, part in enumerate(parts):
        assert ((part["t_shed"] > i / 6) & (part["t_shed"] <= (i + 1) / 6)).all()


def test_a_bolus_enters_at_one_time_with_the_traits_asked_for():
    ctcs = injections_due(config(PLANS[:1]), SEED, 3599, 3600)
    assert ctcs.size == 5_000 and (ctcs["t_shed"] == 1.0).all() and (ctcs["origin"] == 3).all()
    assert (ctcs["adhesion"] == 51).all() and (ctcs["flags"] == Flag.INJECTED).all() and (ctcs["n"] == 1).all()
    logs = np.log(ctcs["diameter"].astype(float) / 18.4)
    assert abs(logs.mean()) < 4.5 * 0.1 / 5_000**0.5 and logs.std() == pytest.approx(0.1, rel=0.05)
    assert injections_due(config(PLANS[:1]), SEED, 0, 3599).size == 0
    assert injections_due(config(PLANS[:1]), SEED, 3600, 7200).size == 0


def test_an_infusion_is_uniform_in_time():
    ctcs = injections_due(config(PLANS[1:]), SEED, 0, 100_000)
    u = np.sort((ctcs["t_shed"] - 0.5) / 2.0)
    distance = np.abs(u - (np.arange(u.size) + 0.5) / u.size).max()
    assert distance * u.size**0.5 < 2.5  # Kolmogorov: false alarm 7e-6


@pytest.mark.parametrize("size", [2, 3, 8])
def test_ranks_share_the_cells_out(size):
    whole = np.sort(np.concatenate(steps(Injections(config(PLANS), SEED))), order="id")
    parts = [np.concatenate(steps(Injections(config(PLANS), SEED, r, size))) for r in range(size)]
    for rank, part in enumerate(parts):
        assert ((part["id"] >> np.uint64(48)) * np.uint64(size) >> np.uint64(16) == rank).all()
        assert part.size > 20_000 / size
    assert np.sort(np.concatenate(parts), order="id").tobytes() == whole.tobytes()


def test_cells_do_not_depend_on_the_steps():
    fine, coarse = (np.concatenate(steps(Injections(config(PLANS), SEED), s)) for s in (60, 3600))
    assert np.sort(fine, order="id").tobytes() == np.sort(coarse, order="id").tobytes()


def test_no_injection_is_an_empty_array_of_cells():
    assert injections_due(config([]), SEED, 0, 10).dtype == CTC


PLACED = {"run": {"duration": "4 h", "step": "1 h"}, "output": {"interval": "4 h", "checkpoint": "4 h"},
          "colonization": {"clonogenic": 0.001, "early_death": "0/h", "sleep": "0/h", "start": "0/h"}}


def clonogenic(given, **tables):
    """Lesions that are clonogenic of each of some injections into the lung, all of 20,000 cells, and how many there are."""
    plans = [{"organ": "lung", "cells": 20_000, "label": f"line{i}"} | one for i, one in enumerate(given)]
    sim = Simulation(load(PLACED | tables | {"injection": plans}), serial_world())
    sim.step()
    records = sim.lesions.records
    hit = records["flags"] & Flag.CLONOGENIC > 0
    return [(int(hit[records["clone"] == i + 1].sum()), int((records["clone"] == i + 1).sum())) for i in range(len(plans))]


@pytest.mark.statistical
def test_as_many_of_an_injection_can_found_a_colony_as_it_says():
    """Binomial, 20,000 of each: its own share, that of all others, none, all; of clusters 1 - (1 - p)^n."""
    given = [{"clonogenic": 0.3}, {}, {"clonogenic": 0}, {"clonogenic": 1}, {"clonogenic": 0.1, "cluster": 5}]
    for (found, n), p in zip(clonogenic(given), (0.3, 0.001, 0.0, 1.0, 1 - 0.9**5)):
        assert_binomial(found, n, p)


@pytest.mark.statistical
def test_what_acts_on_the_rate_acts_on_the_share_of_an_injection():
    """Binomial, as above: a therapy that halves it, and L1CAM, which triples it."""
    (found, n), = clonogenic([{"clonogenic": 0.2, "bits": ["L1CAM"]}], l1cam={"enabled": True, "clonogenic": 3.0},
                             therapy=[{"rate": "lesion.clonogenic", "factor": 0.5}])
    assert_binomial(found, n, 0.3)


def test_the_estimate_has_the_share_of_each_injection_and_of_clusters():
    """Of 10,000 that divide or die, at the same rate, half of the clonogenic ones leave a lesion that has divided."""
    given = PLACED | {"run": {"duration": "200 h", "step": "1 h"}, "output": {"interval": "200 h", "checkpoint": "200 h"},
                      "colonization": {"clonogenic": 0.001, "early_death": "0.1/h", "sleep": "0/h", "start": "0.1/h",
                                       "gompertz": "0/h"}, "organs": {"lung": {"soil": 1.0, "early_death": 1.0}}}
    for one, p in (({"clonogenic": 0.3}, 0.3), ({}, 0.001), ({"clonogenic": 0.1, "cluster": 2}, 0.19)):
        made = load(given | {"injection": [{"organ": "lung", "cells": 10_000 * one.get("cluster", 1)} | one]})
        assert forecast(made).lesions[-1] == pytest.approx(10_000 * p / 2, rel=0.02)


@pytest.mark.statistical
@pytest.mark.parametrize("state, first, others", [
    ("dormant", LesionState.DORMANT, LesionState.DORMANT), ("dividing", LesionState.MICRO, LesionState.SEEDED)])
def test_injected_cells_sleep_or_divide_from_the_start(state, first, others):
    """Binomial: of 20,000 a share of 0.3 is clonogenic, and nothing else happens to any within the step."""
    given = PLACED | {"injection": [{"organ": "lung", "cells": 20_000, "clonogenic": 0.3, "state": state}]}
    given["colonization"] = given["colonization"] | {"wake": "0/h", "dormant_death": "0/h", "gompertz": "0/h", "cell_loss": 0,
                                                     "switch_time": "70 years"}
    sim = Simulation(load(given), serial_world())
    sim.step()
    records = sim.lesions.records
    hit = records["flags"] & Flag.CLONOGENIC > 0
    assert_binomial(int(hit.sum()), 20_000, 0.3)
    assert (records["state"] == np.where(hit, first, others)).all()
    assert sim.ledger.totals["slept" if state == "dormant" else "started"] == (records["state"] == first).sum()
    found = forecast(load(given))
    assert found.lesions[-1] == pytest.approx(20_000, rel=1e-6)
    assert found.cells[-1] == pytest.approx(20_000, rel=0.01)


@pytest.mark.parametrize("one, told", [
    ({"state": "dormant"}, "needs an organ"), ({"state": "awake", "organ": "lung"}, "seeded, dormant"),
    ({"state": "dividing", "organ": "lung", "bits": ["NORMAL"]}, "and the bit NORMAL")])
def test_a_state_that_cannot_be_is_refused(one, told):
    with pytest.raises(InputError, match=told):
        load({"transformation": {"enabled": True}, "injection": [one]})


def test_a_share_needs_one_of_all_others_and_shows_in_no_place_of_a_cell():
    with pytest.raises(InputError, match="needs colonization.clonogenic above 0"):
        load({"colonization": {"clonogenic": 0}, "injection": [{"clonogenic": 0.5}]})
    made = load({"injection": [{"cells": 5, "clonogenic": 0.5}]})
    assert not shed_rows(injections_due(made, SEED, -1, 0))["x"].any()
