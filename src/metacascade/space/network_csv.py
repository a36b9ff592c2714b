"""A vessel network from a table in text: a line for each segment, and names of columns (``docs/formats``)."""
from __future__ import annotations

import csv

import numpy as np

from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.base.numerals import is_count, number
from metacascade.space.network_pieces import Pieces, Problems, numbers, text_of

ENDS = ("x1", "y1", "z1", "x2", "y2", "z2")
WIDTHS = (("radius",), ("diameter",), ("radius1", "radius2"), ("diameter1", "diameter2"))     # one of these
OF_WIDTH = tuple(name for names in WIDTHS for name in names)
KNOWN = (*ENDS, *OF_WIDTH, "maturity", "perfused")
FORM = f"{','.join(ENDS)},radius[,maturity][,perfused]"
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " "}


def read(path, vessels, problems: Problems) -> Pieces:
    """The segments of a table. Raises InputError where it is none; what is wrong in its lines goes to `problems`."""
    rows = _rows(path, vessels.separator)
    line, first = rows[0]
    headed = not all(map(_is_number, first))
    where = f"{path}:{line}"
    at = _columns(first if headed else None, len(first), columns_of(vessels.columns, KNOWN), where)
    names = {ours: first[column] if headed else ours for ours, column in at.items()}
    unread = [name for column, name in enumerate(first) if name and column not in at.values()] if headed else []
    rows = rows[headed:]
    if not rows:
        raise InputError(f"{path}: no segments after the first line")
    pieces = _pieces(rows, len(first), at, names, problems)
    pieces.notes += [f"columns that are not read: {', '.join(unread)}"] if unread else []
    return pieces


def columns_of(text: str | None, known) -> dict[str, str]:
    """``"radius = r_um, x1 = #4"`` as {our name: that of the file}. Raises InputError."""
    found = {}
    for part in text.split(",") if text else ():
        ours, equals, theirs = (word.strip() for word in part.partition("="))
        if ours not in known:
            raise InputError(f"vessels.columns: there is no column {ours!r}{nearest(ours, known)}; "
                             f"columns: {', '.join(known)}")
        if not equals or not theirs or ours in found:
            raise InputError(f'vessels.columns: {part.strip()}: write it once, as "{ours} = NAME IN THE FILE"')
        found[ours] = theirs
    return found


def _rows(path, separator) -> list[tuple[int, list[str]]]:
    """Number and values of each line that is neither empty nor a comment."""
    lines = [(number, line) for number, line in enumerate(text_of(path).splitlines(), 1)
             if line.strip(" \t,;") and not line.lstrip(" \t\"").startswith("#")]
    if not lines:
        raise InputError(f"{path}:1: the first line must name the columns {FORM}, not nothing")
    mark = SEPARATORS[separator] if separator else next((m for m in ",;\t" if m in lines[0][1]), " ")
    if mark == " ":
        return [(number, line.split()) for number, line in lines]
    try:
        cells = list(csv.reader((line for _, line in lines), delimiter=mark, strict=True))
    except csv.Error as error:
        raise InputError(f"{path}: cannot read this vessel network: {error}") from None
    if len(cells) != len(lines):
        raise InputError(f"{path}: cannot read this vessel network: a quoted value goes on in the next line")
    return [(number, [cell.strip() for cell in row]) for (number, _), row in zip(lines, cells)]


def _is_number(text: str) -> bool:
    try:
        number(text)
    except ValueError:
        return False
    return True


def _columns(header, width: int, chosen: dict[str, str], where: str) -> dict[str, int]:
    """Our name -> the column of the file, from its header (None: it has none) and what the config chooses."""
    at = {ours: _chosen(ours, theirs, header, width, where) for ours, theirs in chosen.items()}
    by_width = any(name in at for name in OF_WIDTH)
    for name in KNOWN:
        if header and name in header and name not in at and not (by_width and name in OF_WIDTH):
            at[name] = _chosen(name, name, header, width, where)
    widths = [names for names in WIDTHS if any(name in at for name in names)]
    whole = all(name in at for name in (*ENDS, *(widths[0] if widths else ())))
    strange = [name for name in header or () if not chosen and name not in KNOWN]
    if len(widths) != 1 or not whole or strange:
        found = ",".join(header or ["no names"])
        raise InputError(f"{where}: the first line must name the columns {FORM}, in any order, not {found[:200]}; "
                         f"diameter, or radius1,radius2 of the two ends, may stand for radius. Of other columns say "
                         'which is which with vessels.columns = "x1 = NAME, radius = NAME, ...", #N is the Nth')
    return at


def _chosen(ours: str, theirs: str, header, width: int, where: str) -> int:
    """The column that the config calls `theirs`."""
    if theirs.startswith("#") and is_count(theirs[1:]):
        if not 1 <= int(theirs[1:]) <= width:
            raise InputError(f"{where}: vessels.columns: {ours} = {theirs}: there are {width} columns")
        return int(theirs[1:]) - 1
    if header is None:
        raise InputError(f"{where}: vessels.columns: {ours} = {theirs}: the file names no columns; #1 is the first")
    if header.count(theirs) != 1:
        raise InputError(f"{where}: vessels.columns: {ours} = {theirs}: "
                         + (f"{header.count(theirs)} columns have this name" if theirs in header else
                            f"there is no such column{nearest(theirs, header)}"))
    return header.index(theirs)


def _pieces(rows, width: int, at: dict[str, int], names: dict[str, str], problems: Problems) -> Pieces:
    for line, cells in rows:
        if len(cells) != width:
            problems.add(line, f"{len(cells)} values, but the first line has {width} columns")
    rows = [(line, cells) for line, cells in rows if len(cells) == width]
    places = [line for line, _ in rows]
    value = {ours: numbers(names[ours], [cells[column] for _, cells in rows], places, problems)
             for ours, column in at.items()}
    for name, allowed, rule in (("maturity", _is_share, "from 0 (immature) to 1 (mature)"),
                                ("perfused", _is_switch, "0 or 1")):
        for row in np.flatnonzero(~allowed(value[name])) if name in value else ():
            problems.add(places[row], f"{names[name]} = {rows[row][1][at[name]]}: must be {rule}")
    wide = [value[name] * (0.5 if name.startswith("diameter") else 1.0) for name in OF_WIDTH if name in value]
    return Pieces(
        np.stack([value[name] for name in ENDS[:3]], axis=1), np.stack([value[name] for name in ENDS[3:]], axis=1),
        wide[0] if len(wide) == 1 else 0.5 * (wide[0] + wide[1]), np.array(places, np.int64),
        perfused=value["perfused"] != 0.0 if "perfused" in value else np.ones(len(rows), bool),
        maturity=value.get("maturity"))


def _is_share(x: np.ndarray) -> np.ndarray:
    return np.isnan(x) | (x >= 0.0) & (x <= 1.0)


def _is_switch(x: np.ndarray) -> np.ndarray:
    return np.isnan(x) | (x == 0.0) | (x == 1.0)
