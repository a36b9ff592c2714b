"""Controls of mechanisms: each off, on and doubled in runs with the same seeds; what must move, and what must not.

A row of `controls*.toml` is an experiment of three arms and two comparisons: an order of the three for the read-out
that must move, and a ratio of two of them for the one that must not. Each file has a config that its rows have in
common.
"""
import functools
import re
import tomllib
from pathlib import Path
from typing import ClassVar

from metacascade.base.declare import Section, choice, integer, text
from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.config import read as config_read, values as config_values
from metacascade.config.read import Problem
from metacascade.studies import reproduce_file
from metacascade.studies.readouts import READOUTS
from metacascade.studies.reproduce_file import CONTROLS, FOLDER, PUBLISHED, Comparison, Experiment, Head
from metacascade.studies.reproduce_toml import flat, split
from metacascade.studies.sweep_values import parameters

GROUP = "controls"                      # the name of all rows together
FILE = rf"{CONTROLS}(_[a-z]+)?\.toml"
ARMS = ("off", "on", "doubled")
ORDER = {"up": "doubled, on, off", "down": "off, on, doubled"}
DIRECTION = "control_direction"         # the row of published.toml for what must move


class Control(Section):
    """A row: what is switched, and what must and must not move."""
    tables: ClassVar[dict] = dict.fromkeys(("set", *ARMS))

    title: str = text("title", "", longest=200, doc="What the mechanism does, in a line.")
    strength: str = text("strength", "", longest=200, doc="What is off, on, and doubled.")
    needs: str = text("needs", "", longest=1000, doc="Parameters that this version must have, with commas between.")
    replicates: int = integer("replicates", 4, 2, 1000, doc="Runs of each arm, with the same seeds in all arms.")
    moves: str = choice("moves", next(iter(READOUTS)), tuple(READOUTS), doc="The read-out that must move.")
    direction: str = choice("direction", "up", tuple(ORDER), doc="Where to, from off to on and from on to doubled.")
    holds: str = choice("holds", next(iter(READOUTS)), tuple(READOUTS), doc="The read-out that must not move.")
    of: str = choice("of", "doubled, off", ("doubled, off", "doubled, on"), doc="The arms whose ratio tells that.")
    within: str = text("within", "control_same", longest=100, doc="The row of published.toml with its bounds.")


def names(folder=FOLDER):
    """The rows of all files, sorted."""
    return sorted(_rows(folder))


def title(name, folder=FOLDER):
    """The title of a row."""
    path = _rows(folder)[name]
    return _tables(path, path.stat().st_mtime_ns)[name].get("title", "")


def read(name, folder=FOLDER) -> Experiment:
    """Read and check a row. Raises InputError with every problem in it."""
    document, problems = config_read.read_file(_rows(folder)[name]), []
    given = document.tables[name]
    row = config_values.validated(Control, {key: given[key] for key in given.keys() & Control.parameters}, problems)
    for key in given.keys() - {*Control.parameters, *Control.tables}:
        problems.append(Problem((key,), f"unknown key{nearest(key, [*Control.parameters, *Control.tables])}"))
    published = reproduce_file.published(folder)
    for one in {DIRECTION, row.within} - published.keys():
        problems.append(Problem(("within",), f"{one}: no row of {PUBLISHED}{nearest(one, published)}"))
    if problems:
        document.refuse([Problem((name, *problem.path), problem.message) for problem in problems])
    common = flat(given.get("set", {}))
    arms = {arm: common | flat(given.get(arm, {})) for arm in ARMS}
    head = Head(title=row.title, measured="", simulated=row.strength, needs=row.needs, replicates=row.replicates)
    comparisons = (
        Comparison(name=f"moves {row.direction}: {row.moves}", readout=row.moves, kind="ordering",
                   arms=ORDER[row.direction], published=DIRECTION),
        Comparison(name=f"does not move: {row.holds}", readout=row.holds, kind="ratio", arms=row.of,
                   published=row.within))
    missing = tuple(need for need in split(row.needs) if need not in parameters())
    return Experiment(name, head, document.tables.get("config", {}), arms, comparisons,
                      tuple(published[one.published] for one in comparisons), missing)


def _rows(folder):
    """Row -> the file that it is in."""
    found = {}
    for path in sorted(Path(str(one)) for one in folder.iterdir() if re.fullmatch(FILE, one.name)):
        for name in _tables(path, path.stat().st_mtime_ns).keys() - {"config"}:
            if found.setdefault(name, path) != path:
                raise InputError(f"{path}: {name} is a row of {found[name].name} already")
    return found


@functools.lru_cache(maxsize=16)
def _tables(path, written_ns):
    """The tables of a file as it was written at that time: it is asked for each of its rows."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: {error}") from None
