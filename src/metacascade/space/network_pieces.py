"""What the readers of vessel networks have in common: pieces of vessels, and what is wrong with them."""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from metacascade.base.errors import InputError
from metacascade.base.numerals import number
from metacascade.base.screen import one_line


@dataclass
class Problems:
    """Collects what is wrong in a file, each at a place of it: a line, or what `word` says."""
    path: str
    word: str = ""            # "" for lines of text: ``file:3: ...``; else ``file: WORD 3: ...``
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, place: int, what: str):
        """Note what is wrong at a place."""
        self.found.append((place, one_line(what)))

    def at(self, place: int) -> str:
        """A place as in a message, without the file: ``line 3``."""
        return f"{self.word or 'line'} {place}"

    def lines(self) -> list[str]:
        """All of them in the order of the file."""
        path = one_line(self.path)
        return [f"{path}: {self.word} {place}: {what}" if self.word else f"{path}:{place}: {what}"
                for place, what in sorted(self.found)]


@dataclass
class Pieces:
    """Straight pieces of vessels in the unit of their file, one a row, in its order.

    `place`: the line, or other place, of each in the file. `name`: tells vessels apart that are alike in all else.
    `notes`: what a user should know of how the file was understood. `box`: the size of the tissue, from 0, if the file
    has it.
    """
    a: np.ndarray             # float64 (n, 3): one end
    b: np.ndarray             # float64 (n, 3): the other
    radius: np.ndarray        # float64 (n,)
    place: np.ndarray         # int64 (n,)
    perfused: np.ndarray      # bool (n,)
    maturity: np.ndarray | None = None
    name: list[str] | None = None
    notes: list[str] = field(default_factory=list)
    box: tuple[float, float, float] | None = None

    def take(self, rows) -> Pieces:
        """These rows alone: indices, or a mask."""
        rows = np.arange(len(self.radius))[rows]
        return Pieces(self.a[rows], self.b[rows], self.radius[rows], self.place[rows], self.perfused[rows],
                      None if self.maturity is None else self.maturity[rows],
                      None if self.name is None else [self.name[row] for row in rows], self.notes, self.box)


def joined_nodes(nodes: np.ndarray, edges: np.ndarray, radius: np.ndarray, place: np.ndarray, **more) -> Pieces:
    """The pieces between nodes: `nodes` (m, 3), `edges` (n, 2) rows of them, `radius` of nodes (m,) or of edges (n, 1).

    A piece between nodes of two radii gets their mean.
    """
    edges = np.asarray(edges, np.int64).reshape(-1, 2)
    wide = radius[:, 0] if radius.ndim == 2 else 0.5 * (radius[edges[:, 0]] + radius[edges[:, 1]])
    more.setdefault("perfused", np.ones(len(edges), bool))
    return Pieces(nodes[edges[:, 0]], nodes[edges[:, 1]], wide, np.asarray(place, np.int64), **more)


def rows_by_name(rows, what: str, problems: Problems) -> dict[str, int]:
    """Name -> row, of rows (place, words) whose first word is a name; the second of a name is a problem."""
    found: dict[str, int] = {}
    for row, (place, words) in enumerate(rows):
        if found.setdefault(words[0], row) != row:
            problems.add(place, f"{what} {words[0]} is there twice")
    return found


def text_of(path) -> str:
    """The text of a network file: UTF-8, with or without a byte order mark."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot read this vessel network: {error}") from None


def numbers(name: str, texts: list[str], places: list[int], problems: Problems) -> np.ndarray:
    """The numbers in a column of text; nan, and a problem, where there is none."""
    found = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        try:
            found[row] = number(text)
        except ValueError:
            problems.add(places[row], f"{name} = {text.strip() or 'nothing'}: must be a number")
    return found
