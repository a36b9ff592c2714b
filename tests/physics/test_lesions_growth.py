"""The laws of lesions that divide: birth and death, Gompertz, the limit without vessels, shedding; fixed seeds."""
import math

import numpy as np
import pytest

from metacascade._kernels import _lesions
from metacascade._kernels._layout import LESION, LesionEvent, LesionState
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model.circuit import Circuit
from metacascade.model.lesions import Lesions
from tables import neutral

pytestmark = pytest.mark.statistical
SEED, NODE = 13, 5
Z = 4.5  # false alarm of a two-sided test: 7e-6
DAY = 24.0


def lesions_of(count, cells, state=LesionState.VASCULAR, **changes):
    """`count` lesions of `cells` each that divide, founded at time 0; `changes` of [colonization]."""
    cfg = Config.from_dict(dict(colonization=dict(shed_per_h=0.0) | changes))
    lesions = Lesions(cfg, Circuit(cfg, plan_of(cfg)), SEED)
    lesions.records = np.zeros(count, LESION)
    r = lesions.records
    r["id"] = np.random.default_rng(count).integers(0, 2**64, count, dtype=np.uint64)
    r["n"], r["state"], r["node"], r["pending"] = cells, state, NODE, LesionEvent.GREW
    r["t_event"] = r["t_detected"] = math.inf
    return lesions


def constant(count, cells, b, d, **rates):
    """The same with births and deaths that do not depend on size [1/h]."""
    lesions = lesions_of(count, cells)
    lesions.rates = neutral(_lesions.RATES, len(lesions.circuit.names), birth=b / d if d else 1.0, death=d, turnover=d,
                            gompertz=0.0 if d else b / math.log(1e300), capacity=1e300, avascular_limit=1e300, **rates)
    return lesions


def run(lesions, hours, steps):
    """All that was shed in equal steps."""
    dt = hours / steps
    return np.concatenate([lesions.advance(step, step * dt, dt).shed for step in range(steps)])


def z_mean(values, mean, variance):
    return (np.mean(values) - mean) / math.sqrt(variance / len(values))


def moments(b, d, t):
    """Mean and variance of the cells that one cell leaves after t (Kendall 1948)."""
    m = math.exp((b - d) * t)
    return m, 2 * b * t if b == d else (b + d) / (b - d) * m * (m - 1)


@pytest.mark.parametrize(("b", "d"), [(0.03, 0.002), (0.03, 0.03), (0.01, 0.05), (0.0, 0.04)])
@pytest.mark.parametrize(("cells", "steps"), [(1, 1), (1, 60), (40, 5), (20_000, 3)])
def test_mean_and_variance_are_those_of_birth_and_death(b, d, cells, steps):
    """4000 lesions after 30 h; the variance is compared by its own standard error from the sample."""
    n = constant(4_000, cells, b, d)
    run(n, 30.0, steps)
    m, v = moments(b, d, 30.0)
    seen = n.records["n"].astype(float)
    assert abs(z_mean(seen, cells * m, cells * v)) < Z
    squares = (seen - cells * m) ** 2
    assert abs(np.mean(squares) - cells * v) < Z * squares.std() / math.sqrt(squares.size)


@pytest.mark.parametrize("steps", [1, 50])
def test_the_whole_law_of_the_size_is_that_of_kendall(steps):
    """40,000 lesions of one cell, chi-square of 12 classes of size, with extinction as one; false alarm 7e-6."""
    b, d, t, n = 0.05, 0.02, 40.0, 40_000
    lesions = constant(n, 1, b, d)
    run(lesions, t, steps)
    m = math.exp((b - d) * t)
    alpha, beta = d * (m - 1) / (b * m - d), b * (m - 1) / (b * m - d)
    last = 12  # counts of 1 .. 11 cells and of 12 or more
    law = np.array([alpha, *[(1 - alpha) * (1 - beta) * beta ** (k - 1) for k in range(1, last)]])
    law = np.append(law, 1 - law.sum()) * n
    counts = np.bincount(np.minimum(lesions.records["n"], last), minlength=last + 1)
    k = last
    chi = float(((counts - law) ** 2 / law).sum())
    assert ((chi / k) ** (1 / 3) - (1 - 2 / (9 * k))) / math.sqrt(2 / (9 * k)) < Z  # Wilson and Hilferty


@pytest.mark.parametrize("loss", [0.3, 0.75])
def test_of_new_lesions_the_share_of_cell_loss_dies_out(loss):
    """10,000 of one cell in two years: d / b = `cell_loss`, but that births fall with size, by 2 % in the 20 cells in
    which fate is decided; that is allowed for on one side."""
    lesions = lesions_of(10_000, 1, cell_loss=loss)
    run(lesions, 730 * DAY, 3)
    died = (lesions.records["state"] == LesionState.CLEARED).mean()
    error = Z * math.sqrt(loss * (1 - loss) / 10_000)
    assert loss - error < died < 1.04 * loss + error


