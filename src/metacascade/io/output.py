"""Results of a run that grow part by part and can be read, and trusted, at any moment.

While a run goes on, a part (`metacascade.io.parts`) is written at every output and before every checkpoint,
so none straddles a checkpoint, and ``results.h5`` is a small file over the parts, renewed with each.
Parts are joined as they age, so their number, and what an output costs, grow with the logarithm of the
number of outputs. A resumed run removes the parts newer than its checkpoint and writes them again, byte
for byte. At the end `Output.finish` merges the parts into results.h5.
"""
import json
from pathlib import Path

import numpy as np

from metacascade._kernels._layout import Fate, Flag, LesionState, Place, Zone
from metacascade.base.errors import InputError
from metacascade.base.records import by_id, joined
from metacascade.io import (
    checkpoint,
    datasets,
    kept,
    ownership,
    parts,
    reopening,
    results,
    rundirectory,
    sealed,
    snapshots,
)
from metacascade.io.atomic import writing
from metacascade.io.datasets import Table, units
from metacascade.state.observed import AT_OUTPUTS, DISTANCES_OF, places
from metacascade.state.state import LESION_UNITS, SHED, SHED_UNITS, empty, shed_rows


class Output:
    """The results of a running simulation. The constructor, `flush` and `finish` are collective.

    Parameters
    ----------
    world : World
    directory : path of the run
    config_text : str or None
        The config file as given; None on resume: kept from before.
    config : dict
        Resolved, in internal units.
    columns : dict
        Name -> (int or float, unit) of every column of the time series, in order.
    tables : dict
        Name -> Layout of the small tables, those of `observed.NAMES`.
    nodes, bits, events : sequence of str
        Names of the nodes of the circuit, of the bits of cells, from the lowest on, and of the events in the blood.
    volumes : dict
        Name of a node -> its blood [mL]; of the tumor for each of its cells.
    texts : dict
        "series" and "organs" -> {column: what it is}.
    provenance : dict
        Of this session (see `metacascade.io.provenance.collect`).
    first_part : int
        What `flush` returned before the state was saved (``state.meta["parts"]``); newer parts are removed.

    Raises
    ------
    InputError
        If a part is missing or damaged, or was written with other columns.
    RunError
        If a file cannot be written; those written before are whole.
    """

    def __init__(self, world, directory, *, config_text, config, columns, tables, nodes, provenance,
                 first_part=0, bits=(), volumes=None, events=(), texts=None):
        self.world, self.path = world, Path(directory) / results.NAME
        self.units = {name: unit for name, (_, unit) in columns.items()}
        self.row, self.tables = row_type(columns), tables
        self.volumes, self.events, self.texts = volumes or {}, dict(enumerate(events)), texts or {}
        self.config, self.nodes, self.text, self.sessions = config, list(nodes), config_text, [provenance]
        self.masks = {"bits": {1 << i: name for i, name in enumerate(bits)},
                      "flags": {int(flag): flag.name.lower() for flag in Flag}}
        with world.together():
            if world.rank == 0:
                self._keep_former(going_on=config_text is None)
        self.parts = parts.Parts(world, directory, self.row, tables)
        self.parts.load(first_part)
        with world.together():
            self.rows, self.small, shed = self.parts.take_back()
        self.ctcs = [shed]
        self._renew()

    def record(self, values, **tables):
        """Append a row to the time series: column -> value, global and the same on all ranks.

        `tables`: rows of small tables, by their names.
        """
        if values.keys() != self.units.keys():
            raise KeyError(f"columns {sorted(values.keys() ^ self.units.keys())} are missing or unknown")
        self.rows.append(tuple(values[name] for name in self.units))
        for name, rows in tables.items():
            self.small[name] += rows.tolist()

    def grow(self, name, table):
        """Of a small table that only grows, and is given whole: append the rows that are new."""
        self.small[name] += table[self.parts.rows_for_good(name) + len(self.small[name]):].tolist()

    def time_of(self, row):
        """When a row of `rows` is of [s]."""
        return row[list(self.units).index("time_s")]

    def keep(self, wanted):
        """Forget of what is at hand each row of an output at a time for which ``wanted(time_s)`` is false."""
        self.rows = [row for row in self.rows if wanted(self.time_of(row))]
        for name in AT_OUTPUTS:
            at = self.tables[name].dtype.names.index("time_s")
            self.small[name] = [row for row in self.small[name] if wanted(row[at])]

    def ends_at(self, time_s):
        """Is the last row of the time series, so far, that of `time_s`? Collective."""
        last = None
        with self.world.together():
            if self.world.rank == 0:
                last = dict(zip(self.units, self.rows[-1]))["time_s"] if self.rows else self.parts.last("time_s")
        return self.world.bcast(last) == time_s

    def shed(self, ctcs):
        """Append fate rows of CTCs owned here."""
        if len(ctcs):
            self.ctcs.append(shed_rows(ctcs))

    def draw(self, **row):
        """Append a blood draw: time_s, index, node, volume_mL, singles, clusters, cells (global)."""
        self.small["draws"].append(tuple(row[name] for name in self.tables["draws"].dtype.names))

    def flush(self, early=False):
        """Write what was appended since the last part as the next one, if there is any.

        `early`: only because the run stops here, see `parts.Parts.add`. Returns how many parts were written so far.
        Rows of /shed are sorted by id, so the bytes of a part do not depend on the number of ranks.
        """
        shed, before = joined(empty(SHED), *self.ctcs), self.parts.count
        small = {name: np.array(self.small[name], layout.dtype) for name, layout in self.tables.items()}
        self.parts.add(np.array(self.rows, self.row), small, by_id(shed), early)
        self.rows, self.small, self.ctcs = [], {name: [] for name in self.tables}, []
        if self.parts.count > before:
            self._renew()
        return self.parts.count

    def checkpointed(self):
        """A checkpoint with the number that `flush` has returned last is written."""
        self.parts.checkpointed()

    def finish(self, *, open_ctcs, lesions, digest, wall_s):
        """Merge all parts into results.h5 and remove them.

        Parameters
        ----------
        open_ctcs : ndarray of CTC
            Those still in the blood or arrested, owned here; they become the last rows of /shed.
        lesions : ndarray of LESION
            Owned here, sorted by id.
        digest : str
            Of the final state.
        wall_s : dict
            Stage -> seconds on this rank in this session; the same stages on every rank.
        """
        written = json.dumps(self.parts.written())
        self.shed(open_ctcs)
        self.flush()
        seconds = self.world.gather(list(wall_s.values()))

        def head(h5):
            h5.attrs[reopening.WRITTEN] = written
            self._describe(h5, digest)
            self.parts.copy_small(h5, self.units)
            self._explain(h5)
            wall = h5.create_dataset("provenance/wall_s", data=np.array(seconds, float))
            wall.attrs.update(unit="s", rows="rank", columns=json.dumps(list(wall_s)))

        shed = self.parts.table("shed")
        shed.attributes = self._meaning("shed")
        datasets.write(self.world, self.path, [shed, Table.of("lesions", lesions, **self._meaning("lesions"))], head,
                       (results.KIND, results.FORMAT), apart=results.APART)
        with self.world.together(), writing(self.path.parent):
            if self.world.rank == 0:
                parts.remove(self.parts.directory)

    def _keep_former(self, going_on):
        """Take the config text and the provenance of earlier sessions from the results so far."""
        ownership.remove_leftovers(self.path.parent)
        if going_on and self.path.exists():
            try:
                with results.open_results(self.path, parts_needed=False) as former:
                    self.text = former.config_text
                    self.sessions = former.provenance + self.sessions
            except InputError as error:
                raise InputError(f"{error}\nIt is made anew when it is gone: remove it, and resume again. "
                                 "Only the text of the config and the provenance so far are lost") from None

    def _renew(self):
        """Let results.h5 show all parts."""
        with self.world.together():
            if self.world.rank == 0:
                datasets.write_small(self.path, self._running, (results.KIND, results.FORMAT))

    def _running(self, h5):
        self._describe(h5)
        self.parts.view(h5, self.units)
        self._explain(h5)
        h5["shed"].attrs.update(self._meaning("shed"))

    def _describe(self, h5, digest=""):
        """Write what the run is."""
        h5.attrs.update(kind="results", format_version=results.FORMAT, complete=bool(digest), digest=digest)
        h5["config/text"] = self.text or ""
        h5["config/resolved"] = json.dumps(self.config)
        h5["provenance/sessions"] = json.dumps(self.sessions)

    def _explain(self, h5):
        """Give the small tables their units, and what is told at outputs its names in full."""
        for name in self.tables:
            h5[name].attrs.update(self._meaning(name))
        for name, texts in self.texts.items():
            h5[name].attrs["long_names"] = json.dumps(texts)

    def _meaning(self, name):
        """The attributes of a table: the unit of every field, the names of enumerated numbers, and those of bits."""
        node = dict(enumerate(self.nodes))
        fate, place, lesion, zone = (
            {int(e): e.name.lower() for e in kind} for kind in (Fate, Place, LesionState, Zone))
        table, names = {
            "shed": (SHED_UNITS, {"fate": fate, "place": place, "node": node, "origin": node, "zone": zone}),
            "distances": (self.tables["distances"].units, {"of": dict(enumerate(DISTANCES_OF))}),
            "lesions": (LESION_UNITS, {"node": node, "state": lesion}),
            "events": (self.tables["events"].units, {"node": node, "event": self.events}),
            "clone_cells": (self.tables["clone_cells"].units, {"place": dict(enumerate(places(self.nodes)))}),
            "clones": (self.tables["clones"].units, {})
            }.get(name) or (self.tables[name].units, {"node": node})
        of_cells = {"masks": json.dumps(self.masks)} if self.masks.keys() <= table.keys() else {}
        of_blood = {"blood_mL": json.dumps(self.volumes)} if name == "organs" else {}
        return units(table) | {"enumerations": json.dumps(names)} | of_cells | of_blood


