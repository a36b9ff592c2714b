"""Members of clusters keep their own clone and traits, from the tissue through the blood to lesions and home."""
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import small
from metacascade._kernels import _blood
from metacascade._kernels._layout import CTC, LESION, MEMBER, TRAITS, Action, Flag, Place
from metacascade._kernels._vessels import SEGMENT
from metacascade.base.errors import CellsLost, InputError
from metacascade.config.config import Config, load
from metacascade.mechanisms import plan_of
from metacascade.model.blood import Blood
from metacascade.model.circuit import Circuit
from metacascade.model.members import Members, complete, in_clones, in_order, moved_on, rows_of
from metacascade.model.observables import Observables
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import owner_of_id, serial_world
from tiles import CLONES, Patch, random_cells, rates_of, with_margin

SEEDS = st.integers(0, 2**32 - 1)
STATE = ("clone", "emt", "adhesion", "bits")      # all traits but how a cell came where it is


def some(rng, n, kind=CTC, clones=3, cells=5):
    """CTCs or lesions of up to `cells` cells each, and the members of the clusters among them, in any order."""
    found = np.zeros(n, kind)
    found["id"] = rng.integers(0, 2**64, n, dtype=np.uint64)
    found["n"], found["clone"] = rng.integers(1, cells + 1, n), rng.integers(0, clones, n)
    more = found["n"].astype(int) - 1
    members = np.zeros(more.sum(), MEMBER)
    members["id"] = np.repeat(found["id"], more)
    members["index"] = np.concatenate([np.arange(k) for k in more]) + 1 if n else []
    members["clone"], members["emt"] = rng.integers(0, clones, len(members)), rng.integers(0, 256, len(members))
    return found, members[rng.permutation(len(members))]


def kinds(*records):
    """How many cells there are of each state."""
    return Counter(tuple(row) for part in records for row in np.stack([part[name] for name in STATE], axis=1).tolist())


@given(SEEDS, st.integers(0, 60))
@settings(max_examples=50, deadline=None)
def test_members_are_found_forgotten_and_taken_by_their_clusters(seed, n):
    rng = np.random.default_rng(seed)
    ctcs, members = some(rng, n)
    store = Members(members)
    assert ctcs["id"][rows_of(members, ctcs)].tolist() == members["id"].tolist()
    assert complete(in_order(members), np.sort(ctcs, order="id"))
    part = rng.random(n) < 0.5
    mine, row = store.of(ctcs[part])
    assert mine["id"].tolist() == ctcs[part]["id"][row].tolist()
    assert len(mine) == (ctcs["n"][part].astype(int) - 1).sum()
    assert np.array_equal(in_order(store.take(ctcs[part])), in_order(mine))
    store.keep(ctcs[~part])
    assert len(store.records) == len(members) - len(mine)
    store.admit(mine)
    store.keep(ctcs[part], ctcs[~part][:0])
    assert np.array_equal(in_order(store.records), in_order(mine))


def test_a_member_that_is_lost_or_doubled_is_no_state():
    ctcs, members = some(np.random.default_rng(1), 30)
    with pytest.raises(CellsLost, match="none before them"):
        Members(members[1:]).keep(ctcs)
    ctcs, members = np.sort(ctcs, order="id"), in_order(members)
    other = members.copy()
    other["index"][3] += 7
    assert complete(members, ctcs)
    assert not complete(members[1:], ctcs) and not complete(other, ctcs) and not complete(members, ctcs[1:])


@pytest.mark.parametrize("since_h", [0.0, 0.4])
def test_the_bits_of_members_switch_with_those_of_their_leader(since_h):
    """Members that have the bits of their leaders at first have them ever after, whatever becomes of the cluster."""
    rng = np.random.default_rng(2)
    ctcs, members = some(rng, 2000, clones=1)
    config = Config.from_dict(dict(
        blood=dict(release_per_h=5.0, nk_per_h=3.0), organs=dict(lung=dict(extravasation_h=0.1))))
    circuit = Circuit(config, plan_of(config))
    switches = np.array([(0.0, 4, 0), (0.05, 1, 0), (0.2, 0, 2)], _blood.SWITCH)
    circuit.switches, circuit.since_h = switches, since_h
    ctcs["t_shed"], ctcs["bits"], ctcs["adhesion"] = rng.uniform(0, 0.5, 2000), rng.integers(0, 256, 2000), 100
    members["bits"] = ctcs["bits"][rows_of(members, ctcs)]
    blood, store, left = Blood(config, circuit, 5), Members(members), 0
    blood.admit(ctcs)
    for end_h in (0.03, 0.3, 0.31, 0.7):
        walked = blood.advance(end_h)
        for part in (blood.records, walked.extravasated, walked.returning):
            store.switch(circuit, end_h, part)
            found, row = store.of(part)
            assert found["bits"].tolist() == part["bits"][row].tolist()
        left += len(walked.extravasated)
    assert left > 50 and len(blood.records) > 50


