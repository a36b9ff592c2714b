"""Vessels that live, of the tiles of a rank: their pieces and tips, and what the voxels have of them."""
from __future__ import annotations

import numpy as np

from metacascade.base.errors import InputError
from metacascade.base.records import chosen, copy, extended, joined
from metacascade.base.tiles import EDGE
from metacascade.space.network_index import pack, ranges
from metacascade.space.pieces import (
    PIECE,
    PIECE_UNITS,
    host_pieces,
    in_order,
    keys_of_pieces,
    mixed,
    near,
    segments_of,
    tiles_of,
    unseen,
)
from metacascade.space.region import OFFSETS, Region, find_rows
from metacascade.space.vessels import CHUNK, Network, VesselMap, join, map_of, supply_of

# The end of a vessel that grows: where it is and where it goes, and the vessel that it lays; `late`: how long it was
# there already at the end of the step in which it began.
TIP = np.dtype([
    *((name, "f8") for name in ("x", "y", "z", "dx", "dy", "dz")), ("vessel", "u8"), ("root", "u8"), ("parent", "u8"),
    ("along", "f4"), ("length", "f4"), ("radius", "f4"), ("born", "u4"), ("index", "u2"), ("parent_index", "u2"),
    ("flags", "u1"), ("pad", "u1"), ("late", "u2")])
TIP_UNITS = {
    **dict.fromkeys(("x", "y", "z", "along", "length", "radius"), "um"), **dict.fromkeys(("dx", "dy", "dz"), "1"),
    **dict.fromkeys(("vessel", "root", "parent"), "id of a vessel"), "born": "s", "index": "pieces",
    "parent_index": "pieces", "flags": "bits", "pad": "1", "late": "interval / 65536"}
KINDS = {"pieces": PIECE, "tips": TIP}
UNITS = {"pieces": PIECE_UNITS, "tips": TIP_UNITS}


