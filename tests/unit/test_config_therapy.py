"""Therapies in the config: what is refused, what is told, how one is added and dropped, and one line for each."""
import tomllib

import pytest

from metacascade.base.errors import InputError
from metacascade.config.config import load

BASE = {"run": {"step": "1 h", "duration": "30 days"}, "tumor": {"cells": 1000}}
CYCLES = {"rate": "tissue.divide", "factor": 0.5, "start": "10 days", "duration": "2 days", "every": "7 days", "times": 2}


def loaded(*plans, **tables):
    return load(BASE | {"therapy": list(plans)} | tables)


@pytest.mark.parametrize("plan, message", [
    ({}, "therapy[0].rate: is missing: any name of `metacascade info --rates`"),
    ({"rate": "tissue.divides"}, "no rate of the model (did you mean 'tissue.divide'?); `metacascade info --rates` lists them"),
    ({"rate": "growth.division_time"}, "no rate of the model"),
    (CYCLES | {"every": "1 day"}, "is shorter than the duration, 2 days: windows must not overlap"),
    ({"rate": "tissue.divide", "every": "1 day"}, "needs a duration"),
    ({"rate": "tissue.divide", "times": 2, "duration": "1 day"}, "needs `every`"),
    (CYCLES | {"ramp": "3 days"}, "is longer than the duration, 2 days"),
    ({"rate": "tissue.divide", "half_life": "3 h"}, "needs a duration"),
    ({"rate": "tissue.divide", "factor": -1}, "must be a number from 0 to 1000000"),
    ({"rate": "tissue.speed", "factor": 100}, "um in a step (therapies included), too far for voxels")])
def test_what_cannot_be_is_refused(plan, message):
    with pytest.raises(InputError) as error:
        loaded(plan)
    assert message in str(error.value)


@pytest.mark.parametrize("plan, line", [
    ({"rate": "tissue.divide"}, "therapy[0]: without effect (factor = 1 and otherwise = 1)"),
    (CYCLES | {"start": "30 days"}, "therapy[0].start = 30 days is not before the end of the run: it never acts"),
    (CYCLES | {"start": "40 days", "otherwise": 0},
     "therapy[0].start = 40 days is not before the end of the run: the rate has the factor `otherwise` throughout"),
    (CYCLES | {"times": 5},
     "therapy[0]: the last window begins at 38 days, not before the end of the run: 3 of 5 lie in it"),
    (CYCLES | {"otherwise": 0.5}, "therapy[0]: its windows have no effect (factor = otherwise): the rate has that factor "
     "throughout"),
    (CYCLES | {"times": 1}, "therapy[0].every: without effect (times = 1)"),
    ({"rate": "tissue.divide", "factor": 0.5, "start": "20 days", "duration": "10 days", "half_life": "1 h"},
     "therapy[0].half_life: without effect (the window lasts to the end of the run)"),
    ({"rate": "lesion.clonogenic", "factor": 100_000},
     "lesion.clonogenic: with all factors of its cells it is up to 2: above 1 it counts as 1"),
    ({"rate": "tissue.divide", "factor": 10},
     "tissue.divide: 25 % of the cells concerned change in one step; shorten run.step")])
def test_what_is_odd_is_told(plan, line):
    assert line in loaded(plan).warnings


def test_factors_that_are_too_large_together_are_refused():
    with pytest.raises(InputError, match=r"therapy\[2\]\.factor.*makes blood.nk 8e\+06 times what it is, together with"):
        loaded(*({"rate": "blood.nk", "factor": 200},) * 3, {"rate": "blood.shear", "factor": 1e6})
    assert loaded({"rate": "blood.nk", "factor": 1e6}, {"rate": "blood.nk", "factor": 0.5})


@pytest.mark.parametrize("table, values, rates, why", [
    ("blood", {"platelet_nk": 0, "platelet_shear": 0}, "blood.coat_time blood.coat_fade", "the coat of platelets protects from nothing"),
    ("blood", {"enabled": False}, "lesion.gompertz lesion.clonogenic", "blood.enabled = false"),
    ("intravasation", {"cluster_fraction": 0}, "tissue.cluster_cells", "intravasation.cluster_fraction = 0"),
    ("colonization", {"sleep": "0/day"}, "lesion.wake lesion.dormant_death lesion.marrow_death", "colonization.sleep = 0"),
    ("colonization", {"start": "0/day", "wake": "0/day"}, "lesion.gompertz lesion.death lesion.capacity lesion.shed",
     "no lesion divides"),
    ("colonization", {"clonogenic": 0}, "lesion.gompertz lesion.vascularize", "colonization.clonogenic = 0"),
    ("colonization", {"enabled": False}, "lesion.gompertz lesion.early_death", "colonization.enabled = false"),
    ("traits", {"motile_fraction": 0}, "tissue.speed tissue.persistence tissue.bias", "traits.motile_fraction = 0"),
    ("angiogenesis", {"enabled": True}, "vessel.noise vessel.persistence vessel.radius", "vegf.enabled = false"),
    ("instability", {"enabled": True, "mutation": 0}, "tissue.mutate", "no trait mutates")])
def test_a_therapy_on_what_no_parameter_acts_on_is_told(table, values, rates, why):
    """What is told of a parameter is told of a therapy on the rate that it makes up."""
    for rate in rates.split():
        plan = {"rate": rate, "factor": 0.5}
        assert f"therapy[0]: without effect ({why}" in "\n".join(loaded(plan, **{table: values}).warnings), rate
        if rate not in ("tissue.mutate", "lesion.shed") and table != "angiogenesis":
            assert not [line for line in loaded(plan).warnings if "therapy" in line], rate


