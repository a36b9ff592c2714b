"""The lymphatic exit: where lymphatics are open, who leaves with lymph, what becomes of them, and the control.

Numbers of cells that leave are sums of independent events: bounds are Z = 4.5 standard deviations, false alarm 7e-6 for
each number compared.
"""
import math
from functools import cache

import numpy as np
import pytest

import small
from controls import after, still
from metacascade._kernels._layout import Flag, Zone
from metacascade.base.nodes import LYMPH_NODE
from metacascade.config.config import Config, default, load
from metacascade.mechanisms import plan_of
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world
from metacascade.run.forecast import drained_by_tumor_per_h, forecast

Z = 4.5
SHUT = dict(collapse_per_h=0.0, turnover_per_h=1e-12)        # the field stays as it is


def field_of(sim):
    return sim.tissue.fields()["lymphatics"][:len(sim.tissue.region.keys)]


# --- lymphatics -----------------------------------------------------------------------------------------------------

def radii(sim):
    """Of the middles of voxels, from the middle of the tumor [um]."""
    v = np.arange(512)
    voxel = 8 * sim.tissue.region.coords[:, None, :] + np.stack([v & 7, v >> 3 & 7, v >> 6], axis=1)
    return np.linalg.norm((voxel + 0.5) * sim.config.tissue.edge_um - np.array(sim.config.tumor.center_um), axis=2)


@pytest.mark.parametrize("edge_um", [30.0, 15.0])
def test_the_density_is_taken_over_a_length(edge_um):
    """c - l^2 lap c = 1 in a ball of radius R, 0 outside: 1 - (R + l) exp(-R/l) sinh(r/l) / r, and outside
    (R cosh(R/l) - l sinh(R/l)) exp(-r/l) / r. The ball is a set of voxels, whose surface is rough by half an edge."""
    sim = still(cells=20_000, lymphatic={}, tissue=dict(edge_um=edge_um))
    crowd, r, length = sim.tissue.fields()["crowd"][:len(sim.tissue.region.keys)], radii(sim), 30.0
    R = (0.75 * 20_000 / sim.config.tissue.capacity / math.pi) ** (1 / 3) * edge_um
    inside = 1 - (R + length) * math.exp(-R / length) * np.sinh(np.minimum(r, R) / length) / np.maximum(r, 1e-9)
    outside = (R * math.cosh(R / length) - length * math.sinh(R / length)) * np.exp(-r / length) / np.maximum(r, 1e-9)
    error = np.abs(crowd - np.where(r < R, inside, outside))
    assert np.sqrt((error**2).mean()) < 0.02 and error.max() < 0.35 * edge_um / length


def test_they_are_open_in_stroma_and_among_few_cells_and_shut_where_it_is_crowded():
    """A tumor starts with what it leaves in time: turnover g / (turnover + collapse s), g + s = 1 above `squeezed`."""
    sim = still(cells=20_000, lymphatic=dict(turnover_per_h=0.01))
    field, crowd = field_of(sim), sim.tissue.fields()["crowd"][:len(sim.tissue.region.keys)]
    shut = ((crowd - 0.75) / 0.25).clip(0, 1)
    np.testing.assert_allclose(field, 0.01 * (1 - shut) / (0.01 + shut), rtol=1e-3, atol=1e-5)
    r = radii(sim)
    R = r[sim.tissue.counts[:len(field)] > 0].max()
    assert (field[r > R + 30] > 0.999).all() and (field[r < R - 90] < 0.02).all()


def test_they_are_pressed_shut_within_hours_and_grow_again_in_weeks():
    """L = exp(-(collapse + turnover) t) in the middle, and 1 - exp(-turnover t) once nothing is there."""
    sim = still(cells=20_000, lymphatic=dict(collapse_per_h=0.2), step_s=600, run=dict(duration_s=10**7))
    middle = radii(sim) < 100
    sim.tissue.microenvironment["lymphatics"].value[:] = 1.0
    after(sim, 5)
    np.testing.assert_allclose(field_of(sim)[middle], math.exp(-(0.2 + 0.03 / 24) * 5), rtol=0.12)
    sim.tissue.microenvironment["lymphatics"].value[:] = 0.0
    sim.tissue.microenvironment["crowd"].value[:] = 0.0
    sim.tissue.counts[:] = 0
    for step in range(0, 240, 6):
        sim.tissue.breathe(step)
    np.testing.assert_allclose(field_of(sim)[middle], -math.expm1(-0.03 / 24 * 40), rtol=0.02)


