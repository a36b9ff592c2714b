"""Mutations at division against the law of Luria and Delbrueck (1943), for steps of a branching process.

In each step a cell divides with the chance p, and a daughter of a cell without mutation is a mutant with the chance m. So
cells without mutation (w) and with one (x) have the means (1 + p (1 - m))^k and (1 + p)^k less that after k steps, variances
by the recursion below, and the chance that a family of one cell is without mutants is that of `without_mutants`.
"""
import math

import numpy as np
import pytest

from metacascade._kernels._layout import Action
from metacascade.base.limits import MOST_CLONES
from metacascade.mechanisms.terms import Trait
from metacascade.model.clones import Clones, spectrum
from metacascade.ranks.parallel import serial_world
from tiles import Patch, rates_of

FAMILIES, STEPS, P, M = 3000, 14, 0.4, 0.01


def moments(steps):
    """Means of w and x, and the variance of x, of a family after so many steps from one cell."""
    a, b, c, d = 1 + P * (1 - M), 1 + P, P * M, P * (1 - M)
    w, x, ww, wx, xx = 1.0, 0.0, 0.0, 0.0, 0.0
    for _ in range(steps):
        ww, wx, xx = (a * a * ww + w * d * (1 - d), a * (b * wx + c * ww) - w * d * c,
                      b * b * xx + c * c * ww + 2 * b * c * wx + w * c * (1 - c) + x * P * (1 - P))
        w, x = a * w, b * x + c * w
    return w, x, xx


def without_mutants(steps):
    """The chance of no mutant after so many steps from one cell."""
    chance = 1.0
    for _ in range(steps):
        chance = (1 - P) * chance + P * (1 - M) * chance**2
    return chance


def families_of_numpy(n, rng):
    """Mutants of n families by NumPy: for the fourth moment, which says how well a variance can be measured."""
    w, x = np.ones(n, np.int64), np.zeros(n, np.int64)
    for _ in range(STEPS):
        born, new = rng.binomial(w, P), rng.binomial(x, P)
        mutants = rng.binomial(born, M)
        w, x = w + born - mutants, x + new + mutants
    return x


@pytest.fixture(scope="module")
def grown():
    """(patch, clones, mutations): a family in each tile, in which nothing moves or dies."""
    places = np.stack(np.unravel_index(np.arange(FAMILIES), (20, 20, 20)), axis=1)
    made = Clones(serial_world(), spectrum([Trait("neutral", mutation=M, step=0.0)]), 3)
    patch = Patch(places, rates=rates_of([(math.log(1 + P), Action.DIVIDE, 0, [])], clones=MOST_CLONES), dt_h=1.0, capacity=1e9,
                  mutation=made.spectrum.threshold())
    rng, mutations = np.random.default_rng(1), 0
    for row in range(FAMILIES):
        patch.scatter(row, [int(rng.integers(512))], rng)
    for step in range(STEPS):
        migrants, _, _, tally = patch.advance(step, float(step))
        here = patch.leaving(migrants)[0]
        assert made.number(here, step + 1, 3600 * step) == 0
        patch.arrive(here)
        mutations += tally["mutated"]
    return patch, made, mutations


def mutants_of(patch):
    """Cells that are not of the first clone, of each family."""
    return np.array([(patch.arena.block(row)["clone"] > 0).sum() for row in range(FAMILIES)])


def test_mutants_are_as_many_as_luria_and_delbrueck_say(grown):
    """3,000 families: mean within 4 standard errors (false alarms 6e-5), variance within 5, those without within 4."""
    found, twin = mutants_of(grown[0]), families_of_numpy(300_000, np.random.default_rng(2))
    _, mean, variance = moments(STEPS)
    assert abs(found.mean() - mean) < 4 * math.sqrt(variance / FAMILIES)
    error = math.sqrt((((twin - mean)**4).mean() - variance**2) / FAMILIES)
    assert abs(found.var(ddof=1) - variance) < 5 * error < variance
    chance = without_mutants(STEPS)
    assert abs((found == 0).mean() - chance) < 4 * math.sqrt(chance * (1 - chance) / FAMILIES)
    assert variance > 10 * mean                             # far from Poisson: jackpots


def test_each_mutation_founds_a_clone_and_parents_are_there_before(grown):
    patch, made, mutations = grown
    cells = patch.everyone()[0]
    assert len(made) == mutations + 1 and np.bincount(cells["clone"], minlength=len(made)).min() >= 1
    assert np.all(made.table["step"][1:] > made.table["step"][made.table["parent"][1:]])
    births = len(cells) - FAMILIES
    assert abs(mutations - M * births) < 4 * math.sqrt(M * births)


def test_a_daughter_is_a_mutant_with_the_chance_that_is_asked_for_far_below_one_in_a_million():
    """The chance is a 64-bit word: 0 never, 1 always; 1e-9 is told from 2e-9, as in 32 bits it would not be."""
    for mutation, expected in ((0, 0.0), (spectrum([Trait("a", mutation=1.0)]).threshold(), 1.0)):
        patch = Patch([(0, 0, 0)], rates=rates_of([(math.log(2), Action.DIVIDE, 0, [])]), dt_h=1.0, capacity=1e9,
                      mutation=mutation)
        patch.scatter(0, np.repeat(np.arange(512), 8), np.random.default_rng(1))
        tally = patch.advance(0, 0.0)[3]
        assert tally["divided"] > 4000 and tally["mutated"] == expected * tally["divided"]
    one, two = (spectrum([Trait("a", mutation=m)]).threshold() for m in (1e-9, 2e-9))
    assert 2 * one <= two <= 2 * one + 1
