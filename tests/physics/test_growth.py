"""Division and death against the laws of their hazards.

Bounds are Z = 4.5 standard deviations of the law that is named: false alarm 7e-6 for each number compared.
"""
import math

import numpy as np
import pytest

from metacascade._kernels._vessels import SEGMENT
from tiles import Patch, only

pytestmark = pytest.mark.statistical
Z = 4.5
DIVISION_H = 24.0
WIDE = 10**6          # capacity at which a voxel of some hundred cells counts as empty


def cells_in(n, parameters, oxygen=40.0, seed=1, per_voxel=None, segments=None):
    """n immotile cells spread over the voxels of one tile."""
    patch = Patch([(0, 0, 0)], segments, oxygen=oxygen, **dict(parameters, seed=seed))
    voxels = np.arange(n) % 512 if per_voxel is None else np.arange(n) // per_voxel
    patch.scatter(0, voxels, np.random.default_rng(seed), emt=0)
    return patch


def assert_binomial(found, n, p):
    sd = math.sqrt(n * p * (1 - p))
    assert abs(found - n * p) < Z * sd, f"{found} of {n}, expected {n * p:.1f} +- {sd:.1f}"


# --- death ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("minutes", [30, 120, 480])
def test_survivors_decay_exponentially_for_any_step(minutes):
    """n = 100 000; survivors of T = 48 h: binomial with exp(-h T), exactly, whatever the step."""
    rate, n, hours = 0.02, 100_000, 48
    patch = cells_in(n, only(run=dict(step_s=60 * minutes), growth=dict(division_time_h=8766, death_per_h=rate)))
    patch.parameters["birth_per_h"] = 0.0
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

def grown(n, hours, step_s, oxygen=1e9, seed=1):
    """Cells after pure division in voxels that count as empty."""
    p = only(run=dict(step_s=step_s), growth=dict(division_time_h=DIVISION_H, death_per_h=0.0))
    patch = cells_in(n, dict(p, capacity=WIDE), oxygen, seed)
    for _ in range(round(hours * 3600 / step_s)):
        patch.step()
    return patch.cells


def mean_and_sd(n, p, steps):
    """Of a branching process in which each cell doubles with chance p per step: mean n m with m = (1 + p)^steps,
    variance n (1 - p) / (1 + p) (m^2 - m)  (Harris 1963, ch. I)."""
    m = (1 + p) ** steps
    return n * m, math.sqrt(n * (1 - p) / (1 + p) * (m * m - m))


@pytest.mark.parametrize(("oxygen", "factor"), [(1e9, 1.0), (5.0, 0.5), (1.25, 0.2)])
def test_division_in_empty_voxels_is_exponential_with_the_factor_of_oxygen(oxygen, factor):
    """n = 100 000 for one doubling time; hazard ln 2 / division_time * P / (P + half)."""
    n, step_h = 100_000, 0.5
    p = -math.expm1(-math.log(2) / DIVISION_H * factor * step_h)
    mean, sd = mean_and_sd(n, p, 48)
    crowd = 200 / WIDE                                # the hazard is less by this share: cells per voxel
    found = grown(n, 24, 1800, oxygen)
    assert abs(found - mean) < Z * sd + crowd * mean, f"{found}, expected {mean:.0f} +- {sd:.0f}"


def test_halving_the_step_halves_the_error_of_growth():
    """A cell divides at most once per step, so growth lags e^(b T), by about b T b dt: first order. n = 150 000 cells
    for one doubling time: sd of the lag 0.0018, so ratios of successive lags lie within 0.5 of 2 (4 sd)."""
    n, b, lags = 150_000, math.log(2) / DIVISION_H, []
    for step_h in (8, 4, 2):
        lags.append(1 - grown(n, 24, 3600 * step_h, seed=step_h) / (2 * n))
        mean, sd = mean_and_sd(n, -math.expm1(-b * step_h), 24 // step_h)
        assert abs(lags[-1] - (1 - mean / (2 * n))) < Z * sd / (2 * n) + 5e-4
    assert 1.5 < lags[0] / lags[1] < 2.5 and 1.5 < lags[1] / lags[2] < 2.5, lags


@pytest.mark.parametrize("cells", [1, 4, 7, 8, 12])
def test_division_slows_as_a_voxel_fills_and_stops_at_capacity(cells):
    """512 voxels of so many cells of capacity 8, 40 seeds, one step: binomial with the hazard times 1 - n / 8."""
    n, found = 512 * cells, 0
    p = -math.expm1(-math.log(2) / DIVISION_H * 12 * max(0.0, 1 - cells / 8))
    for seed in range(40):
        patch = cells_in(n, only(run=dict(step_s=12 * 3600), growth=dict(
            division_time_h=DIVISION_H, death_per_h=0.0)), 1e9, seed, per_voxel=cells)
        found += patch.step()[1]["divided"]
    if cells >= 8:
        assert found == 0
    else:
        assert_binomial(found, 40 * n, p)


def test_daughters_lie_anywhere_in_their_mother_s_voxel_and_inherit_her_traits():
    """About 10 000 daughters: mean place 1/2 with sd sqrt(1 / (12 n)); same clone, adhesion and bits; of the flags those that tell of ancestors."""
    patch = Patch([(0, 0, 0)], oxygen=1e9, **dict(
        only(run=dict(step_s=86400), growth=dict(division_time_h=DIVISION_H, death_per_h=0.0)), capacity=WIDE))
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

def test_competing_hazards_share_the_events_in_proportion():
    """n = 300 000 cells in one step of 3 h: with hazards h_i, event i happens to a share h_i / h (1 - exp(-h dt)).
    Chi square with 4 degrees of freedom; the bound is that of a false alarm of 7e-6."""
    n, vessel = 300_000, np.zeros(1, SEGMENT)
    vessel["bx"], vessel["radius"], vessel["maturity"], vessel["perfused"] = 240, 1000, 0.5, 1
    p = only(run=dict(step_s=3 * 3600), hypoxia=dict(survival_h=4.0),
             growth=dict(division_time_h=3.0, death_per_h=0.07), intravasation=dict(hazard_per_h=0.2, cluster_fraction=0.0))
    patch = cells_in(n, dict(p, capacity=WIDE), 3.75, segments=vessel)
    hazards = {"divided": math.log(2) / 3 * 3.75 / 8.75, "apoptosis": 0.07, "hypoxia": 0.125,
               "shed": 0.2 * (0.1 + 0.9 * 0.5)}
    _, tally = patch.step()
    total = sum(hazards.values())
    expected = {name: n * h / total * -math.expm1(-total * 3) for name, h in hazards.items()}
    found = {name: tally[name] for name in hazards}
    expected["nothing"], found["nothing"] = n * math.exp(-total * 3), n - sum(found.values())
    chi2 = sum((found[name] - e) ** 2 / e for name, e in expected.items())
    assert chi2 < 28.6, f"chi square {chi2:.1f}; found {found}, expected {expected}"      # P(> 28.6) = 9e-6
