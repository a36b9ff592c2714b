"""Pictures of the state that ParaView opens directly: static VTKHDF files, one of each kind a snapshot.

``snapshots/cells.NNNNNN.vtkhdf`` (points), ``voxels.NNNNNN.vtkhdf`` (fields and cells per voxel) and
``vessels.NNNNNN.vtkhdf`` (lines), N = step, ``tumor.NNNNNN.vtkhdf``, which holds nothing but links to the three, and a
list ``cells.vtkhdf.series`` of each kind with the times in h. What is left out to stay within the limit depends on the
state alone, never on the ranks.
"""
import contextlib
import json
import math
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from metacascade._kernels._layout import TRAITS
from metacascade.base.errors import InputError
from metacascade.base.screen import one_line
from metacascade.base.tiles import EDGE, of_voxels, places_in
from metacascade.io import datasets, sealed
from metacascade.io.atomic import write_text, writing
from metacascade.io.datasets import Table
from metacascade.io.structure import CONTRADICTIONS, understood
from metacascade.ranks.parallel import serial_world
from metacascade.state.state import CELL, CELL_UNITS, empty

KIND, FORMAT, FOLDER = "SNAPSHOT", 1, "snapshots"
KINDS, ZONE = ("cells", "voxels", "vessels"), "zone"
VTK_VOXEL = 11                    # type of a cell whose corners are numbered x fastest
VERSION = (2, 0)                  # of VTKHDF; VTK 9.3 and ParaView 5.12 read it
ALL, ALL_VERSION = "tumor", (2, 1)    # the file of links; VTK 9.4 and ParaView 5.13 read it
GROUP = "VTKHDF"                  # keeps the order of what is in it, or VTK complains of it as a block of another file


def write(world, directory, state, *, edge_um, limit, segments=None):
    """Write a snapshot of `state` to ``directory/snapshots``. Collective.

    Parameters
    ----------
    edge_um : float
        Edge of a voxel.
    limit : int
        Most cells, and most voxels as long as there are fewer tiles. Of more cells every k-th in canonical
        order is kept; more voxels are joined to cubes of 2, 4 or 8 voxels' edge (cells added, fields averaged).
    segments : structured ndarray, optional
        Vessels near this rank's tiles, without duplicates; those whose middle lies in a tile are written,
        each by the rank that owns it. Given on all ranks or on none.

    Returns
    -------
    Kept
    """
    folder = Path(directory) / FOLDER
    with world.together(), writing(folder):
        if world.rank == 0:
            folder.mkdir(exist_ok=True)
    kept, meta = Kept.of(world, state, limit), state.meta
    facts = {"all_cells": kept.cells, "kept_every": kept.every, "joined_voxels": kept.join}
    _write_file(world, folder, "cells", "PolyData", meta, facts, _cells(world, state, edge_um, kept.every))
    _write_file(world, folder, "voxels", "UnstructuredGrid", meta, facts, _voxels(world, state, edge_um, kept.join))
    if segments is not None:
        _write_file(world, folder, "vessels", "PolyData", meta, {}, _vessels(world, state, edge_um, segments))
    _write_links(world, folder, meta, KINDS if segments is not None else KINDS[:2])
    return kept


