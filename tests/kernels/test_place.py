"""The first cells of a tile: the twin, and the laws of their traits."""
import numpy as np
import pytest

from metacascade._kernels._layout import CELL
from metacascade._kernels._place import place
from reference import place as twin

TRAITS = dict(seed=2**64 - 5, motile=20000, adhesion_mean=0.6, adhesion_spread=0.2)


def placed(counts, key=12345, **traits):
    counts = np.asarray(counts, np.uint16)
    cells = np.zeros(int(counts.sum()) + 3, CELL)
    n = place(cells, key, counts, dict(TRAITS, **traits))
    assert not cells[n:].view(np.uint8).any(), "it wrote beyond the last cell"
    return cells[:n]


@pytest.mark.parametrize("traits", [
    {}, dict(motile=0), dict(motile=65536), dict(adhesion_mean=0.0, adhesion_spread=1.0),
    dict(adhesion_mean=1.0, adhesion_spread=0.0), dict(adhesion_mean=1.0, adhesion_spread=1.0)],
    ids=lambda t: ",".join(t) or "usual")
def test_equals_its_twin(traits):
    counts = np.random.default_rng(2).poisson(1.5, 512)
    counts[100] = 40
    expected = twin.place(12345, counts.tolist(), **dict(TRAITS, **traits))
    assert placed(counts, **traits).tolist() == expected


@pytest.mark.parametrize("voxel", [0, 511])
def test_one_cell(voxel):
    counts = np.zeros(512, int)
    counts[voxel] = 1
    assert placed(counts).tolist() == twin.place(12345, counts.tolist(), **TRAITS)


def test_no_cells():
    assert len(placed(np.zeros(512))) == 0
    assert place(np.empty(0, CELL), 1, np.zeros(512, np.uint16), TRAITS) == 0


def test_too_small_a_block_is_refused_and_left_alone():
    cells = np.zeros(9, CELL)
    with pytest.raises(ValueError, match="10 cells do not fit into 9"):
        place(cells, 1, np.array([10] + [0] * 511, np.uint16), TRAITS)
    assert not cells.view(np.uint8).any()


def test_a_cell_depends_only_on_seed_tile_voxel_and_its_number_there():
    few, many = placed([2] * 512), placed([2] * 7 + [5] + [2] * 504)
    assert few[:16].tobytes() == many[:16].tobytes()
    assert few[16:].tobytes() == many[19:].tobytes()
    assert placed([2] * 512, key=12346).tobytes() != few.tobytes() != placed([2] * 512, seed=1).tobytes()


@pytest.mark.statistical
def test_laws_of_place_and_traits():
    """n = 102400 cells. Means of uniform places: sd 65536 / sqrt(12 n) = 59; share of motile cells: binomial;
    mean and sd of the adhesion before the cut: sd of the mean 0.05 * 255 / sqrt(n). All within 5 sd: false alarm
    about 3e-6 for the six of them."""
    cells, n = placed([200] * 512, motile=3277, adhesion_mean=0.5, adhesion_spread=0.05), 102400
    for axis in "xyz":
        assert abs(cells[axis].mean() - 32767.5) < 5 * 65536 / (12 * n) ** 0.5
    share = 3277 / 65536
    assert abs((cells["emt"] == 255).mean() - share) < 5 * (share * (1 - share) / n) ** 0.5
    assert set(np.unique(cells["emt"]).tolist()) == {0, 255}
    adhesion = cells["adhesion"] / 255
    assert abs(adhesion.mean() - 0.5) < 5 * 0.05 / n**0.5 + 1e-4
    assert abs(adhesion.std() - 0.05) < 5 * 0.05 / (2 * n) ** 0.5 + 1e-4      # rounding to 1/255 adds 1e-5
