"""The file of treatment arms: which state they start from, what each changes, and what they are compared by.

All that is wrong in it is listed at once. What an arm changes is checked as a part of the whole config, and told at the
line of the file of arms where it stands.
"""
import copy
from dataclasses import dataclass, field, replace
from typing import ClassVar

from metacascade.base.declare import Line, Section, integer, text
from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.base.numerals import is_count
from metacascade.config import read as config_read, values as config_values
from metacascade.config.config import Config
from metacascade.config.read import Problem
from metacascade.config.run import LARGEST_SEED
from metacascade.config.write import inline
from metacascade.studies import sweep_start
from metacascade.studies.sweep_compare import LONGEST_NAME, Compare
from metacascade.studies.sweep_file import absolute, files_of
from metacascade.studies.sweep_values import set_leaves

OWN = ("name", "set")                               # keys of an arm that are no tables of the config


class Options(Section):
    """The keys of a file of arms outside of its tables."""
    tables: ClassVar[dict] = {"arm": None, "set": None, "compare": None}

    title: Line = text("title", "", doc="A line about the comparison.")
    base: str | None = text("base", None, longest=4096, doc="A config, relative to this file, or a preset.")
    start: str | None = text("from", None, longest=4096, doc=(
        "Instead of `base`: a checkpoint, or the directory of a run, relative to this file."))
    replicates: int = integer("replicates", 1, 1, 100_000, doc="Runs of each arm, each with its run.seed.")
    seed: int | None = integer("seed", None, 0, LARGEST_SEED, doc=(
        "run.seed of replicate 0 in all arms; left out: that of the config or checkpoint. Others follow from it."))


@dataclass(frozen=True)
class Arm:
    """An arm: its settings, ``section.key`` -> value, and for the path of each in a config that in the file."""
    name: str
    settings: dict
    origin: dict


@dataclass(frozen=True)
class Arms:
    """A file of arms that has been read. `base`: the config that all start from; `tables`: what makes the runs."""
    options: Options
    compare: Compare
    fixed: dict
    arms: tuple
    base: config_read.Document
    start: sweep_start.Start | None
    tables: dict
    document: config_read.Document

    def config_of(self, settings, origin):
        """The document of a config with settings; what is wrong with these is told where they stand."""
        base = self.base
        overlaid = Overlaid(copy.deepcopy(base.tables), base.name, base.lines, set(), base.folder, base.text,
                            stored=base.stored, origin=origin, file=self.document)
        config_read.override(overlaid, [f"{name}={inline(value)}" for name, value in settings.items()])
        return overlaid


@dataclass
class Overlaid(config_read.Document):
    """A config with the changes of an arm. `origin`: path in the config -> path in the `file` of arms."""
    origin: dict = field(default_factory=dict)
    file: config_read.Document | None = None

    def message(self, problem):
        """As of any document, but for what an arm says at the place where it does."""
        where = self._in_file(problem.path)
        return self.file.message(replace(problem, path=where)) if where else super().message(problem)

    def _in_file(self, path):
        """The path in the file of arms of what an arm says: of the value itself, or of the one around it."""
        for n in range(len(path), 0, -1):
            if path[:n] in self.origin:
                return self.origin[path[:n]] + path[n:]
        inside = [key for key in self.origin if path and key[:len(path)] == path and path not in (self.lines or {})]
        return self.origin[inside[0]][:-1] if inside else None      # a table that only an arm has


def is_one(path):
    """Does a file look like one of arms?"""
    return "arm" in config_read.read_file(path).tables


def read(path, kept=None) -> Arms:
    """Read and check a file of arms, and what they start from. Raises InputError with every problem in it.

    `kept`: the copy of the checkpoint that was made when the arms began, if they have; it is used in place of `from`.
    """
    document = config_read.read_file(path)
    document.refuse_others("arms")
    problems: list[Problem] = []
    options = _section(Options, document.tables, (), problems)
    compare = _section(Compare, document.tables.get("compare", {}), ("compare",), problems)
    base, start = _beginning(options, document.folder, kept, problems)
    held = base.tables if base else {}
    fixed, origin = _settings(document.tables.get("set", {}), ("set",), document.folder, held, problems)
    if base is not None and start is None:       # a checkpoint has absolute names
        fixed = files_of(base) | fixed
    arms = _arms(document, base, fixed, origin, problems)
    problems += _against(compare, arms)
    if problems:
        document.refuse(problems)
    made_from = {key: value for key, value in document.tables.items() if key in ("from", "seed", "set", "arm")}
    return Arms(options, compare, fixed, tuple(arms), base, start, made_from, document)


