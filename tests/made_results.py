"""Results that are made by hand, for read-outs that look at few of them."""
import numpy as np


class Made:
    """Results that are made by hand: tables are arrays, `enumerations` is {table: {field: {number: name}}}."""

    def __init__(self, series, enumerations=(), complete=True, config=None, **tables):
        self.series = {name: np.asarray(values) for name, values in series.items()}
        self.tables, self.enumerations, self.complete = tables, dict(enumerations), complete
        self.config = config or {"run": {"seed": 7}}
        self.blood_mL = {"tumor": 1e-10, "venous": 1000.0, "lung": 500.0, "lymph_node": 0.0}

    def __contains__(self, name):
        return name in self.tables

    def __getattr__(self, name):
        try:
            return self.__dict__["tables"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __getitem__(self, name):
        return self.tables[name]

    def names(self, table):
        return self.enumerations.get(table, {})


class Sliced:
    """A table that is read by fields and rows, as one of results is."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, key):
        fields, rows = key if isinstance(key, tuple) else (None, key)
        return self.rows[rows] if fields is None else self.rows[rows][fields]
