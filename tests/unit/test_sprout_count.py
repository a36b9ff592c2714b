"""Sprouts are counted as they were drawn, however dense and wide they are, and a rough surface has none."""
import numpy as np
import pytest

import shapes
from metacascade.ranks.exchange import Exchange
from metacascade.ranks.parallel import serial_world
from metacascade.space import outline
from metacascade.space.region import Region

FULL, RADIUS, LENGTH = 8, 2.5, 2.0         # cells of a voxel; [voxels], as by default of voxels of 30 um
MIDDLE, BALL = 20, 9


def counted(cells):
    """(sprouts, voxels in them, how far they reach, voxels of the body) of cells by x, y, z."""
    tiles, by_tile = shapes.made(cells)
    region = Region(Exchange(serial_world()), np.array([0, 2**63], np.uint64))
    region.add(tiles)
    counts = np.array([by_tile.get(tile, np.zeros(512, np.uint16)) for tile in map(tuple, region.coords.tolist())])
    hull = outline.inside(counts, FULL, region)
    body = outline.body(hull, RADIUS, region)
    found, farthest = outline.sprouts(hull | (counts > FULL / 8), body, LENGTH, region)
    return found.total, int((found.labels >= 0).sum()), np.sqrt(farthest) - 0.5, int(body.sum())


def ball(radius=BALL):
    at, cells = shapes.grid(5, 5, 5)
    cells[shapes.ball(at, radius, (MIDDLE,) * 3)] = FULL
    return at, cells


def finger(cells, face, width, length, n=FULL):
    """Cells along an axis out of the ball, up to `length` voxels from it."""
    across = slice(MIDDLE - width // 2, MIDDLE + (width + 1) // 2)
    along = slice(MIDDLE, MIDDLE + BALL + length) if face % 2 else slice(MIDDLE - BALL - length, MIDDLE)
    where = [across] * 3
    where[face // 2] = along
    cells[tuple(where)] = n


@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [2, FULL])
def test_a_ball_with_fingers_has_as_many_sprouts(number, width, n):
    """Those three voxels wide and dense lie inside of the outline, and the foot of them, some two voxels, is body."""
    _, cells = ball()
    for face in range(number):
        finger(cells, face, width, 6, n)
    found, voxels, reach, _ = counted(cells)
    assert found == number
    if number:
        assert voxels >= 2 * number * width**2 and 3.5 < reach < 7


def test_what_is_wide_or_short_is_no_sprout():
    _, wide = ball()
    finger(wide, 0, 7, 6)
    _, short = ball()
    finger(short, 0, 2, 2)
    assert counted(wide)[0] == counted(short)[0] == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_ball_with_noise_has_none(seed):
    """Its surface is rough by two voxels, and about it are loose cells, one to a voxel."""
    at, cells = ball(BALL - 1)
    rng = np.random.default_rng(seed)
    cells[shapes.ball(at, BALL + 1, (MIDDLE,) * 3) & (rng.random(cells.shape) < 0.5)] = FULL
    cells += shapes.ball(at, BALL + 8, (MIDDLE,) * 3) & (rng.random(cells.shape) < 0.02)
    cells *= rng.random(cells.shape) < 0.97
    found, _, reach, body = counted(cells)
    assert found == 0 and reach <= LENGTH
    assert body == pytest.approx(4 / 3 * np.pi * BALL**3, rel=0.15)


def test_a_tumor_in_which_no_ball_fits_is_its_own_body():
    _, cells = shapes.grid(3, 3, 3)
    cells[8:12, 8:12, 8:12] = FULL
    assert counted(cells)[0] == 0 and counted(cells)[3] > 0


def test_a_bud_with_a_neck_is_one_sprout():
    """It may be as wide as the body is made of: it is joined to it by something thin."""
    at, cells = ball()
    finger(cells, 1, 2, 8)
    cells[shapes.ball(at, 3.5, (MIDDLE + BALL + 6, MIDDLE, MIDDLE))] = FULL
    assert counted(cells)[0] == 1
