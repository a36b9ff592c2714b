"""Read-outs of the cascade: against independent counts of a run, and hand-made results; what is missing is told."""
import csv
import math
import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import metacascade as mc
import small
from made_results import Made, Sliced
from metacascade._kernels._layout import CTC, LesionState, Place
from metacascade.base.errors import InputError
from metacascade.base.records import cells_in
from metacascade.io import bloodcount, cascade_text, founders, funnel, metastases, needs
from metacascade.io.needs import Missing
from metacascade.io.output import Output
from metacascade.model.blood import EVENTS
from metacascade.model.fates import Events
from metacascade.ranks.parallel import serial_world
from metacascade.state.observed import EVENTS as EVENT_ROWS

QUICK = dict(output__interval="2 h", output__checkpoint="6 h", tumor__cells=8000, colonization__shed="5/day")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run in which everything happens, its directory, a copy from before its end, and the simulation at its end."""
    out, finish = tmp_path_factory.mktemp("cascade") / "run", Output.finish
    simulation = mc.Simulation(small.EXAMPLE, small.settings(**QUICK))

    def watched(self, **kind):
        shutil.copytree(out, out.parent / "before")
        finish(self, **kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Output, "finish", watched)
        results = simulation.run(out)
    with results:
        yield SimpleNamespace(results=results, out=out, before=out.parent / "before", model=simulation.model)


def by_stage(rows, of="count"):
    """{(stage, organ): number} of a funnel."""
    return {(row["stage"], row["organ"]): row[of] for row in rows}


# --- the funnel ----------------------------------------------------------------------------------------------

def test_a_funnel_counts_what_the_simulation_counts(run):
    counts, totals, names = by_stage(run.results.funnel()), run.model.ledger.totals, run.model.circuit.names
    assert counts["shed", ""] == totals["shed"] + totals["shed_lesion"] + totals["injected"] - totals["unfollowed"]
    assert counts["extravasated", ""] == totals["extravasated"] > 100
    alive = run.model.lesions.records["node"][run.model.lesions.records["n"] > 0]
    assert {organ: n for (stage, organ), n in counts.items() if stage == "alive" and organ} == {
        names[node]: n for node, n in Counter(alive.tolist()).items()}
    seeded = int((run.model.lesions.records["state"] == LesionState.SEEDED).sum())
    assert counts["alive", ""] == seeded + counts["dormant", ""] + counts["micro", ""] > counts["macro", ""] > 0


def test_who_was_arrested_and_not_let_go_has_left_died_there_or_is_held(run):
    """By organ, but for the tumor; who survived and was not arrested flows, or was drawn. Cells, all counted apart."""
    counts, events, model = by_stage(run.results.funnel()), run.model.events.totals(), run.model
    names, records, fates = model.circuit.names, model.blood.records, model.fates.totals()
    held = Counter()
    for row in records[np.isin(records["place"], (Place.BOUND, Place.TRAPPED))]:
        held[names[row["node"]]] += int(row["n"])
    assert len(held) > 5
    for organ in set(names) - {"tumor"}:
        there = [events.get(name, {}).get(organ, 0) for name in ("extravasated", "nk_held", "arrested_death")]
        treated = [fates.get(name, {}).get(organ, 0) for name in ("resected", "irradiated")]
        assert counts.get(("arrested", organ), 0) == sum(there + treated) + held[organ]
    flow = [cells_in(part, part["place"] == Place.CIRCULATING) for part in (records, model.late.records)]
    assert counts["survived", ""] - counts["arrested", ""] == sum(flow) + model.ledger.totals["drawn"]


def test_times_of_a_funnel_are_quantiles_of_the_rows_of_shed_cells(run):
    shed, fates = run.results.shed[:], run.results.names("shed")["fate"]
    [lung] = [number for number, name in run.results.names("shed")["node"].items() if name == "lung"]
    left = np.isin([fates[int(fate)] for fate in shed["fate"]], ["extravasated", "died_at_exit"])
    here = shed[left & (shed["node"] == lung)]
    [row] = [row for row in run.results.funnel() if (row["stage"], row["organ"]) == ("extravasated", "lung")]
    assert row["count"] == here["n"].sum() and row["median_h"] == pytest.approx(np.median(here["t_event"] - here["t_shed"]))


def made_of_events(events, shed=1000):
    """Results in which cells met `events`: {event: {node: cells}}."""
    nodes = {0: "tumor", 1: "lung", 2: "liver"}
    number = {name: i for i, name in nodes.items()}
    rows = np.array([(3600, n, number[node], EVENTS.index(name)) for name, by_node in events.items()
                     for node, n in by_node.items()], EVENT_ROWS.dtype)
    organs = np.array([(3600, 1, 3, 1, 1, 1, 9)], [("time_s", "i8"), ("node", "i4"), *(
        (name, "i8") for name in ("lesions", "dormant", "micro", "vascular", "cells"))])
    return Made({"time_s": [0, 3600], "shed": [0, shed], "extravasated": [0, 50]},
                {"events": {"event": dict(enumerate(EVENTS)), "node": nodes}, "organs": {"node": nodes}, "shed": {"fate": {}}},
                config={"output": {"shed_cells": False}}, events=rows, organs=organs, shed=Sliced(np.zeros(0, CTC)))


def test_who_survived_and_who_was_arrested_follows_from_the_events():
    """1000 shed; 100 + 200 + 50 + 10 die while flowing; in the lung 400 + 150 are held and 250 of them let go."""
    found = funnel.funnel(made_of_events({
        "anoikis": {"lung": 60, "tumor": 40}, "shear": {"lung": 200}, "nk_flowing": {"liver": 50}, "torn": {"lung": 10},
        "trapped": {"lung": 400}, "bound": {"lung": 150, "liver": 90}, "released": {"lung": 250, "liver": 90},
        "nk_held": {"lung": 20}, "arrested_death": {"lung": 230}, "extravasated": {"lung": 50}}))
    counts, shares, of = (by_stage(found, name) for name in ("count", "share", "of"))
    assert counts["survived", ""] == 640 and shares["survived", ""] == 0.64
    assert counts["arrested", "lung"] == counts["arrested", ""] == 300 and ("arrested", "liver") not in counts
    assert counts["extravasated", "lung"] == 50 and shares["extravasated", "lung"] == 50 / 300
    assert shares["alive", "lung"] == 3 / 50 and shares["micro", "lung"] == 2 / 3 and counts["dormant", "lung"] == 1
    assert shares["macro", ""] == 1 / 2 and of["extravasated", "lung"] == "arrested"


def test_daughters_born_in_a_vessel_are_arrested_until_they_are_let_go():
    """One cell binds in the lung, divides, and both are let go: nobody is arrested; of a second one the daughter stays."""
    counts = by_stage(funnel.funnel(made_of_events({"bound": {"lung": 1}, "divided": {"lung": 1}, "released": {"lung": 2}}, 1)))
    assert not [n for (stage, _), n in counts.items() if stage == "arrested" and n] and counts["survived", ""] == 2
    counts = by_stage(funnel.funnel(made_of_events({"bound": {"lung": 1}, "divided": {"lung": 1}}, 1)))
    assert counts["arrested", "lung"] == counts["arrested", ""] == counts["survived", ""] == 2 > counts["shed", ""]


def test_what_lives_where_cells_were_put_is_no_share_of_those_that_extravasated():
    """3 of 50 in the lung; as soon as some were put into it there is no telling, there and in the whole body."""
    made = made_of_events({"extravasated": {"lung": 50, "liver": 5}})
    assert by_stage(funnel.funnel(made), "share")["alive", "lung"] == 3 / 50
    for organ, time_s, lung, whole in (("lung", 3600, None, None), ("liver", 0, 3 / 50, None), ("lung", 3601, 3 / 50, 3 / 50)):
        made.config["injection"] = [dict(organ=organ, time_s=time_s, duration_s=0, cells=0)]
        shares = by_stage(funnel.funnel(made), "share")
        assert shares["alive", "lung"] == lung and shares["alive", ""] == whole and shares["micro", "lung"] == 2 / 3


def test_without_events_all_have_survived_and_none_was_arrested():
    counts = by_stage(funnel.funnel(made_of_events({})))
    assert counts["survived", ""] == counts["shed", ""] == 1000 and counts["arrested", ""] == 0


def test_events_are_summed_over_calls_and_go_on_after_a_checkpoint():
    first = Events(serial_world(), ["tumor", "lung"])
    first.add(np.arange(2 * len(EVENTS)).reshape(-1, 2))
    again = Events(serial_world(), ["tumor", "lung"])
    again.load(first.totals())
    again.add(np.ones((len(EVENTS), 2), np.int64))
    assert np.array_equal(again.table(), np.arange(2 * len(EVENTS)).reshape(-1, 2) + 1)
    assert first.totals()["bound"] == {"tumor": 2, "lung": 3}


# --- blood ---------------------------------------------------------------------------------------------------

def test_the_concentration_is_what_flows_in_a_node_over_its_blood(run):
    records, circuit = run.model.blood.records, run.model.circuit
    for node in ("venous", "lung"):
        here = (records["node"] == circuit.index(node)) & (records["place"] == 0)
        found = run.results.concentration(node)["cells_per_mL"]
        assert len(found) == len(run.results.series["time_s"])
        assert found[-1] == pytest.approx(records["n"][here].sum() / circuit.volume_mL[circuit.index(node)]) and found[-1] > 0
    assert run.results.blood_mL["tumor"] * run.model.ledger.totals["tissue"] == pytest.approx(
        circuit.volume_mL[0], rel=0.2)         # as of the start of the last step
    with pytest.raises(mc.InputError, match="no node 'lunk'.*'lung'"):
        run.results.concentration("lunk")


# --- lesions -------------------------------------------------------------------------------------------------

def test_burdens_are_those_of_the_lesions(run):
    records, names = run.model.lesions.records, run.model.circuit.names
    for row in run.results.burdens():
        here = records[records["node"] == names.index(row["organ"])]
        assert row["cells"] == here["n"].sum() and row["alive"] == (here["n"] > 0).sum()
    assert {row["time_h"] for row in run.results.burdens(0)} <= {0.0}


def test_routes_and_lineages_are_those_of_the_founders(run):
    """By the id of the founder, which most lesions have: another way than that of the read-out."""
    shed = {int(row["id"]): row for row in run.results.shed[:]}
    nodes, flags = run.results.names("shed")["node"], {2: "injection", 4: None}
    lines, known = run.results.lineages(), 0
    for line in lines:
        if row := shed.get(line["id"]):
            known += 1
            kind = next((flag for flag in flags if row["flags"] & flag), 0)
            assert line["came_from"] == {0: "tumor", 2: "injection", 4: nodes[int(row["origin"])]}[kind]
            assert line["t_founded_h"] == row["t_event"] and (line["source"] == 0) == (kind != 4)
    assert known > 0.5 * len(lines) > 20
    routes = run.results.routes()
    assert sum(sum(row.values()) for row in routes.values()) == len(lines) and {"tumor", "injection"} < set(routes)
    living = run.results.routes(living=True)
    assert sum(sum(row.values()) for row in living.values()) == sum(line["n"] > 0 for line in lines)


def test_founders_are_counted_by_the_zone_that_they_left(run):
    """One by one, by their ids."""
    zones, shed = run.results.names("shed")["zone"], run.results.shed[:]
    of_tumor = {int(row["id"]): zones[int(row["zone"])] for row in shed if not row["flags"] & 6 and row["origin"] == 0}
    alive = [int(row["id"]) for row in run.results.lesions[:] if row["n"] > 0]
    found = run.results.founders()
    assert {row["zone"]: row["shed"] for row in found} == Counter(of_tumor.values())
    assert {row["zone"]: row["founders"] for row in found if row["founders"]} == Counter(
        of_tumor[one] for one in alive if one in of_tumor)
    assert sum(row["founders_share"] for row in found) == pytest.approx(1) == sum(row["shed_share"] for row in found)
    largest = run.results.largest_lesions()
    assert [row["n"] for row in largest] == sorted((row["n"] for row in largest), reverse=True) and len(largest) == len(alive)
    known = {row["id"]: row for row in run.results.lineages()}
    assert all(known[row["id"]][name] == row[name] for row in largest for name in ("organ", "clone", "came_from", "source"))
    assert {row["zone"] for row in largest if row["came_from"] != "tumor"} == {""}
    assert all(row["zone"] == of_tumor.get(row["id"], founders.NOT_TOLD) for row in largest if row["came_from"] == "tumor")
    assert run.results.largest_lesions(3) == largest[:3]


@pytest.mark.parametrize("change, why", [
    (dict(config={"tumor": {"lumped": True}}), "the tumor has no space"), ({}, "no row of a shed cell")])
def test_founders_that_cannot_be_told_are_said_to_be_missing(change, why):
    made = metastasized()
    made.tables["shed"], made.config = np.zeros(0, [("id", "u8"), ("zone", "u1")]), change.get("config", {})
    made.enumerations["shed"] = {"zone": {0: "nowhere"}, "node": {0: "tumor"}}
    with pytest.raises(Missing, match=why):
        founders.founders(made)
    assert [row["zone"] for row in founders.largest(made)] == [founders.NOT_TOLD, ""]


def test_founders_are_the_same_in_chunks_of_a_few_rows(run, monkeypatch):
    whole = run.results.founders()
    monkeypatch.setattr(needs, "CHUNK", max(len(run.results.shed) // 7, 1))
    for row, other in zip(whole, run.results.founders(), strict=True):
        assert row == pytest.approx(other, nan_ok=True)


def test_the_first_lesion_and_the_largest_are_those_of_the_rows(run):
    found = run.results.metastases()
    rows = run.results.lesions[:]
    assert found["largest"] == rows["n"].max()
    began = metastases.started(run.results)
    assert rows["t_founded"].min() <= found["first_lesion_h"] <= np.ceil(np.nanmin(began))      # steps of an hour
    biggest = int(rows["n"].max())
    assert run.results.metastases(cells=biggest)["detected"] == (rows["n"] == biggest).sum()
    assert run.results.metastases(cells=biggest + 1)["detected"] == 0


LESION = [("id", "u8"), ("source", "u8"), ("n", "i8"), ("born", "i8"), ("t_founded", "f8"), ("t_state", "f8"),
          ("t_detected", "f8"), ("clone", "u2"), ("flags", "u1"), ("node", "u1"), ("origin", "u1"), ("state", "u1")]


def metastasized():
    """Three lesions in records with sources and detection: 1 from the tumor, 2 from lesion 1, 3 cleared."""
    rows = np.array([(11, 0, 2_000_000, 5, 10, 30, 90.0, 0, 0, 1, 0, 3), (12, 11, 7, 6, 60, 61, math.inf, 4, 4, 2, 1, 2),
                     (13, 0, 0, 0, 5, 9, math.inf, 0, 2, 2, 0, 4)], LESION)
    states, nodes = dict(enumerate(("seeded", "dormant", "micro", "vascular", "cleared"))), {0: "tumor", 1: "lung", 2: "bone"}
    kinds = [(name, "i8") for name in ("time_s", "node", "lesions", "dormant", "micro", "vascular", "cells")]
    made = Made({"time_s": 3600 * np.array([0, 24, 48, 100]), "first_lesion_s": [-1, 36_000, 36_000, 36_000]},
                {"lesions": {"node": nodes, "state": states}, "organs": {"node": nodes}}, lesions=rows,
                organs=np.array([(48 * 3600, 1, 1, 0, 1, 0, 30), (360_000, 1, 1, 0, 0, 1, 2_000_000)], kinds))
    made.masks = lambda table: {"flags": {2: "injected", 4: "lesion", 8: "lymph"}}
    return made


def test_records_that_know_their_source_and_detection_are_believed():
    made = metastasized()
    lines = metastases.lineages(made)
    assert [line["came_from"] for line in lines] == ["tumor", "lung", "injection"]
    assert [line["source"] for line in lines] == [0, 11, 0] and [line["t_detected_h"] for line in lines] == [90, None, None]
    assert metastases.routes(made) == {"tumor": {"lung": 1}, "lung": {"bone": 1}, "injection": {"bone": 1}}
    found = metastases.metastases(made)
    assert found["detected"] == 1 and found["first_detected_h"] == 90 and found["first_lesion_h"] == 10


def test_a_tumor_that_is_one_record_is_no_lesion():
    """Record 11, with vessels and detected, at the node of the tumor."""
    made = metastasized()
    made.tables["lesions"]["node"][0] = made.tables["organs"]["node"][:] = 0
    assert [line["id"] for line in metastases.lineages(made)] == [12, 13] and metastases.metastases(made)["detected"] == 0
    assert funnel.lesion_counts(made)["alive"] == {}
    made.series["tissue"], made.series["lumped"] = np.zeros(4), np.array([0, 10, 20, 40])
    assert bloodcount.volume_mL(made, "tumor").tolist() == pytest.approx([0, 1e-9, 2e-9, 4e-9])


def test_cells_put_into_organs_have_not_entered_the_blood():
    """Of 100 injected 40 went into an organ at 1 h, and 20 from 1 to 3 h, half of them by 2 h."""
    plans = [dict(organ=organ, cells=n, time_s=3600, duration_s=s) for organ, n, s in (
        (None, 40, 0), ("lung", 40, 0), ("bone", 20, 7200))]
    made = Made({"time_s": [0, 3600, 7200, 10_800], "injected": [0, 80, 90, 100]}, config={"injection": plans})
    assert needs.entered(made).tolist() == [0, 40, 40, 40]


# --- the command, and what is not there ----------------------------------------------------------------------

def test_the_command_fits_the_screen_and_its_file_has_the_same_numbers(run, metacascade, tmp_path):
    text = metacascade("cascade", run.out, check=True).stdout
    assert all(len(line) <= 80 for line in text.splitlines()) and "-> lung" in text and "draws of the run" in text
    told = metacascade("cascade", run.out, "--csv", tmp_path / "a.csv", check=True).stdout
    with open(tmp_path / "a.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == cascade_text.COLUMNS and told == f"wrote {tmp_path / 'a.csv'}: {len(rows)} rows\n"
    counts = {(row["stage"], row["place"]): row["value"] for row in rows if row["table"] == "funnel" and row["quantity"] == "count"}
    assert counts["extravasated", "all"] == str(run.model.ledger.totals["extravasated"])
    assert {row["table"] for row in rows} == {"funnel", "half_life", "cellsearch", "draw", "organ", "metastases", "route",
                                            "founders", "lesion"}


def test_a_table_has_the_largest_lesions_alone_and_one_meaning_in_each_column(run, monkeypatch):
    monkeypatch.setattr(cascade_text, "LESIONS", 3)
    rows = [row for row in cascade_text.rows(run.results) if row["table"] == "lesion"]
    largest = run.results.largest_lesions(3)
    assert [row["stage"] for row in rows] == [rank for rank in (1, 2, 3) for _ in range(4)]
    for name, field in (("cells", "n"), ("clone", "clone"), ("id", "id"), ("source", "source")):
        assert [row["value"] for row in rows if row["quantity"] == name] == [row[field] for row in largest]
    assert {row["of"] for row in rows} == {row["came_from"] for row in largest}


def test_a_table_replaces_no_file_but_an_earlier_one(tmp_path):
    for path in (tmp_path, Path("/dev/stdout"), Path("/dev/null")):
        with pytest.raises(InputError, match="no file that can be replaced"):
            cascade_text.write_csv(None, path)
    (tmp_path / "results.h5").write_bytes(b"\x89HDF")
    with pytest.raises(InputError, match="no table of `metacascade cascade`"):
        cascade_text.write_csv(None, tmp_path / "results.h5")
    assert (tmp_path / "results.h5").read_bytes() == b"\x89HDF"


def test_info_has_a_headline(run, metacascade):
    text = metacascade("info", run.out / "results.h5", check=True).stdout
    assert f"shed {by_stage(run.results.funnel())['shed', '']:,}, " in text and "survived" in text and "venous blood" in text


def test_a_headline_has_no_half_life_that_is_not_told(monkeypatch):
    def missing():
        raise Missing("of what was shed " * 9)

    monkeypatch.setattr(needs, "entered", lambda _: [1])
    found = {name: np.ones(1) for name in ("volume_mL", "cells", "expected", "p_many")}
    lines = cascade_text._headline_blood(SimpleNamespace(cellsearch=lambda: found, half_life=missing))
    assert len(lines) == 1 and "venous blood" in lines[0]


def test_a_run_that_goes_on_says_what_is_not_yet_there(run):
    with mc.open(run.before) as results:
        text = cascade_text.report(results)
        assert not results.complete and by_stage(results.funnel()) == by_stage(run.results.funnel())
        with pytest.raises(Missing, match="has not ended"):
            results.routes()
    assert " ".join(text.split()).count("not told: the run has not ended") == 4
    assert "of what was shed, flowing or arrested: not told" in " ".join(text.split()) and "detected by images: not yet told" in text


@pytest.mark.parametrize("cells, time, words", [(500, "0 h", "output.shed_cells = false"), (1, "2 h", "there was no lesion")],
                         ids=["without rows", "nothing in the blood"])
def test_a_run_without_rows_or_lesions_says_so(cells, time, words, tmp_path):
    """Without a tumor; of the second one the only cell enters at the end."""
    config = {"run": {"duration": "2 h", "step": "1 h"}, "output": {"interval": "1 h", "shed_cells": cells == 1},
              "injection": [{"node": "portal", "cells": cells, "time": time}]}
    with mc.Simulation(config).run(tmp_path / "run") as results:
        text = cascade_text.report(results)
        assert words in " ".join(text.split()) and list(cascade_text.rows(results)) and cascade_text.headline(results)


def test_a_branch_tells_of_what_came_after_its_checkpoint(run, tmp_path, metacascade):
    metacascade("branch", run.out / "checkpoint.prev.h5", "--out", tmp_path / "b", "--set", "run.duration=10 h", check=True)
    with mc.open(tmp_path / "b") as results:
        counts = by_stage(results.funnel())
        assert counts["shed", ""] == results.series["shed"][-1] + results.series["shed_lesion"][-1] + (
            results.series["injected"][-1] - results.series["unfollowed"][-1])
        assert results.survival() is not None and cascade_text.report(results)
