"""Where the tiles are: their keys on a space-filling curve, the region of this rank, and its neighbors."""
import numpy as np

from metacascade._kernels import _curve
from metacascade.base.errors import RunError
from metacascade.ranks.exchange import Halo
from metacascade.space.network_index import pack
from metacascade.space.relaxation import Mesh, colors

OFFSETS = np.array([(x, y, z) for z in (-1, 0, 1) for y in (-1, 0, 1) for x in (-1, 0, 1)], np.int32)
FACES = (12, 14, 10, 16, 4, 22)      # rows of OFFSETS: -x, +x, -y, +y, -z, +z


def keys_of(coords):
    """Curve key of each tile, uint64; coords int32 of shape (n, 3)."""
    try:
        return _curve.keys(np.ascontiguousarray(coords, np.int32))
    except ValueError as error:
        raise RunError(f"the tumor has come to the end of the tissue ({error}): start with a tumor.center nearer to 0, "
                       "or with larger voxels (tissue.voxel)") from None


class Region:
    """The tiles of this rank, the ghosts round them, and who owns what.

    Attributes
    ----------
    cuts : ndarray of uint64, shape (ranks + 1,)
        Rank r owns the keys in [cuts[r], cuts[r + 1]).
    keys, coords : ndarray, shape (tiles,) and (tiles, 3)
        The tiles of this rank in the order in which they came to be: rows of all per-voxel arrays.
    ghost_owner : ndarray of int, shape (ghosts,)
        Rank of each tile of others that touches one of ours; ghost g is row ``len(keys) + g``.
    neighbors : ndarray of int32, shape (tiles, 27)
        Row of the tile at each of OFFSETS, -1 where none exists.
    mesh : Mesh
        The tiles as fields see them: neighbors at faces, and colors.
    halo : callable
        Fills the ghost voxels of a per-voxel array.
    """

    def __init__(self, exchange, cuts):
        self.exchange = exchange
        self.world = exchange.world
        self.cuts = cuts
        self.keys = self.ghost_keys = np.empty(0, np.uint64)
        self.coords = np.empty((0, 3), np.int32)
        self.ghost_owner = np.empty(0, np.int64)
        self.neighbors = np.empty((0, 27), np.int32)
        self.mesh = Mesh(self.coords, np.empty((0, 6), np.int32))
        self.border = np.empty(0, np.int64)
        self.halo = Halo(exchange, {}, {}, np.empty(0, np.uint8))

    @property
    def rows(self):
        """Rows of a per-voxel array: tiles and ghosts."""
        return len(self.keys) + len(self.ghost_keys)

    keys_of = staticmethod(keys_of)

    def rows_at(self, coords):
        """Row of each tile of this rank or ghost, by its coords; -1: it is none of them."""
        return find_rows(keys_of(coords), np.concatenate([self.keys, self.ghost_keys]))

    def rows_of(self, keys):
        """Row of each tile of this rank, by key."""
        rows = find_rows(keys, self.keys)
        if (rows < 0).any():
            raise KeyError("a cell came to a rank that does not own its tile")
        return rows

    def owner(self, keys):
        """Rank that owns each key."""
        return np.searchsorted(self.cuts, keys, side="right") - 1

    def add(self, coords):
        """Add tiles of this rank (new ones only, in any order), and find all neighbors again. Collective.

        Returns the new coords in canonical order, as their rows were appended.
        """
        new_keys = keys_of(coords)
        order = np.argsort(new_keys)
        coords = np.ascontiguousarray(np.asarray(coords, np.int32)[order])
        self.keys = np.concatenate([self.keys, new_keys[order]])
        self.coords = np.concatenate([self.coords, coords])
        self._find_neighbors()
        return coords

    def keep(self, rows, cuts):
        """Forget all tiles but these, and own another part of the curve. All ranks do so, and `add` is called next."""
        self.cuts = cuts
        self.keys, self.coords = self.keys[rows], self.coords[rows]
        self.ghost_keys, self.ghost_owner = self.ghost_keys[:0], self.ghost_owner[:0]
        self.neighbors = self.neighbors[:0]

    def _find_neighbors(self):
        """Look round the new tiles, and tell the ranks beside which they lie; learn of theirs."""
        before, tiles = len(self.neighbors), len(self.keys)
        neighbors = np.full((tiles, 27), -1, np.int32)
        neighbors[:before] = self.neighbors + (self.neighbors >= before) * np.int32(tiles - before)     # ghosts move
        rows, around = self._tiles_around(neighbors, np.arange(before, tiles), self.coords[before:])
        foreign = np.flatnonzero(rows < 0)
        foreign_keys = keys_of(around[foreign])
        known, met = len(self.ghost_keys), self._meet_ghosts(before + foreign // 27, self.owner(foreign_keys))
        if len(met) == 0 and tiles == before > 0:
            return                                  # the new tiles are elsewhere, and none is beside ours
        rows[foreign] = find_rows(foreign_keys, self.ghost_keys, tiles)
        neighbors[before:] = rows.reshape(-1, 27)
        self._tiles_around(neighbors, tiles + known + np.arange(len(met)), met)
        self.neighbors = neighbors
        self.mesh = Mesh(self.coords, neighbors[:, FACES])
        self.border = np.flatnonzero((neighbors < 0).any(axis=1))      # tiles beside which one is missing
        self.halo = self._make_halo()

    def _tiles_around(self, neighbors, rows, coords):
        """Make these tiles or ghosts neighbors of our tiles round them: rows of those (-1: not ours), all places."""
        around = (coords[:, None, :] + OFFSETS).reshape(-1, 3)
        beside = find_rows(pack(around), pack(self.coords))
        ours = np.flatnonzero(beside >= 0)
        neighbors[beside[ours], 26 - ours % 27] = rows[ours // 27]     # offset 26 - k is the opposite of k
        return beside, around

    def _meet_ghosts(self, row, owner):
        """Tell the owners of places beside our new tiles which those are; coords of the new ghosts, told by others.

        Whoever owns a place hears of all tiles beside it when they come into being, before there is a tile at
        the place itself; so nobody need ask.
        """
        elsewhere = owner != self.world.rank
        pairs = np.unique(np.stack([owner[elsewhere], row[elsewhere]], axis=1), axis=0).reshape(-1, 2)
        ghost = np.empty(len(pairs), [("coords", np.int32, 3), ("rank", np.int32)])
        ghost["coords"], ghost["rank"] = self.coords[pairs[:, 1]], self.world.rank
        met = self.exchange.route({"tiles": (ghost, pairs[:, 0])})["tiles"]
        coords = np.ascontiguousarray(met["coords"])
        self.ghost_keys = np.concatenate([self.ghost_keys, keys_of(coords)])
        self.ghost_owner = np.concatenate([self.ghost_owner, met["rank"]])
        return coords

    def _make_halo(self):
        tiles, send, receive = len(self.keys), {}, {}
        row, face = np.nonzero(self.mesh.neighbors >= tiles)
        ghost = self.mesh.neighbors[row, face]
        owner = self.ghost_owner[ghost - tiles]
        ghost_key = self.ghost_keys[ghost - tiles]
        for rank in np.unique(owner):
            mine = owner == rank
            r, f, g = row[mine], face[mine], ghost[mine]
            sent = np.lexsort((f, self.keys[r]))                       # by (key of the sender's tile, its face)
            got = np.lexsort((f ^ 1, ghost_key[mine]))
            send[int(rank)] = np.stack([r[sent], f[sent]], axis=1)
            receive[int(rank)] = np.stack([g[got], f[got] ^ 1], axis=1)
        color = np.zeros(self.rows, np.uint8)
        color[:tiles] = colors(self.coords)
        color[ghost] = 1 - color[row]
        return Halo(self.exchange, send, receive, color)

    def missing_around(self, chosen):
        """Coords of the places next to the chosen tiles (bool) where no tile exists, unique, with their owners."""
        rows = self.border[chosen[self.border]]
        row, offset = np.nonzero(self.neighbors[rows] < 0)
        places = np.unique(self.coords[rows][row] + OFFSETS[offset], axis=0).astype(np.int32).reshape(-1, 3)
        return places, self.owner(keys_of(places))


def find_rows(wanted, have, first=0):
    """Row in `have` (unique, in any order) of each wanted value, plus `first`; -1 where it is not there."""
    if len(have) == 0:
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(have)
    at = np.minimum(np.searchsorted(have, wanted, sorter=order), len(have) - 1)
    row = order[at]
    return np.where(have[row] == wanted, row + first, -1)
