"""A vessel network from a CSV file: every line is read and checked before a run starts.

The format is documented in ``docs/formats``; lengths are in um.
"""
from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from metacascade._kernels._vessels import SEGMENT
from metacascade.errors import InputError
from metacascade.network_check import duplicates, overlaps

COORDINATES = ("x1", "y1", "z1", "x2", "y2", "z2")
NEEDED = (*COORDINATES, "radius")
HEADERS = [NEEDED, (*NEEDED, "maturity"), (*NEEDED, "maturity", "perfused")]
FARTHEST_UM = 1e6             # 1 m: beyond it the unit must be wrong
WIDEST_UM = 1e4               # 1 cm
SHOWN = 100                   # problems listed in full


def read_network(path, *, maturity: float) -> np.ndarray:
    """The segments of a CSV file, in its order: a SEGMENT array.

    `maturity` is given to segments of files without that column; without `perfused` all are perfused.

    Raises
    ------
    InputError
        If the file cannot be read or any line is wrong: one line ``file:line: problem`` for each.
    """
    problems: list[tuple[int, str]] = []
    rows, lines = _read(Path(path), maturity, problems)
    segments = np.array([(*row, 0, 0, 0) for row in rows], SEGMENT)
    problems += [(lines[j], f"the same two ends as line {lines[i]}") for i, j in duplicates(segments)]
    problems += [(lines[j], f"overlaps line {lines[i]}: the center lines come within {d:.3g} um, less than half of "
                            "the smaller radius; where vessels join, write their ends alike")
                 for i, j, d in overlaps(segments)]
    if problems:
        raise InputError(_message(path, problems))
    return segments


def _message(path, problems: list[tuple[int, str]]) -> str:
    listed = [f"{path}:{line}: {what}" for line, what in sorted(problems)[:SHOWN]]
    more = len(problems) - len(listed)
    return "\n".join(listed + ([f"{path}: and {more} more problems"] if more else []))


def _read(path: Path, maturity: float, problems: list) -> tuple[list[tuple], list[int]]:
    """Rows of the nine members of a segment, and their line numbers; adds to `problems`."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            numbered = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot read this vessel network: {error}") from None
    numbered = [(line, row) for line, row in numbered if any(row) and not row[0].startswith("#")]
    if not numbered or tuple(numbered[0][1]) not in HEADERS:
        line, found = numbered[0] if numbered else (1, [])
        raise InputError(f"{path}:{line}: the first line must be {','.join(NEEDED)}[,maturity[,perfused]], "
                         f"not {','.join(found) or 'nothing'}")
    if len(numbered) == 1:
        raise InputError(f"{path}: no segments after the first line")
    header = numbered[0][1]
    rows, lines = [], []
    for line, row in numbered[1:]:
        found: list[str] = []
        values = _row(header, row, maturity, found)
        problems += [(line, what) for what in found]
        if not found:
            rows.append(values)
            lines.append(line)
    return rows, lines


def _row(header: list[str], row: list[str], maturity: float, problems: list[str]) -> tuple:
    """The nine members of a segment; adds what is wrong to `problems`."""
    if len(row) != len(header):
        problems.append(f"{len(row)} values, but the first line names {len(header)} columns")
        return ()
    value = {"maturity": maturity, "perfused": 1.0}
    for name, text in zip(header, row):
        value[name] = _number(name, text, problems)
    if not problems and [value[c] for c in COORDINATES[:3]] == [value[c] for c in COORDINATES[3:]]:
        problems.append("both ends are the same point: a segment needs a length")
    return tuple(value[c] for c in (*NEEDED, "maturity", "perfused"))


RULES = {
    "radius": (lambda x: 0.0 < x <= WIDEST_UM, f"more than 0 and at most {WIDEST_UM:g} um"),
    "maturity": (lambda x: 0.0 <= x <= 1.0, "from 0 (immature) to 1 (mature)"),
    "perfused": (lambda x: x in (0.0, 1.0), "0 or 1"),
}
PLACE = (lambda x: abs(x) <= FARTHEST_UM, f"a number of um, at most {FARTHEST_UM:g} from 0")


def _number(name: str, text: str, problems: list[str]) -> float:
    allowed, rule = RULES.get(name, PLACE)
    try:
        x = float(text)
    except ValueError:
        x = math.nan
    if not (math.isfinite(x) and allowed(x)):
        problems.append(f"{name} = {text or 'nothing'}: must be {rule}")
    return x
