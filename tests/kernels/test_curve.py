"""Keys along the Hilbert curve: the twin, and the properties for which the curve was chosen."""
import numpy as np
import pytest

from metacascade._kernels import _curve
from reference.curve import key


def keys(coords):
    return _curve.keys(np.ascontiguousarray(coords, np.int32))


def cube(size, corner):
    """All tiles of an aligned cube."""
    return (np.stack(np.unravel_index(np.arange(size**3), (size,) * 3), axis=1) + np.array(corner)).astype(np.int32)


def test_keys_equal_the_twin():
    rng = np.random.default_rng(1)
    far = rng.integers(-2**20, 2**20, (500, 3))
    near = rng.integers(-3, 3, (100, 3))
    corners = np.array([(a, b, c) for a in (-2**20, 2**20 - 1) for b in (-2**20, 2**20 - 1) for c in (-1, 0)])
    coords = np.concatenate([far, near, corners])
    assert keys(coords).tolist() == [key(c) for c in coords.tolist()]


@pytest.mark.parametrize("corner", [(0, 0, 0), (-16, -16, -16), (-16, 0, 32), (2**20 - 16, -2**20, 16)])
def test_an_aligned_cube_is_one_range_of_keys_that_goes_from_neighbor_to_neighbor(corner):
    coords = cube(16, corner)
    k = keys(coords)
    order = np.argsort(k)
    assert (np.diff(k[order]) == 1).all(), "a key is missing or doubled"
    assert (np.abs(np.diff(coords[order], axis=0)).sum(axis=1) == 1).all(), "the curve jumps"


def test_keys_lie_below_two_to_the_63():
    ends = keys(np.array([(a, b, c) for a in (-2**20, 2**20 - 1) for b in (-2**20, 2**20 - 1)
                          for c in (-2**20, 2**20 - 1)]))
    assert ends.min() == 0 and ends.max() == 2**63 - 1


def test_no_tiles():
    assert keys(np.empty((0, 3))).shape == (0,)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("value", [2**20, -2**20 - 1, 2**31 - 1, -2**31])
def test_a_tile_outside_the_curve_is_refused_with_its_place(axis, value):
    coords = np.zeros((2, 3), np.int32)
    coords[1, axis] = value
    with pytest.raises(ValueError, match=f"lies outside the curve.*{_curve.REACH}") as error:
        keys(coords)
    assert str(value) in str(error.value)
