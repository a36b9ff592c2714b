"""Experiments on populations: their files, the verdicts on them, and what is read out of cohorts."""
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade.base.errors import InputError
from metacascade.base.units import YEAR_S
from metacascade.studies import readouts_cohort, reproduce, reproduce_bootstrap, reproduce_cohort, reproduce_file
from metacascade.studies.cohort_patient import PLACES
from metacascade.studies.readouts import READOUTS
from metacascade.studies.reproduce_verdict import AGREES, DIFFERS, UNDECIDED

PUBLISHED = """
[small]
what = "share"
source = "nobody"
sure = "made up"
low = 0.0
high = 1.0
"""
EXPERIMENT = """
title = "Few patients"
measured = "Nothing."
simulated = "Six patients."
rests_on = "organs.lung.soil, colonization.clonogenic"
replicates = 1
[cohort]
base = "human_breast_lumped"
patients = 6
[cohort.draw]
"lumped.gompertz" = {law = "lognormal", median = "0.2/month", spread = 0.1}
"colonization.clonogenic" = 1e-8
[cohort.screening]
diameter = "3 mm"
[cohort.follow_up]
duration = "1 year"
[arms.early]
[arms.late.screening]
diameter = "6 mm"
[[comparison]]
name = "recurred"
readout = "recurred_5_years"
kind = "interval"
arms = "late"
published = "small"
"""


def put(folder, text=EXPERIMENT):
    folder.mkdir()
    (folder / "published.toml").write_text(PUBLISHED)
    (folder / "few.toml").write_text(text)
    return folder


def test_cohorts_are_lived_through_read_out_and_not_again(tmp_path, capsys):
    folder, out = put(tmp_path / "files"), tmp_path / "out"
    assert reproduce.run("few", out, jobs=2, folder=folder) == 0
    found, = json.loads((out / "few" / "verdict.json").read_text())["findings"]
    assert found["verdict"] == AGREES and "of 6 patients" in found["text"]
    told = capsys.readouterr().out
    assert "rests on organs.lung.soil (computed: diSibio" in told and "colonization.clonogenic (1e-08 here; default 2e-05, recalled" in told
    times = {path: path.stat().st_mtime_ns for path in out.rglob("cohort.h5")}
    assert len(times) == 2
    assert reproduce.run("few", out, folder=folder) == 0
    assert times == {path: path.stat().st_mtime_ns for path in out.rglob("cohort.h5")}


@pytest.mark.parametrize("old, new, told", [
    ('"recurred_5_years"', '"cells_ratio"', "is of runs"), ('kind = "interval"', 'kind = "count"', "for cohorts"),
    ('"human_breast_lumped"', '"human_breast_1g"', "arms.early: its cohort early:"),
    ('diameter = "6 mm"', 'diametre = "6 mm"', "did you mean 'diameter'"), ("organs.lung.soil", "organ.lung", "no parameter")])
def test_what_is_wrong_in_an_experiment_on_a_population_is_told(tmp_path, old, new, told):
    with pytest.raises(InputError, match="few.toml") as error:
        reproduce_file.read("few", put(tmp_path / "files", EXPERIMENT.replace(old, new)))
    assert told in str(error.value)


def test_what_an_arm_holds_is_laid_on_top_and_laws_are_wholes():
    common = {"draw": {"a": {"law": "normal", "mean": 1, "sd": 2}, "b": 1}, "treatment": {"surgery": [{"time": 1}]}}
    own = {"draw": {"a": {"law": "uniform", "low": 0, "high": 1}}, "treatment": {"surgery": []}, "patients": 3}
    assert reproduce_cohort.merged(common, own) == {
        "draw": {"a": {"law": "uniform", "low": 0, "high": 1}, "b": 1}, "treatment": {"surgery": []}, "patients": 3}


# --- verdicts -------------------------------------------------------------------------------------------------------

def row(low=None, high=None, **of):
    return reproduce_file.Row("", "", "", "", low=low, high=high, of=of)


def comparison(kind, readout, *arms):
    return SimpleNamespace(kind=kind, readout=readout, arms=", ".join(arms))


