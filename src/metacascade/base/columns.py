"""What is read out of a model: columns of the time series, each declared by whoever owns what it counts.

The ledger, the time series, the table by organ, that of a sweep, the report, and docs/formats.md follow from the
declarations.
"""
from collections.abc import Callable
from dataclasses import dataclass

from metacascade.base.numerals import singular

# What a column is. The first four make up the account of cells: born = alive + dead + removed.
BORN, ALIVE, DEAD, REMOVED, PASSED, NOW = PARTS = ("born", "alive", "dead", "removed", "passed", "now")
MEANING = {
    BORN: "born, since the start", ALIVE: "alive now", DEAD: "dead, since the start",
    REMOVED: "removed, since the start", PASSED: "passed on or counted, since the start", NOW: "as it is now"}
ACCOUNT = (BORN, ALIVE, DEAD, REMOVED)
CTCS, LESIONS = "CTCs", "lesions"             # records that are at a node
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

    `part` is one of PARTS. Without `mean`, and if it is not `real`, it is a whole number, the sum of what each rank has
    counted.
    """
    name: str
    unit: str
    doc: str
    part: str = PASSED
    mean: MeanOverCells | None = None
    real: bool = False      # of what is measured at outputs: a number that need not be whole

    def __post_init__(self):
        if self.part not in PARTS or (self.mean or self.real) and self.part != NOW:
            raise ValueError(f"{self.name}: {self.part!r} is not what a column of its kind can be")

    @property
    def kind(self) -> type:
        """Of its values: int or float."""
        return float if self.mean or self.real else int


@dataclass(frozen=True)
class NodeColumn:
    """A column of the table by organ: a whole number for each node of the circuit, summed over records and ranks.

    `count` says what each of an array of records counts for, an array of integers or booleans; the records are those
    of CTCs or of LESIONS.
    """
    name: str
    unit: str
    doc: str
    records: str
    count: Callable

    def __post_init__(self):
        if self.records not in (CTCS, LESIONS):
            raise ValueError(f"{self.name}: there are no records of {self.records!r}, only {CTCS} and {LESIONS}")


@dataclass(frozen=True)
class ReportLine:
    """A line of the report at the end of a run: totals in a text, ``{tissue:,} cells``.

    It is left out if all columns that `if_any` names are 0, or not there; without such names it is always there.
    """
    title: str
    text: str
    if_any: tuple = ()

    def of(self, totals) -> list[str]:
        """The line, or none; `totals`: name of a column -> number."""
        told = not self.if_any or any(totals.get(name) for name in self.if_any)
        return [f"  {self.title:<10}{singular(self.text.format_map(totals))}"] if told else []


def cells(name, part, doc) -> Column:
    """A column that counts cells."""
    return Column(name, "cells", doc, part)


def mean_over_cells(name, unit, doc, field, resolution=2.0**-16) -> Column:
    """A column with the mean of a field over the cells in tissue, not a number where there are none."""
    return Column(name, unit, doc, NOW, MeanOverCells(field, resolution))


def measured(name, unit, doc) -> Column:
    """A column with a number that is measured at each output, not a number where there is nothing to measure."""
    return Column(name, unit, doc, NOW, real=True)


def in_order(columns) -> tuple:
    """Part after part, in each as declared. Raises ValueError for a name that is there twice."""
    names = [column.name for column in columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(twice)}: declared as a column twice")
    return tuple(column for part in PARTS for column in columns if column.part == part)


def table(columns) -> str:
    """One line a column, for a terminal."""
    return "".join(f"{column.name:20} {column.unit:14} {column.doc}; {MEANING[column.part]}\n" for column in columns)


def table_by_node(columns) -> str:
    """One line a column of the table by organ, for a terminal."""
    return "".join(f"{'organs/' + column.name:20} {column.unit:14} {column.doc}; in each organ\n" for column in columns)


def markdown(columns) -> str:
    """The table of docs/formats.md."""
    lines = ["| column | unit | meaning |", "|---|---|---|"]
    for part in PARTS:
        of_part = [column for column in columns if column.part == part]
        lines += [f"| **{MEANING[part]}** | | |"] * bool(of_part)
        lines += [f"| `{column.name}` | {column.unit} | {column.doc} |" for column in of_part]
    return "\n".join(lines) + "\n"


def markdown_by_node(columns) -> str:
    """The table by organ of docs/formats.md."""
    lines = ["| column of `organs` | unit | meaning |", "|---|---|---|"]
    return "\n".join(lines + [f"| `{column.name}` | {column.unit} | {column.doc} |" for column in columns]) + "\n"
