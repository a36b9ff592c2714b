"""The compiled excess of cells over capacity against its NumPy twin, bit for bit."""
import numpy as np
import pytest

from metacascade._kernels import _pressure
from reference import pressure as twin
from reference.field import block


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 2)])
def test_the_smoothed_excess_equals_its_twin(shape):
    coords, neighbors = block(*shape)
    counts = np.random.default_rng(1).poisson(2.4, (len(coords), 512)).astype(np.uint16)
    f, smoothed = np.empty((2, len(coords), 512), np.float32)
    _pressure.excess(counts, f, 1 / 2.4)
    np.testing.assert_array_equal(f, twin.excess(counts, 1 / 2.4))
    for mirror in (False, True):
        _pressure.smooth(f, smoothed, neighbors, 0.052, mirror)
        np.testing.assert_array_equal(smoothed, twin.smooth(f, neighbors, 0.052, mirror))


def test_ghosts_give_what_their_own_tiles_would():
    coords, neighbors = block(2, 1, 1)
    f = np.random.default_rng(2).uniform(-1, 1, (2, 512)).astype(np.float32)
    whole, part = np.empty_like(f), np.empty((1, 512), np.float32)
    _pressure.smooth(f, whole, neighbors, 0.125)
    _pressure.smooth(f, part, neighbors[:1], 0.125)      # tile 1 is a ghost
    np.testing.assert_array_equal(part[0], whole[0])


def test_level_density_stays_level():
    _, neighbors = block(3, 3, 3)
    f = np.full((27, 512), np.float32(0.3))
    smoothed = np.empty_like(f)
    _pressure.smooth(f, smoothed, neighbors, 0.125)
    assert (smoothed[13] == np.float32(0.3)).all()


@pytest.mark.parametrize("wrong", [np.nan, -1e-6, np.inf])
def test_a_pressure_that_is_no_pressure_stops_the_run(wrong):
    p = np.zeros((2, 512), np.float32)
    p[1, 3] = wrong
    with pytest.raises(FloatingPointError, match="1 voxels"):
        _pressure.check(p)


def test_no_tiles_are_no_work():
    none = np.empty((0, 512), np.float32)
    _pressure.excess(np.empty((0, 512), np.uint16), none, 1.0)
    _pressure.smooth(none, none, np.empty((0, 6), np.int32), 0.1)
    _pressure.check(none)
