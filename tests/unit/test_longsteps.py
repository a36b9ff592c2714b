"""While the tumor has no cells a step goes on to where something is due, and what happens keeps its law."""
import math

import numpy as np
import pytest

import small
from metacascade._kernels._layout import LesionState
from metacascade.config.config import load
from metacascade.io.results import open_results
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

BASE = ['run.step="1 h"', 'run.duration="40 days"', 'output.interval="20 days"', 'output.checkpoint="40 days"',
        'colonization.shed="0/day"']


@pytest.fixture
def run(metacascade, tmp_path):
    def start(name, *settings):
        words = [word for setting in [*BASE, *settings] for word in ("--set", setting)]
        metacascade("run", small.EXAMPLE.parent / "injection_liver.toml", "--out", tmp_path / name, *words, check=True)
        return open_results(tmp_path / name)
    return start


def test_a_step_ends_where_something_is_due_to_be_written_or_to_happen(run):
    results = run("long", 'run.long_step="15 days"', 'surgery=[{time="17 days", where="liver"}]')
    assert results.series["time_s"].tolist() == [0, 20 * 86400, 40 * 86400]
    assert results.series["step"].tolist() == [0, 3, 5]         # 15, 17, 20; 35, 40 days
    assert results.series["resected"][-1] > 0


def test_a_tumor_with_cells_takes_short_steps(metacascade, tmp_path):
    words = [word for setting in ("tumor.cells=1000", 'run.step="1 h"', 'run.duration="4 h"', 'output.interval="4 h"')
             for word in ("--set", setting)]
    metacascade("run", small.EXAMPLE, "--out", tmp_path / "run", *words, check=True)
    assert open_results(tmp_path / "run").series["step"][-1] == 4


DAYS, Z = 40, 4.5        # standard deviations; false alarm of a two-sided test: 7e-6
FOLLOWED = {
    "blood": {"nk": "0.2/h"},
    "colonization": {"clonogenic": 0.5, "early_death": "0.1/day", "start": "0.2/day", "sleep": "0.1/day",
                     "wake": "0.02/day", "dormant_death": "0.01/day", "gompertz": "0.02/day", "capacity": 10**6,
                     "cell_loss": 0.3, "avascular_limit": 100, "switch_time": "20 days", "shed": "0.001/day",
                     "shed_avascular": 0.5},
    "injection": [{"node": "venous", "cells": 10_000, "duration": "2 days", "diameter": "14 um"}],
    "output": {"interval": f"{DAYS} days", "checkpoint": f"{DAYS} days"}}


def lesions_of_injected(seed, long_step, steps):
    """Lesions that injected cells have founded and that live, after a whole run of so many steps."""
    run = {"species": "mouse", "step": "12 h", "long_step": long_step, "duration": f"{DAYS} days", "seed": seed}
    sim = Simulation(load(FOLLOWED | {"run": run}), serial_world())
    for _ in range(steps):
        sim.step()
    assert sim.time_s == DAYS * 86400
    rows = sim.lesions.records
    return rows[(rows["source"] == 0) & (rows["n"] > 0)]


@pytest.mark.statistical
def test_one_step_of_forty_days_leaves_what_eighty_of_half_a_day_do():
    """The same 2 x 10,000 cells: those that sleep are the same, to the cell. Some 1,800 lesions that divide, whose
    sizes are drawn by other sub-steps: which live, binomial of those that live in one of the two alone; their cells,
    and the cells that they have shed, the difference of two means; each within 4.5 standard deviations, 7e-6."""
    short, long = (np.concatenate([lesions_of_injected(seed, *of) for seed in (21, 22)])
                   for of in (("12 h", 2 * DAYS), (f"{DAYS} days", 1)))
    asleep, begun = zip(*((rows["state"] == LesionState.DORMANT, rows["born"] > 0) for rows in (short, long)))
    ids = [np.sort(rows["id"][which]) for rows, which in zip((short, long), asleep)]
    assert len(ids[0]) > 1000 and np.array_equal(*ids)
    a, b = short[begun[0]], long[begun[1]]
    alone = [np.setdiff1d(x["id"], y["id"]).size for x, y in ((a, b), (b, a))]
    assert len(a) > 1000 and abs(alone[0] - alone[1]) < Z * math.sqrt(sum(alone))
    for name in ("n", "shed"):
        assert a[name].sum() > 1000
        error = math.sqrt(a[name].var() / len(a) + b[name].var() / len(b))
        assert abs(a[name].mean() - b[name].mean()) < Z * error, name
