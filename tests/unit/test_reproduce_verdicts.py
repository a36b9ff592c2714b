"""Verdicts of `metacascade reproduce`: what agrees, differs, or is undecided, and by which errors."""
import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade.base.intervals import wilson
from metacascade.studies import reproduce_file, reproduce_report, reproduce_verdict
from metacascade.studies.reproduce_verdict import (
    AGREES,
    DIFFERS,
    NOT_JUDGED,
    NOT_RUN,
    NOT_YET,
    UNDECIDED,
    Finding,
    judge,
    overall,
)


def comparison(kind, *arms):
    return SimpleNamespace(kind=kind, arms=", ".join(arms))


@pytest.mark.parametrize("values, verdict", [
    ([1.0, 1.2], AGREES), ([2.0, 2.01], DIFFERS), ([1.4, 1.8], UNDECIDED), ([1.5], UNDECIDED), ([9.0], UNDECIDED),
    ([1.5, 1.5], AGREES), ([1.51, 1.51], DIFFERS), ([math.nan, 1.0], UNDECIDED)])
def test_a_mean_in_the_interval_agrees_and_one_whose_errors_do_not_reach_it_differs(values, verdict):
    """From one run nothing follows."""
    row = reproduce_file.Row("", "", "", "", low=0.5, high=1.5)
    assert judge(comparison("interval", "a"), row, {"a": values}).verdict == verdict


@pytest.mark.parametrize("step, verdict", [(0.12, UNDECIDED), (0.14, DIFFERS)])
def test_of_four_runs_errors_count_three_times(step, verdict):
    """Student: 3.182 standard errors of four values, here 0.0408, are 0.13."""
    row = reproduce_file.Row("", "", "", "", high=1.0)
    found = judge(comparison("interval", "a"), row, {"a": [1.0 + step + one for one in (-0.1, 0.0, 0.0, 0.1)]})
    assert found.error == pytest.approx(0.0408, abs=1e-4) and found.verdict == verdict


def test_a_ratio_is_of_pairs_of_runs_with_the_same_seed():
    """What both arms share does not count: a = 5 b in each pair has no error. Unpaired, it is that of both."""
    row = reproduce_file.Row("", "", "", "", low=3.0)
    found = judge(comparison("ratio", "a", "b"), row, {"a": [5.0, 15.0], "b": [1.0, 3.0]})
    assert (found.value, found.error, found.verdict) == (5.0, 0.0, AGREES)
    found = judge(comparison("ratio", "a", "b"), row, {"a": [8.0, 12.0], "b": [2.0, 2.0]})
    assert (found.value, found.error, found.verdict) == (5.0, pytest.approx(1.0), AGREES)
    found = judge(comparison("ratio", "a", "b"), row, {"a": [8.0, 12.0], "b": [0.0, 0.0]})
    assert found.verdict == UNDECIDED


def test_a_difference_is_of_pairs_of_runs_with_the_same_seed():
    """5 and 3 less 4 and 2 is 1 in each pair, without an error."""
    row = reproduce_file.Row("", "", "", "", high=0.5)
    found = judge(comparison("difference", "a", "b"), row, {"a": [5.0, 3.0], "b": [4.0, 2.0]})
    assert (found.value, found.error, found.verdict) == (1.0, 0.0, DIFFERS)


@pytest.mark.parametrize("value, told", [
    (0.5, "differs, 2-fold"), (30.0, "differs, 10-fold"), (2.0, "agrees"), (0.0, "differs"), (-1.0, "differs")])
def test_by_what_factor_a_number_differs_is_told(value, told):
    row = SimpleNamespace(low=1.0, high=3.0)
    finding = judge(SimpleNamespace(kind="interval", arms="one"), row, {"one": [value, value]})
    assert reproduce_verdict.told(finding, row) == told


@pytest.mark.parametrize("values, verdict", [([2.5], AGREES), ([2.6], DIFFERS), ([2.0, 2.0], DIFFERS), ([1.8, 1.8], AGREES),
                                            ([5.0, -5.0], AGREES)])
def test_scores_of_several_runs_are_one_score(values, verdict):
    """Their sum over the root of their number is standard normal if each is."""
    row = reproduce_file.Row("", "", "", "", low=-2.58, high=2.58)
    assert judge(comparison("score", "a"), row, {"a": values}).verdict == verdict


def test_runs_in_which_it_was_so_are_counted_with_the_interval_of_wilson():
    """Wilson 1927: 50 of 50 is 0.929 to 1, 45 of 50 is 0.786 to 0.957 (tables)."""
    assert wilson(1.0, 50) == pytest.approx((0.929, 1.0), abs=5e-4) and wilson(0.9, 50) == pytest.approx((0.786, 0.957), abs=5e-4)
    row = reproduce_file.Row("", "", "", "", low=0.5, high=1.0)
    for k, verdict in ((50, AGREES), (25, AGREES), (22, UNDECIDED), (10, DIFFERS)):
        found = judge(comparison("count", "a"), row, {"a": [1.0] * k + [0.0] * (50 - k)})
        assert found.verdict == verdict and found.text.startswith(f"{k} of 50")


def test_without_a_published_number_nothing_is_judged():
    row = reproduce_file.Row("", "", "", "")
    found = judge(comparison("interval", "a"), row, {"a": [1.0, 3.0, math.nan]})
    assert found.verdict == NOT_JUDGED and found.value == 2.0 and "in 2 of 3 runs" in found.text
    assert judge(comparison("count", "a"), row, {"a": [1.0, 0.0]}).verdict == NOT_JUDGED
    found = judge(comparison("ratio", "a", "b"), row, {"a": [2.0, 4.0], "b": [1.0, 2.0]})
    assert found.verdict == NOT_JUDGED and found.text.startswith("2 ±")


def test_an_order_is_judged_by_pairs_of_runs_with_the_same_seed():
    """Noise that both arms share does not hide a difference."""
    noise = np.array([0.0, 10.0, -20.0, 5.0])
    shift = np.array([1.0, 1.1, 0.9, 1.0])
    values = {"a": list(noise + shift), "b": list(noise)}
    assert judge(comparison("ordering", "a", "b"), None, values).verdict == AGREES
    assert judge(comparison("ordering", "b", "a"), None, values).verdict == DIFFERS
    values = {"a": [1.0, -1.0], "b": [0.0, 0.0]}
    assert judge(comparison("ordering", "a", "b"), None, values).verdict == UNDECIDED


def test_the_worst_verdict_counts():
    found = [SimpleNamespace(verdict=verdict) for verdict in (AGREES, UNDECIDED, NOT_YET, NOT_JUDGED, NOT_RUN)]
    assert overall(found) == UNDECIDED and overall(found[:1]) == AGREES
    assert reproduce_report.interval(reproduce_file.Row("", "", "", "", "s", None, 1.0, 2.0)) == "1.0 to 2.0 s"
    assert reproduce_report.interval(reproduce_file.Row("", "", "", "", "1", 3.0, 2.0)) == "3, at least 2.0"


@pytest.mark.parametrize("verdict, told", [(DIFFERS, True), (UNDECIDED, True), (AGREES, False), (NOT_JUDGED, False)])
def test_why_an_experiment_differs_is_told_where_it_does(verdict, told):
    one = reproduce_file.read("V18")
    one = dataclasses.replace(one, head=reproduce_file.Head(title="Late recurrence", differs="Because."))
    findings = [Finding(verdict)] * len(one.comparisons)
    assert ("  why: Because." in reproduce_report.lines(one, findings)) == told
    assert ("**Why.** Because." in reproduce_report.page([(one, findings)], [], "", {})) == told
