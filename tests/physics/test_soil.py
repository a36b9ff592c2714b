"""Arrivals and the chance of a lesion, as the study of soil computes them, against the model's own events."""
import math

import numpy as np
import pytest

from metacascade._kernels._layout import CTC
from metacascade.base.nodes import BEDS
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model.circuit import Circuit
from metacascade.model.lesions import Lesions
from metacascade.studies import soil

pytestmark = pytest.mark.statistical
Z = 4.5     # false alarm of a two-sided test: 7e-6
N = 20_000


def test_the_chance_is_the_share_of_clonogenic_cells_that_begin_to_divide():
    """n = 20,000 in each of two beds, binomial; of 2 tests one fails by chance in 7e4 seeds."""
    config = Config.from_dict(dict(colonization=dict(clonogenic=1.0, wake_per_h=0.0), tumor={}))
    chance = soil.chance_law(config)
    for bed, amount in ((0, 0.4), (3, 3.0)):
        with_soil = Config.from_dict(config.to_dict() | dict(organs={BEDS[bed]: dict(soil=amount)}))
        lesions = Lesions(with_soil, Circuit(with_soil, plan_of(with_soil)), 3)
        ctcs = np.zeros(N, CTC)
        ctcs["id"] = np.random.default_rng(bed).integers(0, 2**64, N, dtype=np.uint64)
        ctcs["n"], ctcs["node"] = 1, soil.FIRST + bed
        lesions.found(ctcs)
        started = lesions.advance(0, 0.0, 24 * 100.0).counts["started"]
        p = float(chance(np.array([bed]), np.array([amount]))[0])
        assert abs(started - N * p) < Z * math.sqrt(N * p * (1 - p))


def test_cells_of_the_colon_meet_the_liver_first_and_those_of_the_breast_the_lung():
    """Cells of 40 um, which pass no capillary and are not released: the first bed holds all but those of spinal veins."""
    for organ, first in (("colon", "liver"), ("breast", "lung")):
        config = Config.from_dict(dict(run=dict(species="human"), tumor=dict(organ=organ),
                                       blood=dict(diameter_um=40.0, diameter_spread=0.0, release_per_h=0.0)))
        found = soil.arrivals(config, 2000)
        assert found.shape == (soil.BATCHES, len(BEDS)) and found.sum(axis=1).max() <= 1.0
        assert found.mean(axis=0)[BEDS.index(first)] > 0.9 * found.mean(axis=0).sum() > 0.0


def test_batches_have_cells_of_their_own_and_scatter_as_binomial_counts():
    """Variance over its binomial value in the lung: chi squared of 9 degrees; bounds with a false alarm of 1e-4."""
    config = Config.from_dict(dict(run=dict(species="human"), tumor={}))
    found, each = soil.arrivals(config, N), N // soil.BATCHES
    lung = found[:, BEDS.index("lung")]
    p = lung.mean()
    assert 0.9 < lung.var(ddof=1) * 9 * each / (p * (1 - p)) < 36.0
    assert np.array_equal(found, soil.arrivals(config, N)) and not np.array_equal(found, soil.arrivals(config, N, seed=2))
