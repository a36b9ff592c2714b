"""Surgery and radiation in the config: what is refused, what is told, and one line for each."""
import tomllib

import pytest

from metacascade.base.errors import InputError
from metacascade.config.check import early, past
from metacascade.config.config import load

BASE = {"run": {"step": "1 h", "duration": "2 days"}, "tumor": {"cells": 1000}}


def loaded(**tables):
    return load(BASE | tables)


@pytest.mark.parametrize("tables, message", [
    (dict(surgery=[{"time": "90 min"}]), 'surgery[0].time = "90 min": 90 min is not a multiple of run.step = 1 h'),
    (dict(surgery=[{}, {"where": "tumor, lungs"}]), "'lungs' is no organ (did you mean 'lung'?)"),
    (dict(surgery=[{"where": ""}]), """surgery[0].where = "": '' is no organ"""),
    (dict(awakening={"enabled": True, "where": ""}), """awakening.where = "": '' is no organ"""),
    (dict(surgery=[{"margin": "1 cm", "share": 0.5}]), "surgery[0].share = 0.5: and a margin: give one of them"),
    (dict(radiation=[{"fractions": 2, "interval": "30 min"}]), 'radiation[0].interval = "30 min": 30 min is not a multiple'),
    (dict(radiation=[{"dose": "2 Sv/s"}]), 'radiation[0].dose = "2 Sv/s"'),
    (dict(radiation=[{"alpha": "0.3 Gy"}]), "'Gy' is a dose of radiation"),
    (dict(radiation=[{"fractions": 2000}]), "radiation[0].fractions = 2000: must be a whole number from 1 to 1000")])
def test_what_cannot_be_is_refused_where_it_stands(tables, message):
    with pytest.raises(InputError) as error:
        loaded(**tables)
    assert message in str(error.value)


def test_a_drug_with_windows_is_not_told_of():
    config = loaded(chemotherapy={"enabled": True}, therapy=[{"rate": "drug.vessel", "otherwise": 0, "duration": "1 h"}])
    assert not [line for line in config.warnings if "drug" in line]


def test_an_interval_of_one_fraction_does_not_matter():
    assert loaded(radiation=[{"interval": "30 min"}]).warnings == []


@pytest.mark.parametrize("tables, line", [
    (dict(surgery=[{"time": "3 days"}]), "surgery[0].time = 3 days is after the end of the run: it never happens"),
    (dict(radiation=[{"fractions": 5}]), "radiation[0]: the last fraction is after the end of the run: 3 of 5 are given"),
    (dict(surgery=[{"share": 0}]), "surgery[0].share = 0: nothing of the tumor is taken"),
    (dict(surgery=[{"where": "lung", "share": 0.5}]),
     "surgery[0]: share without effect (`where` does not name the tumor)"),
    (dict(surgery=[{"lesions": 0.5}]), "surgery[0]: lesions without effect (`where` names no organ)"),
    (dict(radiation=[{"where": "lung", "oxygen_enhancement": 3}]),
     "radiation[0].oxygen_enhancement: without effect (`where` does not name the tumor)"),
    (dict(radiation=[{"oxygen_enhancement": 3}], oxygen={"enabled": False}),
     "radiation[0].oxygen_enhancement: without effect (oxygen.enabled = false)"),
    (dict(radiation=[{"oxygen_half": "5 mmHg"}]), "radiation[0].oxygen_half: without effect (oxygen_enhancement = 1)"),
    (dict(radiation=[{"oxygen_enhancement": 3, "oxygen_half": "5 mmHg"}], tumor={"lumped": True}),
     "radiation[0].oxygen_enhancement and radiation[0].oxygen_half: without effect (a lumped tumor has no oxygen)"),
    (dict(surgery=[{"margin": "1 mm"}], tumor={"lumped": True}),
     "surgery[0].margin: without effect (a lumped tumor has no places: all of it is taken)"),
    (dict(chemotherapy={"enabled": True}), "drug is in the blood from the start to the end of the run; a [[therapy]] with "
     'rate = "drug.vessel" and otherwise = 0 gives it times'),
    (dict(l1cam={"enabled": True}, colonization={"clonogenic": 0.5}), "lesion.clonogenic: with all factors of its cells "
     "it is up to 2.5: above 1 it counts as 1"),
    (dict(growth={"enabled": False}, trait=[{"name": "a", "mutation": 0.1, "step": 0.1}]),
     "mutation of a: without effect (no cell divides in tissue)"),
    (dict(trait=[{"name": "a", "mutation": 0.1, "founder": 0.5, "low": 0.5, "high": 0.5}]),
     "mutation of a: mutants found clones, and differ from their mothers in nothing (low = high = 0.5)"),
    (dict(surgery=[{"where": "lung", "lesions": 0}]), "surgery[0].lesions = 0: no lesion is taken"),
    (dict(surgery=[{"margin": "-1 mm"}]),
     "surgery[0].margin: nothing of the tumor is taken before it has grown (at the start its radius is 0.093 mm)"),
    (dict(surgery=[{"where": "tumor, lung"}]), "surgery[0]: without effect in lung (no cell has entered the blood by then)"),
    (dict(surgery=[{"time": "1 day", "where": "lung"}], colonization={"enabled": False}),
     "surgery[0]: without effect in lung (no lesion is founded)"),
    (dict(radiation=[{"time": "1 day", "where": "lung,bone"}], intravasation={"enabled": False}),
     "radiation[0]: without effect in lung, bone (no cell comes there with the blood)"),
    (dict(radiation=[{"alpha": "0/Gy", "beta": "0/Gy^2"}]), "radiation[0]: without effect (no cell dies of its dose)")])
