"""What is read out: columns declared by their owners, tables by organ and clone that add up to the ledger, exact means."""
import numpy as np
import pytest

import small
from metacascade.base.columns import ALIVE, BORN, DEAD, NOW, PARTS, Column, MeanOverCells, cells, in_order
from metacascade.config.config import default, load
from metacascade.mechanisms import MECHANISMS, plan_of
from metacascade.mechanisms.plan import collect
from metacascade.model import observables
from metacascade.model.observables import Observables
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world
from metacascade.state.observed import SMALL, SMALL_UNITS, places


@pytest.fixture(scope="module")
def model():
    """The small tumor after eight hours, with three clones at random in all places."""
    sim = Simulation(load(small.EXAMPLE, small.settings(tumor__cells=5000)), serial_world())
    for _ in range(8):
        sim.step()
    rng = np.random.default_rng(1)
    sim.clones.table = np.repeat(sim.clones.table, 3)
    for records in (sim.tissue.arena.cells, sim.blood.records, sim.lesions.records, sim.late.records, sim.returning):
        records["clone"] = rng.integers(0, 3, len(records))
    return sim


def test_columns_come_part_by_part_and_each_once():
    declared = observables.columns(plan_of(default()))
    assert [PARTS.index(column.part) for column in declared] == sorted(PARTS.index(column.part) for column in declared)
    with pytest.raises(ValueError, match="a: declared as a column twice"):
        in_order([cells("a", BORN, ""), cells("a", ALIVE, "")])
    with pytest.raises(ValueError, match="'sum' is not what"):
        Column("a", "cells", "", "sum")
    with pytest.raises(ValueError, match="a: 'dead'"):
        Column("a", "mmHg", "", DEAD, MeanOverCells("oxygen"))


def test_a_cause_of_death_is_a_column_while_its_mechanism_is_off():
    """So that a branch without it still has its dead in the account."""
    off = load({"tumor": {}, "hypoxia": {"enabled": False}})
    assert observables.columns(plan_of(off)) == observables.columns(plan_of(default()))
    without = collect(off, [one for one in MECHANISMS if one.TABLE != "hypoxia"])
    assert "necrosis" not in [column.name for column in observables.columns(without)]


def test_cells_by_clone_and_place_add_up_to_the_ledger(model):
    rows, totals = Observables(model).clone_cells(), model.ledger.totals
    names = np.array(places(model.circuit.names))[rows["place"]]
    by_place = {name: int(rows["cells"][names == name].sum()) for name in names}
    for name in ("tissue", "circulating", "arrested"):
        assert by_place.pop(name) == totals[name] > 0
    assert sum(by_place.values()) == totals["lesions"] > 0 and len(by_place) >= 2
    assert set(rows["clone"]) == {0, 1, 2} and np.all(rows["cells"] > 0) and np.all(rows["time_s"] == 8 * 3600)
    of_two = (model.lesions.records["clone"] == 2) * model.lesions.records["n"]
    assert rows["cells"][(rows["clone"] == 2) & (rows["place"] > 2)].sum() == of_two.sum() > 0


def test_the_table_by_organ_adds_up_to_the_ledger(model):
    rows, totals = Observables(model).organs(), model.ledger.totals
    assert rows["cells"].sum() == totals["lesions"] and rows["arrested"].sum() == totals["arrested"]
    assert rows["lesions"].sum() == (model.lesions.records["n"] > 0).sum() > rows["active"].sum() > 0


def test_a_mean_over_cells_is_that_of_a_plain_sum_to_its_resolution(model):
    row = Observables(model).row()
    tiles = len(model.tissue.region.keys)
    plain = np.average(model.tissue.fields()["oxygen"][:tiles].astype(float), weights=model.tissue.counts[:tiles])
    assert row["oxygen_mean"] == pytest.approx(plain, abs=2.0**-16) and row["tiles"] == tiles
    assert row.keys() == {column.name for column in model.columns}


def test_voxels_of_a_coarse_field_share_their_values():
    coarse = np.arange(64.0).reshape(1, 64)
    z, y, x = 5, 2, 7
    assert observables.of_voxels(coarse)[0, 64 * z + 8 * y + x] == 16 * (z // 2) + 4 * (y // 2) + x // 2
    assert observables.of_voxels(np.arange(8.0).reshape(1, 8))[0, 64 * z + 8 * y + x] == 4 * 1 + 2 * 0 + 1


def test_what_is_off_brings_no_column():
    off = plan_of(load({"tumor": {}, "oxygen": {"enabled": False}}))
    assert "oxygen_mean" not in [column.name for column in observables.columns(off)]


def test_without_cells_there_is_no_mean():
    sim = Simulation(load({"injection": [{"cells": 10}]}), serial_world())
    row = Observables(sim).row()
    assert np.isnan(row["oxygen_mean"]) and row["clones"] == 1 and len(Observables(sim).clone_cells()) == 0


def test_columns_of_the_moment_are_not_in_the_ledger(model):
    assert not {column.name for column in model.columns if column.part == NOW} & model.ledger.totals.keys()


@pytest.mark.parametrize("name", SMALL)
def test_every_field_of_a_small_table_has_a_unit(name):
    assert SMALL_UNITS[name].keys() == set(SMALL[name].names)
