"""The vessels of the tumor: a network of segments, and what each voxel has of it."""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from metacascade._kernels import _vessels
from metacascade._kernels._vessels import SEGMENT
from metacascade.base.errors import RunError
from metacascade.base.records import extended, joined
from metacascade.base.tiles import VOXELS
from metacascade.space.network_imported import Imported
from metacascade.space.network_index import ranges
from metacascade.space.network_lattice import Lattice
from metacascade.space.network_tiled import Tiled, box_of

__all__ = ["SEGMENT", "Network", "VesselMap", "voxelize"]

CHUNK = 512                   # tiles worked on at a time: bounds the scratch memory
NO_LISTS = -1.0               # instead of a reach
COARSE = 64                   # values of a tile for fields with fewer than voxels
ROOM = 4096                   # vessels listed for the voxels of a tile, until there are more ...
FIRST_ROOM = 1 << 16          # ... and of many tiles


class Network:
    """Vessel segments in space, generated without end or imported from a file.

    Attributes
    ----------
    imported : ndarray of SEGMENT or None
        The segments of an imported network, in the order of its file; None if it is generated. Of one that is repeated
        those of its box, as of `network_tiled.cut`.
    """

    def __init__(self, source: Lattice | Imported | Tiled):
        self.source = source
        self.imported = None if isinstance(source, Lattice) else source.segments

    @staticmethod
    def from_config(vessels, seed: int) -> Network:
        """The generated network of section `vessels`. That of a file: `network_read.network` and `from_segments`.

        `seed` is that of the run, used where the section gives none.
        """
        return Network(Lattice.from_config(vessels, seed if vessels.seed is None else vessels.seed))

    @staticmethod
    def from_segments(segments: np.ndarray) -> Network:
        """The imported network, from the SEGMENT array of a checkpoint or of another rank."""
        return Network(Imported(segments) if box_of(segments) is None else Tiled(segments))

    def segments_near(self, tile_coords, edge_um: float, margin_um: float) -> np.ndarray:
        """Segments whose wall comes within `margin_um` of any of the tiles.

        Sorted by their fields, without duplicates: the same for any order of the tiles.
        """
        near = [np.unique(self.source.collect(tiles, edge_um, margin_um)[0]) for tiles in _chunks(tile_coords)]
        return np.unique(joined(np.empty(0, SEGMENT), *near))


@dataclass
class VesselMap:
    """What the tiles of a rank have of the network; row t is tile t of the list it was made of.

    Voxel v of tile t may be reached from the segments ``segments[index[first[j]:first[j + 1]]]``
    with j = 512 t + v: all perfused ones whose reach, or lumen, touches the voxel, in canonical
    order. Each tile has its own copies of its segments.
    """

    supply: np.ndarray    # float32 (k, fields, 512), [1/h]: exchange with the blood, for each field
    coarse: np.ndarray    # float32 (k, fields, 64): the same of those with fewer values, means over 2^3 voxels
    first: np.ndarray     # int32 (512 k + 1,)
    index: np.ndarray     # int32 (first[-1],): rows of `segments`
    segments: np.ndarray  # SEGMENT
    near: np.ndarray      # int32 (k + 1,): the segments of tile t are rows near[t]:near[t + 1]
    _room: dict = field(default_factory=dict, repr=False)   # name -> the array with room at its end

    @property
    def nbytes(self) -> int:
        """Memory of the arrays [bytes]."""
        return sum(getattr(self, name).nbytes for name in ("supply", "coarse", "first", "index", "segments", "near"))

    def append(self, more: VesselMap) -> None:
        """Add the tiles of `more` behind these: ``map.append(voxelize(new_tiles, ...))``.

        The cost is that of the new tiles: the arrays keep some room at their ends.
        """
        listed, known = np.int32(len(self.index)), np.int32(len(self.segments))
        _check_size(max(len(self.index) + len(more.index), len(self.segments) + len(more.segments)))
        self._extend("supply", more.supply)
        self._extend("coarse", more.coarse)
        self._extend("first", more.first[1:] + listed)
        self._extend("index", more.index + known)
        self._extend("segments", more.segments)
        self._extend("near", more.near[1:] + known)

    def _extend(self, name: str, more: np.ndarray) -> None:
        self._room[name], whole = extended(self._room.get(name), getattr(self, name), more)
        setattr(self, name, whole)

    def with_others(self, rows: np.ndarray, others: VesselMap) -> VesselMap:
        """The map in which the tiles in `rows` are those of another map."""
        order = np.arange(len(self.supply))
        order[rows] = len(order) + np.arange(len(rows))
        return join([self, others]).take(order) if len(rows) else self

    def take(self, rows: np.ndarray) -> VesselMap:
        """The map of these tiles alone, in the order of `rows`: what stays when others leave the rank."""
        rows = np.asarray(rows, np.int64)
        listed = np.diff(self.first).reshape(-1, VOXELS)[rows]
        near = _offsets(np.diff(self.near)[rows])
        moved = np.repeat(near[:-1] - self.near[rows], listed.sum(axis=1))
        return VesselMap(
            supply=self.supply[rows],
            coarse=self.coarse[rows],
            first=_offsets(listed.ravel()),
            index=self.index[ranges(self.first[VOXELS * rows], self.first[VOXELS * (rows + 1)])] + moved,
            segments=self.segments[ranges(self.near[rows], self.near[rows + 1])],
            near=near)