@pytest.mark.parametrize("steps", [1, 24])
def test_growth_is_that_of_gompertz(steps):
    """1e6 cells for four years, mean of 20: N (n / N)^exp(-a t). Chance is 1e-3 of it, so 1 % is the error of sub-steps."""
    lesions = lesions_of(20, 10**6)
    law, t = lesions.rates, 4 * 365 * DAY
    a, capacity = (law.by_node(f"lesion.{name}")[NODE] for name in ("gompertz", "capacity"))
    run(lesions, t, steps)
    expected = capacity * (1e6 / capacity) ** math.exp(-a * t)
    assert 3 < math.log(expected / 1e6)
    assert lesions.records["n"].mean() == pytest.approx(expected, rel=0.01)


def test_long_steps_grow_as_short_ones_in_the_mean():
    """Steps of 30 days and of one hour, from 200 cells without vessels, for 60 days: 400 lesions, by their own errors."""
    fast = dict(gompertz_per_h=0.03 / DAY, capacity=10**10, cell_loss=0.3, avascular_limit=3_000, switch_h=20 * DAY)
    seen = []
    for steps in (2, 60 * 24):
        lesions = lesions_of(400, 200, LesionState.MICRO, **fast)
        run(lesions, 60 * DAY, steps)
        seen.append((np.log(lesions.records["n"]), lesions.records["state"] == LesionState.VASCULAR))
    for one, other in zip(*seen):
        assert abs(one.mean() - other.mean()) < 0.01 * one.mean() + Z * math.sqrt((one.var() + other.var()) / 400)


def test_shed_cells_and_their_times_follow_the_growth_within_a_step():
    """One step of 30 days beside 720 of an hour: 200 lesions of 1e4 cells that grow 8-fold, by their own errors."""
    fast = dict(gompertz_per_h=0.005 / DAY, capacity=10**10, cell_loss=0.3, shed_per_h=1e-3 / DAY)
    number, times = [], []
    for steps in (1, 720):
        lesions = lesions_of(200, 10_000, **fast)
        shed = run(lesions, 30 * DAY, steps)
        number.append(lesions.records["shed"].astype(float))
        times.append(shed["t_shed"])
    assert 4 < lesions.records["n"].mean() / 10_000 < 12
    assert abs(number[0].mean() - number[1].mean()) < 0.005 * number[1].mean() + Z * math.sqrt(
        (number[0].var() + number[1].var()) / 200)
    assert abs(times[0].mean() - times[1].mean()) < 0.005 * times[1].mean() + Z * math.sqrt(
        sum(t.var() / t.size for t in times))
    assert times[1].mean() > 17 * DAY, "later than the middle, so that uniform times would be found"


def test_without_vessels_a_lesion_fluctuates_about_its_limit():
    """300 lesions, limit L of 1000 cells, five years: about L with the variance L d / r, r = a ln(N / L), of a linear
    return (to 15 % of the standard deviation, of which the sample has 4 %); the mean within 1 %."""
    lesions = lesions_of(300, 900, LesionState.MICRO, avascular_limit=1_000)
    lesions.rates.by_node("lesion.vascularize")[:] = 0.0
    run(lesions, 5 * 365 * DAY, 3)
    alive = lesions.records["n"][lesions.records["n"] > 0].astype(float)
    a, d, capacity = (lesions.rates.by_node(f"lesion.{name}")[NODE] for name in ("gompertz", "death", "capacity"))
    spread = math.sqrt(1_000 * d / (a * math.log(capacity / 1_000)))
    assert alive.size == 300 and abs(alive.mean() - 1_000) < 10 + Z * spread / math.sqrt(300)
    assert alive.std() == pytest.approx(spread, rel=0.2)


@pytest.mark.parametrize("steps", [1, 8])
def test_a_lesion_gets_vessels_with_its_hazard(steps):
    """4000 lesions of 1e5 cells, the limit, in half a year, a quarter of the time in which half switch: binomial, with
    1 % for the cells by which they differ from the limit."""
    lesions = lesions_of(4_000, 10**5, LesionState.MICRO)
    run(lesions, 0.25 * 2 * 365.25 * DAY, steps)
    switched = lesions.records["state"] == LesionState.VASCULAR
    p = 1 - 2 ** -0.25
    assert abs(switched.sum() - 4_000 * p) < Z * math.sqrt(4_000 * p * (1 - p)) + 0.01 * 4_000 * p
    times = lesions.records["t_state"][switched]
    assert abs(np.mean(times) / (0.5 * 365.25 * DAY) - 0.5) < 0.05, "spread over the whole time"


