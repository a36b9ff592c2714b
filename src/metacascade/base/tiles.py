"""The voxels of a tile: 8 along each edge, voxel (x, y, z) is number 64 z + 8 y + x."""
import numpy as np

from metacascade.base.limits import ALONG, EDGE

VOXELS = EDGE**3
CUBE_UM = 30.0                  # over which density is taken for the blood and the outline: `cube_of`
VALUES = tuple(along**3 for along in ALONG)     # of a tile: one for each voxel, or for a cube of 2 or 4 voxels' edge


def places_in(edge):
    """The places in a cube, numbered x fastest: shape (edge**3, 3) of x, y, z."""
    return np.stack(np.unravel_index(np.arange(edge**3), (edge,) * 3)[::-1], axis=1)


def _sharing(values):
    """The value of each voxel, by number, where a tile has so many: as `rates.h` has it."""
    z, y, x = np.unravel_index(np.arange(VOXELS), (EDGE,) * 3)
    along = round(values**(1 / 3))
    share = EDGE // along
    return (z // share * along + y // share) * along + x // share


VALUE_OF_VOXEL = {values: _sharing(values) for values in VALUES}      # values of a tile -> int64, shape (512,)


def of_voxels(array):
    """What each voxel has, shape (tiles, 512), of an array of one of VALUES for each tile."""
    array = np.asarray(array)
    return array if array.shape[1] == VOXELS else np.take(array, VALUE_OF_VOXEL[array.shape[1]], axis=1)


def cube_of(edge_um):
    """Voxels along the edge of the cube over which density is taken: 1, 2 or 4, by which it comes nearest to CUBE_UM.

    A length and not a voxel: of a voxel of 15 um, which one cell fills, a third is empty in a tissue that is full, so
    what is not linear in the density would depend on the voxel.
    """
    def off(voxels):
        return max(voxels * edge_um / CUBE_UM, CUBE_UM / (voxels * edge_um))
    return min((EDGE // along for along in ALONG), key=off)


def in_cubes(counts, voxels):
    """Cells of each cube of so many voxels along its edge, shape (tiles, values of a tile): `counts` itself if it is 1,
    else uint32."""
    if voxels == 1:
        return counts
    along = EDGE // voxels
    cubes = counts.reshape(-1, along, voxels, along, voxels, along, voxels)
    return cubes.sum(axis=(2, 4, 6), dtype=np.uint32).reshape(-1, along**3)
