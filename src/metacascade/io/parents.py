"""A branch with the runs before it: one view over the results of all, from the start of the first on.

A branch writes down, in its provenance, where the results of its parent were, who made them, and the digest of the
state that it began with. ``mc.open(path, parents=True)`` gives a `Joined`.
"""
import hashlib
import json
import os
from pathlib import Path

import numpy as np

from metacascade.base.errors import InputError, PathLike, path_of
from metacascade.io import checkpoint, samerun
from metacascade.io.results import NAME, Results, open_results
from metacascade.io.rows import Rows, Series

PATH = "`metacascade cascade RUN --parents-at PATH`, in Python parents=PATH"
ALONE = ("lesions", "clones")       # tables that a branch has whole


def open_run(path: PathLike, parents: bool | PathLike = False) -> Results:
    """The results in a file or run directory, as `Results`.

    Parameters
    ----------
    parents : bool or path
        True: those of a branch with those of its parents before it, as `Joined`; a run that is no branch is itself.
        A path: the same, where the parent's directory is now.

    Raises
    ------
    InputError
        If there are none, if they are damaged, or if parts or parents are missing that they look into.
    """
    results = open_results(path_of(path, "where results are"))
    began = parent_of(results) if parents is not False else None
    given = None if isinstance(parents, bool) else path_of(parents, "parents")
    if not began and given is None:
        return results
    results.close()
    if not began:
        raise InputError(f"{results.path} is no branch, and has no parents")
    return Joined(results.path, given, began)


def parent_of(results: Results) -> dict | None:
    """What a branch wrote down of its parent, see `told`; None of what is no branch."""
    return results.provenance[0].get("parent") if results.provenance else None


class Joined(Results):
    """The results of a branch behind those of its parent up to its start, which may be a branch too.

    The series, and the tables at outputs, of draws and of what was shed have the rows of both. Lesions and clones,
    which a branch has whole, and all else (config, provenance, digest) are its own. A column that the parent does not
    have is 0 there, or not a number.

    Attributes
    ----------
    parent : Results
    began_s : int
        When the branch began [s].
    """

    parent: Results
    began_s: int

    def __init__(self, path: PathLike, parent: PathLike | None, began: dict):
        super().__init__(path)
        self.began_s, self._before = int(began["time_s"]), {}
        try:
            self.parent = open_run(_found(self, began, parent), parents=True)
            self._refuse_other(began)
        except BaseException:
            self.close()
            raise

    def _refuse_other(self, began):
        """Raise InputError unless the parent is the run that it was."""
        same = who(self.parent) == began["run"] if began["run"] else self._has_state(began["digest"])
        if self.parent.complete and self.parent.series["time_s"][-1] == self.began_s:
            same = same and self.parent.digest == began["digest"]
        if not same:
            raise InputError(f"{self.parent.path} is of another run than that from which {self.path} began, "
                             f"{began['path']}: name the directory of that one, {PATH}")

    def _has_state(self, digest):
        """Is one of the states that the parent's directory still holds that of this digest?"""
        return self.parent.digest == digest or any(
            checkpoint.digest_of(path) == digest for path in checkpoint.found(self.parent.path.parent))

    def close(self) -> None:
        """Close the files; what was read stays."""
        super().close()
        if hasattr(self, "parent"):
            self.parent.close()

    def __getitem__(self, name: str) -> Rows:
        """A table by its name, of all the runs."""
        self._node(name)
        return Rows(self, name) if name in ALONE else JoinedRows(self, name)

    @property
    def series(self) -> dict[str, np.ndarray]:
        """Time series of all the runs: name -> array with a number for each output."""
        own, before = super().series, self.parent.series
        kept = before["time_s"] <= self.began_s
        return Series((name, np.concatenate([_column(before, name, values)[kept], values]))
                      for name, values in own.items())

    def before(self, name: str) -> np.ndarray:
        """Numbers of the rows of a table of the parent that are of the time before the branch."""
        if name not in self._before:
            self._refuse_other_names(name)
            self._before[name] = self._rows_before(name)
        return self._before[name]

    def _rows_before(self, name):
        rows = self.parent[name]
        if name == "shed":      # what was in the blood at its start the branch tells
            ended = rows[["t_event", "fate"]]
            gone = ended["fate"] != _number(self.parent.names("shed")["fate"], "open")
            return np.flatnonzero(gone & (ended["t_event"] <= self.began_s / 3600))
        return np.flatnonzero(rows["time_s"] <= self.began_s)

    def _refuse_other_names(self, table):
        for field, names in self.parent.names(table).items():
            own = self.names(table).get(field, {})
            if other := [name for number, name in names.items() if own.get(number) != name]:
                raise InputError(f"/{table} of {self.parent.path} has another {field} {other[0]} than that of "
                                 f"{self.path}, so their rows cannot be joined: open both")

    def read(self, name: str, fields: str | list[str] | None, index: int | slice | np.ndarray) -> np.ndarray:
        """Rows of a table, those of the parent first."""
        if name in ALONE:
            return super().read(name, fields, index)
        before = self.before(name)
        total = len(before) + len(self._node(name))
        if isinstance(index, int) and not -total <= index < total:
            raise IndexError(f"row {index} is not there: the table has {total:,} rows")
        if isinstance(index, slice) and (part := range(total)[index]).step == 1:
            return self._read_range(name, fields, part, before)
        wanted = np.atleast_1d(np.arange(total)[index])
        old = wanted < len(before)
        own = super().read(name, fields, wanted[~old] - len(before))
        found = np.zeros(len(wanted), own.dtype)
        found[~old] = own
        self._fill(found, name, fields, before[wanted[old]], np.flatnonzero(old))
        return found[0] if isinstance(index, int) else found

    def _read_range(self, name, fields, part, before):
        """Rows one after the other, such as a chunk of a large table: without an index of all others."""
        first, cut = part.start, len(before)
        own = super().read(name, fields, slice(max(first - cut, 0), max(part.stop - cut, 0)))
        rows = before[first:max(part.stop, first)]
        if not len(rows):
            return own
        found = np.zeros(len(rows) + len(own), own.dtype)
        found[len(rows):] = own
        self._fill(found, name, fields, rows, np.arange(len(rows)))
        return found

    def _fill(self, found, name, fields, rows, at):
        """Put rows of the parent into some places; fields that it does not have stay 0."""
        there = self.parent[name].dtype.names
        if isinstance(fields, str):
            if fields in there:
                found[at] = self.parent.read(name, fields, rows)
            return
        common = [field for field in found.dtype.names if field in there]
        read = self.parent.read(name, common, rows)
        for field in common:
            found[field][at] = read[field]


