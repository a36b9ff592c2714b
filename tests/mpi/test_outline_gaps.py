"""Ways into a tumor that are narrower than a ball: what is behind them is inside, on any ranks, as by the plain twin."""
from pathlib import Path

import numpy as np
import pytest

import shapes
from reference import outline as twin

pytestmark = pytest.mark.mpi
FAST = ("slanted",)
PROGRAM = Path(__file__).parent / "outline_gaps.py"


@pytest.fixture(scope="module")
def found(mpirun, tmp_path_factory):
    """What is inside, by number of ranks and name, in the order of the tiles along the curve."""
    made = {}
    for ranks in (1, 3):
        file = tmp_path_factory.mktemp("gaps") / "found.npz"
        mpirun(ranks, PROGRAM, file)
        with np.load(file) as arrays:
            made[ranks] = dict(arrays)
    return made


@pytest.mark.parametrize("name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow)
                                  for name in shapes.WITH_WAYS_IN])
def test_ways_in_are_as_wide_as_a_ball_that_comes_through(found, name):
    _, cells = shapes.SHAPES[name]()
    places = [at for tile in found[1][f"{name}/coords"].tolist() for at in shapes.voxels_of(tile)]
    order = {at: i for i, at in enumerate(places)}
    for k, gap in enumerate(shapes.GAPS):
        inner = twin.inside(shapes.numbers_of(cells), set(places), shapes.CAPACITY, order, gap)
        for ranks in found:
            got = found[ranks][f"{name}/inside"][:, k].ravel()
            assert {at for at, there in zip(places, got) if there} == inner


def test_without_a_gap_the_outline_is_that_of_ways_of_one_voxel(found):
    inside = found[1]["leaky/inside"].sum(axis=(0, 2))
    assert inside[0] < inside[-1], "through a channel of some voxels no ball of five comes"
