"""Read the results of a run: lazy NumPy views of results.h5, also while the run goes on.

A file is sealed (`metacascade.io.sealed`): all but the rows of large tables is checked when it is opened, these when
the first of them are read. ``mc.open(path)`` gives a `Results`; ``docs/formats.md`` lists every dataset.
"""
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from metacascade.base.errors import InputError, PathLike, path_of
from metacascade.base.screen import LONGEST_LINE, one_line
from metacascade.io import cascade_text, datasets, parts, rows_index, sealed, shown
from metacascade.io.atomic import reading
from metacascade.io.frames import Frames
from metacascade.io.rows import Rows, Series
from metacascade.io.structure import understood
from metacascade.ranks.parallel import serial_world
from metacascade.state.observed import NAMES

NAME, KIND, FORMAT = "results.h5", "RESULTS", 7
APART = ("shed", "lesions")       # tables whose rows are checked when they are read
IN_PARTS = ("series", *NAMES, "shed")    # while the run goes on
NEEDED = ("config/text", "config/resolved", "provenance/sessions", *IN_PARTS)


def open_results(path: PathLike, parts_needed: bool = True) -> "Results":
    """The results in a file or run directory, as `Results`.

    Raises InputError if there are none, if they are damaged, or if parts are missing that they look into; without
    `parts_needed` these only when rows are read, so that a run can go on that was killed while it removed some.
    """
    return Results(path_of(path, "where results are"), parts_needed)


