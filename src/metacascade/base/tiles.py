"""The voxels of a tile: 8 along each edge, voxel (x, y, z) is number 64 z + 8 y + x."""
import numpy as np

from metacascade.base.limits import ALONG, EDGE

VOXELS = EDGE**3
VALUES = tuple(along**3 for along in ALONG)     # of a tile: one for each voxel, or for a cube of 2 or 4 voxels' edge


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
    return array if array.shape[1] == VOXELS else array[:, VALUE_OF_VOXEL[array.shape[1]]]
