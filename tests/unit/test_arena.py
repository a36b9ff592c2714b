"""Blocks of cells that move and grow, against lists of cells per tile."""
import numpy as np
import pytest

from metacascade._kernels._layout import CELL, MIGRANT
from metacascade.space.arena import GROWING, SPARE, Arena, roomy
from tiles import random_cells


def check(arena, tiles):
    """Each tile has its cells, within its block, and no two blocks overlap."""
    assert arena.n.tolist() == [len(cells) for cells in tiles]
    assert (arena.n <= arena.capacity).all()
    assert arena.start.dtype == np.int64 and arena.capacity.dtype == arena.n.dtype == np.int32
    used = np.flatnonzero(arena.capacity > 0)
    order = used[np.argsort(arena.start[used])]
    ends = arena.start[order] + arena.capacity[order]
    assert (ends[:-1] <= arena.start[order][1:]).all(), "blocks overlap"
    assert len(order) == 0 or ends[-1] <= arena.tail <= len(arena.cells)
    for row, cells in enumerate(tiles):
        assert arena.block(row).tobytes() == cells.tobytes(), f"tile {row} lost its cells"


def add(arena, tiles, sizes, rng):
    arena.add(np.array(sizes, int))
    for row, n in enumerate(sizes, len(tiles)):
        tiles.append(random_cells(rng, n))
        arena.block(row)[:] = tiles[-1]


def grow(arena, tiles, rows, more, rng):
    """Reserve room as arrivals do, and fill it."""
    rows, more = np.array(rows, int), np.array(more, int)
    arena.reserve(rows, arena.n[rows] + more)
    for row, k in zip(rows, more):
        assert arena.capacity[row] >= arena.n[row] + k
        arena.n[row] += k
        arena.block(row)[-k or len(tiles[row]):] = extra = random_cells(rng, k)
        tiles[row] = np.concatenate([tiles[row], extra])


def shrink(arena, tiles, rows):
    for row in rows:
        arena.n[row] //= 2
        tiles[row] = tiles[row][:arena.n[row]]


@pytest.mark.parametrize("seed", range(8))
def test_random_lives_of_an_arena(seed):
    rng = np.random.default_rng(seed)
    arena, tiles = Arena(), []
    for _ in range(60):
        what = rng.integers(0, 5) if tiles else 0
        rows = np.flatnonzero(rng.random(len(tiles)) < 0.4)
        if what == 0:
            add(arena, tiles, (rng.integers(0, 200, rng.integers(0, 5)) * rng.integers(0, 2)).tolist(), rng)
        elif what in (1, 2):
            grow(arena, tiles, rows, rng.integers(0, 150, len(rows)), rng)
        elif what == 3:
            shrink(arena, tiles, rows)
        elif rng.random() < 0.3:
            keep = rng.permuted(np.flatnonzero(rng.random(len(tiles)) < 0.8))
            arena.keep(keep)
            tiles = [tiles[row] for row in keep]
        check(arena, tiles)


@pytest.mark.parametrize("then", ["read", "add", "reserve", "keep", "more"])
def test_cells_that_wait_are_there_whatever_happens_to_the_arena(then):
    rng, arena, tiles, counts = np.random.default_rng(2), Arena(), [], np.zeros((4, 512), np.uint16)
    add(arena, tiles, [0, 30, 5], rng)
    counts[1, 7], counts[2, 9] = 30, 5
    came = np.zeros(40, MIGRANT)
    came["key"], came["voxel"], came["cell"] = np.repeat([2, 0], 20), np.repeat([8, 3], 20), random_cells(rng, 40)
    arena.reserve(np.array([0, 2]), np.array([60, 45]))
    arena.take_in(came, counts)
    assert arena.n.tolist() == [20, 30, 25] and counts[0, 3] == counts[2, 8] == 20
    blocks = [came["cell"][20:], tiles[1], np.concatenate([came["cell"][:20], tiles[2]])]
    if then == "add":
        add(arena, blocks, [3], rng)
    elif then == "reserve":
        arena.reserve(np.array([0, 1, 2]), np.array([5000, 6000, 7000]))
    elif then == "keep":
        arena.keep(np.array([2, 0]))
        blocks = [blocks[2], blocks[0]]
    elif then == "more":
        arena.take_in(came[20:], counts)
        blocks[0] = np.tile(blocks[0], 2)
    assert [sorted(c.tobytes() for c in arena.block(row)) for row in range(len(blocks))] == [
        sorted(c.tobytes() for c in cells) for cells in blocks]


def test_an_empty_arena():
    arena = Arena()
    arena.add([])
    arena.reserve(np.empty(0, int), np.empty(0, int))
    arena.keep(np.empty(0, int))
    check(arena, [])


def test_tiles_without_cells_take_no_memory_until_cells_come():
    rng, arena, tiles = np.random.default_rng(1), Arena(), []
    add(arena, tiles, [0] * 1000, rng)
    assert len(arena.cells) == SPARE
    grow(arena, tiles, [500, 999, 0], [1, 2, 3], rng)
    check(arena, tiles)
    assert arena.capacity.sum() == sum(roomy(n, GROWING) for n in (1, 2, 3))


def test_a_block_that_was_too_small_gets_room_for_a_quarter_more_and_keeps_it():
    """Tiles at the rim fill up: with little room each they would move, and then all blocks, every few steps."""
    rng, arena, tiles = np.random.default_rng(5), Arena(), []
    add(arena, tiles, [1000] * 40, rng)
    grow(arena, tiles, [7], [100], rng)
    assert arena.capacity[7] == roomy(1100, GROWING)
    grow(arena, tiles, range(10, 40), [100] * 30, rng)             # more than the end has room for: all blocks move
    assert arena.capacity[7] == roomy(1100, GROWING) and arena.capacity[10] == roomy(1100, GROWING)
    assert arena.capacity[0] == roomy(1000)
    check(arena, tiles)


def test_reserve_that_fits_moves_nothing():
    rng, arena, tiles = np.random.default_rng(2), Arena(), []
    add(arena, tiles, [100, 50], rng)
    start = arena.start.copy()
    arena.reserve(np.array([0, 1]), arena.capacity.astype(int))
    np.testing.assert_array_equal(arena.start, start)


def test_memory_stays_near_that_of_the_cells_while_tiles_come_and_grow():
    """A block that moves leaves a hole: packing must bring the memory back."""
    rng, arena, tiles = np.random.default_rng(3), Arena(), []
    add(arena, tiles, [1000] * 30, rng)
    for _ in range(40):
        rows = rng.choice(30, 5, replace=False)
        shrink(arena, tiles, rows)
        grow(arena, tiles, np.sort(rows), rng.integers(400, 700, 5), rng)
    check(arena, tiles)
    cells = sum(map(len, tiles))
    assert len(arena.cells) < 1.35 * max(cells, 30 * 1000) + 8192, f"{len(arena.cells)} records for {cells} cells"


def test_keep_reorders_rows():
    rng, arena, tiles = np.random.default_rng(4), Arena(), []
    add(arena, tiles, [3, 0, 7, 2], rng)
    arena.keep(np.array([3, 1, 0]))
    check(arena, [tiles[3], tiles[1], tiles[0]])


def test_records_are_those_of_the_kernels():
    assert Arena().cells.dtype == CELL and CELL.itemsize == 12
