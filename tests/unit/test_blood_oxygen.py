"""The oxygen that blood loses on its way through cells, against the balance that it solves."""
import numpy as np
import pytest

from metacascade.model.vessel_oxygen import shares
from metacascade.space.pieces import PIECE

WAY = 5.0 * np.arange(400)         # steps of `along` for a length of 100 um


def blood(critical):
    pieces = np.zeros(len(WAY), PIECE)
    pieces["along"] = WAY
    return shares(100.0, critical)(pieces)


@pytest.mark.parametrize("critical", [0.4, 0.575, 0.9])
def test_uptake_is_constant_down_to_the_critical_pressure_and_goes_with_it_below(critical):
    """d share / d way = - min(1, share / critical), in steps of a hundredth of those of `along`."""
    share, expected = 1.0, []
    for _ in WAY:
        expected.append(share)
        for _ in range(100):
            share -= 5e-4 * min(1.0, share / critical)
    np.testing.assert_allclose(blood(critical), expected, atol=1e-3)


def test_without_a_line_it_is_an_exponential_and_without_an_exponential_a_line():
    np.testing.assert_allclose(blood(1.0), np.exp(-WAY / 100.0), rtol=1e-6)
    np.testing.assert_array_equal(blood(2.0), blood(1.0))
    np.testing.assert_allclose(blood(0.0), np.maximum(1.0 - WAY / 100.0, 0.0), atol=1e-6)