class JoinedRows(Rows):
    """A table of a `Joined`."""

    def __len__(self) -> int:
        return len(self.results.before(self.name)) + super().__len__()


def told(checkpoint_path, out, digest, time_s, config=None) -> dict:
    """What a branch writes down of its parent, for its provenance. One process.

    `path` of the checkpoint as given, `results` from the directory of the branch (None: none beside the checkpoint),
    `run`: see `who`, `digest` of the state, `time_s` of it. With the `config` of the checkpoint, where another run may
    have come into its place since, results of another config are none.
    """
    path = Path(checkpoint_path)
    found = dict(path=str(checkpoint_path), results=None, run=None, digest=digest, time_s=int(time_s))
    try:
        with open_results(path.parent, parts_needed=False) as parent:
            if config is not None and not samerun.same(config, parent.config):
                return found
            return found | dict(results=os.path.relpath(path.parent.resolve(), Path(out).resolve()), run=who(parent))
    except InputError:
        return found


def who(results) -> str:
    """SHA-256 of what started a run, and when: the same while it goes on and is resumed."""
    return hashlib.sha256(json.dumps(results.provenance[0], sort_keys=True).encode()).hexdigest()


def _found(results, began, given):
    """Where the results of the parent are."""
    if began["results"] is None and given is None:
        raise InputError(f"{results.path} began from {began['path']}, beside which no results were: name the directory "
                         f"of that run, {PATH}")
    session, here = results.provenance[0], results.path.parent
    places = [given] if given is not None else [
        Path(os.path.normpath(here.resolve() / began["results"])), Path(session["directory"], began["path"]).parent]
    for place in places:
        if Path(place, NAME).is_file() or Path(place).is_file():
            return place
    raise InputError(f"{results.path} began from {began['path']}; its results are not in "
                     f"{' nor in '.join(map(str, places))}: say where the directory of that run is now, {PATH}")


def _column(series, name, like):
    """A column of the series, of the type of `like`; without it 0, or not a number."""
    if name in series:
        return series[name].astype(like.dtype)
    return np.full(len(series["time_s"]), 0 if like.dtype.kind == "i" else np.nan, like.dtype)


def _number(names, wanted):
    return next(number for number, name in names.items() if name == wanted)
