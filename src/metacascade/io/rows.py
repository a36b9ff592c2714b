"""A table of results, read when it is sliced."""
from typing import TYPE_CHECKING, Any

import numpy as np

from metacascade.base.errors import InputError
from metacascade.io import rows_index

if TYPE_CHECKING:
    import pandas


class Rows:
    """A table in a file of `Results`: it is read when it is sliced, as an array of NumPy would be.

    ``rows["fate"]`` a field, ``rows[["fate", "node"]]`` several; ``rows[-1]``, ``rows[10:20]``, ``rows[[3, 1]]`` rows
    by their numbers, ``rows[mask]`` by a boolean for each; ``rows["fate", :1000]`` both, the field or fields first.
    """

    def __init__(self, results: Any, name: str):
        self.results, self.name = results, name

    @property
    def dtype(self) -> np.dtype:
        """Names and types of the fields."""
        return self.results._node(self.name).dtype

    def __len__(self) -> int:
        return len(self.results._node(self.name))

    def __getitem__(self, key: Any) -> np.ndarray:
        """Raises InputError for an index of a wrong kind, IndexError for a row that is not there."""
        return self.results.read(self.name, *rows_index.split(key, self.dtype.names))

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)

    def frame(self) -> "pandas.DataFrame":
        """All rows as a pandas DataFrame (pandas must be installed), with names for enumerated numbers."""
        try:
            import pandas
        except ImportError:
            raise InputError("pandas is not installed: pip install pandas") from None
        rows = self[:]          # at once: a run that goes on may put more there at any moment
        frame = pandas.DataFrame({field: rows[field] for field in rows.dtype.names})
        for field, table in self.results.names(self.name).items():
            frame[field] = frame[field].map(table).astype("category")
        return frame