@pytest.mark.parametrize("low, verdict", [(0.05, AGREES), (0.2, UNDECIDED), (0.3, DIFFERS)])
def test_a_share_has_the_interval_of_wilson_and_who_does_not_count_is_left_out(low, verdict):
    """10 of 100: 0.055 to 0.174 by Wilson; 8 of 50: 0.083 to 0.285."""
    values = np.array([1.0] * 8 + [0.0] * 42 + [math.nan] * 50)
    found = reproduce_bootstrap.judge(comparison("interval", "recurred_5_years", "a"), row(low=low), {"a": values})
    assert found.verdict == verdict and "8 of 50 patients, 0.16 (95 %: 0.0834 to 0.285)" in found.text


def test_drawing_patients_again_gives_the_error_of_a_mean_and_pairs_leave_out_what_they_share():
    """The error of a mean of 400 is that of the law, to a tenth; a ratio of an arm to itself has none."""
    months = np.random.default_rng(7).normal(5.0, 1.0, 400)
    found = reproduce_bootstrap.judge(comparison("interval", "months_to_brain", "a"), row(low=0.0), {"a": months})
    assert found.error == pytest.approx(1.2533 / 20, rel=0.35) and found.verdict == AGREES      # of a median
    found = reproduce_bootstrap.judge(comparison("ratio", "months_to_brain", "a", "b"), row(low=2.0),
                                      {"a": 3.0 * months, "b": months})
    assert (found.value, found.verdict) == (pytest.approx(3.0), AGREES) and found.error < 1e-12
    for arms, verdict in (("ab", AGREES), ("ba", DIFFERS)):
        assert reproduce_bootstrap.judge(comparison("ordering", "months_to_brain", *arms), row(),
                                         {"a": months + 1.0, "b": months}).verdict == verdict


# --- read-outs ------------------------------------------------------------------------------------------------------

def patients(**columns):
    n = len(columns["diagnosed_s"])
    names = {"recurred_s", "died_s", "end_s", "diagnosed_s"} | {name for name in columns if name.startswith("tube")}
    found = np.zeros(n, [("patient", "i8"), *((name, "i8") for name in sorted(names)), ("lesions_by_organ", "i4", len(PLACES))])
    found["patient"] = np.arange(n)
    found["recurred_s"] = found["died_s"] = -1
    for name, values in columns.items():
        found[name] = values
    return found


def test_hazards_between_years_count_events_and_years_of_those_at_risk():
    """Diagnosed in year 1. Seen after 7 and after 16 years, out after 18, died without after 6, and one never found."""
    rows = patients(diagnosed_s=[YEAR_S] * 4 + [-1], recurred_s=[8 * YEAR_S, 17 * YEAR_S, -1, -1, -1],
                    end_s=[21 * YEAR_S, 21 * YEAR_S, 19 * YEAR_S, 7 * YEAR_S, 50 * YEAR_S])
    early, late = readouts_cohort._between(rows, 5.0, 10.0), readouts_cohort._between(rows, 15.0, 20.0)
    assert np.nansum(early, axis=0).tolist() == [1.0, 2.0 + 5.0 + 5.0 + 1.0]
    assert np.nansum(late, axis=0).tolist() == [1.0, 1.0 + 3.0]
    ratio = READOUTS["late_over_early_hazard"]
    assert ratio.statistic(ratio(rows, None), None) == pytest.approx((1 / 4) / (1 / 13))
    share = READOUTS["recurred_5_to_20_years"]
    assert share.statistic(share(rows, None), None) == pytest.approx(1.0 - math.exp(-5 / 13 - 0.0 - 5 / 4))


def lesions(*rows):
    """(patient, organ, cells, year seen) each."""
    kind = [("patient", "i8"), ("node", "i4"), ("n", "i8"), ("t_detected", "f8"), ("source", "u8"), ("born", "i8")]
    return np.array([(patient, PLACES.index(organ), n, 8766 * year, 0, 1) for patient, organ, n, year in rows], kind)


