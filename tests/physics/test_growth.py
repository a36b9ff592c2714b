"""Division and death against the laws of their rates.

Bounds are Z = 4.5 standard deviations of the law that is named: false alarm 7e-6 for each number compared.
"""
import math

import numpy as np
import pytest

from binomial import Z, assert_binomial
from controls import after, still
from metacascade._kernels._vessels import SEGMENT
from tiles import Patch, only

pytestmark = pytest.mark.statistical
DIVISION_H = 24.0


def cells_in(n, parameters, oxygen=40.0, seed=1, per_voxel=None, segments=None):
    """n immotile cells spread over the voxels of one tile."""
    patch = Patch([(0, 0, 0)], segments, oxygen=oxygen, **dict(parameters, seed=seed))
    voxels = np.arange(n) % 512 if per_voxel is None else np.arange(n) // per_voxel
    patch.scatter(0, voxels, np.random.default_rng(seed), emt=0)
    return patch



# --- death ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("minutes", [30, 120, 480])
def test_survivors_decay_exponentially_for_any_step(minutes):
    """n = 100 000; survivors of T = 48 h: binomial with exp(-h T), exactly, whatever the step."""
    rate, n, hours = 0.02, 100_000, 48
    patch = cells_in(n, only(run=dict(step_s=60 * minutes), growth=dict(division_time_h=8766, death_per_h=rate)))
    patch.rates.rates["base"][0] = 0.0
    for _ in range(hours * 60 // minutes):
        _, tally = patch.step()
    assert_binomial(patch.cells, n, math.exp(-rate * hours))


@pytest.mark.parametrize(("oxygen", "share"), [
    (10.0, 0.0), (5.0, 0.0), (4.375, 0.25), (3.75, 0.5), (2.5, 1.0), (0.0, 1.0)])
def test_hypoxia_kills_the_faster_the_less_oxygen_there_is(oxygen, share):
    """n = 50 000; hazard share / survival between threshold 5 and full 2.5 mmHg; survivors of 6 h."""
    n = 50_000
    patch = cells_in(n, only(run=dict(step_s=1800), hypoxia=dict(survival_h=6.0)), oxygen)
    for _ in range(12):
        patch.step()
    if share == 0.0:
        assert patch.cells == n
    else:
        assert_binomial(patch.cells, n, math.exp(-share))


# --- division -------------------------------------------------------------------------------------------

def grown(n, hours, step_s, oxygen=1e9, seed=1, **growth):
    """Cells after some time without pressure."""
    patch = cells_in(n, only(run=dict(step_s=step_s), growth=dict(
        dict(division_time_h=DIVISION_H, death_per_h=0.0), **growth)), oxygen, seed)
    for _ in range(round(hours * 3600 / step_s)):
        patch.step()
    return patch.cells


def mean_and_sd(n, p, q, steps):
    """Of a branching process in which each cell doubles with chance p and dies with chance q in a step: mean n m^k with
    m = 1 + p - q, variance n s m^(k - 1) (m^k - 1) / (m - 1) with s = p + q - (p - q)^2  (Harris 1963, ch. I)."""
    m, s = 1 + p - q, p + q - (p - q) ** 2
    growth = steps if m == 1 else (m**steps - 1) / (m - 1)
    return n * m**steps, math.sqrt(n * s * m ** (steps - 1) * growth)


@pytest.mark.parametrize(("oxygen", "factor"), [(1e9, 1.0), (5.0, 0.5), (1.25, 0.2)])
def test_division_without_pressure_is_exponential_with_the_factor_of_oxygen(oxygen, factor):
    """n = 100 000 for one doubling time; rate ln 2 / division_time * P / (P + half): 2^factor times as many."""
    n, step_h = 100_000, 0.5
    mean, sd = mean_and_sd(n, math.expm1(math.log(2) / DIVISION_H * factor * step_h), 0.0, 48)
    assert mean == pytest.approx(n * 2**factor)
    found = grown(n, 24, 1800, oxygen)
    assert abs(found - mean) < Z * sd, f"{found}, expected {mean:.0f} +- {sd:.0f}"


@pytest.mark.parametrize("step_h", [12, 4, 1])
@pytest.mark.parametrize("death", [0.0, 0.02, 0.05])
def test_growth_does_not_depend_on_the_step(step_h, death):
    """n = 100 000 cells for a day with division and death: the mean is n exp((b - d) T), exactly, whatever the step, since
    the chances of a step are rate dt (exp(z) - 1) / z, z = (b - d) dt."""
    n, b = 100_000, math.log(2) / DIVISION_H
    z = (b - death) * step_h
    chance = [rate * step_h * math.expm1(z) / z for rate in (b, death)]
    mean, sd = mean_and_sd(n, *chance, 24 // step_h)
    assert mean == pytest.approx(n * math.exp((b - death) * 24))
    found = grown(n, 24, 3600 * step_h, seed=step_h, death_per_h=death)
    assert abs(found - mean) < Z * sd, f"{found}, expected {mean:.0f} +- {sd:.0f}"


@pytest.mark.parametrize("share", [0.0, 0.4, 0.9, 1.0, 1.5])
def test_division_slows_under_pressure_and_stops_at_the_homeostatic_one(share):
    """40 000 cells at so much of pressure_max, one step of 12 h: binomial with the rate times 1 - p / pressure_max."""
    n, b = 40_000, math.log(2) / DIVISION_H * max(0.0, 1 - share)
    patch = cells_in(n, dict(only(run=dict(step_s=12 * 3600), crowding=dict(pressure_max=0.2), growth=dict(
        division_time_h=DIVISION_H, death_per_h=0.0)), mobility=0.0), 1e9)
    patch.pressure.value[:] = 0.2 * share
    found = patch.step()[1]["divided"]
    if share >= 1:
        assert found == 0
    else:
        assert_binomial(found, n, math.expm1(b * 12))


def test_daughters_lie_anywhere_in_their_mother_s_voxel_and_inherit_her_traits():
    """About 20 000 daughters: mean place 1/2 with sd sqrt(1 / (12 n)); same clone, adhesion and bits; of the flags those
    that tell of ancestors."""
    patch = Patch([(0, 0, 0)], oxygen=1e9, **only(
        run=dict(step_s=86400), growth=dict(division_time_h=DIVISION_H, death_per_h=0.0)))
    n = 20_000
    patch.put(0, np.arange(n) % 512, x=100, y=200, z=300, clone=np.arange(n), emt=0, adhesion=np.arange(n) % 256,
              flags=np.arange(n) % 8, bits=np.arange(n) % 200)
    _, tally = patch.step()
    cells, _, voxel = patch.everyone()
    mother = (cells["x"] == 100) & (cells["y"] == 200) & (cells["z"] == 300)
    daughters, born = cells[~mother], tally["divided"]
    assert mother.sum() == n and len(daughters) == born > 5000
    for axis in "xyz":
        assert abs(daughters[axis].mean() / 65536 - 0.5) < Z / math.sqrt(12 * born)
    np.testing.assert_array_equal(voxel, cells["clone"] % 512)
    np.testing.assert_array_equal(cells["adhesion"], cells["clone"] % 256)
    np.testing.assert_array_equal(cells["bits"], cells["clone"] % 200)
    np.testing.assert_array_equal(cells["flags"], np.where(mother, cells["clone"] % 8, cells["clone"] % 2))


# --- all at once ----------------------------------------------------------------------------------------

def test_the_chances_of_several_events_add_up():
    """n = 300 000 cells in one step of 3 h: with rates h_i, event i happens to a share h_i dt (exp(z) - 1) / z, z the rate
    of division less the others, times dt. Chi square with 4 degrees of freedom; its bound has a false alarm of 9e-6."""
    n, vessel = 300_000, np.zeros(1, SEGMENT)
    vessel["bx"], vessel["radius"], vessel["maturity"], vessel["perfused"] = 240, 1000, 0.5, 1
    patch = cells_in(n, only(
        run=dict(step_s=3 * 3600), hypoxia=dict(survival_h=4.0), growth=dict(division_time_h=3.0, death_per_h=0.07),
        intravasation=dict(hazard_per_h=0.2, cluster_fraction=0.0, permeability_mature=0.1)), 3.75, segments=vessel)
    rates = {"divided": math.log(2) / 3 * 3.75 / 8.75, "apoptosis": 0.07, "necrosis": 0.125,
             "shed": 0.2 * (0.1 + 0.9 * 0.5)}
    _, tally = patch.step()
    z = 3 * (2 * rates["divided"] - sum(rates.values()))
    expected = {name: n * 3 * rate * math.expm1(z) / z for name, rate in rates.items()}
    found = {name: tally[name] for name in rates}
    expected["nothing"], found["nothing"] = n - sum(expected.values()), n - sum(found.values())
    chi2 = sum((found[name] - e) ** 2 / e for name, e in expected.items())
    assert chi2 < 28.6, f"chi square {chi2:.1f}; found {found}, expected {expected}"


@pytest.mark.parametrize(("motile_fraction", "relative", "share"), [
    (1.0, 1.0, 1.0), (1.0, 0.5, 0.5), (1.0, 0.25, 0.25), (1.0, 0.0, 0.0), (0.0, 0.5, 1.0)])
def test_motile_cells_divide_less_and_others_as_before(motile_fraction, relative, share):
    """n = 20 000 cells in one step of an hour, of which a share e^h - 1 divides."""
    sim = still("growth", cells=20_000, traits=dict(motile_fraction=motile_fraction), oxygen=dict(enabled=False),
                growth=dict(motile=relative, death_per_h=0.0, division_time_h=8.0))
    z = share * math.log(2) / 8
    expected = 20_000 * math.expm1(z)
    divided = after(sim, 1).ledger.totals["divided_tissue"]
    assert abs(divided - expected) <= Z * math.sqrt(expected)
