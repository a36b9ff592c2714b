"""The canonical order of cells equals its twin."""
import numpy as np
import pytest

from metacascade._kernels._canonical import sort_voxels
from metacascade._kernels._layout import CELL
from metacascade.state.state import canonical
from reference import canonical as twin


def cells_of(counts, seed):
    """Random cells; few different words, so that many agree in their first bytes."""
    words = np.random.default_rng(seed).integers(0, 3, (int(counts.sum()), 12)).astype(np.uint8)
    return words.view(CELL).reshape(-1)


@pytest.mark.parametrize("most", [0, 1, 9, 200])
def test_voxels_of_no_few_and_many_cells_are_sorted_as_the_twin_does(most):
    counts = np.random.default_rng(most).integers(0, most + 1, (2, 512)).astype(np.uint16)
    cells = cells_of(counts, most)
    expected = twin.sort_voxels(cells, counts)
    assert canonical(cells, counts).tobytes() == expected.tobytes()


def test_the_order_before_has_no_meaning():
    counts = np.full((1, 512), 7, np.uint16)
    cells = cells_of(counts, 1)
    again = np.ascontiguousarray(cells.view(np.uint8).reshape(512, 7, 12)[:, ::-1]).view(CELL).reshape(-1)
    assert canonical(again, counts).tobytes() == canonical(cells, counts).tobytes()


def test_counts_that_do_not_add_up_are_refused():
    with pytest.raises(ValueError, match="add up to 512"):
        sort_voxels(np.zeros(3, CELL), np.ones((1, 512), np.uint16))
