"""Which cells are looked at: each with a chance that is above the bound of its voxel, whatever the others do."""
from fractions import Fraction
from math import expm1

import numpy as np
import pytest

from reference import candidates as twin

WORDS = 2**64


def share_of_words(holds):
    """Share of the 64-bit words, the smallest, for which something holds that holds below a threshold: by bisection."""
    low, high = 0, WORDS
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if holds(middle) else (low, middle)
    return Fraction(low, WORDS)


@pytest.mark.parametrize("chance", [2e-11, 1e-9, 1e-4])
@pytest.mark.parametrize("bound", [0.02, 1.0])
def test_a_rare_event_of_a_cell_that_is_looked_at_has_its_frequency(chance, bound):
    """Whatever the bound: the share of words below chance / bound, times the bound."""
    share = share_of_words(lambda word: twin.unit64(word >> 32, word & 0xFFFFFFFF) * bound < chance)
    assert float(share) * bound == pytest.approx(chance, rel=1e-8)


@pytest.mark.parametrize("p", [0.0, 1e-12, 2.0**-31, 1e-6, 0.02, 0.3, 0.5, 1.0])
def test_the_share_of_hashes_up_to_the_limit_is_the_bound_and_not_below_the_chance(p):
    p = float(np.float32(p))
    limit, bound = twin.rounded_up(p)
    assert Fraction(limit + 1, 2**32) == Fraction(bound)
    assert p <= bound <= min(1, p + 2**-31)


def test_cells_are_looked_at_each_for_itself():
    """40 000 keys, 12 cells whose records differ in single bits, chance 0.3: how often each is looked at, and each two
    together, are binomial; 78 numbers within 4.8 sd, false alarm 1.2e-4."""
    cells = [(0, 0, 1 << bit) for bit in range(4)] + [(1, 0, 0), (1 << 31, 0, 0), (0, 1, 0), (0, 1 << 31, 0),
        (0, 1 << 16, 0), (0, 0, 1 << 16), (0, 0, 1 << 31), (0, 0, 0)]
    limit, p = twin.rounded_up(float(np.float32(0.3)))
    keys = np.random.default_rng(3).integers(0, 2**63, 40_000).tolist()
    looked_at = np.array([[twin.hash_of(cell, key) <= limit for cell in cells] for key in keys], float)
    together = looked_at.T @ looked_at
    for found, chance in ((np.diag(together), p), (together[np.triu_indices(12, 1)], p * p)):
        assert np.all(abs(found - len(keys) * chance) < 4.8 * (len(keys) * chance * (1 - chance)) ** 0.5)


def test_cells_are_looked_at_in_one_step_as_in_any_other():
    """4 000 cells at random, two keys that differ in a bit: both, the one and neither are independent, within 4.8 sd
    (false alarm 2e-6 for each of 64 bits)."""
    limit, p = twin.rounded_up(0.25)
    cells = np.random.default_rng(4).integers(0, 2**32, (4_000, 3)).tolist()
    key = 0x0123456789abcdef
    before = [twin.hash_of(cell, key) <= limit for cell in cells]
    for bit in range(64):
        both = sum(was and twin.hash_of(cell, key ^ 1 << bit) <= limit for cell, was in zip(cells, before))
        n = sum(before)
        assert abs(both - n * p) < 4.8 * (n * p * (1 - p)) ** 0.5


def test_the_bound_of_phi_holds():
    """(exp(z) - 1) / z <= 1 + b / 2 + b^2 / 4 for z <= b <= 1; above b = 1 the bound of the chance is more than 1."""
    for b in np.linspace(1e-9, 1, 1001):
        assert expm1(b) / b <= 1 + b / 2 + b * b / 4
    assert 1 * (1 + 1 / 2 + 1 / 4) > 1
