"""The angiogenic factor: who secretes it, and the control: off, on, doubled."""
from functools import cache

import numpy as np
import pytest

from controls import after, mean_where_cells_are, still
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model.vessel_rates import Places

DARK = (("vessel_mmHg", 10.0), ("stroma_mmHg", 10.0))       # as where vessels are few


@cache
def level(hours=3, step_s=3600, edge_um=30.0, oxygen=DARK, **vegf):
    sim = after(still(step_s=step_s, oxygen=dict(oxygen), vegf=vegf, tissue=dict(edge_um=edge_um)), hours)
    return mean_where_cells_are(sim, "vegf"), sim.ledger.totals


def test_doubled_secretion_is_twice_the_factor_and_nothing_else_moves():
    """All that the ledger counts is the same: without vessels that grow nothing depends on the factor."""
    (on, totals), (double, others) = level(), level(secretion_per_h=1.3)
    none, rest = level(secretion_per_h=0.0)
    assert on > 0.01 and none == 0.0 and double == pytest.approx(2 * on, rel=1e-4)
    assert totals == others == rest


def test_off_there_is_no_such_field():
    off = Config.from_dict({"tumor": {}})
    assert plan_of(off).field("vegf") is None and not plan_of(off).terms_of("vegf")
    assert plan_of(off) == plan_of(Config.from_dict({"tumor": {}, "vegf": {"egfr": 0.1}}))


@pytest.mark.parametrize("trait, residual", [("egfr", "egfr_residual"), ("id_level", "id_residual")])
@pytest.mark.parametrize("has, share", [(0.0, 0.25), (0.0, 0.0), (0.4, 0.25)])
def test_without_egfr_or_id_a_share_is_left(trait, residual, has, share):
    """residual + (1 - residual) x trait, in the 255 steps of a weight."""
    on, less = level()[0], level(**{trait: has, residual: share})[0]
    assert less / on == pytest.approx(share + (1 - share) * has, abs=0.003)


def test_well_fed_cells_secrete_nothing_and_less_oxygen_is_more_factor():
    fed = level(oxygen=(("vessel_mmHg", 90.0), ("stroma_mmHg", 90.0), ("uptake_mmHg_per_h", 3600.0)))[0]
    lighter = level(oxygen=(("vessel_mmHg", 20.0), ("stroma_mmHg", 20.0)))[0]
    assert fed == 0.0 and 0.0 < lighter < 0.95 * level()[0]


def test_without_oxygen_as_a_field_there_is_no_factor():
    assert level(oxygen=(("enabled", False),))[0] == 0.0


@pytest.mark.parametrize("finer", [dict(step_s=1800), dict(edge_um=15.0)], ids=str)
def test_half_the_step_and_half_the_voxel_change_little(finer):
    """Within 5 %, after six hours of a tumor as it is."""
    assert level(6, **finer)[0] == pytest.approx(level(6)[0], rel=0.05)


def test_it_is_steady_from_the_start():
    assert level(1)[0] == pytest.approx(level(24)[0], rel=0.01)


def test_a_therapy_on_the_source_lowers_the_factor():
    treated = after(still(oxygen=dict(DARK), vegf={}, cells=3000), 1)
    before = mean_where_cells_are(treated, "vegf")
    treated.tissue.set_rates({"field.vegf.source": 0.2})
    assert mean_where_cells_are(after(treated, 10), "vegf") == pytest.approx(0.2 * before, rel=0.1)
    assert "field.vegf.source" in plan_of(treated.config).names


def test_mutants_with_less_egfr_secrete_less():
    """Two clones: the second half of the cells has no EGFR."""
    sim = still(oxygen=dict(DARK), vegf={})
    whole = mean_where_cells_are(after(sim, 4), "vegf")
    mixed = still(oxygen=dict(DARK), vegf=dict(egfr_residual=0.0))
    for row in np.flatnonzero(mixed.tissue.arena.n):
        mixed.tissue.arena.block(row)["clone"] = np.arange(mixed.tissue.arena.n[row]) & 1
    mixed.tissue.take_clones({"": np.zeros(2, np.uint8), "egfr": np.array([255, 0], np.uint8),
                              "id_level": np.full(2, 255, np.uint8)})
    mixed.tissue.settle()
    moments = mixed.tissue.secretions(0)["vegf"]
    assert moments.sum() == pytest.approx(127.5 * 3000, rel=0.01)
    for _ in range(4):
        mixed.tissue.breathe(0)
    assert mean_where_cells_are(mixed, "vegf") == pytest.approx(whole / 2, rel=0.03)


def test_its_gradient_at_the_rim_of_the_tiles_is_that_of_stroma_without_end():
    """exp(-x / l) there, l = sqrt(diffusion / decay), by central differences: -sinh(h / l) / h of what it is."""
    tissue = still(vegf={}).tissue
    row = np.flatnonzero(tissue.region.mesh.neighbors[:len(tissue.region.keys), 1] < 0)     # no tile at +x
    edge, length = 8 * tissue.config.tissue.edge_um, np.sqrt(tissue.config.vegf.diffusion_um2_per_h
                                                             / tissue.config.vegf.decay_per_h)
    inside = (np.arange(8) % 2 + 0.5) / 2
    x = (tissue.region.coords[:, :1] + inside) * edge
    tissue.microenvironment["vegf"].value[:len(x)] = np.exp(-x / length)
    places = Places(tissue, row, (tissue.region.coords[row] + 0.75) * edge)
    here, gradient = places.gradient("vegf")
    np.testing.assert_allclose(gradient[:, 0] / here, -np.sinh(edge / 2 / length) / (edge / 2), rtol=1e-4)
