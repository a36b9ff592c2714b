"""Results as data frames of pandas and datasets of xarray; both are imported when they are asked for."""
import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from metacascade.base.errors import InputError
from metacascade.base.names import nearest, public_names
from metacascade.base.screen import one_line
from metacascade.io import needs, shown
from metacascade.io.cascade import Cascade, kept
from metacascade.io.structure import understood

if TYPE_CHECKING:
    import pandas
    import xarray

READOUTS = ("funnel", "lineages", "burdens", "halvings", "survival", "concentration", "cellsearch", "routes",
            "founders", "largest_lesions")
AT_OUTPUTS = ("series", "concentration", "cellsearch")      # with a row for each output
SUFFIXES = {"_h": "h", "_s": "s", "_um": "um", "_mL": "mL", "_per_mL": "1/mL"}     # of columns of read-outs: units
DAY_S = 86400
MOST = 1 << 28          # values of an array, with zeros for what no row tells of


class Frames(Cascade):
    """`Results` as pandas and xarray take them; ``pip install "metacascade[frames]"`` brings both."""

    path: Path

    def __dir__(self) -> list[str]:
        return public_names(type(self))

    def _repr_html_(self) -> str:
        return shown.results_html(self)

    def frame(self, name: str, fields: str | list[str] | None = None) -> "pandas.DataFrame":
        """A table, the time series ("series"), or a read-out ("funnel", "lineages", ...) as a pandas DataFrame.

        Numbers that stand for names are categories. Tables of cells have the traits of their clone and their bits as
        columns, see `Rows.columns`. The index of the series, and of the read-outs at each output, is the time [day].

        Parameters
        ----------
        fields : str or list of str, optional
            Only these columns; of a large table nothing else is read.

        Returns
        -------
        DataFrame
            ``attrs["units"]`` is {column: unit} as far as it has one, ``attrs["source"]`` the file.

        Raises
        ------
        InputError
            If pandas is not installed, for a name or field that is not there, and as the read-outs do.
        """
        pandas = library("pandas")
        fields = [fields] if isinstance(fields, str) else fields
        columns, units = self._columns(name, fields)
        index = _days(pandas, columns) if name in AT_OUTPUTS else None
        columns = _chosen(columns, fields, name)
        frame = pandas.DataFrame(columns, index=index)
        for field, names in self.names(name).items() if name in self.tables() else ():
            if field in columns:
                frame[field] = _categories(pandas, columns[field], names)
        frame.attrs["units"] = {column: units[column] for column in columns if column in units}
        frame.attrs["source"] = str(self.path)
        return frame

    def tables(self) -> list[str]:
        """Names of the tables that there are: ``results[name]``, ``results.frame(name)``."""
        self._node("series")        # refuses a closed file
        return [name for name in self.h5 if hasattr(self.h5[name], "dtype")]

    def _ipython_key_completions_(self) -> list[str]:
        return self.tables() if self.h5 else []

    def frames(self) -> list[str]:
        """All that `frame` takes."""
        return ["series", *self.tables(), *READOUTS]

    def _columns(self, name, fields):
        """({column: values}, {column: unit}) of whatever `frame` takes; InputError for a name that is none."""
        if not isinstance(name, str) or not (name == "series" or name in READOUTS or name in self.tables()):
            raise InputError(f"there is no table {one_line(repr(name), 60)}{nearest(str(name), self.frames())}; there "
                             f"are {', '.join(self.frames())}")
        if name in READOUTS:
            return _of_readout(name, getattr(self, name)())
        if name == "series":
            return dict(self.series), {column: self.units(f"series/{column}") for column in self.series}
        return self._of_table(name, fields)

    def _of_table(self, name, fields):
        """({column: values}, {column: unit}) of a table, or of some stored fields of it."""
        rows = self[name]
        if fields is not None and set(fields) <= set(rows.dtype.names):
            found = rows[list(fields)]
            columns = {field: found[field] for field in fields}
        else:
            columns = rows.columns()
        return columns, self.units(name) | {
            column: "1" for column in columns if column.startswith(("clone_", "bit_"))}

    def dataset(self) -> "xarray.Dataset":
        """All that is told at each output, as an xarray Dataset: the time series, and what is by organ and by clone.

        Variables: each column of the series over ``time``; ``organ_NAME`` for each column of the table of organs, over
        (time, organ); ``events`` over (time, organ, event); ``clone_cells`` over (time, place, clone). Coordinates:
        ``time`` [day], names of organs, events and places, numbers of clones (65535: all that are too small). Each has
        a ``long_name``, and each but the names its ``units``.

        Raises
        ------
        InputError
            If xarray is not installed, if there is no output yet, or if there are too many clones for an array.
        """
        xarray, found = library("xarray"), kept(self)
        times = needs.time_s(found)
        texts = {name: _long_names(self, name) for name in ("series", "organs")}
        data = {name: ("time", values, _about(self.units(f"series/{name}"), texts["series"][name]))
                for name, values in found.series.items()}
        organs = found["organs"]
        names = self.names("organs")["node"]
        at = (*_places(organs["time_s"], times), *_places(organs["node"], list(names)))
        units = self.units("organs")
        for name in organs.dtype.names[2:]:
            data[f"organ_{name}"] = (("time", "organ"), _spread(organs[name], at, (len(times), len(names))),
                                     _about(units[name], texts["organs"][name]))
        coords = {"time": ("time", times / DAY_S, _about("day", "simulated time")),
                  "organ": _named("organ", names, "organ, or blood between organs")}
        self._add_events(found, times, data, coords)
        self._add_clones(found, times, data, coords)
        return xarray.Dataset(data, coords, dict(
            title=str(self.config.get("title") or ""), source=str(self.path), complete=int(self.complete),
            digest=self.digest))

    def _add_events(self, found, times, data, coords):
        """Add the cells by event and organ."""
        rows, names = found["events"], self.names("events")
        at = (*_places(rows["time_s"], times), *_places(rows["node"], list(names["node"])),
              *_places(rows["event"], list(names["event"])))
        shape = len(times), len(names["node"]), len(names["event"])
        data["events"] = (("time", "organ", "event"), _spread(rows["cells"], at, shape),
                          _about("cells", "cells by what happened to them in the blood, since the start"))
        coords["event"] = _named("event", names["event"], "what happened in the blood")

    def _add_clones(self, found, times, data, coords):
        """Add the cells of each clone at each place."""
        rows, names = found["clone_cells"], self.names("clone_cells")["place"]
        clones = np.unique(rows["clone"])
        at = (*_places(rows["time_s"], times), *_places(rows["place"], list(names)), *_places(rows["clone"], clones))
        shape = len(times), len(names), len(clones)
        if np.prod(shape, dtype=float) > MOST:
            raise InputError(f"{' x '.join(map(str, shape))} outputs, places and clones are more than {MOST:,} values: "
                             'results.frame("clone_cells") has those that are not 0; output.clones limits the clones')
        data["clone_cells"] = (("time", "place", "clone"), _spread(rows["cells"], at, shape),
                               _about("cells", "cells of each clone"))
        coords |= {"place": _named("place", names, "where cells are: tissue, blood, or lesions of an organ"),
                   "clone": ("clone", clones.astype(int), _about("1", "row of the table of clones, 65535: others"))}


