"""The tissue in a checkpoint or in a snapshot, as plain arrays."""
import re
from pathlib import Path

import numpy as np

from metacascade.base import screen
from metacascade.base.errors import InputError, PathLike, kind, path_of
from metacascade.base.tiles import EDGE
from metacascade.base.units import option, show_time
from metacascade.io import checkpoint, kept, snapshots
from metacascade.io.results import NAME, open_results
from metacascade.ranks.parallel import serial_world
from metacascade.run.commands import config_in
from metacascade.run.tissue import CELLS, OF_CELLS, UNITS, VESSELS, Tissue, boxes, masks_of, tissue_of
from metacascade.space.pieces import JOINED

SNAPSHOT = re.compile(rf"({'|'.join((*snapshots.KINDS, snapshots.ALL))})(\.[0-9]+\.vtkhdf)", re.ASCII)
CELLS_LIST = f"{snapshots.FOLDER}/cells.vtkhdf.series"


def tissue(path: PathLike, at: str | None = None) -> Tissue:
    """The tissue in a file, a checkpoint or a snapshot, or that of a run directory.

    Parameters
    ----------
    path : path
        ``checkpoint.h5``, one that is kept, or any of the files of a snapshot, ``snapshots/cells.000240.vtkhdf``. Of a
        run directory it is the newest checkpoint.
    at : str, optional
        Of a run directory: the simulated time, ``"6 h"``, of a checkpoint that it has, or else of a snapshot.

    Notes
    -----
    A snapshot has places and fields in single precision, and may have one in so many of the cells and voxels that are
    joined: `Tissue.all_cells` and `Field.spacing_um` tell. Without the results of its run ``masks["bits"]`` is empty,
    which a warning tells.

    Raises InputError if there is none, if it is damaged, or if the run has no tissue.
    """
    path = Path(path_of(path, "where a checkpoint or a snapshot is"))
    path, time_s = (path, None) if at is None else _at(path, at)
    if path.is_dir():
        path = _newest(path)
    if SNAPSHOT.fullmatch(path.name):
        return _of_snapshot(path)
    state = checkpoint.read(serial_world(), path)
    if time_s is not None:
        kept.refuse_other(path, state.meta["time_s"], time_s)
    return tissue_of(state, config_in(state.meta, path))


def _newest(directory):
    """The newest checkpoint of a run directory."""
    there = checkpoint.found(directory)
    if not there and (pictures := _snapshots(directory)):
        raise InputError(f"{directory} holds no checkpoint, but snapshots of {kept.listed(pictures)}: "
                         f'tissue({str(directory)!r}, at="{show_time(max(pictures))}")')
    return next(iter(there), directory / checkpoint.NAME)


def _at(directory, at):
    """(the file in a run directory that has the tissue of this time, the time [s])."""
    if not isinstance(at, str):
        raise InputError(f'at must be a time such as "6 h", not {kind(at)}')
    time_s = option("at", at, "s", "6 h")
    if not directory.is_dir():
        raise InputError(f"{directory} is not the directory of a run: at= takes one, and picks a file in it")
    path, checkpoints, damaged = kept.look(directory, time_s)
    pictures = _snapshots(directory)
    if path := path or pictures.get(time_s):
        return path, time_s
    there = [f"{name} of {kept.listed(times)}"
             for name, times in (("checkpoints", checkpoints), ("snapshots", pictures)) if times]
    raise InputError("\n".join([f"{directory} has no tissue of {show_time(time_s)}; there are "
                                f"{' and '.join(there) or 'neither checkpoints nor snapshots'}", *damaged]))


def _snapshots(directory):
    """{time [s]: file of the cells} of the snapshots in a run directory."""
    series = directory / CELLS_LIST
    return {round(entry["time"] * 3600): series.with_name(Path(entry["name"]).name)
            for entry in snapshots.listed(series)}


def _of_snapshot(path):
    """What the files of one snapshot tell together."""
    cells_path, voxels_path, vessels_path = (
        path.with_name(SNAPSHOT.fullmatch(path.name).expand(rf"{one}\2")) for one in snapshots.KINDS)
    with snapshots.opened(cells_path) as h5:
        points, time_h = h5["Points"][:], float(h5["FieldData/time_h"][0])
        cells, all_cells = np.empty(len(points), CELLS), int(h5["FieldData/all_cells"][0])
        for k, axis in enumerate("xyz"):
            cells[f"{axis}_um"] = points[:, k]
        for name in OF_CELLS:
            cells[name] = h5[f"PointData/{name}"][:]
    with snapshots.opened(voxels_path) as h5:
        fields, edge_um = _fields(h5)
    vessels = np.empty(0, VESSELS)
    if vessels_path.exists():
        with snapshots.opened(vessels_path) as h5:
            vessels = _vessels(h5)
    return Tissue(time_h, cells, fields, vessels, masks_of(_config(path)), edge_um, dict(UNITS), all_cells)


def _fields(h5):
    """({name: Field}, edge of a voxel [um]) of the cubes, which lie tile by tile, x fastest."""
    along = EDGE // int(h5["FieldData/joined_voxels"][0])
    corners = h5["Points"][:].reshape(-1, (along + 1)**3, 3).astype(float)      # of the cubes of a tile
    if not len(corners):
        return {}, np.nan
    low, tile_um = corners[:, 0], float(corners[0, -1, 0] - corners[0, 0, 0])
    if farthest := np.abs(np.rint(low / tile_um)).max():       # single precision: one tile alone would tell less of it
        at = np.unravel_index(np.abs(low).argmax(), low.shape)
        tile_um = abs(low[at]) / farthest
    fields = {"counts" if name == "cells" else name: (values[:].reshape(len(low), -1), str(values.attrs["unit"]) or "1")
              for name, values in h5["CellData"].items()}
    edge_um = float(f"{tile_um / EDGE:.7g}")
    return boxes(fields, np.rint(low / tile_um).astype(np.int64), edge_um), edge_um


def _vessels(h5):
    ends, data = h5["Points"][:].reshape(-1, 2, 3), h5["CellData"]
    found = np.empty(len(ends), VESSELS)
    found["start_um"], found["end_um"] = ends[:, 0], ends[:, 1]
    found["radius_um"], found["maturity"] = data["radius"][:], data["maturity"][:]
    found["perfused"] = data["perfused"][:] > 0
    found["growing"] = data["flags"][:] & JOINED == 0 if "flags" in data else False
    return found


def _config(path):
    """The config of the run that a snapshot lies in; None, with a warning, where its results are not there."""
    run = path.absolute().parent.parent
    if not (run / NAME).exists():
        screen.warn(f'{run / NAME} is not there: masks["bits"] of {path} is empty, as only the config names the bits')
        return None
    with open_results(run, parts_needed=False) as results:
        return config_in({"config": results.config}, results.path)