def test_what_is_odd_is_told(tables, line):
    assert line in loaded(**tables).warnings


@pytest.mark.parametrize("tables", [
    dict(surgery=[{"time": "1 day", "where": "tumor,lung", "margin": "5 mm"}]),
    dict(radiation=[{"where": "lung", "fractions": 2}]),
    dict(radiation=[{"time": "1 h", "where": "bone"}], organs={"bone": {"soil": 0}}),    # what is arrested there is hit
    dict(trait=[{"name": "a", "mutation": 1e-9, "step": 0, "low": 0, "high": 0}])])      # clones that differ by descent
def test_what_takes_something_is_not_told_of(tables):
    assert loaded(**tables).warnings == []


def test_before_the_first_injection_no_organ_has_cells():
    late = {"time": "12 h", "cells": 10}
    early, later = (load({"run": BASE["run"], "injection": [late], "surgery": [{"time": time, "where": "lung"}]})
                    for time in ("12 h", "13 h"))
    assert "surgery[0]: without effect in lung (no cell has entered the blood by then)" in early.warnings
    assert later.warnings == []
    assert not [line for line in early.warnings_from(3600) if "without effect" in line], "a checkpoint may hold lesions"


def test_without_a_tumor_there_is_nothing_to_take():
    config = load({"injection": [{}], "surgery": [{}], "radiation": [{"where": "lung"}]})
    assert [line for line in config.warnings if "no [tumor]" in line] == ["surgery[0].where: there is no [tumor]"]


def test_a_run_that_goes_on_is_told_what_has_been():
    config = loaded(surgery=[{"time": "5 h"}, {"time": "6 h"}], radiation=[{"time": "1 h", "fractions": 2}])
    assert config.warnings_from(5 * 3600)[:2] == [
        "surgery[0].time = 5 h is not after 5 h, where this run starts: it does not happen in it",
        "radiation[0].time = 1 h is not after 5 h, where this run starts: only the fractions that come later are given"]


def test_the_summary_has_a_line_for_each():
    lines = loaded(surgery=[{"time": "1 day", "where": "tumor, lung", "margin": "10 mm", "lesions": 0.5}, {"share": 0.25}],
                   radiation=[{"time": "2 h", "fractions": 30, "where": "brain"}]).summary().splitlines()
    assert lines[-4:-1] == [
        "surgery at 1 day: the tumor with a margin of 10 mm and 50 % of the lesions in lung",
        "surgery at 0 s: 25 % of the tumor",
        "radiation of brain: 30 x 2 Gy from 2 h on, then every 1 day; of cells with oxygen 0.487 survive each"]


def test_it_is_the_same_after_writing_and_reading():
    config = loaded(surgery=[{"margin": "-2 mm"}, {"where": "bone,liver"}], radiation=[{"dose": "1.8 Gy", "fractions": 3}])
    assert load(tomllib.loads(config.to_toml())).to_dict() == config.to_dict()


def test_what_is_told_not_to_happen_is_what_is_past():
    """An operation, doses and events at the very time, before it and in part; one predicate decides for all."""
    config = load({
        "run": {"duration": "9 h", "step": "1 h"}, "tumor": {}, "surgery": [{"time": "4 h"}, {"time": "5 h"}],
        "radiation": [{"time": "1 h", "fractions": 2, "interval": "3 h"}, {"time": "2 h", "fractions": 3, "interval": "2 h"}],
        "injection": [{"node": "portal", "cells": 5, "time": "4 h"}, {"node": "portal", "cells": 5, "time": "3 h", "duration": "2 h"}],
        "draw": [{"time": "3 h"}, {"time": "6 h"}]})
    been = [name for name, _ in past(config, 4 * 3600)]
    assert sorted(been) == ["draw[0]", "injection[0]", "radiation[0]", "surgery[0]"]
    lines = early(config, 4 * 3600)
    assert [line.split(".")[0] for line in lines if "it does not happen" in line] == been
    assert {line.split(".")[0] for line in lines} - {*been} == {"injection[1]", "radiation[1]"} and early(config, 0) == []
