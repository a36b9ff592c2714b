"""The rates of vessels at places: factors are those of the voxels."""
import numpy as np
import pytest

from metacascade._kernels._layout import Shape
from metacascade.mechanisms.terms import boost, fall, hill, ramp
from metacascade.model.vessel_rates import shaped
from reference import rates


@pytest.mark.parametrize("factor", [
    *(hill("vessel.sprout", "vegf", 0.3, power) for power in (1, 2, 4)), fall("vessel.sprout", "vegf", 0.3),
    fall("vessel.sprout", "vegf", 0.3, 4), ramp("vessel.sprout", "vegf", 0.1, 0.7),
    boost("vessel.sprout", "vegf", 0.3, 2.0)], ids=lambda factor: f"{factor.kind}{factor.power}")
def test_factors_of_vessels_are_those_of_voxels_to_the_last_bit(factor):
    signal = np.random.default_rng(1).uniform(0, 1, 512).astype(np.float32)
    code = factor.kind.upper() + (str(factor.power) if factor.kind in ("hill", "fall") else "")
    expected = rates.shaped(Shape[code], signal, np.float32(factor.a.number), np.float32(factor.b.number))
    assert np.array_equal(shaped(factor, signal), expected)
