"""The tissue of one rank: parameters in the units of the kernel, tiles and their margin, start and restart."""
import math
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade._kernels._layout import CTC, MEMBER, MIGRANT
from metacascade.config.config import Config
from metacascade.mechanisms import MECHANISMS, plan_of
from metacascade.mechanisms.plan import collect
from metacascade.mechanisms.terms import SHED, Rate, at_wall
from metacascade.model import tissue_start
from metacascade.model.microenvironment import fields_of
from metacascade.ranks.exchange import Exchange
from metacascade.ranks.parallel import serial_world
from metacascade.space.region import OFFSETS
from metacascade.space.vessels import Network
from metacascade.state.state import State, canonical, empty, slabs_of
from tiles import Patch, only, voxel_lists

SMALL = dict(tumor=dict(cells=500, center_um=[0.0, 100.0, 0.0]), oxygen=dict(initial_sweeps=3, sweeps=2),
             run=dict(step_s=1800), traits=dict(motile_fraction=1.0))


def parts(config):
    """What a tissue needs, on one rank."""
    plan = plan_of(config)
    return plan, Exchange(serial_world()), fields_of(config, plan), Network.from_config(config.vessels, config.run.seed)


def started(**tables):
    config = Config.from_dict({**SMALL, **tables})
    return tissue_start.start(config, *parts(config))


def step(model, number):
    model.breathe(number)
    migrants, shed, _, tally = model.advance(number, number * 0.5)
    model.arrive(model.leaving(migrants)[0])
    model.add_margin()
    return shed, tally


# --- parameters -----------------------------------------------------------------------------------------

def test_every_mechanism_that_is_off_has_rate_zero():
    p = only()
    assert [p[name] for name in ("amplitude", "mobility", "cluster_fraction")] == [0] * 3 and p["biases"] == ()
    assert len(p["rates"].rates) == 0


def test_units_of_the_kernel():
    p = only(
        run=dict(step_s=900), tissue=dict(edge_um=20.0), crowding=dict(mobility_um2_per_h=6000.0),
        migration=dict(speed_um_per_h=12.0, persistence_h=0.5, bias=0.25, gradient_half_mmHg_per_um=0.2),
        growth=dict(division_time_h=10.0), hypoxia=dict(survival_h=4.0), intravasation=dict(cluster_mean=5.0, reach_um=7.0))
    assert p["amplitude"] == round(4096 * math.sqrt(6) * math.sqrt(2 * 12**2 * 0.5 / 3 * 0.25) / 20)
    assert p["biases"] == (("oxygen", pytest.approx(65536 * 0.25 * 12 * 0.25 / 20), pytest.approx(0.2 * 20)),)
    assert p["mobility"] == pytest.approx(6000 * 0.25 / 20**2)
    assert p["capacity"] == pytest.approx(2.4, rel=1e-3) and p["reach_um"] == 7.0
    assert math.exp(p["cluster_log_more"]) == pytest.approx(3 / 4)      # mean of the geometric part: 3 = 5 - 2
    assert p["speed"][[0, 1, 128, 255]].tolist() == [0, 1, 129, 256]
    assert p["rates"].rates["base"][[0, 2]] == pytest.approx([math.log(2) / 10, 0.25])


def test_without_oxygen_nothing_leans_toward_it():
    """So that the kernel looks for no gradient."""
    assert only(oxygen=dict(enabled=False), migration=dict(bias=0.5))["biases"] == ()
    assert len(only(oxygen=dict(enabled=True), migration=dict(bias=0.5))["biases"]) == 1


# --- tiles ----------------------------------------------------------------------------------------------

def has_margin(model):
    have = {tuple(c) for c in model.region.coords.tolist()}
    return all(tuple(c) in have for row in np.flatnonzero(model.arena.n)
               for c in (model.region.coords[row] + OFFSETS).tolist())


def test_a_tumor_starts_with_all_its_cells_in_their_margin():
    model = started()
    assert model.cells == 500 and has_margin(model)
    tiles = len(model.region.keys)
    assert model.counts.shape == model.oxygen.value.shape == (tiles, 512)
    assert len(model.vessels.first) == 512 * tiles + 1 and model.vessels.supply.shape == (tiles, 1, 512)
    np.testing.assert_array_equal(model.counts.sum(axis=1), model.arena.n)
    assert model.add_margin() == 0


