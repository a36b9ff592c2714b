"""From a TOML document to internal units; every problem is collected, none ends the reading."""
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from metacascade.base import units
from metacascade.base.declare import Parameter, Section
from metacascade.base.errors import InputError, path_of
from metacascade.base.names import nearest
from metacascade.base.numerals import is_count
from metacascade.base.screen import one_line, shown
from metacascade.config.given import DEEPEST, LARGEST, TOO_DEEP, Setting, dotted, settings_of, tables_of
from metacascade.config.lines import key_lines, line_of, too_deep

MOST_PROBLEMS = 100     # listed in full


@dataclass(frozen=True)
class Problem:
    """Something wrong with the value at `path`. `others`: further keys that it depends on."""
    path: tuple
    message: str
    others: tuple = ()


@dataclass
class Document:
    """A parsed config and where its keys came from."""
    tables: dict
    name: str = "config"
    lines: dict | None = None      # None: not read from a text
    overridden: set = field(default_factory=set)
    folder: str = "."
    text: str = ""
    stored: bool = False           # from a checkpoint, which holds the vessels; their file may be gone

    def message(self, problem: Problem) -> str:
        """``run.toml:3: run.step = 5: needs a unit``"""
        what = f"{dotted(problem.path)}{self._value(problem.path)}: {one_line(problem.message, 1000)}"
        return f"{self._place(problem.path)}: {what}"

    def refuse(self, problems: list[Problem]):
        """Raise one InputError that lists all problems in the order of the file."""
        ordered = sorted(problems, key=lambda p: (not self._is_set(p.path), line_of(p.path, self.lines or {})))
        messages = [*dict.fromkeys(map(self.message, ordered))]
        more = [f"and {len(messages) - MOST_PROBLEMS:,} more problems"] * (len(messages) > MOST_PROBLEMS)
        raise InputError("\n".join(messages[:MOST_PROBLEMS] + more))

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

    def _place(self, path):
        if self._is_set(path):
            return "--set"
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
        raise InputError(f"cannot read the config '{one_line(name)}': {why}") from None
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


def read_tables(model: type[Section], document: Document) -> tuple[dict, list[Problem]]:
    """Attributes and internal values for `model`, as far as they can be read, and the problems."""
    problems: list[Problem] = []
    values = _read_section(model, document.tables, (), problems, also=model.tables)
    for name, (section, form) in model.tables.items():
        if name not in document.tables:
            continue
        given = document.tables[name]
        if isinstance(form, tuple) and isinstance(given, dict):
            values[name] = _read_named(section, given, name, form, problems)
        elif form == "list" and isinstance(given, list):
            values[name] = [_read_table(section, table, (name, i), problems) for i, table in enumerate(given)]
        elif form == "list":
            problems.append(Problem((name,), f"must be a list of tables: write [[{name}]]"))
        else:
            values[name] = _read_table(section, given, (name,), problems)
    return values, problems


def validated(model: type[Section], values: dict, problems: list[Problem]):
    """`model` of `values`. What pydantic refuses is added to `problems` and replaced by its default."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False):
            path, parameter = _locate(model, detail["loc"])
            problems.append(Problem(path, _rule(parameter, detail["input"]) if parameter else detail["msg"]))
            _remove(values, detail["loc"])
        return model.model_validate(values)


def _rule(parameter, value) -> str:
    known = parameter.choices if isinstance(value, str) else ()
    whole = parameter.kind == "integer" and isinstance(value, float) and value.is_integer()
    hint = f"; write it as {int(value):_}" if whole and parameter.low <= value <= parameter.high else ""
    return f"must be {parameter.allowed()}{nearest(value, known) if known else ''}{hint}"


def _locate(model, location: tuple) -> tuple[tuple, Parameter | None]:
    """The path in the file, and the parameter, of a place in the model."""
    path, section = (), model
    for step in location:
        if isinstance(step, str) and step in section.tables:
            section, path = section.tables[step][0], (*path, step)
            continue
        found = [p for p in section.parameters.values() if p.attribute == step]
        if found:
            return (*path, found[0].key), found[0]
        path += (step,)
    return path, None


def _remove(values, location: tuple):
    """Take the value at `location`, or the one around it that is no table, out of `values`."""
    *outer, last = location
    for step in outer:
        if isinstance(values[step], list) and not isinstance(values[step][0], dict):
            last = step
            break
        values = values[step]
    values.pop(last, None)


def _read_named(section, given, name, known, problems) -> dict:
    for key in given.keys() - set(known):
        problems.append(_unknown((name, key), "name", known, problems, f"; known are {', '.join(known)}"))
    return {key: _read_table(section, given[key], (name, key), problems) for key in known if key in given}


def _unknown(path, what, known, problems, more=""):
    """The problem of an unknown key; of very many the nearest known names are not looked for."""
    near = nearest(path[-1], known) if len(problems) < MOST_PROBLEMS else ""
    return Problem(path, f"unknown {what}{near}{more}")


def _read_table(section, table, path, problems) -> dict:
    if isinstance(table, dict):
        return _read_section(section, table, path, problems)
    problems.append(Problem(path, f"must be a table: write [{dotted(path)}] and its keys below"))
    return {}


def _read_section(section, table, path, problems, also=()) -> dict:
    values = {}
    for key, value in table.items():
        if key in also:
            continue
        if parameter := section.parameters.get(key):
            try:
                values[parameter.attribute] = internal(parameter, value)
            except units.QuantityError as error:
                problems.append(Problem((*path, key), str(error)))
        else:
            problems.append(_unknown((*path, key), "key", [*section.parameters, *also], problems))
    return values


def internal(parameter: Parameter, value):
    """A value of the file in the internal unit; only quantities change, limits are not looked at.

    Raises QuantityError with a message that says what is allowed.
    """
    if parameter.kind == "quantity":
        return _quantity(parameter, value)
    if parameter.kind == "place":
        if not isinstance(value, list) or len(value) != 3:
            raise units.QuantityError(f'must be three quantities, such as ["0 {parameter.unit}", ...]')
        return [_quantity(parameter, v) for v in value]
    return value


def _quantity(parameter, value):
    example = parameter.example()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise units.QuantityError(f'needs a unit, such as "{example}"')
    if not isinstance(value, str):
        raise units.QuantityError(f'must be a text with a number and a unit, such as "{example}"')
    try:
        number = units.parse(f"1 {value}" if parameter.alone and units.is_unit(value) else value, parameter.internal)
    except units.QuantityError as error:
        raise units.QuantityError(f'{error}; write it like "{example}"') from None
    if parameter.whole:
        if not number.is_integer():
            raise units.QuantityError("must be a whole number of seconds")
        return int(number)
    return number
