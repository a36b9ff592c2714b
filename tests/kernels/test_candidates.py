"""How many cells are looked at: the law of that number, word by word, and rare events at their right frequency."""
from fractions import Fraction
from math import comb, expm1

import numpy as np
import pytest

from metacascade._kernels import _tissue
from reference import candidates as twin

WORDS = 2**64


def share_of_words(holds):
    """Share of the 64-bit words, the smallest, for which something holds that holds below a threshold: by bisection."""
    low, high = 0, WORDS
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if holds(middle) else (low, middle)
    return Fraction(low, WORDS)


def number(n, p, word):
    return _tissue.binomial_of(n, p, word >> 32, word & 0xFFFFFFFF)


def tail(n, p, k):
    """Chance that a binomial number is k or more."""
    p = Fraction(p)
    return 1 - sum(comb(n, i) * p**i * (1 - p)**(n - i) for i in range(k))


@pytest.mark.parametrize("n", [1, 2, 5, 8, 20, 40])
@pytest.mark.parametrize("p", [1e-6, 1e-3, 0.02, 0.1, 0.3, 0.5])
def test_of_all_words_the_share_that_gives_k_or_more_is_the_tail_of_the_binomial_law(n, p):
    for k in range(1, min(n, 6) + 1):
        share = share_of_words(lambda word: number(n, p, word) >= k)     # noqa: B023
        assert abs(share - tail(n, p, k)) < 3e-14 + 1e-11 * tail(n, p, k)


@pytest.mark.parametrize("per_day", [1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("n", [1, 8, 40])
def test_a_rare_event_has_its_frequency_to_the_last_digits(per_day, n):
    """A hazard of 1e-9/day at half an hour, 2e-11 a step, among all words: a word of 32 bits would never let it happen."""
    p = float(np.float32(per_day / 48))
    share = share_of_words(lambda word: number(n, p, word) >= 1)
    assert float(share / tail(n, p, 1)) == pytest.approx(1, rel=1e-6 if per_day < 1e-9 else 1e-8)


@pytest.mark.parametrize("chance", [2e-11, 1e-9, 1e-4])
@pytest.mark.parametrize("bound", [0.02, 1.0])
def test_a_rare_event_of_a_cell_that_is_looked_at_has_its_frequency(chance, bound):
    """Whatever the bound: the share of words below chance / bound, times the bound."""
    share = share_of_words(lambda word: twin.unit64(word >> 32, word & 0xFFFFFFFF) * bound < chance)
    assert float(share) * bound == pytest.approx(chance, rel=1e-8)


def test_kernel_and_twin_draw_the_same_number():
    rng = np.random.default_rng(1)
    for n, p in zip(rng.integers(1, 200, 2000).tolist(), (10.0 ** rng.uniform(-8, -0.4, 2000)).tolist()):
        high, low = rng.integers(0, 2**32, 2).tolist()
        high >>= int(rng.integers(0, 32))
        assert _tissue.binomial_of(n, p, high, low) == twin.binomial(n, p, high, low)
    assert _tissue.binomial_of(7, 1.0, 2**32 - 1, 2**32 - 1) == 7


def test_many_cells_with_a_small_bound_do_not_underflow():
    """n p = 64, the most that is not looked at whole: mean and variance of 20 000 draws, sd of the mean 0.057."""
    rng = np.random.default_rng(2)
    for n, p in ((65_535, 64 / 65_535), (128, 0.5)):
        drawn = np.array([_tissue.binomial_of(n, p, *rng.integers(0, 2**32, 2).tolist()) for _ in range(20_000)])
        variance = n * p * (1 - p)
        assert abs(drawn.mean() - n * p) < 4.5 * (variance / 20_000) ** 0.5
        assert abs(drawn.var() / variance - 1) < 4.5 * (2 / 20_000) ** 0.5


def test_every_cell_is_as_likely_to_be_looked_at():
    """20 000 keys, 2 of 9 cells whose records differ in single bits: chi square with 8 degrees of freedom, false alarm
    9e-6 at 38.7 (variance of the sampling without replacement taken off); pairs alike, with 35, at 91."""
    cells = [(0, 0, 1 << bit) for bit in range(8)] + [(1 << 31, 0, 0)]
    once, pairs = np.zeros(9), np.zeros((9, 9))
    for key in np.random.default_rng(3).integers(0, 2**63, 20_000).tolist():
        a, b = sorted(range(9), key=lambda i: twin.rank_of(cells[i], key))[:2]
        once[[a, b]] += 1
        pairs[min(a, b), max(a, b)] += 1
    expected = 20_000 * 2 / 9
    assert ((once - expected) ** 2 / expected).sum() / (1 - 1 / 8) < 38.7
    pair = pairs[np.triu_indices(9, 1)]
    assert ((pair - 20_000 / 36) ** 2 / (20_000 / 36)).sum() < 91


def test_the_bound_of_phi_holds():
    """(exp(z) - 1) / z <= 1 + b / 2 + b^2 / 4 for z <= b <= 1; above b = 1 the bound of the chance is more than 1."""
    for b in np.linspace(1e-9, 1, 1001):
        assert expm1(b) / b <= 1 + b / 2 + b * b / 4
    assert 1 * (1 + 1 / 2 + 1 / 4) > 1