def row_type(columns):
    """A row of the time series as a record."""
    return np.dtype([(name, {int: "i8", float: "f8"}[kind]) for name, (kind, _) in columns.items()])


def reopen(world, directory, columns, tables, count):
    """Let a finished run be one that was killed after its last checkpoint, of so many parts. Collective.

    Killed at any moment it leaves either of the two.
    """
    reopened = parts.Parts(world, directory, row_type(columns), tables)
    reopening.reopen(world, directory, reopened, count)


def digest_of(path):
    """The digest of the state in a checkpoint, computed from it, or at the end of a run, kept in its results."""
    path = Path(path)
    if path.is_dir():
        path = path / (results.NAME if rundirectory.finished(path) else checkpoint.NAME)
    if sealed.kind_of(path) == checkpoint.KIND:
        return checkpoint.digest_of(path)
    with results.open_results(path) as found:
        if not found.complete:
            raise InputError(f"{path} is of a run that has not ended: take the digest of its {checkpoint.NAME}")
        return found.digest


def describe(path):
    """What is in a file or in those of a run directory: a text for each; in the end InputError if any is damaged."""
    path, damaged = Path(path), []
    inside = [path]
    if path.is_dir():
        inside = [path / results.NAME] * (path / results.NAME).exists() + checkpoint.found(path)
        if not inside:
            raise InputError(f"{path} holds neither results nor a checkpoint")
    for file in inside:
        try:
            yield _described(file)
        except InputError as error:
            damaged.append(str(error))
    if line := kept.told(path):
        yield line
    if damaged:
        raise InputError("\n".join(damaged))


def _described(path):
    """What is in a file."""
    if path.suffix == ".vtkhdf":
        return snapshots.describe(path)
    kind = sealed.kind_of(path)
    for module in (checkpoint, parts):      # by name too: HDF5 must not see one that has lost its head
        if kind == module.KIND or kind is None and path.name.startswith(module.KIND.lower()):
            return module.describe(path)
    if kind is None and path.suffix == ".toml":
        raise InputError(f"{path} is no file of a run: `metacascade check` reads a config, `metacascade info --rates` "
                         "and `--columns` tell what it does")
    return results.describe(path)
