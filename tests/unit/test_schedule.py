"""Scales of rates in time: windows, ramps, wear, means; against the law and whatever way time is cut."""
import math
from types import SimpleNamespace

import numpy as np
import pytest

from metacascade.model.schedule import FADED, Schedule

H = 3600
PLAIN = dict(rate="a.b", factor=3.0, otherwise=1.0, start_s=10, duration_s=5, every_s=None, times=None, ramp_s=None,
             half_life_s=None)


def plan(**changes):
    return SimpleNamespace(**(PLAIN | changes))


def seconds(schedule, name, t1):
    return [schedule.scale(name, t) for t in range(t1)]


def test_a_window_begins_at_its_start_and_ends_before_its_end():
    schedule = Schedule([plan()])
    assert seconds(schedule, "a.b", 20) == [1.0] * 10 + [3.0] * 5 + [1.0] * 5
    assert schedule.changes("a.b", 0, 100) == [10, 15] and schedule.changes("a.b", 11, 15) == []
    assert schedule.changes("a.b", 10, 15) == [10] and schedule.changes("a.b", 15, 16) == [15]


def test_windows_come_as_often_as_they_are_asked_for():
    schedule = Schedule([plan(every_s=7, times=3, duration_s=2, otherwise=0.5)])
    on = [t for t in range(60) if schedule.scale("a.b", t) == 3.0]
    assert on == [10, 11, 17, 18, 24, 25] and schedule.changes("a.b", 0, 60) == [10, 12, 17, 19, 24, 26]
    endless = Schedule([plan(every_s=7, times=None, duration_s=2)])
    assert endless.scale("a.b", 10 + 7 * 10**9) == 3.0 and endless.scale("a.b", 13 + 7 * 10**9) == 1.0


def test_without_a_duration_it_lasts_for_ever():
    schedule = Schedule([plan(start_s=0, duration_s=None, factor=0.3)])
    assert schedule.scale("a.b", 0) == schedule.scale("a.b", 10**12) == schedule.mean("a.b", 7, 9) == 0.3
    assert schedule.all_changes(0, 10**12) == []


@pytest.mark.parametrize("changes", [dict(), dict(half_life_s=100, ramp_s=3), dict(every_s=6, times=9)])
def test_a_factor_of_one_changes_nothing_at_any_time(changes):
    schedule = Schedule([plan(factor=1.0, otherwise=1.0, **changes)])
    assert schedule.all_changes(0, 10**4) == [] and set(seconds(schedule, "a.b", 2000)) == {1.0}
    assert schedule.means(3, 1111) == {"a.b": 1.0}


def test_the_rates_of_a_field_have_means_over_all_steps_until_it_is_solved_again():
    schedule = Schedule([plan(), *(plan(rate=rate) for rate in ("drug.uptake", "other.uptake", "field.drug.loss"))])
    fields = [SimpleNamespace(name="drug", every=4), SimpleNamespace(name="other", every=1)]
    assert schedule.of_step(5, 15, fields) == {
        "a.b": 2.0, "drug.uptake": 1.25, "other.uptake": 2.0, "field.drug.loss": 1.25}


def test_therapies_on_one_rate_multiply():
    schedule = Schedule([plan(), plan(factor=0.5, start_s=12, duration_s=6), plan(rate="c.d", factor=7.0)])
    assert schedule.names == ("a.b", "c.d")
    assert [schedule.scale("a.b", t) for t in (9, 11, 13, 16, 18)] == [1.0, 3.0, 1.5, 0.5, 1.0]
    assert schedule.scales(13, "c.") == {"c.d": 7.0} and schedule.scale("x.y", 13) == 1.0
    assert schedule.all_changes(0, 99) == [10, 12, 15, 18]


def test_what_wears_off_halves_with_its_half_life_and_keeps_the_integral_of_the_exponential():
    half, end = 1000, 15
    schedule = Schedule([plan(half_life_s=half, otherwise=0.0, factor=2.0)])
    for k in range(1, 8):
        assert schedule.scale("a.b", end + k * half) == pytest.approx(schedule.scale("a.b", end) / 2**k, rel=1e-12)
    whole = schedule.mean("a.b", end, end + FADED * half) * FADED * half
    assert whole == pytest.approx(2.0 * half / math.log(2.0) * (1 - 2.0**-FADED), rel=1e-12)
    assert schedule.scale("a.b", end + FADED * half) == 0.0
    assert len(schedule.changes("a.b", 0, 10**6)) == 4 * FADED + 2


def test_a_ramp_rises_evenly_and_keeps_its_mean():
    schedule = Schedule([plan(ramp_s=800, duration_s=1000, otherwise=0.0, factor=1.0)])
    levels = [schedule.scale("a.b", 10 + 100 * j) for j in range(10)]
    assert levels == pytest.approx([(j + 0.5) / 8 for j in range(8)] + [1.0, 1.0])
    assert schedule.mean("a.b", 10, 810) == pytest.approx(0.5, rel=1e-12)


def test_a_window_that_begins_while_the_last_wears_off_has_the_larger_effect():
    schedule = Schedule([plan(ramp_s=8, duration_s=10, every_s=20, times=2, half_life_s=10, otherwise=0.0, factor=1.0)])
    levels = seconds(schedule, "a.b", 60)
    assert levels[28] == levels[29] > levels[30] == levels[31] > 0.4      # what is left of the first, more than 1/16
    assert levels[31] < levels[36] < levels[38] == levels[39] == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_changes_and_means_agree_with_every_single_second(seed):
    rng = np.random.default_rng(seed)
    number = lambda low, high: int(rng.integers(low, high))     # noqa: E731
    plans = []
    for _ in range(number(1, 4)):
        every, duration = number(20, 90), number(1, 20)
        plans.append(plan(factor=number(0, 5) / 2, otherwise=number(0, 3) / 2, start_s=number(0, 50), duration_s=duration,
                          every_s=rng.choice([None, every]), times=rng.choice([None, number(1, 5)]),
                          ramp_s=rng.choice([None, number(1, duration + 1)]), half_life_s=rng.choice([None, number(1, 60)])))
    schedule = Schedule(plans)
    levels = seconds(schedule, "a.b", 700)
    for t0 in (0, 3, 50, 51, 200):
        for t1 in (t0 + 1, t0 + 30, 700):
            assert schedule.changes("a.b", t0, t1) == [t for t in range(max(t0, 1), t1) if levels[t] != levels[t - 1]]
            assert schedule.mean("a.b", t0, t1) == pytest.approx(sum(levels[t0:t1]) / (t1 - t0), rel=1e-12, abs=1e-15)
