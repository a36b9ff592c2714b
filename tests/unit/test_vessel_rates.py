"""The rates of vessels at places: factors are those of the voxels."""
import math

import numpy as np
import pytest

from metacascade._kernels._layout import LARGEST_RATIO, Shape
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


def test_the_fourth_power_of_the_largest_ratio_is_a_number():
    assert np.isfinite(np.float32(LARGEST_RATIO) ** 4)


@pytest.mark.parametrize("make", [hill, fall])
@pytest.mark.parametrize("power", [1, 2, 4])
def test_far_above_its_half_a_factor_is_its_limit_and_no_overflow(make, power):
    """Where there is 1e11 times the half, the fourth power is beyond single precision: vessels were not loosened there."""
    factor, signal = make("vessel.loosen", "vegf", 1e-6, power), np.array([0, 1e-6, 1, 1e3, 1e5], np.float32)
    found = shaped(factor, signal)
    assert np.allclose(found, [factor.at(float(s)) for s in signal], rtol=1e-5, atol=1e-12)
    assert factor.at(math.inf) == pytest.approx(found[-1], abs=1e-6)
