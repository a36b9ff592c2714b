"""Twin of _thin.pyx: who of a tile is gone, and who of a lesion."""
import math
import struct

from metacascade._kernels._layout import Draw, LesionState
from reference.lesions import binomial
from reference.philox import draw, philox, unit52, word64


def survival(beam, oxygen):
    m, half = beam["enhancement"], beam["oxygen_half_mmHg"]
    d = beam["dose_Gy"] * ((m * oxygen + half) / (m * (oxygen + half)))
    return math.exp(-(beam["alpha_per_Gy"] * d + beam["beta_per_Gy2"] * d * d))


def chance(record, v, key):
    """The number of a cell, `record` its twelve bytes."""
    words = philox((*struct.unpack("<3I", record), v), key)
    return unit52(words[0], words[1])


def key_of(seed, use, tile, number):
    return word64(draw(seed, use, tile, number))


def spare(voxels, share, key):
    """The cells of each voxel that stay, `voxels` lists of records."""
    return [[c for c in cells if chance(c, v, key) < share[v]] for v, cells in enumerate(voxels)]


def resect(voxels, tile, share, seed, number):
    return spare(voxels, [1.0 - share] * 512, key_of(seed, Draw.RESECT, tile, number))


def irradiate(voxels, tile, oxygen, beam, seed, number):
    return spare(voxels, [survival(beam, p) for p in oxygen], key_of(seed, Draw.IRRADIATE, tile, number))


def excise(voxels, coords, edge, center, radius):
    def far(record, v):
        inside = struct.unpack_from("<3H", record)
        at = [(8 * tile + (v >> 3 * axis & 7) + (x + 0.5) / 65536.0) * edge - c
              for axis, (tile, x, c) in enumerate(zip(coords, inside, center))]
        return math.sqrt(at[0] * at[0] + at[1] * at[1] + at[2] * at[2]) > radius

    return [[c for c in cells if far(c, v)] for v, cells in enumerate(voxels)]


def thin_lesion(lesion, share, whole, t_h, seed, use, number):
    """Changes the fields of one lesion; how many of its cells are gone."""
    words = draw(seed, use, lesion["id"], number).tolist()
    gone = (lesion["n"] if unit52(words[0], words[1]) < share else 0) if whole else binomial(lesion["n"], share, words)
    lesion["n"] -= gone
    lesion["died"] += gone
    if lesion["n"] == 0:
        lesion["state"], lesion["t_state"], lesion["t_event"] = LesionState.CLEARED, t_h, math.inf
    return gone