class Results(Frames):
    """The results of a run, complete or still growing; what the cascade tells: `Cascade`; data frames: `Frames`.

    Attributes
    ----------
    series : dict
        Time series: name -> array. Units by ``results.units("series/NAME")``.
    shed, draws, organs, clone_cells, distances, clones, lesions : Rows
        Tables that are read when sliced: ``results.shed["fate"]``, ``results.shed[:1000]``; the last at the end.
    config : dict
        As resolved, in internal units; `config_text` as given.
    provenance : list of dict, one for every session (start or resume) of the run
    complete : bool
        False while the run goes on, or after it was interrupted.
    digest : str
        Of the final state; empty until complete.
    """

    def __init__(self, path: PathLike, parts_needed: bool = True):
        self.parts_needed, path = parts_needed, Path(path)
        self.path = path / NAME if path.is_dir() else path
        self._open()

    def _open(self):
        """Open the file, once its seal and what it looks into have been seen to be there."""
        while True:
            self.verified, self.stat = set(), _identity(self.path)
            sealed.verify(serial_world(), self.path, KIND, FORMAT, head_only=True)
            self.h5 = datasets.open_file(Path(os.path.realpath(self.path)))     # beside which its parts are
            try:
                with understood(self.path):
                    self._check()
                return
            except InputError:
                self.close()
                if not self._was_renewed():
                    raise

    def _check(self):
        if missing := [name for name in NEEDED if name not in self.h5]:
            raise InputError(f"{self.path} is not as metacascade writes it: it has no /{missing[0]}")
        bool(self.h5.attrs["complete"]), _text(self.h5.attrs["digest"])
        if self.parts_needed:
            for name in IN_PARTS:
                self._refuse_lost_parts(name)

    __repr__ = shown.overview

    def __enter__(self) -> "Results":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was read stays."""
        self.h5.close()

    def __contains__(self, name: str) -> bool:
        return name in self.h5

    def __getitem__(self, name: str) -> Rows:
        """A table by its name: ``results["shed"]``."""
        self._node(name)
        return Rows(self, name)

    def _node(self, name):
        """A group or dataset by its name. KeyError if there is none; InputError for what is no name."""
        if not isinstance(name, str):
            raise InputError(f'a dataset is named by a text, such as "shed", not {one_line(repr(name), 60)}')
        if not self.h5:
            raise InputError(f"{self.path} is closed: open it again")
        if name not in self.h5:
            raise KeyError(f"{self.path} has no /{name}; it has {', '.join(sorted(self.h5))}")
        return self.h5[name]

    @property
    def shed(self) -> Rows:
        """What entered the blood and has ended: a row for each cell or cluster."""
        return self["shed"]

    @property
    def draws(self) -> Rows:
        """A row for each blood draw."""
        return self["draws"]

    @property
    def organs(self) -> Rows:
        """What is in each organ: a row for each, at each output."""
        return self["organs"]

    @property
    def clone_cells(self) -> Rows:
        """Cells of each clone in each place, at each output; clone 65535 stands for all that are too small."""
        return self["clone_cells"]

    @property
    def distances(self) -> Rows:
        """Cells by their distance to the nearest vessel, at each output, and of those that entered one."""
        return self["distances"]

    @property
    def lesions(self) -> Rows:
        """A row for each lesion; at the end of the run."""
        return self["lesions"]

    @property
    def clones(self) -> Rows:
        """The tree of clones, a row for each."""
        return self["clones"]

    @property
    def complete(self) -> bool:
        """Has the run come to its end?"""
        return bool(self.h5.attrs["complete"])

    @property
    def digest(self) -> str:
        """SHA-256 of the final state; empty until complete."""
        return _text(self.h5.attrs["digest"])

    @property
    def config(self) -> dict[str, Any]:
        """Every value, in internal units."""
        return self._parsed(self._string("config/resolved"), dict)

    @property
    def config_text(self) -> str:
        """The config as given."""
        return self._string("config/text")

    @property
    def provenance(self) -> list[dict[str, Any]]:
        """What ran, where, with which versions: one for each start or resume."""
        return self._parsed(self._string("provenance/sessions"), list)

    @property
    def series(self) -> dict[str, np.ndarray]:
        """Time series: name -> array with a number for each output."""
        def columns():
            with understood(self.path):
                return Series((name, dataset[:]) for name, dataset in self._node("series").items())
        return self._trusted("series", columns)

    def units(self, name: str) -> str | dict[str, str]:
        """The unit of a dataset, or of every field of a table: a text or a dict."""
        attributes = self._node(name).attrs
        if not {"units", "unit"} & attributes.keys():
            raise InputError(f"/{name} has no unit: it is none of the tables, and no dataset")
        return self._parsed(attributes["units"], dict) if "units" in attributes else _text(attributes["unit"])

    def names(self, name: str) -> dict[str, dict[int, str]]:
        """What the numbers in a table mean: field -> {number: name}."""
        return self._named(name, "enumerations")

    def masks(self, name: str) -> dict[str, dict[int, str]]:
        """What the bits of `bits` and `flags` in a table mean: field -> {mask: name}."""
        return self._named(name, "masks")

    def _named(self, name, attribute):
        stored = self._parsed(self._node(name).attrs.get(attribute, "{}"), dict)
        return {field: {int(number): text for number, text in table.items()} for field, table in stored.items()}

    def verify(self, *names: str) -> None:
        """Raise InputError unless the tables of these names, or all bytes, are as they were written, also in parts."""
        self._of_the_present(lambda: self._verify(*names))

    def read(self, name: str, fields: str | list[str] | None, index: int | slice | np.ndarray) -> np.ndarray:
        """Rows of a table, see `rows_index.read`, after all their bytes have been verified once."""
        return self._trusted(name, lambda: rows_index.read(self._node(name), fields, index))

    def _trusted(self, name, read):
        """What `read` returns, after the bytes of a table, or of the series, have been verified once."""
        def values():
            self._node(name)
            self._verify(name)
            with reading(self.path):            # of HDF5, if a part goes while it is opened
                found = read()
            self._refuse_lost_parts(name)       # else the run has joined or merged them while they were read
            return found
        return self._of_the_present(values)

    def _of_the_present(self, work):
        """What `work` returns; if it fails as a run has put another file in the place of this one, from that."""
        while True:
            try:
                return work()
            except InputError:
                if not self._was_renewed():
                    raise
            self.close()
            self._open()

    def _verify(self, *names):
        for name in set(names or IN_PARTS) - self.verified:
            if name in APART and not self.verified & set(APART):
                sealed.verify(serial_world(), self.path, KIND, FORMAT)
            for source in self._sources(name):
                parts.verify(self._beside(source), source.dset_name, source.vspace.get_select_npoints())
            self.verified.add(name)

    def _was_renewed(self):
        """Has the run that goes on put another file in the place of this one?"""
        return _identity(self.path) != self.stat

    def _sources(self, name):
        """Where the rows of a table are, if in parts."""
        dataset = self.h5.get(name)
        if name == "series":                       # all its columns are in the same parts
            dataset = next(iter(dataset.values()), None)
        return dataset.virtual_sources() if dataset is not None and dataset.is_virtual else []

    def _beside(self, source):
        return Path(self.h5.filename).parent / source.file_name

    def _refuse_lost_parts(self, name):
        """Raise InputError if a part is not there that this file looks into: HDF5 would show no cells in its place."""
        for source in self._sources(name):
            if not self._beside(source).exists():
                raise InputError(f"{self.path} is of a run that has not ended, and {source.file_name}, with rows of "
                                 f"/{name}, is not beside it: copy the whole directory of the run, not the file "
                                 "alone; where it is whole, `metacascade resume` makes the file anew")

    def _string(self, name):
        with understood(self.path):
            return self._node(name).asstr()[()]

    def _parsed(self, text, kind):
        with understood(self.path):
            if not isinstance(found := json.loads(text), kind):
                raise ValueError(f"a {kind.__name__} is expected, found: {str(text)[:40]}")
            return found


def describe(path):
    """What is in a file of results, as text."""
    with open_results(path) as results, understood(path):
        results.verify()
        series, state = results.series, "complete" if results.complete else "not complete: running or interrupted"
        last = {name: values[-1] for name, values in series.items() if len(values)}
        lines = [f"{results.path}: results, format {FORMAT}, {state}"]
        lines += [f"  {len(results[name])} rows in /{name}" for name in ("shed", *NAMES, "lesions")
                  if name in results]
        lines += [one_line(f"  started {session.get('started', '?')} on {session.get('ranks', '?')} ranks: "
                           f"{session.get('command', '?')}", LONGEST_LINE) for session in results.provenance]
        lines += [f"  digest {one_line(results.digest)}"] if results.complete else []
        lines += cascade_text.headline(results) + ["  last row of /series"] * bool(last)
        lines += [one_line(f"    {name:28} {value:.10g} {results.units('series/' + name)}".removesuffix(" 1"))
                  for name, value in last.items()]
    return "\n".join(lines)


def _identity(path):
    """What tells a file from another that has come in its place."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)