def by_hand(lesion, members):
    """What a cluster founds, cell by cell: {clone: cells}, and the state of the first of each other clone."""
    first = {}
    for member in sorted(members, key=lambda member: member["index"]):
        if member["clone"] != lesion["clone"]:
            first.setdefault(int(member["clone"]), member)
    return Counter([int(lesion["clone"]), *members["clone"].tolist()]), first


@given(SEEDS, st.integers(1, 40), st.sampled_from([1, 2, 6]))
@settings(max_examples=50, deadline=None)
def test_a_cluster_founds_a_lesion_for_each_of_its_clones(seed, n, clones):
    lesions, members = some(np.random.default_rng(seed), n, LESION, clones)
    before, found = lesions.copy(), in_clones(lesions, members)
    assert lesions.tobytes() == before.tobytes(), "the lesions given were changed"
    assert found["n"].sum() == lesions["n"].sum() and found["n"].min() >= 1
    assert len(np.unique(found["id"])) == len(found), "two lesions of one id"
    assert (found["id"][:n] == lesions["id"]).all()
    for lesion in lesions:
        mine = found[found["id"] >> np.uint64(48) == lesion["id"] >> np.uint64(48)]
        cells, first = by_hand(lesion, members[members["id"] == lesion["id"]])
        if len(lesions) == 1:
            assert dict(zip(mine["clone"].tolist(), mine["n"].tolist())) == cells
        for clone, member in first.items():
            one, = mine[mine["id"] == moved_on(lesion["id"], member["index"])]
            assert one["n"] == cells[clone] and all(one[name] == member[name] for name in TRAITS)


def test_lesions_of_one_founder_have_one_owner_on_any_ranks_and_ids_of_their_own():
    ids = np.random.default_rng(1).integers(0, 2**64, 50, dtype=np.uint64)
    index = np.arange(1, 65536).astype(np.uint16)
    for size in (1, 2, 3, 7, 1000, 65536):
        assert all((owner_of_id(moved_on(one, index), size) == owner_of_id(one, size)).all() for one in ids[:5])
    assert all(len({int(one), *moved_on(one, index).tolist()}) == 65536 for one in ids)


def test_what_leaves_the_tissue_is_what_was_there():
    """Cells that only leave: those that stay, leaders and members are as many of each state as were there before."""
    rng, rates = np.random.default_rng(3), rates_of([(0.8, Action.SHED, 0, [])])
    segment = np.zeros(1, SEGMENT)
    segment["bx"], segment["radius"], segment["perfused"] = 240.0, 5.0, 1
    patch = Patch(with_margin(1, 1, 1), segment, rates=rates, reach_um=1e3, cluster_fraction=1.0,
                  permeability_mature=1.0, cluster_log_more=np.log(0.95))
    voxels = np.repeat(np.arange(512), 6)
    cells = random_cells(rng, len(voxels))
    cells["clone"] %= CLONES
    patch.put(patch.row(0, 0, 0), voxels, **{name: cells[name] for name in cells.dtype.names})
    before = kinds(patch.everyone()[0])
    _, shed, members, tally = patch.advance(0, 0.0)
    assert kinds(patch.everyone()[0], shed, members) == before
    assert len(members) > len(shed) > 500 and tally["shed"] == len(shed) + len(members)
    assert complete(in_order(members), np.sort(shed, order="id"))
    assert set(members["flags"]) == {0, Flag.RETURNED}, "how a cell came to where it was is no longer true"


QUIET = small.settings(      # no birth, no death, no change of state; all clusters that leave the blood found a lesion
    tumor__cells=4000, growth__enabled=False, hypoxia__enabled=False, blood__anoikis="0/h", blood__nk="0/h",
    blood__shear_slope="0 cm^2/dyn/h", blood__arrested_death="0/h", blood__breakup="0/h", blood__stretch=1000,
    vessel_growth__enabled=False, colonization__early_death="0/day", colonization__start="0/day",
    colonization__wake="0/day", colonization__dormant_death="0/day",
    intravasation__hazard="20/day", intravasation__cluster_fraction=1.0, traits__adhesion_mean=0.5,
    organs__tumor__extravasation_time="0.01 h", organs__tumor__capillary="2 um",
    injection=[], draw=[], therapy=[], surgery=[], radiation=[])


