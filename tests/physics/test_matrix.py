"""The extracellular matrix: what is left of it among cells, and the control: off, on, doubled."""
from functools import cache

import numpy as np
import pytest

from controls import after, mean_where_cells_are, still
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of

TURNOVER, DEGRADATION = 0.03 / 24, 0.005


@cache
def level(hours=2, fresh=False, cells=3000, step_s=3600, edge_um=30.0, capacity=8.0, **matrix):
    """(mean over cells, all values, ledger); `fresh`: of a tumor that is put into normal stroma at the start."""
    sim = still(cells=cells, step_s=step_s, matrix=matrix, tissue=dict(edge_um=edge_um, capacity_given=capacity))
    if fresh:
        sim.tissue.microenvironment["matrix"].value[:] = 1.0
    after(sim, hours)
    return mean_where_cells_are(sim, "matrix"), sim.tissue.fields()["matrix"][:len(sim.tissue.region.keys)], sim


def left(density, degradation=DEGRADATION):
    return TURNOVER / (TURNOVER + degradation * min(density, 1.0))


def test_a_tumor_starts_with_what_it_leaves_in_time():
    """In each voxel turnover / (turnover + degradation n / capacity), and it stays so."""
    _, field, sim = level()
    counts = sim.tissue.counts[:len(field)]
    for n in (0, 1, 4, 8):
        np.testing.assert_allclose(field[counts == n], left(n / 8), rtol=1e-3)
    later = level(48)[1]
    np.testing.assert_allclose(later, field, rtol=1e-3)


def test_doubled_degradation_leaves_half_and_nothing_else_moves():
    (on, _, sim), (double, _, other) = level(), level(degradation_per_h=2 * DEGRADATION)
    none, _, third = level(degradation_per_h=0.0)
    assert none == pytest.approx(1.0, rel=1e-5) and on < 0.4 and 0.45 < double / on < 0.65
    assert sim.ledger.totals == other.ledger.totals == third.ledger.totals


def test_off_there_is_no_matrix():
    assert plan_of(Config.from_dict({"tumor": {}})).field("matrix") is None


def test_in_normal_stroma_it_is_degraded_over_days():
    """m = f + (1 - f) exp(-(turnover + degradation) t) in a full voxel, 48 h."""
    _, field, sim = level(48, fresh=True)
    full = sim.tissue.counts[:len(field)] == 8
    f = left(1.0)
    expected = f + (1 - f) * np.exp(-(TURNOVER + DEGRADATION) * 48)
    np.testing.assert_allclose(field[full], expected, rtol=0.02)


@pytest.mark.parametrize("finer", [dict(step_s=1800), dict(edge_um=15.0, capacity=1.0)], ids=str)
def test_half_the_step_and_half_the_voxel_change_little(finer):
    assert level(24, fresh=True, **finer)[0] == pytest.approx(level(24, fresh=True)[0], rel=0.05)


def test_a_therapy_may_stop_degradation():
    sim = still(matrix={})
    before = mean_where_cells_are(after(sim, 2), "matrix")
    sim.tissue.set_rates({"field.matrix.loss": 0.0})
    assert mean_where_cells_are(after(sim, 48), "matrix") == pytest.approx(1 - (1 - before) * np.exp(-TURNOVER * 48), rel=0.01)
