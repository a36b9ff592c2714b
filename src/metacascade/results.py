"""Read the results of a run: lazy NumPy views of results.h5, also while the run goes on.

``mc.open(path)`` gives a `Results`; ``docs/formats.md`` lists every dataset.
"""
import json
import os
from pathlib import Path

import numpy as np

from metacascade import datasets
from metacascade.errors import InputError

NAME, FORMAT = "results.h5", 1


def open_results(path):
    """The results in a file or run directory, as `Results`. Raises InputError if there are none."""
    return Results(path)


class Results:
    """The results of a run, complete or still growing.

    Attributes
    ----------
    series : dict
        Time series: name -> array. Units by ``results.units("series/NAME")``.
    shed, draws, lesions : Rows
        Tables that are read when sliced: ``results.shed["fate"]``, ``results.shed[:1000]``.
    config : dict
        As resolved, in internal units; `config_text` as given.
    provenance : list of dict
        One for every session (start or resume) of the run.
    complete : bool
        False while the run goes on, or after it was interrupted.
    digest : str
        Of the final state; empty until complete.
    """

    def __init__(self, path):
        path = Path(path)
        self.path = path / NAME if path.is_dir() else path
        self._open()

    def _open(self):
        self.h5 = datasets.open_file(self.path)
        if _text(self.h5.attrs.get("kind", "")) != "results":
            raise InputError(f"{self.path} does not hold results of metacascade")
        if (found := int(self.h5.attrs["format_version"])) != FORMAT:
            raise InputError(f"{self.path} has format {found}; this version of metacascade reads format {FORMAT}")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        self.h5.close()

    def __contains__(self, name):
        return name in self.h5

    def __getitem__(self, name):
        """A table by its name: ``results["shed"]``."""
        if name not in self.h5:
            raise KeyError(f"{self.path} has no /{name}; it has {', '.join(sorted(self.h5))}")
        return Rows(self, name)

    shed = property(lambda self: self["shed"])
    draws = property(lambda self: self["draws"])
    lesions = property(lambda self: self["lesions"])
    complete = property(lambda self: bool(self.h5.attrs["complete"]))
    digest = property(lambda self: _text(self.h5.attrs["digest"]))
    config = property(lambda self: json.loads(self._string("config/resolved")))
    config_text = property(lambda self: self._string("config/text"))
    provenance = property(lambda self: json.loads(self._string("provenance/sessions")))

    @property
    def series(self):
        return {name: dataset[:] for name, dataset in self.h5["series"].items()}

    def units(self, name):
        """The unit of a dataset, or of every field of a table: a text or a dict."""
        attributes = self.h5[name].attrs
        return json.loads(attributes["units"]) if "units" in attributes else _text(attributes["unit"])

    def names(self, name):
        """What the numbers in a table mean: field -> {number: name}."""
        stored = json.loads(self.h5[name].attrs["enumerations"])
        return {field: {int(number): text for number, text in table.items()} for field, table in stored.items()}

    def _string(self, name):
        return self.h5[name].asstr()[()]

    def _lost_parts(self, name):
        """True if a finished run has merged the parts that this file looks into: it reads zeros there."""
        dataset = self.h5[name]
        return dataset.is_virtual and not all(
            os.path.exists(self.path.parent / source.file_name) for source in dataset.virtual_sources())


class Rows:
    """A table in a file: it is read when it is sliced, by rows or by the name of a field."""

    def __init__(self, results, name):
        self.results, self.name = results, name

    @property
    def dtype(self):
        return self.results.h5[self.name].dtype

    def __len__(self):
        return len(self.results.h5[self.name])

    def __getitem__(self, key):
        rows = self.results.h5[self.name][key]
        if self.results._lost_parts(self.name):
            self.results.close()
            self.results._open()
            rows = self.results.h5[self.name][key]
        return rows

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype)

    def frame(self):
        """All rows as a pandas DataFrame (pandas must be installed), with names for enumerated numbers."""
        import pandas
        frame = pandas.DataFrame({field: self[field] for field in self.dtype.names})
        for field, table in self.results.names(self.name).items():
            frame[field] = frame[field].map(table).astype("category")
        return frame


def describe(path):
    """What is in a file of results, as text."""
    with open_results(path) as results:
        series, state = results.series, "complete" if results.complete else "not complete: running or interrupted"
        last = {name: values[-1] for name, values in series.items() if len(values)}
        lines = [f"{results.path}: results, format {FORMAT}, {state}"]
        lines += [f"  {len(results[name])} rows in /{name}" for name in ("shed", "draws", "lesions") if name in results]
        lines += [f"  started {session.get('started', '?')} on {session.get('ranks', '?')} ranks: "
                  f"{session.get('command', '?')}" for session in results.provenance]
        lines += [f"  digest {results.digest}"] if results.complete else []
        lines += ["  last row of /series"] * bool(last)
        lines += [f"    {name:28} {value:.10g} {results.units('series/' + name)}".removesuffix(" 1")
                  for name, value in last.items()]
    return "\n".join(lines)


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)