def test_organs_are_of_those_who_died_with_lesions_that_one_sees_and_ranks_are_spearmans():
    rows = patients(diagnosed_s=[0, 0, 0, 0], died_s=[5, 5, 5, -1], end_s=[5] * 4)
    large = 10**7
    found = lesions((0, "lung", large, 1), (0, "liver", large, 1), (1, "lung", large, 1), (1, "bone", large, 1),
                    (2, "lung", large, 1), (2, "liver", large, 1), (2, "brain", 10, 1), (3, "brain", large, 1))
    of = READOUTS["organs_of_the_dead_by_rank"]
    assert of.statistic(of(rows, found), row(lung=9, liver=8, bone=7, brain=1)) == 1.0
    assert of.statistic(of(rows, found), row(lung=1, liver=7, bone=8, brain=9)) == -1.0
    far = READOUTS["organs_by_total_variation"]
    assert far.statistic(far(rows, found), row(lung=3, liver=2, bone=1, brain=0)) == 0.0
    assert far.statistic(far(rows, found), row(lung=0, liver=0, bone=0, brain=2)) == 1.0
    ratio = READOUTS["liver_over_lung"]
    assert ratio.statistic(ratio(rows, found), None) == pytest.approx(2 / 3)


def test_tubes_that_were_not_drawn_do_not_count():
    rows = np.array([(0, 5, 40.0, 7, 1, -1), (1, 9, 2.0, 0, 1, -1), (2, -1, math.nan, -1, 1, -1)], [
        ("patient", "i8"), ("tube0_s", "i8"), ("tube0_ctcs_per_L", "f8"), ("tube0_found", "i8"), *(
            (name, "i8") for name in ("diagnosed_s", "recurred_s"))])
    for name, value in (("tube_ctcs_per_L", 21.0), ("tube_found", 3.5), ("tube_positive", 0.5),
                        ("tube_mean_over_median", 1.0)):
        one = READOUTS[name]
        assert one.statistic(one(rows, None), None) == value
    with pytest.raises(InputError, match="has no 3 tubes"):
        READOUTS["third_tube_over_second"](rows, None)


def test_tubes_without_disease_are_of_those_in_whom_no_lesion_has_been_seen_by_then():
    """Five patients: a lesion seen at diagnosis (left out), one at 6 s, before the second tube; none in the others."""
    rows = patients(diagnosed_s=[1] * 5, recurred_s=[1, 6, -1, -1, -1], tube0_s=[2] * 5, tube0_found=[9, 5, 4, 1, 0],
                    tube1_s=[7] * 5, tube1_found=[9, 9, 0, 2, 0])
    for name, value in (("tube_any_without_disease", 3 / 4), ("tube_five_without_disease", 1 / 4),
                        ("second_tube_any_without_disease", 1 / 3)):
        one = READOUTS[name]
        assert one.statistic(one(rows, None), None) == value


def test_a_ratio_of_shares_has_an_interval_also_if_nobody_of_one_counts():
    values = {"a": np.array([1.0] * 20 + [0.0] * 80), "b": np.zeros(100)}
    for low, high, verdict in ((5.0, 20.0, UNDECIDED), (0.5, 2.0, DIFFERS), (4.0, None, AGREES)):
        assert reproduce_bootstrap.judge(comparison("ratio", "recurred_5_years", "a", "b"), row(low, high),
                                         values).verdict == verdict


def test_equal_numbers_share_their_rank():
    """1, 2.5, 2.5, 4 against 1, 2, 3, 4: the correlation is sqrt(0.9)."""
    assert readouts_cohort.rank_correlation([1, 2, 2, 5], [1, 2, 3, 4]) == pytest.approx(math.sqrt(0.9))
    assert math.isnan(readouts_cohort.rank_correlation([1, 1], [1, 2]))


def test_months_to_the_brain_are_those_of_the_first_lesion_there_that_is_seen():
    rows = patients(diagnosed_s=[YEAR_S, YEAR_S, YEAR_S], end_s=[9 * YEAR_S] * 3)
    found = lesions((0, "brain", 9, 3), (0, "brain", 9, 2), (1, "lung", 9, 1), (2, "brain", 9, 0.5),
                    (1, "brain", 9, math.inf))
    months = READOUTS["months_to_brain"](rows, found)
    assert months[[0, 2]].tolist() == [12.0, 0.0] and math.isnan(months[1])
