"""A table of results, read when it is sliced."""
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from metacascade.base.names import nearest, public_names
from metacascade.base.numerals import counted
from metacascade.base.screen import one_line
from metacascade.io import rows_index, shown
from metacascade.state.observed import CLONE

if TYPE_CHECKING:
    import pandas

SHOWN = 600             # letters of the names of columns


class Series(dict):
    """Time series: name -> array, and a message for a name that is not there."""

    def __repr__(self) -> str:
        outputs, names = len(next(iter(self.values()), ())), one_line(", ".join(self), SHOWN)
        return f"<series, {counted(outputs, 'output')}, {counted(len(self), 'column')}: {names}>"

    def __missing__(self, name):
        raise KeyError(f"there is no column {one_line(repr(name), 60)}{nearest(name, self)} in /series")


class Rows:
    """A table in a file of `Results`: it is read when it is sliced, as an array of NumPy would be.

    ``rows["fate"]`` a field, ``rows[["fate", "node"]]`` several; ``rows[-1]``, ``rows[10:20]``, ``rows[[3, 1]]`` rows
    by their numbers, ``rows[mask]`` by a boolean for each; ``rows["fate", :1000]`` both, the field or fields first.
    """

    name: str

    def __init__(self, results: Any, name: str):
        self.results, self.name = results, name

    @property
    def dtype(self) -> np.dtype:
        """Names and types of the fields."""
        return self.results._node(self.name).dtype

    def __repr__(self) -> str:
        if not self.results.h5:
            return f"<table /{self.name} of {self.results.path}, closed>"
        return f"<table /{self.name}, {len(self):,} rows: {', '.join(self.dtype.names)}>"

    def _repr_html_(self) -> str:
        return shown.rows_html(self) if self.results.h5 else f"<p>{escape(repr(self))}</p>"

    def __dir__(self) -> list[str]:
        return public_names(type(self))

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.dtype.names) if self.results.h5 else []

    def __len__(self) -> int:
        return len(self.results._node(self.name))

    def __getitem__(self, key: Any) -> np.ndarray:
        """Raises InputError for an index of a wrong kind, IndexError for a row that is not there."""
        return self.results.read(self.name, *rows_index.split(key, self.dtype.names))

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)

    def columns(self) -> dict[str, np.ndarray]:
        """All rows, field by field, and what their clone and their bits stand for.

        Of cells that tell of both (/shed, /lesions): ``clone_NAME``, 0 to 1, for each trait of their clone, and
        ``bit_NAME`` for each state; with ``_shed`` at the end as it was when the cell entered the blood.
        """
        rows = self[:]          # at once: a run that goes on may put more there at any moment
        found = {field: rows[field] for field in rows.dtype.names}
        if not {"clone", "bits"} <= found.keys():
            return found
        clones = self.results["clones"][:]
        for name in clones.dtype.names[len(CLONE):]:
            found[f"clone_{name}"] = clones[name][rows["clone"]] / 255
        for field in found.keys() & {"bits", "bits_shed"}:
            found |= {f"bit_{name}{field[4:]}": rows[field] & mask > 0
                      for mask, name in self.results.masks(self.name)["bits"].items()}
        return found

    def frame(self, fields: str | list[str] | None = None) -> "pandas.DataFrame":
        """The table as a pandas DataFrame with names for numbers: as ``results.frame(name, fields)``."""
        return self.results.frame(self.name, fields)