def _offsets(lengths: np.ndarray) -> np.ndarray:
    """Where lists of these lengths begin, one after the other, and where the last ends: int32."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)


def _check_size(listed: int) -> None:
    if listed > np.iinfo(np.int32).max:
        raise RunError(f"more than {np.iinfo(np.int32).max:,} vessels are in reach of the voxels of one rank: use more "
                       "ranks, or a network with fewer or thinner vessels")


def join(maps: list[VesselMap]) -> VesselMap:
    """One map of the tiles of several, in their order."""
    listed = np.cumsum([0] + [len(m.index) for m in maps])
    known = np.cumsum([0] + [len(m.segments) for m in maps])
    _check_size(max(listed[-1], known[-1]))
    return VesselMap(
        supply=np.concatenate([m.supply for m in maps]),
        coarse=np.concatenate([m.coarse for m in maps]),
        first=np.concatenate([np.zeros(1, np.int32)] + [m.first[1:] + np.int32(n) for m, n in zip(maps, listed)]),
        index=np.concatenate([np.empty(0, np.int32)] + [m.index + np.int32(n) for m, n in zip(maps, known)]),
        segments=joined(np.empty(0, SEGMENT), *(m.segments for m in maps)),
        near=np.concatenate([np.zeros(1, np.int32)] + [m.near[1:] + np.int32(n) for m, n in zip(maps, known)]))


def voxelize(tile_coords, edge_um: float, network: Network, reach_um: float, walls, coarse=()) -> VesselMap:
    """What tiles have of the network.

    Parameters
    ----------
    tile_coords : ndarray of int32, shape (k, 3)
    edge_um : float
        Edge of a voxel, h.
    reach_um : float
        A cell enters a vessel from within ``radius + reach_um`` of its center line.
    walls : sequence of (float, float)
        For each field that vessels supply: permeability of the wall, w [um/h], and diffusion in the tissue, D [um^2/h].
    coarse : sequence of (float, float)
        Those of fields that have fewer values than there are voxels.

    Returns
    -------
    VesselMap
        supply = sum over perfused segments of G (length inside the voxel) / h^3 [1/h], summed in double in the order of
        the segments; and the lists of segments in reach. The length is that of eight lines along the wall of the
        vessel, of radius r, and

            1 / G = 1 / (2 pi r w) + ln(r_e / r) / (2 pi D),    r_e = 1.06 sqrt(r^2 + (0.2 h s)^2),

        s the sum of the direction cosines: between the wall and the mean of a voxel lies tissue (after Peaceman 1978,
        doi:10.2118/6893-PA, whose 0.2 h is that of one line along an axis). So exchange does not depend on the edge.
    """
    none = np.empty((0, 3), np.int32)
    return join([map_of(tiles, edge_um, *network.source.collect(tiles, edge_um, reach_um), reach_um, walls,
                        coarse=coarse)
                 for tiles in _chunks(tile_coords) or [none]])


def _chunks(tile_coords) -> list[np.ndarray]:
    """The tiles, some at a time: int32 of shape (k, 3)."""
    tiles = np.ascontiguousarray(tile_coords, np.int32).reshape(-1, 3)
    return [tiles[i:i + CHUNK] for i in range(0, len(tiles), CHUNK)]


def map_of(tiles: np.ndarray, edge_um: float, segments: np.ndarray, near: np.ndarray, reach_um: float, walls,
           shares: np.ndarray | None = None, coarse=()) -> VesselMap:
    """What tiles have of segments, rows ``near[t]:near[t + 1]`` those of tile t: `voxelize` of what has been looked up.

    Parameters
    ----------
    walls, coarse : as of `voxelize`; a third number of a wall, 1, says that a vessel counts by its share of what comes
        in.
    shares : ndarray of float32, shape (segments,), optional
        These shares; left out: all of it.
    """
    shares = np.ones(len(segments), np.float32) if shares is None else shares
    supply, by_cube = (np.empty((len(tiles), len(some), values), np.float32)
                       for some, values in ((walls, VOXELS), (coarse, COARSE)))
    walls = _walls([*walls, *coarse])
    first = np.zeros(VOXELS * len(tiles) + 1, np.int32)
    index, row = np.empty(min(FIRST_ROOM, ROOM * max(len(tiles), 1)), np.int32), 0
    while True:
        scratch = np.empty(len(index) + VOXELS, np.uint16), np.empty(len(index) + VOXELS, np.int32)
        row = _vessels.map_tiles(
            tiles, segments, shares, near, edge_um, reach_um, walls, supply, by_cube, first, *scratch, index, row)
        if row == len(tiles):
            return VesselMap(supply=supply, coarse=by_cube, first=first, index=index[:first[-1]].copy(),
                             segments=segments.copy(), near=near)
        _check_size(2 * len(index))
        index = np.concatenate([index, np.empty(len(index), np.int32)])


def supply_of(tiles: np.ndarray, edge_um: float, segments: np.ndarray, near: np.ndarray, walls,
              shares: np.ndarray) -> np.ndarray:
    """The supply of `map_of` alone, without lists: float32, shape (tiles, walls, 512)."""
    walls, supply = _walls(walls), np.empty((len(tiles), len(walls), VOXELS), np.float32)
    none = np.empty(VOXELS, np.uint16), np.empty(VOXELS, np.int32), np.empty(0, np.int32)
    _vessels.map_tiles(tiles, segments, shares, near, edge_um, NO_LISTS, walls, supply,
                       np.empty((len(tiles), 0, COARSE), np.float32), np.zeros(VOXELS * len(tiles) + 1, np.int32),
                       *none, 0)
    return supply


def _walls(walls) -> np.ndarray:
    """Walls as the kernel has them: permeability, diffusion, and 1 or 0; shape (n, 3)."""
    return np.array([(*wall, 0.0)[:3] for wall in walls], float).reshape(-1, 3)
