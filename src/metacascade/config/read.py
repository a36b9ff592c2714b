"""A TOML document: its tables, where each key came from, and settings that replace values."""
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

from metacascade.base.errors import InputError, path_of
from metacascade.base.numerals import is_count
from metacascade.base.screen import one_line, shown
from metacascade.config import presets
from metacascade.config.given import DEEPEST, LARGEST, TOO_DEEP, Setting, dotted, settings_of, tables_of
from metacascade.config.lines import key_lines, line_of, too_deep

MOST_PROBLEMS = 100     # listed in full


@dataclass(frozen=True)
class Problem:
    """Something wrong with the value at `path`. `others`: further keys that it depends on; `default`: the value as text
    where nobody has set it."""
    path: tuple
    message: str
    others: tuple = ()
    default: str = ""


# Keys of the files for each command, which those for others have not.
MARKS = {"sweep": ("config",), "arms": ("arm",), "cohort": ("patients", "follow_up"), "run": ("run", "tumor")}


@dataclass
class Document:
    """A parsed config and where its keys came from."""
    tables: dict
    name: str = "config"
    lines: dict | None = None      # None: not read from a text
    overridden: set = field(default_factory=set)
    folder: str = "."
    text: str = ""
    called: tuple = ("--set", ())  # settings in messages: their name, and the path in the config that it stands for
    stored: bool = False           # from a checkpoint, which holds the vessels; their file may be gone

    def message(self, problem: Problem) -> str:
        """``run.toml:3: run.step = 5: needs a unit``; of a default the line of what it does not fit to."""
        default = f" = {problem.default} (default)" * bool(problem.default)
        what = f"{self._told(problem.path)}{self._value(problem.path) or default}: {one_line(problem.message, 1000)}"
        blamed = [other for other in problem.others if self.sets(other)] if default else []
        return f"{self._place(blamed[0] if blamed else problem.path)}: {what}"

    def refuse(self, problems: list[Problem]):
        """Raise one InputError that lists all problems in the order of the file."""
        ordered = sorted(problems, key=lambda p: (not self._is_set(p.path), line_of(p.path, self.lines or {})))
        messages = [*dict.fromkeys(map(self.message, ordered))]
        more = [f"and {len(messages) - MOST_PROBLEMS:,} more problems"] * (len(messages) > MOST_PROBLEMS)
        raise InputError("\n".join(messages[:MOST_PROBLEMS] + more))

    def refuse_others(self, own: str):
        """Raise InputError if it is plainly a file for another command than `own`: all of its keys would be unknown."""
        others = [Problem((key,), f"a file with this is for `metacascade {command}`")
                  for command, keys in MARKS.items() for key in keys if key in self.tables]
        if others and not any(key in self.tables for key in MARKS[own]):
            self.refuse(others[:1])

    def sets(self, path: tuple) -> bool:
        """Did a user write the value at `path`: in the file, or as a setting?"""
        if self.stored:
            return any(path[:len(o)] == o for o in self.overridden)
        value = self.tables
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return False
        return True

    def _is_set(self, path):
        if any(path[:len(o)] == o for o in self.overridden):
            return True
        only_there = path and path not in (self.lines or {})  # a table that only a setting names
        return only_there and any(o[:len(path)] == path for o in self.overridden)

    def _told(self, path):
        """A path in words; of settings that stand for a path, what is inside of that."""
        inside = self.called[1]
        return dotted(path[len(inside):] if path != inside == path[:len(inside)] and self._is_set(path) else path)

    def _place(self, path):
        if self._is_set(path):
            return self.called[0]
        name = one_line(self.name)
        return f"{name}:{line_of(path, self.lines)}" if self.lines is not None else name

    def _value(self, path):
        value = self.tables
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return ""
        return "" if isinstance(value, dict) else f" = {shown(value)}"


def read(given) -> Document:
    """The Document of a config file or of a dict that is a config. Raises InputError where it is neither."""
    if isinstance(given, Mapping):
        return Document(tables_of(given), folder=os.getcwd())
    return read_file(path_of(given, "a config, unless it is a dict,"))


def read_file(path) -> Document:
    """Parse a config file. Raises InputError where it cannot be read or is not TOML."""
    name = os.fspath(path)
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        preset = f"; `metacascade init {name}` writes that preset into a file" * presets.is_one(name)
        raise InputError(f"cannot read the config '{one_line(name)}': {why}{preset}") from None
    return parse_bytes(data, name, os.path.dirname(os.path.abspath(name)))


def parse_bytes(data: bytes, name: str, folder: str = ".") -> Document:
    """Parse the bytes of a config file."""
    if len(data) > LARGEST:
        raise InputError(f"{one_line(name)}: not a config: it is larger than {LARGEST:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{one_line(name)}:{line}: not a config: it is not UTF-8 text") from None
    return parse_text(text, name, folder)


def parse_text(text: str, name: str, folder: str = ".") -> Document:
    """Parse TOML text; `name` is used in messages, `folder` for relative file names in it."""
    text = text.replace("\r\n", "\n")
    line = too_deep(text, DEEPEST)
    try:
        if line:        # to tomllib it would be an error without a line, or hours of work
            raise ValueError(TOO_DEEP)
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        line, reason = (line, error) if line else _reason(str(error), text)
        place = f"{one_line(name)}{f':{line}' if line else ''}"
        raise InputError(f"{place}: not valid TOML: {one_line(reason)}") from None
    return Document(tables, name, key_lines(text), folder=folder, text=text)


def _reason(error, text):
    """The line of an error of tomllib, None if it tells of none, and what is wrong there."""
    if where := re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", error):
        return where[1] or text.count("\n") + 1, error[:where.start()]
    if digits := re.search(rf"(?<![0-9_])[0-9][0-9_]{{{sys.get_int_max_str_digits() or 4300},}}", text):
        return text.count("\n", 0, digits.start()) + 1, "a number of thousands of digits"
    return None, error


def override(document: Document, settings):
    """Apply settings in place: a text ``section.key=value``, a list of such, or a dict, see `settings_of`."""
    problems: list[str] = []
    for setting in settings_of(settings, problems):
        path, put = _put(document.tables, setting)
        if put:
            document.overridden.add(path)
        else:
            problems.append(f"{setting.told}: there is no table {dotted(path)} to set it in")
    if problems:
        raise InputError("\n".join(problems))


def _put(tables, setting: Setting) -> tuple[tuple, bool]:
    """Replace a value, or add a table to a list: its path, with numbers in it, and True, or the path where a table is
    missing and False."""
    path = ()
    for word, inner in zip(setting.path, setting.path[1:]):
        index = _index(word)
        path += (word if index is None else index,)
        if isinstance(tables, list) and index is not None and index < len(tables):
            tables = tables[index]
        elif isinstance(tables, dict) and index is None:
            is_new_list = _index(inner) == 0 and inner == setting.path[-1] and isinstance(setting.value, dict)
            tables = tables.setdefault(word, [] if is_new_list else {})
        else:
            return path, False
    last = setting.path[-1]
    if isinstance(tables, list) and isinstance(setting.value, dict) and (index := _index(last)) is not None:
        tables[index:index + 1] = [setting.value] * (index <= len(tables))
        return (*path, index), index < len(tables)
    if isinstance(tables, dict):
        tables[last] = setting.value
    return (*path, last), isinstance(tables, dict)


def _index(word: str) -> int | None:
    """The number that a word of a path is."""
    return int(word) if is_count(word) and len(word) < 10 else None
