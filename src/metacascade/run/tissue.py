"""The tissue of a state as plain arrays: cells, fields, vessels. What is in files: `tissue_files`."""
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metacascade._kernels._layout import Flag
from metacascade.base.errors import InputError
from metacascade.base.tiles import EDGE
from metacascade.config.config import Config
from metacascade.io import snapshots
from metacascade.io.frames import library
from metacascade.mechanisms import plan_of
from metacascade.ranks.parallel import serial_world
from metacascade.space.network_read import network_of
from metacascade.space.pieces import JOINED
from metacascade.state.state import CELL, CELL_UNITS

if TYPE_CHECKING:
    import xarray

OF_CELLS = ("clone", "emt", "adhesion", "bits", "flags")
CELLS = np.dtype([(f"{axis}_um", "f4") for axis in "xyz"] + [(name, CELL[name]) for name in OF_CELLS])
VESSELS = np.dtype([("start_um", "f8", 3), ("end_um", "f8", 3), ("radius_um", "f4"), ("maturity", "f4"),
                    ("perfused", "?"), ("growing", "?")])
UNITS = {**dict.fromkeys(("x_um", "y_um", "z_um", "start_um", "end_um", "radius_um"), "um"), "maturity": "1",
         **{name: CELL_UNITS[name] for name in OF_CELLS}, "perfused": "1", "growing": "1"}
MOST = 1 << 28          # values of a field, with those between tiles that are far from each other


@dataclass(frozen=True)
class Field:
    """What there is in each voxel, or in each cube of 2 or 4 voxels' edge.

    ``values[i, j, k]`` is that of the cube from ``origin_um + spacing_um * (i, j, k)`` on; where the tissue is not
    simulated it is not a number, or 0 in a field of integers.
    """

    name: str
    values: np.ndarray
    origin_um: np.ndarray
    spacing_um: float
    unit: str

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.values.shape))
        return f"<field {self.name} [{self.unit}], {size}, every {self.spacing_um:g} um>"

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.values, dtype)

    def dataarray(self) -> "xarray.DataArray":
        """The same with the middles of the cubes as coordinates x, y, z [um]; needs xarray."""
        coords = {axis: (axis, low + (np.arange(n) + 0.5) * self.spacing_um, {"units": "um"})
                  for axis, low, n in zip("xyz", self.origin_um, self.values.shape)}
        return library("xarray").DataArray(self.values, coords, list("xyz"), self.name, {"units": self.unit})


@dataclass(frozen=True)
class Tissue:
    """The tissue at one time, under mpiexec that of this rank.

    Attributes
    ----------
    time_h : float
    cells : structured ndarray
        A row for each cell, of a thinned snapshot for one in k: ``x_um``, ``y_um``, ``z_um``, ``clone`` (row of the
        table of clones), ``emt``, ``adhesion`` (1/255), ``bits``, ``flags``.
    fields : dict of str to Field
        ``counts`` (cells of each voxel), and each field that is simulated, such as ``oxygen``.
    vessels : structured ndarray
        A row for each straight piece whose middle is in tissue: ``start_um``, ``end_um`` (x, y, z), ``radius_um``,
        ``maturity`` (0 to 1), ``perfused`` and ``growing`` (a sprout, not yet joined).
    masks : dict
        ``bits`` and ``flags`` -> {mask: name}.
    edge_um : float
        Edge of a voxel.
    units : dict
        Of the fields of `cells` and `vessels`.
    all_cells : int
        Cells that there were: more than rows in `cells` only in a snapshot that is thinned.
    """

    time_h: float
    cells: np.ndarray
    fields: dict[str, Field]
    vessels: np.ndarray
    masks: dict[str, dict[int, str]]
    edge_um: float
    units: dict[str, str]
    all_cells: int

    def __repr__(self) -> str:
        of = f" of {self.all_cells:,}" if self.all_cells > len(self.cells) else ""
        return (f"<tissue at {self.time_h:g} h: {len(self.cells):,}{of} cells, "
                f"{len(self.vessels):,} pieces of vessels, fields {', '.join(self.fields) or 'none'}>")