def _section(model, table, path, problems):
    """A section of the file; what is wrong with it is added to `problems`."""
    if not isinstance(table, dict):
        problems.append(Problem(path, f"must be a table: write [{'.'.join(path)}]"))
        return model()
    own = {key: value for key, value in table.items() if key not in model.tables}
    found: list[Problem] = []
    values = {}
    for key, value in own.items():
        if key in model.parameters:
            values[model.parameters[key].attribute] = value
        else:
            found.append(Problem((key,), f"unknown key{nearest(key, [*model.parameters, *model.tables])}"))
    made = config_values.validated(model, values, found)
    problems += [replace(problem, path=(*path, *problem.path)) for problem in found]
    return made


def _beginning(options, folder, kept, problems):
    """The config that all arms start from, and the checkpoint if there is one; (None, None) if neither can be read."""
    if (options.base is None) == (options.start is None):
        problems.append(Problem((), 'needs either base = "FILE.toml" or the name of a preset, or from = "CHECKPOINT"'))
        return None, None
    try:
        if options.start is not None:
            return sweep_start.saved_in(options.start, folder, kept)
        return sweep_start.document_of(options.base, folder), None
    except InputError as error:
        problems.append(Problem(("base",) if options.start is None else ("from",), str(error)))
        return None, None


def _settings(table, path, folder, held, problems):
    """Settings of a table, ``section.key`` -> value, and the path in a config -> that in the file, of each."""
    found, origin = {}, {}
    for leaf, value in set_leaves(table, path, held, problems):
        words = [word for key in leaf[len(path):] for word in str(key).split(".")]
        name = ".".join(words)
        if name == "run.seed":
            problems.append(Problem(leaf, "follows from `seed` of this file: all arms have the same ones"))
        else:
            found[name] = absolute(name, value, folder)
            origin[tuple(int(word) if is_count(word) else word for word in words)] = leaf
    return found, origin


# --- the arms -------------------------------------------------------------------------------------------------

def _arms(document, base, fixed, origin, problems):
    """The arms, as far as they can be read."""
    given = document.tables.get("arm", [])
    if not isinstance(given, list) or not given:
        problems.append(Problem(("arm",), "must be a list of tables: write [[arm]] and name = \"...\" for each"))
        return []
    found, names = [], {}
    for i, table in enumerate(given):
        if not isinstance(table, dict):
            problems.append(Problem(("arm", i), "must be a table: write [[arm]]"))
            continue
        name = table.get("name")
        if not isinstance(name, str) or not 0 < len(name.strip()) or len(name) > LONGEST_NAME:
            problems.append(Problem(("arm", i, *["name"] * ("name" in table)),
                                    f"needs name = \"...\", a text of at most {LONGEST_NAME} characters"))
        elif name in names:
            problems.append(Problem(("arm", i, "name"), f"is the name of arm[{names[name]}] too"))
        else:
            names[name] = i
        name = name if isinstance(name, str) else ""
        found.append(_arm(name, table, i, document.folder, (base, fixed, origin), problems))
    return found


def _arm(name, table, i, folder, common, problems):
    """An arm: its settings, then each table of the config that it has, entries of lists after those that are there."""
    base, fixed, origin = common
    held = (base.tables if base else {}) | {name: value for name, value in fixed.items() if isinstance(value, list)}
    settings, places = _settings(table.get("set", {}), ("arm", i, "set"), folder, held, problems)
    appended = {}
    for key, value in table.items():
        if key in OWN:
            continue
        if isinstance(value, dict):
            more, where = _settings({key: value}, ("arm", i), folder, held, problems)
            settings, places = settings | more, places | where
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            appended[key] = value
        else:
            known = [*OWN, *Config.tables]
            told = f"unknown key of an arm{nearest(key, known)}" if key not in known else f"{key} is no value of an arm"
            problems.append(Problem(("arm", i, key), f"{told}; a setting, or a list that replaces another, belongs in "
                                    "[arm.set], an entry of a list in [[arm.LIST]]"))
    for key, entries in appended.items():
        first = _length(base, fixed | settings, key)
        places.setdefault((key,), ("arm", i, key))
        for j, entry in enumerate(entries):
            settings[f"{key}.{first + j}"] = entry
            places[key, first + j] = ("arm", i, key, j)
    return Arm(name, settings, origin | places)


def _length(base, settings, key):
    """How many entries a list of the config has before an arm adds its own."""
    held = settings.get(key, base.tables.get(key, []) if base else [])
    more = [name for name in settings if name.rpartition(".")[0] == key and is_count(name.rpartition(".")[2])]
    count = len(held) if isinstance(held, list) else 0
    return max([count, *(int(name.rpartition(".")[2]) + 1 for name in more)])


def _against(compare, arms):
    """Is the arm that others are compared with one of them?"""
    names = [arm.name for arm in arms if arm.name]
    if compare.against is not None and names and compare.against not in names:
        yield Problem(("compare", "against"), f"is no arm{nearest(compare.against, names)}; arms: {', '.join(names)}")