@pytest.mark.parametrize("cells", [1, 3_000])
def test_cells_enter_the_blood_at_their_rate_with_the_traits_of_the_lesion(cells):
    h, t = 0.01, 20.0
    n = 60_000 // cells
    lesions = constant(n, cells, 0.0, 1e-30, shed=h)
    shed = run(lesions, t, 10)
    p, total = 1 - math.exp(-h * t), n * cells
    assert abs(shed.size - total * p) < Z * math.sqrt(total * p * (1 - p))
    dose = np.sort((1 - np.exp(-h * shed["t_shed"])) / p)
    distance = np.abs(dose - (np.arange(dose.size) + 0.5) / dose.size).max()
    assert distance * math.sqrt(dose.size) < 2.5 + 2e-3 * math.sqrt(dose.size)  # uniform within a step
    assert (shed["n"] == 1).all() and (shed["origin"] == NODE).all()


def test_lesions_without_vessels_shed_less():
    shed = [run(lesions_of(50, 10_000, state, shed_per_h=0.01, shed_avascular=0.1), 10.0, 2).size
            for state in (LesionState.MICRO, LesionState.VASCULAR)]
    assert abs(shed[0] - 0.1 * shed[1]) < Z * math.sqrt(2 * shed[0])


def test_it_is_seen_when_it_first_has_so_many_cells():
    """20 lesions from 1e6 cells: the time at which the closed solution has 1e8, to 1 %, whatever the step."""
    for steps in (1, 200):
        lesions = lesions_of(20, 10**6, detect=10**8)
        a, capacity = (lesions.rates.by_node(f"lesion.{name}")[NODE] for name in ("gompertz", "capacity"))
        run(lesions, 4 * 365 * DAY, steps)
        expected = math.log(math.log(capacity / 1e6) / math.log(capacity / 1e8)) / a
        assert lesions.records["t_detected"].mean() == pytest.approx(expected, rel=0.01)


def test_lesions_of_1e12_cells_live_twenty_years_in_few_sub_steps():
    """A hundred in one step, shedding: the list of broods has one entry for each sub-step."""
    lesions = lesions_of(100, 10**12, shed_per_h=0.0025 / DAY, clonogenic=0.0)
    lesions.follow(10**14, 0.0)
    tally, broods = _lesions.advance(lesions.records, lesions.rates, lesions.law, SEED, 0, 0, 0.0, 20 * 365 * DAY)
    assert len(broods) < 100 * 300 and lesions.records["n"].min() > 10**11
    assert tally[_lesions.TALLY.index("unfollowed")] == tally[_lesions.TALLY.index("shed")] > 10**12


def test_lesions_grow_by_the_rates_of_each_part_of_a_step():
    """20,000 lesions of one cell; births are twice as many for the middle third of a step of 30 h: mean
    e^(0.03 * 40 - 0.01 * 30)."""
    n, b, d, t = 20_000, 0.03, 0.01, 30.0
    lesions = constant(n, 1, b, d)
    twice = neutral(_lesions.RATES, len(lesions.circuit.names), birth=2 * b / d, death=d, turnover=d, capacity=1e300, avascular_limit=1e300)
    lesions.changes = [(10.0, twice), (20.0, lesions.rates)]
    lesions.advance(0, 0.0, t)
    seen = lesions.records["n"].astype(float)
    assert abs(seen.mean() - math.exp(b * 40.0 - d * 30.0)) < Z * seen.std() / math.sqrt(n)


@pytest.mark.parametrize("steps", [1, 6])
def test_a_drug_that_kills_cells_of_a_lesion_makes_it_shrink(steps):
    """40 lesions of 1e9 cells, deaths 1.3 times the turnover for 60 days: ln(n / N) relaxes with a to -(deaths beyond the
    turnover) / a, Gompertz; within 1 %. What has no drug grows meanwhile."""
    found = []
    for factor in (1.0, 1.3):
        lesions = lesions_of(40, 10**9, shed_per_h=0.0)
        rates = lesions.rates
        rates.by_node("lesion.death")[:] *= factor
        a, d, capacity = (rates.by_node(f"lesion.{name}")[NODE] for name in ("gompertz", "turnover", "capacity"))
        run(lesions, 60 * DAY, steps)
        end = -(factor - 1.0) * d / a
        expected = end + (math.log(1e9 / capacity) - end) * math.exp(-a * 60 * DAY)
        found.append(float(lesions.records["n"].mean()))
        assert found[-1] == pytest.approx(capacity * math.exp(expected), rel=0.01)
    assert found[1] < 0.5 * 1e9 < 1e9 < found[0]