def tissue_of(state, config: Config, segments=None) -> Tissue:
    """The tissue of a state, or of a rank's share of it; `segments` of an imported network, if not in the state."""
    if not config.has_tissue:
        raise InputError("the run has no tissue: no tumor in space")
    edge_um, cells = config.tissue.edge_um, _cells(state, config.tissue.edge_um)
    fields = {name: (array, "cells" if name == "counts" else state.units.get(name) or "1")
              for name, array in state.arrays.items()}
    return Tissue(state.meta["time_s"] / 3600, cells, boxes(fields, state.tile_coords, edge_um),
                  _vessels(state, config, segments), masks_of(config), edge_um, dict(UNITS), len(cells))


def masks_of(config: Config | None) -> dict[str, dict[int, str]]:
    """What each bit of a cell's `bits` and `flags` says; without a config nothing of `bits`."""
    bits = plan_of(config).bit_names if config else ()
    return {"bits": {1 << i: name for i, name in enumerate(bits)},
            "flags": {int(flag): flag.name.lower() for flag in Flag}}


def _cells(state, edge_um):
    """All cells with their places."""
    found, start = np.empty(int(state.first_cell[-1]), CELLS), 0
    for points, cells, _ in snapshots.placed(state, edge_um):
        rows = found[start:start + len(cells)]
        for k, axis in enumerate("xyz"):
            rows[f"{axis}_um"] = points[:, k]
        for name in OF_CELLS:
            rows[name] = cells[name]
        start += len(cells)
    return found


def boxes(fields, tile_coords, edge_um) -> dict[str, Field]:
    """A `Field` over the box round all tiles of each {name: (array with a row for each tile, unit)}."""
    coords = np.asarray(tile_coords, np.int64)
    if not len(coords):
        return {}
    low = coords.min(axis=0)
    at, tiles = (coords - low).T, coords.max(axis=0) - low + 1
    if int(np.prod(tiles)) * EDGE**3 > MOST:
        raise InputError(f"the tissue reaches over {' x '.join(map(str, tiles * EDGE))} voxels, more than {MOST:,}: "
                         "its fields do not fit into arrays; the snapshots for ParaView have them (output.snapshots)")
    found = {}
    for name, (array, unit) in fields.items():
        array = np.asarray(array)
        along = round(array.shape[1] ** (1 / 3))
        shape = tiles[2], along, tiles[1], along, tiles[0], along
        box = np.full(shape, np.nan if array.dtype.kind == "f" else 0, array.dtype)
        box[at[2], :, at[1], :, at[0], :] = array.reshape(-1, along, along, along)
        values = box.reshape(tiles[2] * along, tiles[1] * along, tiles[0] * along).transpose(2, 1, 0)
        found[name] = Field(name, values, low * EDGE * edge_um, EDGE / along * edge_um, unit)
    return found


def _vessels(state, config, segments):
    """The vessels: those that live, else those of the network whose middle is in a tile."""
    if state.vessels:
        segments = np.asarray(state.vessels["pieces"].records[:])
        growing = segments["flags"] & JOINED == 0
    else:
        given = state.segments if segments is None else segments
        network = network_of(config, serial_world(), given)
        segments = network.segments_near(state.tile_coords, config.tissue.edge_um, 0.0)
        segments = segments[_in_tiles(segments, state.tile_coords, EDGE * config.tissue.edge_um)]
        growing = False
    found = np.empty(len(segments), VESSELS)
    for end, name in (("a", "start_um"), ("b", "end_um")):
        found[name] = np.stack([segments[end + axis] for axis in "xyz"], axis=1)
    found["radius_um"], found["maturity"] = segments["radius"], segments["maturity"]
    found["perfused"], found["growing"] = segments["perfused"] > 0, growing
    return found


def _in_tiles(segments, coords, tile_um):
    """Does the middle of each segment lie in one of the tiles?"""
    middle = np.stack([(segments["a" + axis] + segments["b" + axis]) / 2 for axis in "xyz"], axis=1)
    there = {tuple(row) for row in np.asarray(coords).tolist()}
    return np.array([tuple(row) in there for row in np.floor(middle / tile_um).astype(np.int64).tolist()], bool)
