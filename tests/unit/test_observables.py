"""What is read out: columns declared by their owners, tables by organ and clone that add up to the ledger, exact means."""
from types import SimpleNamespace

import numpy as np
import pytest

import small
from metacascade._kernels._layout import LESION, LesionState
from metacascade.base.columns import (
    ALIVE,
    BORN,
    DEAD,
    LESIONS,
    NOW,
    PARTS,
    Column,
    MeanOverCells,
    NodeColumn,
    cells,
    in_order,
)
from metacascade.base.errors import RunError
from metacascade.base.tiles import of_voxels
from metacascade.config.config import default, load
from metacascade.mechanisms import MECHANISMS, plan_of
from metacascade.mechanisms.plan import collect
from metacascade.model import observables
from metacascade.model.observables import Observables
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world
from metacascade.state.observed import NAMES, OTHERS, layouts, places


@pytest.fixture(scope="module")
def model():
    """The small tumor after eight hours, with three clones at random in all places."""
    sim = Simulation(load(small.EXAMPLE, small.settings(tumor__cells=5000)), serial_world())
    for _ in range(8):
        sim.step()
    rng = np.random.default_rng(1)
    sim.clones.table = np.repeat(sim.clones.table, 3)
    for records in (sim.tissue.arena.cells, sim.blood.records, sim.lesions.records, sim.late.records, sim.returning,
                    sim.members.records):
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
    assert rows["lesions"].sum() == (model.lesions.records["n"] > 0).sum() > rows["micro"].sum() > 0


def test_a_mean_over_cells_is_that_of_a_plain_sum_to_its_resolution(model):
    row = Observables(model).row()
    tiles = len(model.tissue.region.keys)
    plain = np.average(model.tissue.fields()["oxygen"][:tiles].astype(float), weights=model.tissue.counts[:tiles])
    assert row["oxygen_mean"] == pytest.approx(plain, abs=2.0**-16) and row["tiles"] == tiles
    assert row.keys() == {column.name for column in model.columns}


