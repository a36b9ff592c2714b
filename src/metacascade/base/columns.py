"""What is read out of a model: columns of the time series, each declared by whoever owns what it counts.

The ledger, the time series, the table of a sweep, and docs/formats.md follow from the declarations.
"""
from dataclasses import dataclass

# What a column is. The first four make up the account of cells: born = alive + dead + removed.
BORN, ALIVE, DEAD, REMOVED, PASSED, NOW = PARTS = ("born", "alive", "dead", "removed", "passed", "now")
MEANING = {
    BORN: "born, since the start", ALIVE: "alive now", DEAD: "dead, since the start",
    REMOVED: "removed, since the start", PASSED: "passed on or counted, since the start", NOW: "as it is now"}
ACCOUNT = (BORN, ALIVE, DEAD, REMOVED)
GROWING = (BORN, DEAD, REMOVED, PASSED)      # totals that are added to; the others are counted anew


@dataclass(frozen=True)
class MeanOverCells:
    """The mean of a field over the cells in tissue: a ratio of two sums of integers.

    A value counts in multiples of `resolution`, so that no sum of floats runs over tiles or ranks.
    """
    field: str
    resolution: float = 2.0**-16        # in the unit of the field


@dataclass(frozen=True)
class Column:
    """A column of the time series, one value over all ranks.

    `part` is one of PARTS. Without `mean` it is a whole number, the sum of what each rank has counted.
    """
    name: str
    unit: str
    doc: str
    part: str = PASSED
    mean: MeanOverCells | None = None

    def __post_init__(self):
        if self.part not in PARTS or self.mean and self.part != NOW:
            raise ValueError(f"{self.name}: {self.part!r} is not what a column of its kind can be")

    @property
    def kind(self) -> type:
        """Of its values: int or float."""
        return float if self.mean else int


def cells(name, part, doc) -> Column:
    """A column that counts cells."""
    return Column(name, "cells", doc, part)


def mean_over_cells(name, unit, doc, field, resolution=2.0**-16) -> Column:
    """A column with the mean of a field over the cells in tissue, not a number where there are none."""
    return Column(name, unit, doc, NOW, MeanOverCells(field, resolution))


def in_order(columns) -> tuple:
    """Part after part, in each as declared. Raises ValueError for a name that is there twice."""
    names = [column.name for column in columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(twice)}: declared as a column twice")
    return tuple(column for part in PARTS for column in columns if column.part == part)


def table(columns) -> str:
    """One line a column, for a terminal."""
    return "".join(f"{column.name:20} {column.unit:14} {column.doc}; {MEANING[column.part]}\n" for column in columns)


def markdown(columns) -> str:
    """The table of docs/formats.md."""
    lines = ["| column | unit | meaning |", "|---|---|---|"]
    for part in PARTS:
        of_part = [column for column in columns if column.part == part]
        lines += [f"| **{MEANING[part]}** | | |"] * bool(of_part)
        lines += [f"| `{column.name}` | {column.unit} | {column.doc} |" for column in of_part]
    return "\n".join(lines) + "\n"