def test_windows_that_are_much_shorter_than_a_step_are_told():
    short = {"factor": 0.5, "duration": "1 s", "every": "2 s"}
    told = loaded(short | {"rate": "blood.nk"}).warnings
    assert told == ["therapy[0]: its windows change blood.nk some 3,600 times in a step, and each takes time; one long "
                    "window with the mean of the factor does nearly the same"]
    assert loaded(short | {"rate": "tissue.divide"}).warnings == [told[0].replace("blood.nk", "tissue.divide")]
    for plan in ({"times": 10}, {"every": "6 min"}, {"factor": 1.0}, {"start": "60 days"}):
        assert not [line for line in loaded(short | {"rate": "blood.nk"} | plan).warnings if "in a step" in line]


def test_a_rate_that_is_off_or_zero_is_told():
    off = "therapy[0]: without effect (tissue.divide is off or zero in this config: growth.enabled = false)"
    assert off in loaded(CYCLES, growth={"enabled": False}).warnings
    assert loaded({"rate": "tissue.apoptosis", "factor": 2}, growth={"death_rate": "0/day"}).warnings[-1].startswith(
        "therapy[0]: without effect (tissue.apoptosis is off or zero")
    draws_nobody = loaded({"rate": "blood.homing", "factor": 2}, colonization={"attraction": 1.0}).warnings
    assert "therapy[0]: without effect (blood.homing is off or zero in this config)" in draws_nobody


def test_a_therapy_on_the_attraction_of_a_tumor_without_blood_is_told():
    plan = {"rate": "blood.homing", "factor": 2}
    assert "therapy[0]: without effect (tumor.perfusion = 0: no blood comes there)" in loaded(
        plan, tumor={"perfusion": "0 mL/min/g"}).warnings
    assert not [line for line in loaded(plan).warnings if "therapy[" in line]
    injected = load({"injection": [{"cells": 10}], "therapy": [plan]}).warnings
    assert "therapy[0]: without effect (there is no [tumor])" in injected


def test_a_therapy_on_what_has_no_cells_is_told():
    plans = [{"rate": "tissue.divide", "factor": 2}, {"rate": "oxygen.vessel", "factor": 2}, {"rate": "blood.nk", "factor": 2}]
    injected = load({"injection": [{"cells": 10}], "therapy": plans}).warnings
    assert [line for line in injected if line.startswith("therapy[")] == [
        f"therapy[{i}]: without effect (there is no [tumor])" for i in (0, 1)]
    closed = loaded(*plans, intravasation={"enabled": False})
    assert [line for line in closed.warnings if "therapy[" in line] == ["therapy[2]: without effect (no cell enters the blood)"]
    assert not [line for line in closed.warnings_from(3600) if "therapy[" in line]


def test_a_therapy_that_acts_is_not_warned_of():
    assert loaded(CYCLES, {"rate": "blood.nk", "factor": 3}, {"rate": "tissue.speed", "factor": 0}).warnings == []


def test_a_run_that_goes_on_is_told_which_are_over():
    config = loaded(CYCLES, CYCLES | {"times": 3}, {"rate": "blood.nk", "factor": 2, "duration": "1 h"})
    assert config.warnings_from(19 * 86400)[:2] == [
        "therapy[0]: its last window ends at 19 days, not after 19 days, where this run starts",
        "therapy[2]: its last window ends at 1 h, not after 19 days, where this run starts"]


def test_the_summary_has_a_line_for_each():
    lines = loaded(CYCLES, {"rate": "blood.nk", "factor": 0, "start": "3 h"},
                   CYCLES | {"otherwise": 0.1, "half_life": "6 h", "ramp": "90 min"}).summary().splitlines()
    assert lines[-4:-1] == [
        "therapy: tissue.divide times 0.5 from 10 days on for 2 days, every 7 days, 2 times",
        "therapy: blood.nk times 0 from 3 h on",
        "therapy: tissue.divide times 0.5 from 10 days on for 2 days, every 7 days, 2 times, reached over 90 min, wearing "
        "off with a half-life of 6 h; else times 0.1"]


def test_it_is_the_same_after_writing_and_reading():
    config = loaded(CYCLES | {"half_life": "5 h", "ramp": "45 min"}, {"rate": "blood.shear", "factor": 1.25})
    assert load(tomllib.loads(config.to_toml())).to_dict() == config.to_dict()


def test_settings_add_replace_and_drop_therapies():
    """As `branch` does: the list of another run is changed."""
    config = loaded(CYCLES)
    one = '{rate = "blood.nk", factor = 2.0}'
    assert [p.rate for p in config.with_overrides([f"therapy.1={one}"]).therapy] == ["tissue.divide", "blood.nk"]
    assert [p.rate for p in config.with_overrides([f"therapy.0={one}"]).therapy] == ["blood.nk"]
    assert config.with_overrides(["therapy=[]"]).therapy == ()
    assert config.with_overrides(["therapy.0.factor=0.1"]).therapy[0].factor == 0.1
    first = config.with_overrides(["therapy=[]"]).with_overrides([f"therapy.0={one}", 'surgery.0={share = 0.5}'])
    assert first.therapy[0].rate == "blood.nk" and first.surgery[0].share == 0.5
    with pytest.raises(InputError, match="there is no table therapy"):
        config.with_overrides([f"therapy.3={one}"])


@pytest.mark.parametrize("plan, key", [({"rate": 3, "factor": 2}, "rate"), ({"drug": ["NK boost"]}, "drug"),
                                       ({"drug": 3, "efficacy": 0.5}, "drug")])
def test_a_value_of_a_wrong_type_is_told_once(plan, key):
    with pytest.raises(InputError) as told:
        loaded(plan | {"start": "0 h"})
    assert len(str(told.value).splitlines()) == 1 and f"therapy[0].{key}" in str(told.value)