# --- who leaves -----------------------------------------------------------------------------------------------------

@pytest.mark.statistical
def test_cells_leave_with_the_hazard_times_what_is_open_and_what_does_not_bind_them():
    """Of cell i 1 - exp(-h L (1 - a_i) T) with L = 0.4, T = 10 h."""
    sim = still(cells=40_000, lymphatic=dict(SHUT, hazard_per_h=0.05), traits=dict(adhesion_mean=0.5))
    sim.tissue.microenvironment["lymphatics"].value[:] = 0.4
    bound = np.concatenate([sim.tissue.arena.block(row)["adhesion"] for row in range(len(sim.tissue.arena.n))]) / 255
    chance = -np.expm1(-0.05 * 0.4 * (1 - bound) * 10)
    left = after(sim, 10).ledger.totals["shed_lymph"]
    assert len(np.unique(bound)) > 20 and left > 1000
    assert abs(left - chance.sum()) < Z * math.sqrt((chance * (1 - chance)).sum())
    assert sim.ledger.totals["tissue"] == 40_000 - left and sim.ledger.totals["shed"] == 0


@cache
def grown(hours=48, cells=20_000, seed=1, step_s=1800, edge_um=30.0, fed=True, **lymphatic):
    """(simulation, what left the tissue) of a tumor that grows, from its second half; `fed`: by oxygen everywhere."""
    tables = {"lymphatic": dict(enabled=True, hazard_per_h=0.02) | lymphatic}
    sim = Simulation(Config.from_dict({
        "run": dict(seed=seed, step_s=step_s, duration_s=hours * 3600), "tumor": dict(cells=cells),
        "oxygen": dict(enabled=not fed), "outline": dict(interval_s=3600), "tissue": dict(edge_um=edge_um),
        "traits": dict(motile_fraction=0.0), "intravasation": dict(hazard_per_h=0.01), **tables}), serial_world())
    shed, advance = [], sim.tissue.advance

    def watched(*args):
        result = advance(*args)
        shed.append(result[1].copy())
        return result
    sim.tissue.advance = watched
    after(sim, hours)
    return sim, np.concatenate(shed[len(shed) // 2:])


def by_exit(shed):
    with_lymph = shed["flags"] & Flag.LYMPH > 0
    return shed[with_lymph], shed[~with_lymph]


def share_of_rim(shed):
    """Of cells, those of the border and outside of the outline."""
    return shed["n"][np.isin(shed["zone"], (Zone.BORDER, Zone.OUTSIDE))].sum() / shed["n"].sum()


def test_cells_leave_with_lymph_at_the_rim_and_with_blood_inside():
    """The rim emerges: no rate knows the outline. Where nothing presses lymphatics shut cells leave where they are."""
    sim, shed = grown()
    lymph, blood = by_exit(shed)
    told = sim.zones.row(sim.time_s)
    rim = (told["cells_border"] + told["cells_outside"]) / sim.ledger.totals["tissue"]
    assert len(lymph) > 200 and len(blood) > 200
    assert share_of_rim(lymph) > 0.9 and share_of_rim(blood) < rim + 0.15 < 0.75
    open_everywhere = by_exit(grown(squeezed=0.99, collapse_per_h=0.0)[1])[0]
    assert share_of_rim(open_everywhere) < 0.85


@pytest.mark.statistical
def test_control_off_on_and_doubled():
    """Twice the hazard, 1.78 times as many (40 seeds, se 0.01), as those that have left the rim leave no more; what
    enters the blood from the tumor does not move; off there are no columns."""
    (on, first), (double, second), (none, _) = grown(), grown(hazard_per_h=0.04), grown(hazard_per_h=0.0)
    a, b = len(by_exit(first)[0]), len(by_exit(second)[0])
    assert abs(b - 1.78 * a) < Z * math.sqrt(1.78**2 * a + b)
    sheds = [sim.ledger.totals["shed_ctcs"] for sim in (on, double, none)]
    assert all(abs(one - sheds[2]) < Z * math.sqrt(one + sheds[2]) for one in sheds)
    assert none.ledger.totals["shed_lymph"] == none.ledger.totals["lymph"] == 0
    off, shed = grown(enabled=False)
    assert not {"shed_lymph", "lymph", "drained"} & set(off.ledger.totals) and len(by_exit(shed)[0]) == 0
    assert LYMPH_NODE not in off.circuit.names


def test_what_leaves_follows_the_surface_of_a_tumor():
    """Eight times the cells, four times as many (Gyure 1985: linear, not volumetric); measured 4.4."""
    few, many = (len(by_exit(grown(hours=24, cells=cells)[1])[0]) for cells in (20_000, 160_000))
    assert few > 500 and 3.5 < many / few < 5.0


@pytest.mark.parametrize("finer", [dict(step_s=900), dict(edge_um=15.0)], ids=str)
def test_half_the_step_and_half_the_voxel(finer):
    """Cells that leave with lymph in a growing tumor: 1 % of the step, 7 % less of the voxel (two seeds, se 2), as 30 um
    are wide against the layer that is open; bounds are Z standard deviations beyond 0 and 7 %."""
    plain, fine = (len(by_exit(grown(hours=24, cells=40_000, **how)[1])[0]) for how in ({}, finer))
    assert abs(fine - plain * (1 if "step_s" in finer else 0.93)) < Z * math.sqrt(plain + fine)


# --- off ------------------------------------------------------------------------------------------------------------

def test_off_it_leaves_nothing_behind():
    values = dict(hazard_per_h=9.0, squeezed=0.2, collapse_per_h=3.0, turnover_per_h=0.1)
    given = {"tumor": {}, "lymphatic": values, "organs": {LYMPH_NODE: dict(capillary_um=50.0)}}
    plans = [plan_of(Config.from_dict(given)), plan_of(default())]
    assert plans[0].rates == plans[1].rates and plans[0].fields == plans[1].fields
    assert not plans[0].drains and plans[0].columns == plans[1].columns


def test_off_the_bits_are_those_of_a_run_without_it():
    def digest(*more):
        sim = Simulation(load(small.EXAMPLE, [*small.settings(tumor__cells=3000), *more]), serial_world())
        return after(sim, 6).digest()
    assert digest() == digest("lymphatic.hazard=9/day", "organs.lymph_node.soil=0.5") != digest(
        "lymphatic.enabled=true", "lymphatic.hazard=9/day")


# --- what becomes of them -------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def everything():
    """A small tumor without [intravasation], after 12 hours in which all can happen: the simulation, and its ended."""
    ended = []
    config = load(small.EXAMPLE, small.settings(
        intravasation__enabled=False, injection=[], vessel_growth__enabled=False, lymphatic__enabled=True,
        lymphatic__hazard="30/day", colonization__follow="10000000/day",
        organs__lymph_node__extravasation_time="2 h", surgery=[], draw=[], radiation=[
            {"time": "9 h", "where": "lymph_node", "dose": "2 Gy"}]))
    return after(Simulation(config, serial_world(), on_ended=ended.append), 12), np.concatenate(ended)


def test_they_end_in_the_node_or_come_through_it_into_the_veins(everything):
    """shed + shed by lesions there = in lymph + drained + ended there, in cells; and it acts with [intravasation] off."""
    sim, ended = everything
    totals, node = sim.ledger.totals, sim.circuit.lymph_node
    assert totals["shed"] == totals["shed_ctcs"] == 0 < totals["passages"]
    fates = {fate: at[LYMPH_NODE] for fate, at in sim.fates.totals().items() if LYMPH_NODE in at}
    in_node = sum(fates.values())
    by_lesions = sim.lesions.records["shed"][sim.lesions.records["node"] == node].sum()
    assert totals["shed_lymph"] + by_lesions == totals["lymph"] + totals["drained"] + in_node
    assert min(totals["lymph"], totals["drained"], in_node) > 20 < 10 * by_lesions
    assert {"nk", "arrested_death", "extravasated", "irradiated"} <= set(fates) and "shear" not in fates
    assert in_node >= ended["n"][ended["node"] == node].sum(), "cells of clusters die before their records end"


def test_rows_tell_the_exit(everything):
    """Those with lymph begin in the node, without a vessel that they entered; who founds a lesion keeps the flag."""
    sim, ended = everything
    ctcs = np.concatenate([ended, sim.blood.records])
    first = ctcs[ctcs["flags"] & Flag.LYMPH > 0]
    assert (first["origin"] == sim.circuit.lymph_node).all() and not first["distance"].any() and first["x"].any()
    assert (first["zone"] != Zone.NOWHERE).all() and not first["maturity"].any()
    others = ctcs[ctcs["flags"] & Flag.LYMPH == 0]
    assert len(others) and (others["flags"] & Flag.LESION > 0).all()
    lesions = sim.lesions.records
    assert (lesions["flags"][lesions["node"] == sim.circuit.lymph_node] & Flag.LYMPH > 0).all()


def test_a_therapy_shuts_the_exit():
    sim = still(cells=3000, lymphatic=dict(SHUT, hazard_per_h=0.1))
    sim.tissue.microenvironment["lymphatics"].value[:] = 1.0
    sim.tissue.set_rates({"tissue.lymphatic": 0.0})
    assert after(sim, 3).ledger.totals["shed_lymph"] == 0
    sim.tissue.set_rates()
    assert after(sim, 3).ledger.totals["shed_lymph"] > 50


# --- what is told beforehand ----------------------------------------------------------------------------------------

BOTH = "[tumor]\ncells = 100_000\n[intravasation]\nenabled = false\n[lymphatic]\nenabled = true\n"


def test_check_and_estimate_know_that_cells_leave_this_way(tmp_path):
    (tmp_path / "run.toml").write_text(BOTH)
    on = load(tmp_path / "run.toml", ["blood.nk=0.2/h", "organs.lymph_node.nk=0.2"])
    assert not [line for line in on.warnings if "without effect" in line or "no cell enters" in line]
    assert forecast(on).passed[-1] > 1 and drained_by_tumor_per_h(on, plan_of(on)) > 0
    off = load(tmp_path / "run.toml", ["lymphatic.enabled=false", "blood.nk=0.2/h", "organs.lymph_node.nk=0.2",
                                       "surgery=[{where = 'lymph_node', time = '1 day'}]"])
    told = " ".join(off.warnings)
    assert "blood.nk" in told and "no cell enters the blood" in told and "organs.lymph_node.nk" in told
    assert "surgery[0]: without effect in lymph_node (no cell comes there with lymph)" in told
    assert forecast(off).passed[-1] == 0


def test_the_estimate_is_of_the_size_of_a_run():
    """Within a factor of four of what a growing tumor sheds in its first day."""
    sim, shed = grown(hours=24, cells=40_000)
    found = len(by_exit(shed)[0]) / 12
    assert found / 4 < drained_by_tumor_per_h(sim.config, sim.plan) < 4 * found


def test_a_branch_may_switch_it_on_but_not_off():
    from metacascade.base.errors import InputError
    from metacascade.run.commands import _refuse_other_grid
    off, on = (load({"tumor": {}, "lymphatic": {"enabled": way}}) for way in (False, True))
    at_first = {"time_s": 0, "ledger": {"tissue": 100}}
    _refuse_other_grid(off, on, at_first)
    with pytest.raises(InputError, match=r"lymphatic.enabled.*tissue.lymphatic"):
        _refuse_other_grid(on, off, at_first)
    small_off = Simulation(load(small.EXAMPLE, small.settings(tumor__cells=2000)), serial_world())
    saved = after(small_off, 3).state(parts=0, parent=None)
    more = ["lymphatic.enabled=true", "lymphatic.hazard=30/day"]
    sim = Simulation(load(small.EXAMPLE, small.settings(tumor__cells=2000) + more), serial_world(), saved=saved)
    assert after(sim, 3).ledger.totals["shed_lymph"] > 0
