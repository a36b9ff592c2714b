"""Tumors of shapes that are hard to outline: (tiles, cells of each tile that has any), by name."""
import numpy as np

CAPACITY, DEPTH, LENGTH, RADIUS = 6.5, 1.7, 2.0, 2.5       # cells of a full voxel; [voxels]
GAPS = 0.0, 1.0, 2.0                          # [voxels]
WITH_WAYS_IN = "leaky", "slanted", "single", "ragged", "lumps"
NOISE = {"noise_thin": 0.25, "noise_winding": 0.32, "noise_thick": 0.5}


def box(*size):
    """The tiles of a box at 0."""
    return np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1).reshape(-1, 3).astype(np.int32)


def made(cells):
    """Tiles with cells (an array by x, y, z, of whole tiles from tile 0 on), and all that touch those, in any order."""
    size = np.array(cells.shape) // 8
    by_tile = cells.reshape(size[0], 8, size[1], 8, size[2], 8).transpose(0, 2, 4, 5, 3, 1)      # in a tile z, y, x
    full = {tuple(at): by_tile[tuple(at)].reshape(512).astype(np.uint16) for at in box(*size).tolist()
            if by_tile[tuple(at)].any()}
    tiles = np.unique((np.array(list(full))[:, None] + box(3, 3, 3) - 1).reshape(-1, 3), axis=0)
    return np.random.default_rng(1).permutation(tiles).astype(np.int32), full


def voxels_of(tile):
    """The places of the voxels of a tile, in their order."""
    return [(8 * tile[0] + v % 8, 8 * tile[1] + v // 8 % 8, 8 * tile[2] + v // 64) for v in range(512)]


def numbers_of(cells):
    """The cells of each place that has any, of those of tiles."""
    return {at: int(n) for tile, counts in cells.items() for at, n in zip(voxels_of(tile), counts) if n}


def grid(*tiles):
    """Coordinates of the centers of voxels, and an empty array."""
    size = [8 * n for n in tiles]
    return np.meshgrid(*(np.arange(n) + 0.5 for n in size), indexing="ij"), np.zeros(size, int)


def ball(at, radius, center):
    """Where a ball is."""
    return sum((x - c)**2 for x, c in zip(at, center)) < radius**2


def hollow():
    """A ball with a hole inside, cells in the hole, and a few beside it."""
    at, cells = grid(3, 3, 3)
    cells[ball(at, 10, (12, 12, 12)) & ~ball(at, 6, (12, 12, 12))] = 7
    cells[12, 12, 12], cells[1, 1, 1], cells[0:2, 12, 12] = 3, 5, 1
    return made(cells)


def leaky():
    """The same, with a channel from the hole that is open."""
    at, cells = grid(3, 3, 3)
    cells[ball(at, 10, (12, 12, 12)) & ~ball(at, 6, (12, 12, 12))] = 9
    cells[10:15, 10:15, 12:] = 0
    return made(cells)


def slanted():
    """A shell whose only gap leads out over an edge between voxels: no way by faces, so its hole is closed."""
    at, cells = grid(2, 2, 2)
    cells[2:14, 2:14, 2:14] = 60
    cells[4:12, 4:12, 4:12] = 0
    cells[1, 1, :] = 20
    return made(cells)


def ring():
    """A ring: what it goes round is not inside."""
    at, cells = grid(4, 4, 1)
    around = np.hypot(at[0] - 16, at[1] - 16)
    cells[(np.hypot(around - 11, at[2] - 4) < 3)] = 8
    return made(cells)


def corners():
    """Two cubes that touch at a corner, and two at an edge: no masses of one piece, unless the mean joins them."""
    _, cells = grid(4, 2, 2)
    cells[0:8, 0:8, 0:8] = cells[8:15, 8:16, 8:16] = cells[16:24, 0:8, 0:8] = cells[24:32, 8:15, 0:8] = 7
    return made(cells)


def bridge():
    """Two balls joined by a thin bridge across the faces of tiles; a third one apart."""
    at, cells = grid(5, 2, 2)
    cells[ball(at, 6, (7, 8, 8)) | ball(at, 5, (32, 8, 8))] = 8
    cells[8:30, 7:9, 7:9] = 30
    cells[ball(at, 3, (20, 3, 13))] = 8
    return made(cells)


def equals():
    """Two tumors of one size: the one that the curve meets first."""
    at, cells = grid(4, 1, 2)
    cells[2:6, 2:6, 2:6] = cells[26:30, 2:6, 10:14] = 7
    return made(cells)


def snake():
    """A path that winds through all tiles, so that its ends are far from each other by any way."""
    _, cells = grid(3, 3, 1)
    for k, y in enumerate(range(2, 24, 6)):
        cells[1:23, y - 1:y + 2, 3:6] = 9
        turn = 20 if k % 2 == 0 else 1
        cells[turn:turn + 3, y:y + 6, 3:6] = 9
    return made(cells)


def sprouting():
    """A ball with tendrils, cells that have come off, and one that lies along it."""
    at, cells = grid(4, 3, 3)
    cells[ball(at, 7, (12, 12, 12))] = 7
    cells[18:30, 12, 12] = cells[12, 18:23, 12] = cells[12, 12, 0:6] = 1       # out along x, y and down z
    cells[26, 12, 12:20] = 1                                                   # one that branches
    cells[5:20, 22, 3] = 2                                                     # not joined
    return made(cells)


def scattered():
    """Too few cells anywhere for a tumor."""
    rng = np.random.default_rng(5)
    return made(rng.poisson(0.8, (16, 16, 8)))


def single():
    """One tile that is full to its faces, without any beside it: all faces are open."""
    return np.zeros((1, 3), np.int32), {(0, 0, 0): np.full(512, 7, np.uint16)}


def ragged():
    """Random lumps where not every place has a tile; some voxels have more cells than anything can hold."""
    rng = np.random.default_rng(6)
    lumps = np.kron(rng.random((8, 6, 4)) < 0.45, np.ones((4, 4, 4), bool))
    lumps = lumps * rng.integers(0, 40, lumps.shape) + (rng.random(lumps.shape) < 0.02) * 65000
    lumps[8:] *= np.kron(rng.random((3, 3, 2)) < 0.3, np.ones((8, 8, 8), bool))
    return made(lumps)


def lumps():
    """Random lumps, so that there are many masses and holes."""
    rng = np.random.default_rng(9)
    return made(np.kron(rng.random((8, 8, 8)) < 0.5, np.ones((3, 3, 3), bool)) * rng.integers(5, 16, (24, 24, 24)))


SHAPES = {shape.__name__: shape for shape in (
    hollow, leaky, slanted, ring, corners, bridge, equals, snake, sprouting, scattered, single, ragged, lumps)}
