"""A figure of the report with its caption and its numbers, and the numbers as CSV."""
import csv
import io
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Plate", "column", "csv_text"]


@dataclass(frozen=True)
class Plate:
    """A figure: `name` of its files, `caption` in words, the matplotlib `figure`, `rows` of its table, dots of an inch.

    A row is a dict, name of a column with its unit in brackets -> number or text.
    """
    name: str
    caption: str
    figure: Any
    rows: list[dict] = field(default_factory=list)
    dpi: int = 150


def column(name, unit="") -> str:
    """The head of a column of a table: ``radius [um]``; without a unit the name."""
    return f"{name} [{unit}]" if unit not in ("", "1", None) else name


def csv_text(rows) -> str:
    """The rows as CSV; columns in the order in which they first come."""
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), restval="",
                           lineterminator="\n")
    table.writeheader()
    table.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value):
    if value is None or isinstance(value, float) and value != value:
        return ""
    return repr(float(value)).removesuffix(".0") if isinstance(value, float) else value
