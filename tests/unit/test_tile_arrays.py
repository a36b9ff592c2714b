"""The register of the arrays of tiles: growth, what is kept, what goes along to other ranks and into files."""
import numpy as np
import pytest

from metacascade.base.errors import InputError
from metacascade.space.tile_arrays import COUNTS, TileArray, TileArrays

FACTOR = TileArray("factor", "nM", values=64, start=2.0)
DERIVED = TileArray("derived", "1", values=8, ghosts=False, saved=False)


def grown(tiles=3, ghosts=2):
    arrays = TileArrays(COUNTS, FACTOR, DERIVED)
    arrays.grow(0, tiles, ghosts)
    return arrays


def test_new_tiles_and_all_ghosts_begin_with_the_start_value():
    arrays = grown(3, 2)
    arrays["factor"][:] = 7.0
    arrays.grow(3, 4, 1)
    assert arrays["factor"].shape == (5, 64) and arrays["counts"].shape == (5, 512)
    assert arrays["derived"].shape == (4, 8), "no rows for ghosts"
    assert (arrays["factor"][:3] == 7.0).all() and (arrays["factor"][3:] == 2.0).all()


def test_what_goes_along_comes_back_the_same_by_name():
    arrays, other, rng = grown(), grown(4, 0), np.random.default_rng(1)
    arrays["counts"][:] = rng.integers(0, 99, arrays["counts"].shape)
    arrays["factor"][:] = rng.random(arrays["factor"].shape)
    rows = np.array([2, 0])
    tiles = np.zeros(2, arrays.record())
    for name, values in arrays.take(rows).items():
        tiles[name] = values
    assert tiles.dtype.names == ("coords", "counts", "factor")
    other.put(np.array([1, 3]), tiles)
    for name in ("counts", "factor"):
        np.testing.assert_array_equal(other[name][[1, 3]], arrays[name][rows])


def test_kept_are_the_rows_that_were_named():
    arrays = grown()
    arrays["counts"][1] = 5
    arrays.keep(np.array([1]))
    assert arrays["counts"].shape == (1, 512) and (arrays["counts"] == 5).all() and arrays["derived"].shape == (1, 8)


def test_what_a_file_lacks_begins_with_its_start_value_and_what_it_has_too_much_is_left():
    arrays = grown(2, 0)
    arrays.put(np.arange(2), {"counts": np.ones((2, 512), np.uint16), "gone": np.ones((2, 512), np.float32)})
    assert (arrays["counts"] == 1).all() and (arrays["factor"] == 2.0).all()


@pytest.mark.parametrize("wrong", [np.zeros((2, 8), np.float32), np.zeros((2, 64), float)])
def test_another_resolution_or_type_is_refused_by_name(wrong):
    with pytest.raises(InputError, match="factor of the state is .* not float32 with 64 values a tile"):
        grown(2, 0).put(np.arange(2), {"factor": wrong})


def test_an_array_has_one_name_and_fitting_values():
    with pytest.raises(ValueError, match="twice"):
        TileArrays(COUNTS, COUNTS)
    with pytest.raises(ValueError, match="100 values"):
        TileArrays(TileArray("odd", "1", values=100))
    with pytest.raises(ValueError, match="counts: float64"):
        grown()["counts"] = np.zeros((5, 512))
