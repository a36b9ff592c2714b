"""What the 3-D view shows, as plain arrays: from the snapshots of a run, else from its checkpoint."""
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from metacascade.base.errors import InputError
from metacascade.config.config import Config
from metacascade.io import needs, snapshots
from metacascade.ranks.parallel import serial_world
from metacascade.report import newest
from metacascade.space.network_read import network_of
from metacascade.space.pieces import JOINED

ABSENT, FLOWS, SHUT, GROWING = range(4)       # state of a piece of vessel
ROWS = 200_000                # of shed cells read at a time: bounds the memory


@dataclass
class Frame:
    """The tumor at one time, thinned.

    Attributes
    ----------
    cells : ndarray of float32, shape (n, 3), [um]
    clone, emt, zone : ndarray, shape (n,); zone 0 where there is no outline
    all_cells, all_vessels : int
        How many there are.
    ends : ndarray of float32, shape (m, 6), [um]
        Of pieces of vessels, from x, y, z to x, y, z.
    radius [um], maturity : ndarray of float32, shape (m,)
    state : ndarray of uint8, shape (m,)
        FLOWS, SHUT or GROWING.
    """

    time_h: float
    cells: np.ndarray
    clone: np.ndarray
    emt: np.ndarray
    zone: np.ndarray
    all_cells: int
    ends: np.ndarray
    radius: np.ndarray
    maturity: np.ndarray
    state: np.ndarray
    all_vessels: int


def frames(results, most, most_cells, most_vessels):
    """(frames, where they come from, what is left out): those of the snapshots, else one of the checkpoint.

    At most `most` frames, evenly chosen, the first and the last among them; about `most_cells` cells in all together,
    and at most `most_vessels` pieces of vessels in each. No frames where there is no tissue.
    """
    directory = results.path.parent
    listed = snapshots.listed(directory / snapshots.FOLDER / "cells.vtkhdf.series")
    if not listed:
        state, _ = newest.state(results)
        some = state is not None and len(state.tile_key)
        return [_of_state(state, most_cells, most_vessels)] if some else [], "checkpoint", []
    chosen = np.unique(np.linspace(0, len(listed) - 1, min(most, len(listed))).round().astype(int))
    found, damaged = [], 0
    for i in chosen:
        try:
            found.append(_of_snapshot(directory / snapshots.FOLDER, listed[i], most_cells // len(chosen), most_vessels))
        except InputError:
            damaged += 1
    remarks = [f"left out to keep the page small: {len(listed) - len(chosen)}"] if len(listed) > len(chosen) else []
    remarks += [f"left out as damaged or not there: {damaged}"] if damaged else []
    return [frame for frame in found if frame.all_cells or frame.all_vessels], "snapshots", remarks


def _of_snapshot(folder, entry, most_cells, most_vessels):
    path = folder / Path(entry["name"]).name
    with snapshots.opened(path) as h5:
        data, number = h5["PointData"], len(h5["Points"])
        every = max(1, number // most_cells)
        cells = [h5["Points"][::every], *(data[name][::every] for name in ("clone", "emt"))]
        cells.append(data["zone"][::every] if "zone" in data else np.zeros(len(cells[0]), np.uint8))
        all_cells = int(h5["FieldData/all_cells"][0]) if "all_cells" in h5["FieldData"] else number
    path = path.with_name(path.name.replace("cells.", "vessels.", 1))
    ends, vessels = np.empty((0, 6), np.float32), {"radius": (), "maturity": (), "perfused": ()}
    if path.exists():
        with snapshots.opened(path) as h5:
            ends = h5["Points"][:].reshape(-1, 6)
            vessels = {name: values[:] for name, values in h5["CellData"].items()}
    return Frame(entry["time"], *cells, all_cells, *_vessels(ends, vessels, most_vessels))


def _vessels(ends, vessels, most):
    """The last fields of a Frame, of `radius`, `maturity`, `perfused` and perhaps `flags` of all pieces."""
    state = np.where(np.asarray(vessels["perfused"]) > 0, FLOWS, SHUT).astype(np.uint8)
    if "flags" in vessels:
        state[np.asarray(vessels["flags"]) & JOINED == 0] = GROWING
    every = max(1, -(-len(ends) // most))
    radius, maturity = (np.asarray(vessels[name], np.float32)[::every] for name in ("radius", "maturity"))
    return ends[::every], radius, maturity, state[::every], len(ends)


def _of_state(state, most_cells, most_vessels):
    config, number = Config.from_dict(state.meta["config"]), int(state.first_cell[-1])
    edge_um = config.tissue.edge_um
    places, cells, zone = snapshots.places(state, edge_um, max(1, number // most_cells))
    if state.vessels:
        vessels = state.vessels["pieces"].records
    else:
        network = network_of(config, serial_world(), state.segments)
        vessels = network.segments_near(state.tile_coords, edge_um, 0.0)
    ends = np.stack([vessels[end + axis] for end in "ab" for axis in "xyz"], axis=1).astype(np.float32)
    columns = {name: vessels[name] for name in vessels.dtype.names}
    return Frame(state.meta["time_s"] / 3600, places, cells["clone"], cells["emt"],
                 np.zeros(len(places), np.uint8) if zone is None else zone, number,
                 *_vessels(ends, columns, most_vessels))


def entries(results, most):
    """Where and when cells and clusters of the tumor's tissue entered vessels, by time, at most `most` of them.

    Returns (places [um], float32 of shape (n, 3); times [h], float32; k, if every k-th is kept).
    """
    fields, found = ["x", "y", "z", "t_shed", *needs.OF_TUMOR], [np.empty((0, 4), np.float32)]
    for first in range(0, len(results.shed), ROWS):
        rows = results.shed[fields, first:first + ROWS]
        rows = rows[needs.of_tumor(results, rows)]
        found.append(np.stack([rows[name].astype(np.float32) for name in fields[:4]], axis=1))
    rows = np.concatenate(found)
    rows = rows[np.argsort(rows[:, 3], kind="stable")]
    every = max(1, -(-len(rows) // most))
    return rows[::every, :3], rows[::every, 3], every
