"""Movement of the cells of a tile in plain Python, and the neighbors of its voxels; see `tissue`."""
import numpy as np

from reference.rates import PLACE, signal_of

BINS = 16                            # of the ground that speed depends on
WALK = 0                             # use of a random word of the tissue
FACES = (12, 14, 10, 16, 4, 22)      # of the 27 places round a tile: -x, +x, -y, +y, -z, +z
F = np.float32


def walk(tile, v, record, after):
    """Move a calm cell, if it is motile."""
    p, speed = tile.p, speed_of(tile, v, record)
    if record[2] & 255 == 0 or not (p["amplitude"] or tile.t.biases):
        after.voxels[v].append(record)
        return
    r = tile.drawn[WALK][record, v]
    inside = (record[0] & 0xFFFF, record[0] >> 16, record[1] & 0xFFFF)
    bias, at = [int(axis[v]) for axis in tile.bias], []
    for axis, here in enumerate((v & 7, v >> 3 & 7, v >> 6)):
        dice = (r[1 + axis] & 0xFFFF) + (r[1 + axis] >> 16) - 65535
        step = ((dice * speed >> 8) * p["amplitude"] + 2048 >> 12) + (bias[axis] * speed >> 8)
        at.append((here << 16) + inside[axis] + step)
    new = (at[0] & 0xFFFF | (at[1] & 0xFFFF) << 16, at[2] & 0xFFFF | record[1] & 0xFFFF0000, record[2])
    place = [c >> 16 for c in at]
    after.tally["changed_voxel"] += place != [v & 7, v >> 3 & 7, v >> 6]
    put(tile, place, new, after)


def speed_of(tile, v, record):
    """The speed of a cell, of 256: by its EMT, and where anything else acts on it by adhesion, clone and ground."""
    speed = int(tile.speed[record[2] & 255])
    if not tile.t.speed_factors:
        return speed
    by_adhesion, by_clone, ground, per = tile.t.speed_factors
    n = 0 if ground is None else min(int(signal_of(ground, tile.row)[v] * F(per) + F(0.5)), BINS - 1)
    return speed * int(by_adhesion[record[2] >> 8 & 255]) * int(by_clone[record[1] >> 16, n]) + 32768 >> 16


def put(tile, place, record, after):
    """A cell comes to a place, in voxels of this tile: into it or to another tile."""
    beyond = [c >> 3 for c in place]
    to = (place[0] & 7) + 8 * (place[1] & 7) + 64 * (place[2] & 7)
    if beyond == [0, 0, 0]:
        after.voxels[to].append(record)
        return
    other = tile.t.neighbors[tile.row, 13 + beyond[0] + 3 * beyond[1] + 9 * beyond[2]]
    assert other >= 0, "a cell left the tiles"
    after.migrants.append((int(other), to, record, 0))


def beside(array, t, row, face, missing=None):
    """The values next to those of a tile; of a missing tile `missing`, or a mirror."""
    axis, high, along = face >> 1, face & 1, round(array.shape[1] ** (1 / 3))
    own = array[row].reshape((along,) * 3).swapaxes(2, 2 - axis)   # the axis of the face is the last
    other = t.neighbors[row, FACES[face]]
    near = own if other < 0 else array[other].reshape((along,) * 3).swapaxes(2, 2 - axis)
    edge = near[..., -1:] if (other < 0) == high else near[..., :1]
    if other < 0 and missing is not None:
        edge = np.full_like(edge, missing)
    rows = [own[..., 1:], edge] if high else [edge, own[..., :-1]]
    return np.concatenate(rows, axis=2).swapaxes(2, 2 - axis).reshape(-1)


def biases(t, row):
    """Drift of a fully motile cell up the gradients in each voxel, in single precision, toward zero."""
    total = np.zeros((3, 512), int)
    for field, bias, half in t.biases:
        along = round(field.shape[1] ** (1 / 3))
        share = F(8 // along)
        x, y, z = PLACE // (8 // along)
        g = [F(0.5) / share * (beside(field, t, row, 2 * axis + 1) - beside(field, t, row, 2 * axis)) for axis in range(3)]
        scale = F(bias) / (np.sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]) + F(half))
        total += [(c * scale).astype(int)[(z * along + y) * along + x] for c in g]
    return total
