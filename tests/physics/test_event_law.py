"""Counts of events of the tissue kernel against their law, in voxels of few and of many cells, by loose and tight bounds.

Each count is a sum of independent trials with known chances: within 4 standard deviations (false alarm 6e-5 each; the seed
is fixed).
"""
import math
from dataclasses import replace

import numpy as np
import pytest

from metacascade._kernels._layout import Action
from tiles import Patch, rates_of, with_margin

pytestmark = pytest.mark.statistical
RATES = {"divide": 0.02, "cause 0": 0.004, "cause 1": 0.011, "switch": 0.03}      # 1/h
DT, MOBILITY = 0.5, 0.04


class Still:
    """A tile of `n` cells a voxel that takes step after step, each from the same cells."""

    def __init__(self, n, most=1.0):
        rates = rates_of([(RATES["divide"], Action.DIVIDE, 0, []), (RATES["cause 0"], Action.REMOVE, 0, []),
                          (RATES["cause 1"], Action.REMOVE, 1, []), (RATES["switch"], Action.SET, 0, [])],
                         ("cause 0", "cause 1"))
        rates.rates["most"] = most
        self.patch = Patch(with_margin(1, 1, 1), rates=replace(rates), mobility=MOBILITY, dt_h=DT, seed=n)
        self.row = self.patch.row(0, 0, 0)
        self.patch.scatter(self.row, np.repeat(np.arange(512), n), np.random.default_rng(n), emt=0)
        cube = self.patch.pressure.value[self.row].reshape(8, 8, 8)
        cube[1:-1, 1:-1, 1:-1] = np.random.default_rng(n).random((6, 6, 6))
        self.patch.arena.reserve(np.array([self.row]), np.array([3 * self.patch.cells]))
        self.cells, self.n = self.patch.arena.block(self.row).copy(), n
        self.hops = self.chances_of_hops()

    def chances_of_hops(self):
        """Sum over the faces of mobility times fall, of each voxel."""
        p = np.pad(self.patch.pressure.value[self.row].reshape(8, 8, 8).astype(float), 1)
        falls = [np.maximum(p - np.roll(p, step, axis), 0)[1:-1, 1:-1, 1:-1] for axis in range(3) for step in (1, -1)]
        return MOBILITY * sum(falls)

    def step(self, number):
        a = self.patch.arena
        a.n[self.row], self.patch.counts[self.row] = len(self.cells), self.n
        self.patch.arena.block(self.row)[:] = self.cells
        return self.patch.advance(number, 0.0)[3]


def assert_law(n, steps, most):
    still, found = Still(n, most), {}
    for number in range(steps):
        for name, count in still.step(number).items():
            found[name] = found.get(name, 0) + count
    z = DT * (2 * RATES["divide"] - sum(RATES.values()))
    trials = n * 512 * steps
    for name, key in (("divide", "divided"), ("cause 0", "cause 0"), ("cause 1", "cause 1"), ("switch", "switched")):
        p = RATES[name] * DT * math.expm1(z) / z
        assert abs(found[key] - trials * p) < 4 * math.sqrt(trials * p * (1 - p)), (name, found[key], trials * p)
    mean, variance = (n * steps * float(part.sum()) for part in (still.hops, still.hops * (1 - still.hops)))
    assert abs(found["hopped"] - mean) < 4 * math.sqrt(variance), (found["hopped"], mean)
    return found["looked_at"] / trials


@pytest.mark.parametrize("n", [1, 2, 5, 8, 20, 40])
@pytest.mark.parametrize("most", [1.0, 8.0])
def test_counts_of_all_events_follow_their_law(n, most):
    """2e5 cell-steps; with the bound as near to the truth as it gets, and far above it."""
    looked_at = assert_law(n, 400 // n + 1, most)
    assert looked_at > 0.25 if most == 8.0 else looked_at < 0.25


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("n", [1, 2, 5, 8, 20, 40])
@pytest.mark.parametrize("most", [1.0, 8.0])
def test_counts_of_all_events_follow_their_law_to_a_hundred_million_cell_steps(n, most):
    assert_law(n, 100_000_000 // (512 * n) + 1, most)


def test_events_of_the_cells_of_a_voxel_are_independent():
    """Deaths in 512 voxels of 8 cells, 100 steps: their variance over voxels is n p (1 - p); 51,200 values, whose sample
    variance has the relative sd sqrt((2 + 1 / v) / 51 200), v the variance (binomial, p small)."""
    patch = Patch([(0, 0, 0)], rates=rates_of([(0.3, Action.REMOVE, 0, [])], ("cause 0",)), dt_h=1.0)
    patch.scatter(0, np.repeat(np.arange(512), 8), np.random.default_rng(1), emt=0)
    cells, died, p = patch.arena.block(0).copy(), [], -math.expm1(-0.3)
    for number in range(100):
        patch.arena.n[0], patch.counts[0] = len(cells), 8
        patch.arena.block(0)[:] = cells
        patch.advance(number, 0.0)
        died.append(8 - patch.counts[0].astype(int))
    died, variance = np.concatenate(died), 8 * p * (1 - p)
    assert abs(died.mean() - 8 * p) < 4 * math.sqrt(variance / len(died))
    assert abs(died.var() / variance - 1) < 4 * math.sqrt((2 + 1 / variance) / len(died))
