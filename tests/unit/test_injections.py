"""Injections in the config and in a run: clusters, labels, bits, and cells that are put straight into an organ."""
import numpy as np
import pytest

from metacascade.base.errors import InputError
from metacascade.config.config import load
from metacascade.model.observables import Observables
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

ON = {"l1cam": {"enabled": True}, "competence": {"enabled": True}, "run": {"duration": "3 h", "long_step": "30 min"}}
FREE = {"enabled": False}           # what circulates dies of nothing and stays


def simulation(*injections, saved=None, **tables):
    return Simulation(load(dict(ON, injection=list(injections)) | tables), serial_world(), saved)


def run(sim, steps=4):
    for _ in range(steps):
        sim.step()
    return sim


def test_clusters_have_all_cells_that_are_asked_for_and_members_like_their_leaders():
    sim = run(simulation({"cells": 1003, "cluster": 4, "label": "donor", "bits": ["L1CAM"]}, blood=FREE))
    ctcs, members = sim.blood.records, sim.members.records
    assert ctcs["n"].sum() == 1003 == sim.ledger.totals["injected"] and sorted(set(ctcs["n"])) == [3, 4]
    assert len(ctcs) == 251 and len(members) == 1003 - 251
    assert set(members["clone"]) == set(ctcs["clone"]) == {1} and (ctcs["bits"] & 1 == 1).all()
    assert (members["bits"] & 1 == 1).all() and set(members["index"]) == {1, 2, 3}


def test_the_columns_and_rows_of_a_label_count_its_cells_and_no_others():
    sim = run(simulation({"cells": 400, "label": "donor"}, {"cells": 70}, {"cells": 30, "label": "other_one"},
                         {"cells": 5, "label": "donor"}, blood=FREE, output={"clones": 1}))
    seen = Observables(sim)
    row = seen.row()
    assert (row["donor_blood"], row["other_one_blood"], row["donor_tissue"], row["donor_lesions"]) == (405, 30, 0, 0)
    cells = seen.clone_cells()
    counted = {int(clone): int(cells["cells"][cells["clone"] == clone].sum()) for clone in cells["clone"]}
    assert counted == {65535: 70, 1: 405, 2: 30}, "labels have rows of their own, however few output.clones asks for"


def test_a_label_is_a_clone_without_a_parent_with_the_traits_that_are_given():
    sim = simulation({"label": "donor", "traits": {"competence": 0.8}}, {"label": "plain"})
    table, at = sim.clones.table, sim.clones.spectrum.names.index("competence")
    assert list(table["parent"]) == [-1, -1, -1] and list(table["traits"][:, at]) == [102, 204, 102]
    assert len(set(table["id"])) == 3 and sim.circuit.rates.clone.shape[1] == 3


def test_a_branch_keeps_the_clones_of_labels_and_adds_those_of_new_ones():
    donor = {"label": "donor", "cells": 50}
    before = run(simulation(donor, blood=FREE), 2)
    again = simulation({"label": "later", "cells": 20, "time": "90 min"}, donor, blood=FREE, saved=before.state())
    assert again.clones.labels == {"later": 2, "donor": 1} and again.clones.table["step"][2] == 2
    row = Observables(run(again, 2)).row()
    assert (row["donor_blood"], row["later_blood"]) == (50, 20)
    with pytest.raises(InputError, match="donor.*other traits"):
        simulation(donor | {"traits": {"competence": 1.0}}, saved=before.state())


def test_cells_put_into_an_organ_are_never_in_the_blood_and_found_lesions_in_it_alone():
    inside = {"cells": 900, "cluster": 3, "organ": "liver", "time": "45 min", "label": "donor"}
    sim = run(simulation(inside, colonization={"early_death": "0/day", "sleep": "0/day", "start": "0/day"}))
    lesions = sim.lesions.records
    assert len(lesions) == 300 and (lesions["n"] == 3).all() and (lesions["t_founded"] == 0.75).all()
    assert set(lesions["node"]) == {sim.circuit.index("liver")} and set(lesions["clone"]) == {1}
    assert sim.ledger.totals["injected"] == 900 and sim.ledger.totals["extravasated"] == 0 == sim.blood.passages
    assert Observables(sim).row()["donor_lesions"] == 900


def test_cells_of_a_second_injection_are_those_of_it_alone_whatever_the_first_has():
    one, two = (run(simulation({"cells": 60, **first}, {"cells": 40, "label": "donor"}, blood=FREE)).blood.records
                for first in ({}, {"cluster": 2}))
    donors = [np.sort(ctcs["id"][ctcs["clone"] == 1]) for ctcs in (one, two)]
    assert np.array_equal(*donors) and len(donors[0]) == 40


@pytest.mark.parametrize(("given", "message"), [
    ({"traits": {"competence": 0.5}}, "need a label"),
    ({"label": "donor", "traits": {"competense": 0.5}}, "no trait of clones.*competence"),
    ({"label": "donor", "traits": {"competence": 1.5}}, "from 0 to 1"),
    ({"label": "Donor"}, "must be a small letter"),
    ({"bits": ["NORMALE"]}, "no bit of state"),
    ({"bits": ["NORMAL"]}, "no bit of state.*NORMAL comes with transformation.enabled = true"),
    ({"organ": "liver", "node": "tumor"}, "tumor"),
    ({"organ": "lymph_node"}, "lymphatic.enabled = false"),
    ({"organ": "livre"}, "liver")])
def test_what_an_injection_cannot_be_is_refused_with_its_key(given, message):
    with pytest.raises(InputError, match=rf"injection\[0\]\.[^\n]*{message}"):
        load(dict(ON, injection=[given]))


def test_two_injections_of_one_label_and_other_traits_are_refused():
    with pytest.raises(InputError, match=r"injection\[1\].traits.*differ"):
        load(dict(ON, injection=[{"label": "donor", "traits": {"competence": 0.5}}, {"label": "donor"}]))


def test_an_injection_is_the_same_read_back_from_its_text():
    config = load(dict(ON, injection=[{"label": "donor", "traits": {"competence": 0.5}, "bits": ["L1CAM"], "cluster": 2}]))
    text = config.to_toml()
    assert 'traits = {"competence" = 0.5}' in text and 'bits = ["L1CAM"]' in text
    assert config.with_overrides(()).injection == config.injection
    assert any("node: without effect" in line for line in load(
        dict(ON, injection=[{"organ": "liver", "node": "portal"}])).warnings)


def test_what_comes_at_the_end_is_told_by_where_it_comes_to():
    end = [{"time": "2 h", "organ": "liver"}, {"time": "2 h", "cluster": 60}]
    told = "\n".join(load({"run": {"duration": "2 h", "step": "1 h"}, "injection": end}).warnings)
    assert "injection[0].time = 2 h is the end of the run: its cells are put into the organ, and nothing" in told
    assert "injection[1].time = 2 h is the end of the run: its cells enter the blood, and nothing" in told
    assert "injection[1].cluster = 60 is outside the usual range" in told


@pytest.mark.parametrize("state, told", [("seeded", False), ("dormant", True), ("dividing", True)])
def test_a_state_at_first_where_lesions_are_not_followed_is_told(state, told):
    lines = load(dict(ON, colonization={"enabled": False}, injection=[{"organ": "liver", "state": state}])).warnings
    assert ("injection[0].state: without effect (colonization.enabled = false)" in lines) == told
