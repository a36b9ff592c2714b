"""A vessel network from an SWC file: a tree of samples, each with its parent, as traced from images."""
from __future__ import annotations

import numpy as np

from metacascade.base.errors import InputError
from metacascade.space.network_pieces import Pieces, Problems, joined_nodes, numbers, rows_by_name, text_of

ROOT = "-1"                   # parent of a sample without one
NAMES = ("id", "type", "x", "y", "z", "radius", "parent")


def read(path, vessels, problems: Problems) -> Pieces:
    """A piece from each sample to its parent, of their mean radius.

    Raises InputError where the file has none; what is wrong in its lines goes to `problems`.
    """
    rows = []
    for place, line in enumerate(text_of(path).splitlines(), 1):
        words = line.partition("#")[0].split()
        if words and len(words) < len(NAMES):
            problems.add(place, f"{len(words)} values, but a sample of SWC has {len(NAMES)}: {' '.join(NAMES)}")
        elif words:
            rows.append((place, words))
    row = rows_by_name(rows, "sample", problems)
    edges, of = [], []
    for place, words in rows:
        if words[6] == words[0]:
            problems.add(place, f"sample {words[0]} is its own parent")
        elif words[6] in row:
            edges.append((row[words[6]], row[words[0]]))
            of.append(place)
        elif words[6] != ROOT:
            problems.add(place, f"sample {words[0]}: there is no sample {words[6]}, its parent; {ROOT} stands for none")
    if not edges and not problems.found:
        raise InputError(f"{path}: no sample with a parent, so no vessel: is this SWC? See vessels.format")
    places = [place for place, _ in rows]
    value = {name: numbers(name, [words[NAMES.index(name)] for _, words in rows], places, problems)
             for name in ("x", "y", "z", "radius")}
    return joined_nodes(np.stack([value[axis] for axis in "xyz"], axis=1), edges, value["radius"], of)