def library(name) -> Any:
    """pandas or xarray. InputError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise InputError(f'{name} is not installed: pip install "metacascade[frames]"') from None


def _of_readout(name, found):
    """(columns, units) of what a read-out gives: a list of rows, a dict of arrays, or one of dicts."""
    if name == "routes":
        found = [dict(came_from=origin, organ=organ, lesions=n)
                 for origin, row in found.items() for organ, n in row.items()]
    if isinstance(found, list):
        found = {column: [row[column] for row in found] for column in (found[0] if found else ())}
    units = {column: unit for column in found for suffix, unit in SUFFIXES.items() if column.endswith(suffix)}
    return found, units


def _days(pandas, columns):
    """The times of outputs as an index [day]."""
    days = columns["time_s"] / DAY_S if "time_s" in columns else columns["time_h"] / 24
    return pandas.Index(days, name="day")


def _chosen(columns, fields, name):
    """Some of the columns. InputError for one that is not there."""
    if fields is None:
        return columns
    for field in fields:
        if field not in columns:
            raise InputError(f"{name} has no column {one_line(repr(field), 60)}{nearest(str(field), columns)}; it has "
                             f"{', '.join(columns)}")
    return {field: columns[field] for field in fields}


def _categories(pandas, numbers, names):
    """Numbers as the names that they stand for."""
    code = np.full(max([*names, int(numbers.max(initial=0))]) + 1, -1)
    code[list(names)] = np.arange(len(names))
    return pandas.Categorical.from_codes(code[numbers], list(names.values()))


def _places(values, among):
    """Where each of some values stands among others, as a tuple of one array: an index of one dimension."""
    among = np.asarray(among)
    order = np.argsort(among)
    return (order[np.searchsorted(among, values, sorter=order)] if len(among) else np.zeros(len(values), int),)


def _spread(values, at, shape):
    """An array with zeros but for `values` at some places."""
    found = np.zeros(shape, np.int64)
    found[at] = values
    return found


def _named(dim, names, long_name):
    """A coordinate of names."""
    return dim, list(names.values()), {"long_name": long_name}


def _about(unit, long_name):
    return {"units": unit, "long_name": long_name}


def _long_names(results, name):
    """{column: what it is} as the run wrote it; in results of before the name alone."""
    node = results._node(name)
    with understood(results.path):
        texts = json.loads(node.attrs.get("long_names", "{}"))
    return {column: f"{column}: {texts[column]}" if column in texts else column
            for column in (results.series if name == "series" else node.dtype.names)}