def test_voxels_of_a_coarse_field_share_their_values():
    coarse = np.arange(64.0).reshape(1, 64)
    z, y, x = 5, 2, 7
    assert of_voxels(coarse)[0, 64 * z + 8 * y + x] == 16 * (z // 2) + 4 * (y // 2) + x // 2
    assert of_voxels(np.arange(8.0).reshape(1, 8))[0, 64 * z + 8 * y + x] == 4 * 1 + 2 * 0 + 1


def test_what_is_off_brings_no_column():
    off = plan_of(load({"tumor": {}, "oxygen": {"enabled": False}}))
    assert "oxygen_mean" not in [column.name for column in observables.columns(off)]


def test_without_cells_there_is_no_mean():
    sim = Simulation(load({"injection": [{"cells": 10}]}), serial_world())
    row = Observables(sim).row()
    assert np.isnan(row["oxygen_mean"]) and row["clones"] == 1 and len(Observables(sim).clone_cells()) == 0


def test_columns_of_the_moment_are_not_in_the_ledger(model):
    assert not {column.name for column in model.columns if column.part == NOW} & model.ledger.totals.keys()


def test_every_field_of_a_small_table_has_a_unit():
    made = observables.tables(plan_of(load({"tumor": {}, "trait": [{"name": "speed"}]})))
    assert tuple(made) == NAMES and made["clones"].units["speed"] == "1/255" and made["organs"].units["micro"] == "lesions"
    assert all(one.units.keys() == set(one.dtype.names) and all(one.units.values()) for one in made.values())
    assert layouts()["organs"].dtype.names == ("time_s", "node")


def test_a_mechanism_may_bring_a_column_of_the_table_by_organ(model):
    """Here the cells of dormant lesions."""
    mine = NodeColumn("asleep", "cells", "in dormant lesions", LESIONS,
                      lambda rows: np.where(rows["state"] == LesionState.DORMANT, rows["n"], 0))
    mechanism = SimpleNamespace(TABLE=None, SECTION=None, plan=lambda config: [mine], __name__="sleep")
    plan = collect(model.config, (*MECHANISMS, mechanism))
    seen = Observables(SimpleNamespace(plan=plan, world=model.world, columns=model.columns, blood=model.blood,
                                       lesions=model.lesions, lumped=model.lumped, circuit=model.circuit, time_s=3))
    rows, records = seen.organs(), model.lesions.records
    assert rows["asleep"].sum() == records["n"][records["state"] == LesionState.DORMANT].sum() > 0
    assert observables.tables(plan)["organs"].units["asleep"] == "cells"
    with pytest.raises(ValueError, match="no records of 'cells'"):
        NodeColumn("asleep", "cells", "", "cells", len)


def test_a_count_that_fails_in_a_run_ends_it_with_file_and_line():
    mine = NodeColumn("mine", "cells", "", LESIONS, lambda rows: rows["n"] if len(rows) < 2 else rows["n"][:1])
    assert observables.counted(mine, np.ones(1, LESION)).tolist() == [1]
    with pytest.raises(RunError, match=r"test_observables.py:\d+: the column organs/mine: its count must be"):
        observables.counted(mine, np.ones(3, LESION))


def test_of_many_clones_the_largest_are_told_apart_and_the_others_added_up():
    total = np.array([[5, 0], [1, 1], [0, 9], [2, 0], [0, 2]])
    clones, cells = observables.largest(total, 3)
    assert clones.tolist() == [0, 1, 2, OTHERS] and cells.tolist() == [[5, 0], [1, 1], [0, 9], [2, 2]]
    clones, cells = observables.largest(total, 0)
    assert clones.tolist() == [OTHERS] and cells.tolist() == [[8, 12]]
    clones, cells = observables.largest(total, 5)
    assert clones.tolist() == [0, 1, 2, 3, 4] and cells is total


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_with_others_added_up_the_sums_are_still_those_of_the_ledger(model, most, monkeypatch):
    monkeypatch.setattr(model, "config", load(small.EXAMPLE, small.settings(tumor__cells=5000, output__clones=most)))
    rows = Observables(model).clone_cells()
    assert rows["cells"].sum() == sum(model.ledger.of(ALIVE).values())
    assert len(set(rows["clone"])) == min(most + 1, 3) and (OTHERS in rows["clone"]) == (most < 3)


def test_the_report_says_every_line_with_the_numbers_of_its_columns(model):
    totals = dict(model.ledger.totals, clones=3) | dict(tissue=12345, initial=6, divided_tissue=7, resected=0, irradiated=0)
    told = [text for line in observables.REPORT for text in line.of(totals)]
    assert told[0] == "  tumor     12,345 cells (started with 6; 7 divisions)" and "  treated " not in "".join(told)
    assert told[-1].startswith("  clones    3 from") and len({len(line.title) for line in observables.REPORT}) > 1
    assert next(line for line in observables.REPORT if line.title == "treated").of(totals | {"resected": 2}) == [
        "  treated   2 cells taken out by surgery, 0 killed by radiation"]


def test_cells_with_a_bit_and_the_means_of_states_are_those_of_a_plain_count(monkeypatch):
    monkeypatch.setattr(observables, "TILES", 3)          # so that some chunks are not full
    sim = Simulation(load(small.EXAMPLE, small.settings(tumor__cells=5000) + small.MECHANISMS), serial_world())
    for _ in range(3):
        sim.step()
    arena, row = sim.tissue.arena, Observables(sim).row()
    all_cells = np.concatenate([arena.block(i) for i in range(len(arena.n))])
    bits = dict(sim.plan.bits)
    assert bits.keys() == {"L1CAM", "NORMAL"} and row["tissue_L1CAM"] > 0
    for name, mask in bits.items():
        assert row[f"tissue_{name}"] == np.count_nonzero(all_cells["bits"] & mask)
    assert row["emt_mean"] == pytest.approx(all_cells["emt"].mean() / 255, rel=1e-12) and 0 < row["emt_mean"] < 1
    assert row["adhesion_mean"] == pytest.approx(all_cells["adhesion"].mean() / 255, rel=1e-12) and row["adhesion_mean"] > 0
    assert row.keys() == {column.name for column in sim.columns}
    assert not row.keys() & {"tissue_L1CAM", "emt_mean", "adhesion_mean"} & {one.name for one in observables.columns(plan_of(default()))}