@pytest.mark.parametrize("reach", [2.0, 40.0])
def test_vessels_are_listed_within_the_reach_of_what_sheds(reach, monkeypatch):
    config = Config.from_dict(dict(SMALL, intravasation=dict(enabled=False)))
    own = SimpleNamespace(TABLE=None, __name__="own", plan=lambda config: iter([
        Rate("tissue.own", 1, action=SHED), at_wall("tissue.own", reach, 0.1)]))
    plan = collect(config, (*MECHANISMS, own))
    _, *others = parts(config)
    model = tissue_start.start(config, plan, *others)
    alike = started(intravasation=dict(reach_um=reach))
    assert model.vessels.first.tolist() == alike.vessels.first.tolist()
    assert len(model.vessels.index) != len(started().vessels.index)
    looked_at = []
    monkeypatch.setattr(tissue_start, "plan_of", lambda config: plan)
    monkeypatch.setattr(tissue_start, "voxelize", lambda tiles, edge, network, reach, walls: (
        looked_at.append(reach), alike.vessels)[1])
    assert tissue_start.perfused(config, others[-1]) and looked_at == [reach]


def test_cells_come_back_within_reach_also_where_nothing_is_shed():
    off = started(intravasation=dict(enabled=False, reach_um=40.0))
    assert off.vessels.first.tolist() == started(intravasation=dict(reach_um=40.0)).vessels.first.tolist()


def test_the_margin_follows_the_cells():
    model = started(migration=dict(speed_um_per_h=90.0), tissue=dict(edge_um=20.0))
    before = len(model.region.keys)
    for number in range(30):
        step(model, number)
        assert has_margin(model)
    assert len(model.region.keys) > before
    assert model.oxygen.value.shape == model.counts.shape == (len(model.region.keys), 512)
    np.testing.assert_array_equal(model.counts.sum(axis=1), model.arena.n)


def test_without_a_tumor_there_is_an_empty_tissue_that_can_take_steps():
    config = Config.from_dict(dict(SMALL, tumor=None))
    model = tissue_start.start(config, *parts(config))
    assert model.cells == 0 and len(model.region.keys) == 0
    shed, tally = step(model, 0)
    assert len(shed) == 0 and not any(tally.values())


def test_a_tissue_goes_on_from_its_saved_state_with_the_same_bits():
    whole = started(intravasation=dict(hazard_per_h=0.1))
    for number in range(3):
        step(whole, number)
    order = np.argsort(whole.region.keys)
    counts = whole.counts[order]
    cells = np.concatenate([whole.arena.block(row) for row in order])
    saved = State({}, whole.region.keys[order], whole.region.coords[order], whole.arrays.take(order),
                  slabs_of(canonical(cells, counts), counts),
                  empty(CTC), empty(MEMBER), np.empty(0), np.empty(0))
    again = tissue_start.restore(whole.config, *parts(whole.config), saved)
    for number in range(3, 6):
        one, two = step(whole, number), step(again, number)
        assert one[1] == two[1]
        assert np.sort(one[0], order="id").tobytes() == np.sort(two[0], order="id").tobytes()
    assert len(whole.region.keys) == len(again.region.keys)
    for row in range(len(again.region.keys)):
        twin = whole.region.rows_of(again.region.keys[row:row + 1])[0]
        assert voxel_lists(again, row) == voxel_lists(whole, twin)
        assert again.oxygen.value[row].tobytes() == whole.oxygen.value[twin].tobytes()
        assert again.pressure.value[row].tobytes() == whole.pressure.value[twin].tobytes()


# --- migrants -------------------------------------------------------------------------------------------

def test_migrants_are_split_into_those_that_stay_and_those_for_others():
    patch = Patch([(0, 0, 0)])
    patch.region.ghost_keys = np.array([77, 88], np.uint64)
    patch.region.ghost_owner = np.array([3, 5])
    migrants = np.zeros(4, MIGRANT)
    migrants["key"], migrants["voxel"] = [0, 2, 1, 0], [1, 2, 3, 4]
    here, gone, to = patch.leaving(migrants)
    assert here["voxel"].tolist() == [1, 4] and here["key"].tolist() == [0, 0]
    assert gone["voxel"].tolist() == [2, 3] and gone["key"].tolist() == [88, 77] and to.tolist() == [5, 3]


def test_arrivals_from_others_find_their_tile_by_its_key():
    patch = Patch(OFFSETS)
    arrivals = np.zeros(3, MIGRANT)
    arrivals["key"], arrivals["voxel"] = patch.region.keys[[5, 9, 5]], [7, 8, 9]
    patch.arrive(arrivals[:0], arrivals)
    assert np.argwhere(patch.counts).tolist() == [[5, 7], [5, 9], [9, 8]]


def test_an_arrival_for_a_tile_that_is_not_here_is_an_error():
    patch = Patch([(0, 0, 0)])
    arrivals = np.zeros(1, MIGRANT)
    arrivals["key"] = 5
    with pytest.raises(KeyError, match="does not own its tile"):
        patch.arrive(arrivals[:0], arrivals)