@dataclass(frozen=True)
class Kept:
    """What a snapshot keeps of a state: of its `cells` every `every`-th, and cubes of `join` voxels along the edge."""

    cells: int
    every: int
    join: int

    @classmethod
    def of(cls, world, state, limit):
        """What comes within a limit. Collective."""
        cells, tiles = world.sum([int(state.first_cell[-1]), len(state.tile_key)]).tolist()
        join = next((n for n in (1, 2, 4) if tiles * (EDGE // n)**3 <= limit), EDGE)
        return cls(cells, max(1, math.ceil(cells / limit)), join)

    def left_out(self):
        """What is not shown as it is, as text, by kind."""
        cells = {"cells": f"of {self.cells:,} cells one in {self.every} is kept"} if self.every > 1 else {}
        voxels = {"voxels": f"voxels are joined to cubes of {self.join} along the edge"} if self.join > 1 else {}
        return cells | voxels


def _file_name(kind, meta):
    return f"{kind}.{meta['step']:06d}.vtkhdf"


def _head(h5, version, vtk_type):
    """What every file says of itself."""
    h5[GROUP].attrs["Version"] = np.array(version, np.int64)
    h5[GROUP].attrs["Type"] = np.bytes_(vtk_type)


def _write_file(world, folder, kind, vtk_type, meta, facts, tables):
    """Write one file and add it to the list of its kind."""
    def head(h5):
        _head(h5, VERSION, vtk_type)
        for name, value in {"time_h": meta["time_s"] / 3600, **facts}.items():
            h5[f"{GROUP}/FieldData/{name}"] = [value]

    for table in tables:
        table.name = f"{GROUP}/{table.name}"
    datasets.write(world, folder / _file_name(kind, meta), tables, head, (KIND, FORMAT), ordered=(GROUP,))
    _list(world, folder, kind, meta)


def _write_links(world, folder, meta, kinds):
    """Write the file through which all kinds are one thing to VTK, which reads no FieldData there."""
    def head(h5):
        _head(h5, ALL_VERSION, "MultiBlockDataSet")
        for kind in kinds:
            h5[f"{GROUP}/{kind}"] = h5py.ExternalLink(_file_name(kind, meta), f"/{GROUP}")
            h5[f"{GROUP}/Assembly/{kind}"] = h5py.SoftLink(f"/{GROUP}/{kind}")

    ordered = (GROUP, f"{GROUP}/Assembly")
    datasets.write(world, folder / _file_name(ALL, meta), [], head, (KIND, FORMAT), ordered=ordered)
    _list(world, folder, ALL, meta)


def _list(world, folder, kind, meta):
    """Add a file to a list that ParaView reads; later ones of a run that was resumed are dropped."""
    with world.together():
        if world.rank == 0:
            _add(folder / f"{kind}.vtkhdf.series", _file_name(kind, meta), meta["time_s"] / 3600)


def _add(path, name, time_h):
    files = [file for file in listed(path) if (len(file["name"]), file["name"]) < (len(name), name)]
    files.append({"name": name, "time": time_h})
    write_text(path, json.dumps({"file-series-version": "1.0", "files": files}, indent=1))


def listed(path):
    """The files in a list, which may not be there yet; of a damaged one, those that are beside it and intact."""
    try:
        files = json.loads(path.read_bytes())["files"]
        return [{"name": str(file["name"]), "time": float(file["time"])} for file in files]
    except FileNotFoundError:
        return []
    except CONTRADICTIONS:
        beside = path.parent.glob(f"{path.name.split('.')[0]}.*.vtkhdf")
        return [file for file in map(_entry, sorted(beside, key=lambda path: (len(path.name), path.name))) if file]


def _entry(path):
    """What a list says of a snapshot; None if it is damaged."""
    with contextlib.suppress(InputError), opened(_with_data(path)) as h5:
        return {"name": path.name, "time": float(h5["FieldData/time_h"][0])}


@contextlib.contextmanager
def opened(path):
    """The group VTKHDF of a snapshot, once its seal has been checked."""
    sealed.verify(serial_world(), path, KIND, FORMAT)
    with datasets.open_file(path) as file, understood(path):
        yield file["VTKHDF"]


def _with_data(path):
    """The file of a snapshot that tells what one of links does not, which HDF5 is not to follow."""
    return path.with_name(path.name.replace(f"{ALL}.", "cells.", 1))


def describe(path):
    """What is in a snapshot, as text."""
    path = Path(path)
    if path.name.startswith(f"{ALL}."):
        sealed.verify(serial_world(), path, KIND, FORMAT)
        return f"{path}: snapshot for ParaView, links to {', '.join(KINDS)} of the same number beside it"
    with opened(path) as h5:
        names = ", ".join([*h5.get("PointData", ()), *h5.get("CellData", ())])
        return (f"{path}: snapshot for ParaView, {one_line(h5.attrs['Type'].decode())}\n"
                f"  {h5['FieldData/time_h'][0]:g} h, {h5['NumberOfPoints'][0]} points, "
                f"data {one_line(names)}")


def _cells(world, state, edge_um, every):
    """The cells: a vertex for each."""
    points, cells, zone = places(state, edge_um, every, world.exscan(state.first_cell[-1]))
    return _mesh(world, points) + _poly(world, "Vertices", np.arange(len(cells))[:, None], len(points)) + [
        Table.of(f"PointData/{name}", cells[name], unit=CELL_UNITS[name]) for name in TRAITS] + (
        [] if zone is None else [Table.of("PointData/zone", zone, unit="zone")])


def places(state, edge_um, every=1, before=0):
    """Every `every`-th cell of a state: (where they are [um], float32 of shape (n, 3); CELL; their zones or None).

    `before` is the number of cells of the ranks before this one.
    """
    kept = list(placed(state, edge_um, every, before))
    points, cells, zone = ([part[i] for part in kept] for i in range(3))
    return (np.concatenate([np.empty((0, 3), np.float32), *points]), np.concatenate([empty(CELL), *cells]),
            np.concatenate([np.empty(0, np.uint8), *zone]) if ZONE in state.arrays else None)


def placed(state, edge_um, every=1, before=0):
    """The same in portions, some tiles each."""
    return (_kept(state, first, last, before, every, edge_um) for first, last in state.slabs())


def _kept(state, first, last, before, every, edge_um):
    """(places, cells, zones): every `every`-th cell of all ranks', of those in the tiles first .. last - 1."""
    skip = -(before + int(state.first_cell[first])) % every
    cells = state.cells(first, last)[skip::every].copy()
    ends = np.cumsum(np.ravel(state.counts[first:last]), dtype=np.int64)
    tile, voxel = np.divmod(np.searchsorted(ends, np.arange(skip, ends[-1], every), side="right"), EDGE**3)
    corner = state.tile_coords[first:last][tile] * EDGE + places_in(EDGE)[voxel]
    inside = np.stack([cells[axis] for axis in "xyz"], axis=1) / 65536
    zone = of_voxels(state.arrays[ZONE][first:last])[tile, voxel] if ZONE in state.arrays else None
    return ((corner + inside) * edge_um).astype(np.float32), cells, zone


def _voxels(world, state, edge_um, join):
    """The voxels: cubes; those of a tile share their corners."""
    edge = EDGE // join
    nodes, stride = places_in(edge + 1) * join, (edge + 1)**np.arange(3)
    points = (state.tile_coords[:, None] * EDGE + nodes) * edge_um
    corners = (places_in(edge) @ stride)[:, None] + places_in(2) @ stride
    corners = (np.arange(len(state.tile_key)) * len(nodes))[:, None, None] + corners

    def joined(array, kind):
        return np.asarray(array, kind).reshape(-1, edge, join, edge, join, edge, join).sum(axis=(2, 4, 6)).ravel()

    fields = {name: (joined(of_voxels(array), float) / join**3).astype(np.float32)
              for name, array in state.arrays.items() if name != "counts"}
    return _mesh(world, points.reshape(-1, 3)) + _topology(world, "", corners.reshape(-1, 8), points.size // 3) + [
        Table.of("Types", np.full(corners.size // 8, VTK_VOXEL, np.uint8)),
        *(Table.of(f"CellData/{name}", values, unit=state.units.get(name, "1")) for name, values in fields.items()),
        Table.of("CellData/cells", joined(state.counts, np.uint32), unit="cells")]


def _vessels(world, state, edge_um, segments):
    """The vessels: a line for each segment."""
    a, b = (np.stack([segments[end + axis] for axis in "xyz"], axis=1) for end in "ab")
    tile = np.floor((a + b) / (2 * EDGE * edge_um)).astype(np.int64)
    row = _rows(state.tile_coords, tile)
    own = segments[row >= 0]
    own = own[np.argsort(row[row >= 0], kind="stable")]
    points = np.stack([own[end + axis] for end in "ab" for axis in "xyz"], axis=1).reshape(-1, 3)
    units = {"radius": "um", "maturity": "1", "perfused": "1", "flags": "bits", "along": "um"}
    units = {name: unit for name, unit in units.items() if name in own.dtype.names}
    return _mesh(world, points) + _poly(world, "Lines", np.arange(len(points)).reshape(-1, 2), len(points)) + [
        Table.of(f"CellData/{name}", own[name], unit=unit) for name, unit in units.items()]


def _rows(tiles, wanted):
    """The row of each wanted tile in `tiles`, or -1 where it is not in."""
    def number(coords):
        x, y, z = (np.asarray(coords, np.int64) + (1 << 20)).T
        return z << 42 | y << 21 | x

    if len(tiles) == 0:
        return np.full(len(wanted), -1)
    order = np.argsort(number(tiles))
    row = order[np.searchsorted(number(tiles), number(wanted), sorter=order).clip(max=len(tiles) - 1)]
    return np.where(number(tiles)[row] == number(wanted), row, -1)


def _mesh(world, points):
    return [_total(world, "NumberOfPoints", len(points)), Table.of("Points", points.astype(np.float32), unit="um")]


def _poly(world, name, corners, points):
    """The four topologies of PolyData, of which only `name` has cells."""
    nothing = np.empty((0, 1), np.int64)
    return [table for kind in ("Vertices", "Lines", "Polygons", "Strips")
            for table in _topology(world, f"{kind}/", corners if kind == name else nothing, points)]


def _topology(world, prefix, corners, points):
    """Which points are the corners of each cell: `corners` of shape (cells, n), numbered on this rank."""
    cells, width = corners.shape
    offsets = (world.exscan(cells) + np.arange(cells + (world.rank == world.size - 1))) * width
    return [
        _total(world, f"{prefix}NumberOfCells", cells),
        _total(world, f"{prefix}NumberOfConnectivityIds", corners.size),
        Table.of(f"{prefix}Connectivity", (world.exscan(points) + corners.ravel()).astype(np.int64)),
        Table.of(f"{prefix}Offsets", offsets.astype(np.int64))]


def _total(world, name, number):
    """A dataset of one number: the sum of `number` over the ranks."""
    total = world.sum([number])
    return Table.of(name, total if world.rank == 0 else total[:0])