class Records:
    """Records of tiles, sorted by row, vessel and index; those of tile t are ``all[first[t]:first[t + 1]]``.

    Attributes
    ----------
    all : ndarray of PIECE or TIP
    row : ndarray of int64
        The tile of each.
    """

    def __init__(self, records: np.ndarray, row: np.ndarray, tiles: int):
        self.all, self.row = in_order(records, row)
        self._room = None                          # the array with room at its end that `all` is the front of
        self.first = np.searchsorted(self.row, np.arange(tiles + 1))

    @classmethod
    def none(cls, kind: np.dtype) -> Records:
        """None of a kind, of no tile."""
        return cls(np.empty(0, kind), np.empty(0, np.int64), 0)

    @property
    def tiles(self) -> int:
        """Of how many tiles they are."""
        return len(self.first) - 1

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Those of some tiles, tile by tile."""
        return chosen(self.all, ranges(self.first[rows], self.first[rows + 1]))

    def numbers(self, rows: np.ndarray) -> np.ndarray:
        """How many there are of some tiles."""
        return np.diff(self.first)[rows]

    def kept(self, rows: np.ndarray) -> Records:
        """Those of these tiles alone, which get other rows, 0, 1, 2 ..."""
        return Records(self.of(rows), np.repeat(np.arange(len(rows)), self.numbers(rows)), len(rows))

    def chosen(self, which: np.ndarray) -> Records:
        """Some of them, of the same tiles."""
        return Records(chosen(self.all, which), self.row[which], self.tiles)

    def more(self, records: np.ndarray, row: np.ndarray, tiles: int) -> Records:
        """With others, of as many tiles in all. These here are used up."""
        if not len(records) and tiles == self.tiles:
            return self
        if len(row) and row.min() < self.tiles:
            return Records(joined(self.all, records), np.concatenate([self.row, row]), tiles)
        more, here = Records(records, row, tiles), len(self.all)      # behind those that there are, in order
        more.first = np.concatenate([self.first[:-1], here + more.first[self.tiles:]])
        more._room, more.all = extended(self._room, self.all, more.all)
        more.row = np.concatenate([self.row, more.row])
        return more


class Vasculature:
    """The vessels of the tiles of a rank, where they live.

    Each piece of vessel, and each tip, lies in one tile and belongs to its rank. Of the tiles of others beside ours
    there are copies, the ghosts; of the places beside them where no tile is, the vessels of the host.

    Attributes
    ----------
    pieces, tips : Records
    ghosts : Records of PIECE
        Row g is ghost g of the region.
    """

    def __init__(self, network: Network, region: Region, edge_um: float, reach_um: float, walls, coarse=()):
        self.network, self.region = network, region
        self.edge_um, self.reach_um, self.walls, self.coarse = edge_um, reach_um, walls, coarse
        self.pieces, self.tips = (Records.none(kind) for kind in KINDS.values())
        self.ghosts = self._host = Records.none(PIECE)
        self._marks = np.empty((0, 2), np.uint64)      # of each tile, of what its map was made: see `_near`
        self._places = np.empty(0, np.int64)      # packed: those whose vessels of the host are in `_host`

    # --- tiles come and go -----------------------------------------------------------------------------

    def add(self, rows: np.ndarray, given=None) -> None:
        """New tiles, in the last rows of the region, with the vessels of the host, or with those `given` to all of
        them: dict of PIECE and TIP. Collective: all learn of their neighbors' vessels."""
        tiles, coords = len(self.region.keys), self.region.coords[rows]
        if given is None:
            at = self._host_at(coords)
            given = {"pieces": self._host.of(at), "tips": np.empty(0, TIP)}
            at = {"pieces": np.repeat(rows, self._host.numbers(at)), "tips": np.empty(0, np.int64)}
        else:
            at = {name: self.region.rows_at(self.place_of(records)) for name, records in given.items()}
        for name, records in given.items():
            setattr(self, name, getattr(self, name).more(records, at[name], tiles))
        self._marks = np.concatenate([self._marks, np.zeros((len(rows), 2), np.uint64)])
        self.share()

    def keep(self, rows: np.ndarray) -> None:
        """Forget all tiles but these."""
        self.pieces, self.tips, self._marks = self.pieces.kept(rows), self.tips.kept(rows), self._marks[rows]

    def leaving(self, rows: np.ndarray, ranks: np.ndarray) -> dict:
        """What is in tiles that go to other ranks: sections for `Exchange.route`."""
        return {name: (own.of(rows), np.repeat(ranks, own.numbers(rows)))
                for name, own in (("pieces", self.pieces), ("tips", self.tips))}

    def saved(self, rows: np.ndarray) -> dict:
        """What a state has of tiles in some rows, by name: where each tile begins, records, units of their fields."""
        return {name: (np.concatenate([[0], np.cumsum(own.numbers(rows))]), own.of(rows), UNITS[name])
                for name, own in (("pieces", self.pieces), ("tips", self.tips))}

    def place_of(self, records: np.ndarray) -> np.ndarray:
        """The tile of each piece or tip: int32, shape (n, 3)."""
        if records.dtype == PIECE:
            return tiles_of(records, self.edge_um)
        place = np.stack([records[axis] for axis in "xyz"], axis=1)
        return np.floor(place / (EDGE * self.edge_um)).astype(np.int32)

    def share(self) -> None:
        """Give copies of the pieces at the border to the ranks beside. Collective."""
        region, tiles = self.region, len(self.region.keys)
        if region.world.size == 1:
            return                                 # there are no ranks beside
        row, side = np.nonzero(region.neighbors >= tiles)
        rank = region.ghost_owner[region.neighbors[row, side] - tiles]
        pairs = np.unique(np.stack([rank, row], axis=1), axis=0).reshape(-1, 2)
        rank, row = pairs[:, 0], pairs[:, 1]
        met = region.exchange.route({"pieces": (self.pieces.of(row), np.repeat(rank, self.pieces.numbers(row)))})
        pieces = met["pieces"]
        self.ghosts = Records(pieces, region.rows_at(tiles_of(pieces, self.edge_um)) - tiles, len(region.ghost_keys))

    # --- what the voxels have ----------------------------------------------------------------------------

    def map(self, rows: np.ndarray, shares=None) -> VesselMap:
        """What the tiles in some rows have of the pieces of all tiles around: as `vessels.voxelize`.

        `shares` gives the share of its oxygen that the blood still has in some pieces; left out: all of it.
        """
        rows, maps, marks = np.asarray(rows, np.int64), [], []
        for tiles, segments, begin, share, mark in self._near(rows, shares):
            maps.append(self._map_of(tiles, segments, begin, share))
            marks.append(mark)
        self._marks[rows] = np.concatenate(marks)
        return join(maps)

    def _map_of(self, tiles, segments, begin, share) -> VesselMap:
        return map_of(tiles, self.edge_um, segments, begin, self.reach_um, self.walls, share, self.coarse)

    def segments_in_tiles(self) -> tuple[np.ndarray, np.ndarray]:
        """The segments that lie in the tiles, perfused or not, and where those of each tile begin."""
        return segments_of(self.pieces.all), self.pieces.first.astype(np.int32)

    def segments_within(self, rows: np.ndarray, margin_um: float) -> tuple[np.ndarray, np.ndarray]:
        """The perfused segments whose wall comes within a margin of the tiles in some rows, at most the edge of a tile,
        and where those of each begin."""
        around, known, first = self._pieces_around(np.asarray(rows, np.int64))
        segments, tiles = segments_of(known), np.ascontiguousarray(self.region.coords[rows])
        margin_um = min(margin_um, EDGE * self.edge_um)
        index, offsets = near(tiles, around, first, segments, self.edge_um, margin_um, unseen(segments))
        return chosen(segments, index), offsets

    def renew(self, known: VesselMap, shares=None) -> VesselMap:
        """The map of all tiles as it is now, from what it was, which is used up.

        Where the same pieces with flow are near a tile it keeps its lists and its exchange, but for what comes in where
        that has other `shares`. All pieces have the maturity that they have now.
        """
        first, others, segments = 0, [], []
        for tiles, found, begin, share, marks in self._near(np.arange(len(known.supply)), shares):
            row = np.arange(first, first + len(tiles))
            other, fed = (marks != self._marks[row]).T
            self._marks[row], first = marks, first + len(tiles)
            segments.append(found)
            if other.any():
                some, at = _lists(begin, other)
                others.append((row[other], self._map_of(tiles[other], chosen(found, at), some, share[at])))
            if (fed & ~other).any():
                some, at = _lists(begin, fed & ~other)
                known.supply[row[fed & ~other], -1] = supply_of(
                    tiles[fed & ~other], self.edge_um, chosen(found, at), some, self.walls[-1:], share[at])[:, 0]
        if others:
            known = known.with_others(np.concatenate([row for row, _ in others]), join([made for _, made in others]))
        copy(known.segments, joined(*segments))
        return known

    def _near(self, rows, shares=None):
        """(tiles, segments near them, where those of each tile begin, share of each, marks), some tiles at a time.

        Marks of a tile, uint64 of shape (tiles, 2), change with the segments near it, and with their shares too.
        """
        rows = np.asarray(rows, np.int64)
        around, known, first = self._pieces_around(rows)
        segments, keys = segments_of(known), keys_of_pieces(known)
        share = shares(known) if shares else np.ones(len(known), np.float32)
        masks = unseen(segments)
        keys = np.stack([keys, mixed(keys ^ share.view(np.uint32))], axis=1)
        for i in range(0, max(len(rows), 1), CHUNK):
            tiles = np.ascontiguousarray(self.region.coords[rows[i:i + CHUNK]])
            index, begin = near(tiles, around[i:i + CHUNK], first, segments, self.edge_um, self.reach_um, masks)
            sums = np.concatenate([np.zeros((1, 2), np.uint64), np.cumsum(keys[index], axis=0, dtype=np.uint64)])
            yield tiles, chosen(segments, index), begin, share[index], np.diff(sums[begin], axis=0)

    def _pieces_around(self, rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The 27 tiles around each tile, by number, and the pieces of those: of number i ``known[first[i]:...]``.

        Numbers are those of tiles of this rank, of ghosts, and behind them of places without a tile.
        """
        around = self.region.neighbors[rows].astype(np.int64)
        row, side = np.nonzero(around < 0)
        around[row, side] = self.region.rows + self._host_at(self.region.coords[rows][row] + OFFSETS[side])
        needed, around = np.unique(around, return_inverse=True)
        known, numbers = [], []
        for part, start in ((self.pieces, 0), (self.ghosts, len(self.region.keys)), (self._host, self.region.rows)):
            own = needed[(needed >= start) & (needed < start + part.tiles)] - start
            known.append(part.all if len(own) == part.tiles else part.of(own))
            numbers.append(part.numbers(own))
        first = np.concatenate([[0], np.cumsum(np.concatenate(numbers))])
        return around.reshape(-1, len(OFFSETS)), joined(*known), first

    def _host_at(self, places) -> np.ndarray:
        """Rows of `_host` of places, whose vessels are known from now on."""
        packed = pack(places)
        row = find_rows(packed, self._places)
        if (row < 0).any():
            self._learn(places[row < 0], packed)
            row = find_rows(packed, self._places)
        return row

    def _learn(self, places, wanted) -> None:
        """Have the vessels of the host in places too; forget those of places that have become tiles, unless they are
        `wanted`, as soon as that is worth a copy of the others."""
        still = np.flatnonzero((find_rows(self._places, pack(self.region.coords)) < 0)
                               | (find_rows(self._places, wanted) >= 0))
        if 2 * len(still) < len(self._places):
            self._host, self._places = self._host.kept(still), self._places[still]
        packed, one = np.unique(pack(places), return_index=True)
        pieces, row = host_pieces(self.network, places[one], self.edge_um)
        known = len(self._places)
        self._places = np.concatenate([self._places, packed])
        self._host = self._host.more(pieces, known + row, len(self._places))


def _lists(begin, which):
    """Of lists of rows, that of i ``begin[i]:begin[i + 1]``, some alone: where each begins, and the rows of all."""
    start, stop = begin[:-1][which], begin[1:][which]
    return np.concatenate([[0], np.cumsum(stop - start)]).astype(np.int32), ranges(start, stop)


def refuse_wide(network: Network, edge_um: float, reach_um: float, grown_um: float = 0.0) -> None:
    """InputError if a vessel of the host, or of a radius of `grown_um`, reaches beyond the tiles round its own."""
    widest = max(grown_um, float(network.imported["radius"].max(initial=0.0)) if network.imported is not None
              else network.source.radius_limit)
    if widest + reach_um >= EDGE * edge_um:
        raise InputError(f"vessels of a radius of up to {widest:.4g} um, which cells or tips reach from {reach_um:.4g} "
                         f"um, do not fit into the tiles of vessels that live, {EDGE * edge_um:g} um wide: make "
                         "tissue.voxel larger or vessels.interval shorter, or switch angiogenesis, maturation and "
                         "perfusion off")
