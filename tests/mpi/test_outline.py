"""The outline, depths, distances and sprouts of hard shapes against flood fill, on ranks of which some have no tiles."""
from pathlib import Path

import numpy as np
import pytest

import shapes
from reference import outline as twin

pytestmark = pytest.mark.mpi
PROGRAM = Path(__file__).parent / "outline_shapes.py"


@pytest.fixture(scope="module", params=[1, 3, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 5))],
                ids=lambda n: f"{n}_ranks")
def found(request, mpirun, tmp_path_factory):
    """What the ranks have found, by name; tiles in the order of the curve."""
    file = tmp_path_factory.mktemp("outline") / "found.npz"
    mpirun(request.param, PROGRAM, file)
    with np.load(file) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def expected():
    """By name what the twin finds, in the order of the tiles that it is given; each is made once."""
    made = {}

    def of(name, coords):
        if name not in made:
            made[name] = plain(name, coords)
        return made[name]
    return of


def plain(name, coords):
    tiles, cells = shapes.SHAPES[name]()
    assert len(tiles) == len(coords)
    places = [at for tile in coords.tolist() for at in shapes.voxels_of(tile)]
    number = shapes.numbers_of(cells)
    order = {at: i for i, at in enumerate(places)}
    inner = twin.inside(number, set(places), shapes.CAPACITY, order)
    body = twin.body(inner, shapes.RADIUS, order)
    deep = twin.deeper(inner, set(places), shapes.DEPTH)
    hull = np.array(sorted(inner)).reshape(-1, 3)
    far = {at: twin.squared_distance(at, hull) for at in number.keys() - inner} if inner else {}
    values = np.array([(at in inner, at in deep, far.get(at, 0), at in body) for at in places])
    found = twin.sprouts(number.keys() | inner, body, shapes.LENGTH) if inner else (0, 0)
    return values, [*found, max(far.values(), default=0)]


@pytest.mark.parametrize("name", shapes.SHAPES)
def test_shapes_are_outlined_as_by_flood_fill(found, expected, name):
    values, numbers = expected(name, found[f"{name}/coords"])
    got = found[f"{name}/values"].swapaxes(1, 2).reshape(-1, 5)
    np.testing.assert_array_equal(got[:, :2], values[:, :2])
    if values[:, 0].any():              # else nothing is near
        np.testing.assert_array_equal(got[:, 2:4], values[:, 2:])
        assert found[f"{name}/numbers"].tolist() == numbers


@pytest.mark.parametrize("name", shapes.SHAPES)
def test_cubes_of_voxels_are_whole_at_the_borders_of_ranks(found, name):
    """What is dense by cubes of two voxels' edge, as in voxels of 15 um, against sums over the whole grid."""
    coords, cells = found[f"{name}/coords"], shapes.SHAPES[name]()[1]
    low, high = coords.min(axis=0) - 1, coords.max(axis=0) + 2
    grid = np.zeros(8 * (high - low)[::-1], np.int64)           # z, y, x; a layer of empty tiles round it

    def place(tile):
        return tuple(slice(8 * k, 8 * k + 8) for k in (np.array(tile) - low)[::-1])
    for tile, counts in cells.items():
        grid[place(tile)] = counts.reshape(8, 8, 8)
    z, y, x = (n // 2 for n in grid.shape)
    sums = grid.reshape(z, 2, y, 2, x, 2).sum(axis=(1, 3, 5))
    for axis in range(3):
        sums = sums + np.roll(sums, 1, axis) + np.roll(sums, -1, axis)
    dense = (sums >= 13.5 * 8 * shapes.CAPACITY).repeat(2, 0).repeat(2, 1).repeat(2, 2)
    expected = [dense[place(tile)].reshape(512) for tile in coords.tolist()]
    np.testing.assert_array_equal(found[f"{name}/values"][:, 4], expected)


@pytest.mark.parametrize("name", shapes.NOISE)
def test_masses_of_noise_are_those_of_a_flood_fill(found, name):
    values = found[f"{name}/values"]
    places = [at for tile in found[f"{name}/coords"].tolist() for at in shapes.voxels_of(tile)]
    size, marked, *first = values.swapaxes(0, 1).reshape(4, -1)
    order, seen = {at: i for i, at in enumerate(places)}, 0
    masses = twin.masses({at for at, n in zip(places, size) if n})
    assert found[f"{name}/numbers"].tolist() == [len(masses), max(map(len, masses))]
    for mass in masses:
        rows = np.array([order[at] for at in mass])
        assert set(size[rows]) == {len(mass)} and len(set(marked[rows])) == 1
        assert len(set(zip(first[0][rows], first[1][rows]))) == 1 and first[1][rows[0]] == rows.min() % 512
        seen += marked[rows[0]]
    assert seen > 0


def test_the_shapes_see_what_they_are_for(expected, found):
    """Lest nothing be compared with nothing."""
    inner = {name: set(map(tuple, np.argwhere(expected(name, found[f"{name}/coords"])[0][:, 0])))
             for name in shapes.SHAPES}
    assert len(inner["hollow"]) > len(inner["leaky"]) > 0 and len(inner["scattered"]) == 0
    assert expected("sprouting", found["sprouting/coords"])[1][0] == 3
    assert all(inner[name] for name in shapes.SHAPES if name != "scattered")
