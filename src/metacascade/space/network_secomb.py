"""A vessel network from a file of the programs of Secomb (``network.dat`` of Greens, FlowEstimate and others)."""
from __future__ import annotations

import numpy as np

from metacascade.base.errors import InputError
from metacascade.base.numerals import is_count, number
from metacascade.space.network_pieces import Pieces, Problems, joined_nodes, numbers, rows_by_name, text_of

COUNT = 6                     # lines before that with the number of segments: title, box, points, bound, length, most
FLOWING = ("4", "5")          # types of segments with blood in them; others are sprouts and closed vessels


def read(path, vessels, problems: Problems) -> Pieces:
    """The segments of the file. Raises InputError where it is none; what is wrong in its lines goes to `problems`.

    One is perfused if its type is 4 or 5 and its flow is not 0; where all flows are 0 they are unknown.
    """
    lines = [(number, line.split()) for number, line in enumerate(text_of(path).splitlines(), 1) if line.strip()]
    segments, rest = _table(path, lines[COUNT:], "segments", 5)
    nodes, _ = _table(path, rest, "nodes", 4)
    if not segments:
        raise InputError(f"{path}: no segments in this vessel network")
    row = rows_by_name(nodes, "node", problems)
    places = [number for number, _ in nodes]
    points = np.stack([numbers(axis, [words[1 + k] for _, words in nodes], places, problems)
                       for k, axis in enumerate("xyz")], axis=1)
    known = [segment for segment in segments if _has_nodes(segment, row, problems)]
    places = [number for number, _ in known]
    diameter = numbers("diameter", [words[4] for _, words in known], places, problems)
    perfused, notes = _perfused(known, places, problems)
    return joined_nodes(points, [(row[words[2]], row[words[3]]) for _, words in known], 0.5 * diameter[:, None], places,
                        perfused=perfused, name=[words[0] for _, words in known], notes=notes, box=_box(lines))


def _table(path, lines, what: str, width: int):
    """The rows of a table, ``N total number of ...`` and a line of names before them, and the lines after it."""
    place, words = lines[0] if lines else (1, [""])
    if len(lines) < 2 or not is_count(words[0]):
        raise InputError(f"{path}:{place}: not a network of Secomb's programs: expected the number of {what} and a "
                         f"line of names, found {' '.join(words)[:60] or 'nothing'}. See vessels.format")
    number = int(words[0])
    rows = lines[2:2 + number]
    if len(rows) < number:
        raise InputError(f"{path}:{place}: {number:,} {what} are announced, and {len(rows):,} lines follow")
    for at, found in rows:
        if len(found) < width:
            raise InputError(f"{path}:{at}: expected at least {width} values of one of {number:,} {what}, found "
                             f"{' '.join(found)[:60]}")
    return rows, lines[2 + number:]


def _box(lines):
    """The dimensions of the box of tissue, in the second line; None if they are no numbers."""
    try:
        x, y, z = (number(word) for word in lines[1][1][:3])
    except ValueError:
        return None
    return x, y, z


def _has_nodes(segment, row, problems: Problems) -> bool:
    place, words = segment
    missing = [name for name in words[2:4] if name not in row]
    if missing:
        problems.add(place, f"segment {words[0]}: there is no node {missing[0]}")
    return not missing


def _perfused(segments, places, problems: Problems) -> tuple[np.ndarray, list[str]]:
    """Which segments have blood in them, and notes about it."""
    open_ = np.array([words[1] in FLOWING for _, words in segments], bool)
    notes = [f"{np.sum(~open_):,} segments of other types than 4 and 5: not perfused"] if not open_.all() else []
    if not all(len(words) > 5 for _, words in segments):
        return open_, notes
    flow = numbers("flow", [words[5] for _, words in segments], places, problems)
    if not flow.any():
        return open_, [*notes, "every flow is 0: taken as unknown, and the vessels as perfused"]
    still = open_ & (flow == 0.0)
    return open_ & ~still, notes + ([f"{still.sum():,} segments with a flow of 0: not perfused"] if still.any() else [])