@pytest.fixture(scope="module")
def quiet():
    """(simulation, cells of each state at the start, clusters that came home), after eight hours with five clones."""
    sim, rng, home = Simulation(load(small.EXAMPLE, QUIET), serial_world()), np.random.default_rng(7), []
    sim.clones.table = np.repeat(sim.clones.table, 5)
    sim.clones.table["id"] = np.arange(5)
    sim.clones.table["parent"][1:] = 0
    sim.tell_of_clones()
    sim.tissue.arena.cells["clone"] = rng.integers(0, 5, len(sim.tissue.arena.cells))
    start = kinds(*(sim.tissue.arena.block(row) for row in range(len(sim.tissue.arena.n))))
    for step in range(8):
        sim.step()
        if step < 7:
            _send_home(sim)
            home.append(sim.returning[sim.returning["n"] > 1])
    return sim, start, np.concatenate(home)


def _send_home(sim):
    """A fifth of the clusters in the blood are in the bed of the tumor, which only few of them would come to."""
    goes = (sim.blood.records["n"] > 1) & (sim.blood.records["id"] % np.uint64(5) == 0)
    gone = sim.blood.records[goes]
    gone["place"] = Place.RETURNING
    sim.blood.records, sim.returning = sim.blood.records[~goes], np.concatenate([sim.returning, gone])


def cells_of(sim):
    """Cells in tissue and in the blood, one by one."""
    return [*(sim.tissue.arena.block(row) for row in range(len(sim.tissue.arena.n))), sim.blood.records,
            sim.late.records, sim.returning, sim.members.records]


def test_no_state_is_lost_or_made_from_tissue_to_blood_and_home(quiet):
    """Cells of tissue and blood are those of the start less those in lesions, of which the clone is known."""
    sim, start, home = quiet
    now = kinds(*cells_of(sim))
    assert len(home) > 20 and len(sim.members.records) > 50
    assert not now - start, "a state that no cell had"
    in_lesions = Counter()
    for clone, *_ in (start - now).elements():
        in_lesions[clone] += 1
    lesions = Counter()
    for clone, n in sim.lesions.records[["clone", "n"]].tolist():
        lesions[clone] += n
    assert in_lesions == lesions and len(lesions) == 5 and sum(lesions.values()) > 150


def test_clusters_of_several_clones_found_lesions_side_by_side(quiet):
    sim, _, _ = quiet
    lesions = sim.lesions.records
    assert len(lesions) == sim.ledger.totals["seeded"] > len(np.unique(lesions["t_founded"])) > 80
    moment = np.unique(lesions["t_founded"], return_inverse=True)[1]
    for k in np.flatnonzero(np.bincount(moment) > 1)[:50]:
        beside = lesions[moment == k]
        assert len(set(beside["node"])) == 1 and len(set(beside["clone"])) == len(beside)


def test_each_cell_counts_for_its_own_clone(quiet):
    sim, _, _ = quiet
    rows, totals = Observables(sim).clone_cells(), sim.ledger.totals
    own = Counter(np.concatenate([part["clone"] for part in (sim.blood.records, sim.late.records, sim.returning,
                                                             sim.members.records)]).tolist())
    counted = Counter()
    for clone, n in rows[(rows["place"] == 1) | (rows["place"] == 2)][["clone", "cells"]].tolist():
        counted[clone] += n
    assert counted == own and sum(own.values()) == totals["circulating"] + totals["arrested"]
    assert rows["cells"].sum() == sum(totals[name] for name in ("tissue", "circulating", "arrested", "lesions"))


def test_members_of_a_state_that_are_not_those_of_its_clusters_are_refused(quiet):
    sim, _, _ = quiet
    saved = sim.state(parts=0, parent=None)
    before_others = np.flatnonzero(saved.members["index"] == 2)[0] - 1
    saved.members = np.delete(saved.members, before_others)
    with pytest.raises(InputError, match="members of clusters"):
        Simulation(sim.config, serial_world(), saved)


def test_single_cells_cost_nothing():
    sim = Simulation(load(small.EXAMPLE, small.settings(tumor__cells=1000, intravasation__cluster_fraction=0.0)),
                     serial_world())
    for _ in range(4):
        sim.step()
    assert len(sim.blood.records) > 20 and len(sim.members.records) == len(sim.state().members) == 0
