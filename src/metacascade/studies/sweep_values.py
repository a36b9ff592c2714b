"""Parameters in a sweep file and their values: one, a list, or a span from which a design takes some."""
import functools
import math
import sys
from dataclasses import dataclass

from metacascade.base import units
from metacascade.base.declare import Parameter
from metacascade.base.names import nearest
from metacascade.base.numerals import is_count
from metacascade.config import values as config_values
from metacascade.config.config import Config
from metacascade.config.read import Problem

SPAN = ("from", "to", "scale", "levels", "values")


@dataclass(frozen=True)
class Varied:
    """A parameter and its values: those listed, or a span [low, high] in `unit`."""
    name: str
    parameter: Parameter
    unit: str = ""                 # of the table, empty for a pure number or a word
    values: tuple = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    levels: int | None = None      # of a grid

    def at(self, share):
        """The value at a share in [0, 1) of the way; equal shares for each of listed or whole values."""
        if self.values:
            return self.values[int(share * len(self.values))]
        if self.parameter.kind == "integer":
            return min(int(self._between(share, self.high + 1)), int(self.high))
        return self._written(self._between(share, self.high))

    def all(self):
        """Every value of a grid."""
        if self.values:
            return self.values
        shares = [level / (self.levels - 1) for level in range(self.levels)]
        return tuple(self._written(self._between(share, self.high)) for share in shares)

    def _between(self, share, high):
        return self.low * (high / self.low) ** share if self.log else self.low + share * (high - self.low)

    def _written(self, number):
        """A number [unit] as a config has it, with nine digits."""
        if self.parameter.kind == "integer":
            return round(number)
        number = float(f"{number:.9g}")
        if self.parameter.kind == "number":
            return number
        if self.parameter.whole:
            return units.show(round(units.exact(number, self.unit, "s")), self.unit, "s")
        return units.written(number, self.unit)


@functools.cache
def parameters():
    """Name as in a setting -> its declaration; 0 stands for any number of an injection or draw."""
    known = dict(Config.parameters)
    for name, (section, form) in Config.tables.items():
        inside = {"one": [name], "list": [f"{name}.0"]}.get(form) if isinstance(form, str) else [
            f"{name}.{key}" for key in form]
        known |= {f"{table}.{key}": parameter for table in inside for key, parameter in section.parameters.items()}
    return known


def read_settings(table, path, problems):
    """The parameters in the table at `path`, each with one value: a list of Varied. Adds to `problems`."""
    found = []
    for leaf, value in _leaves(table, path, problems):
        name, parameter = _parameter(leaf, len(path), problems)
        if parameter and _readable(leaf, parameter, value, problems):
            found.append(Varied(name, parameter, _unit(parameter, value), (value,)))
    return found


def read_fixed(table, path, held, problems):
    """Name and value of each setting in the table at `path`: of parameters, and of whole lists and new entries of them,
    which are checked with the whole config. `held`: the tables of the config. Adds to `problems`."""
    lists, found = [name for name, (_, form) in Config.tables.items() if form == "list"], {}
    for leaf, value in set_leaves(table, path, held, problems):
        words = [word for key in leaf[len(path):] for word in key.split(".")]
        whole = list if words[1:] == [] else dict if len(words) == 2 and is_count(words[1]) else None
        if words[0] in lists and whole and isinstance(value, whole):
            found[".".join(words)] = value
            continue
        name, parameter = _parameter(leaf, len(path), problems)
        if parameter and _readable(leaf, parameter, value, problems):
            found[name] = value
    return found


def set_leaves(table, path, held, problems):
    """Path in the file and value of each setting in a table of such. An entry of a list that the config, `held`, has
    not is a value; one that it has is changed key by key."""
    yield from _walked(table, path, held, problems, lambda key, value, inside: not (
        is_count(key.rpartition(".")[2]) and inside is None))


def _inside(held, key):
    """What a table or list holds under a key, of some words perhaps; None if nothing."""
    for word in key.split("."):
        if isinstance(held, dict):
            held = held.get(word)
        else:
            there = isinstance(held, list) and is_count(word) and len(word) < 10 and int(word) < len(held)
            held = held[int(word)] if there else None
    return held


def read_varied(table, path, grid, problems):
    """The parameters in the table at `path`, each with its values or its span: a list of Varied. Adds to `problems`."""
    found = []
    for leaf, given in _leaves(table, path, problems):
        name, parameter = _parameter(leaf, len(path), problems)
        span = given if isinstance(given, dict) else {"values": given}
        for key in span.keys() - set(SPAN):
            problems.append(Problem((*leaf, key), f"unknown key{nearest(key, SPAN)}"))
        if parameter:
            read = _listed if "values" in span else functools.partial(_from_to, grid=grid)
            found.append(read(leaf, name, parameter, span, problems))
    return [one for one in found if one]


def _leaves(table, path, problems):
    """Path in the file and value of every parameter in a table; `a.b = 1` and `"a.b" = 1` are the same to it."""
    yield from _walked(table, path, None, problems, lambda key, value, inside: not set(SPAN) & value.keys())


def _walked(table, path, held, problems, goes_in):
    """Path in the file and value of every leaf in a table; `goes_in`: is a table in it, of a key, one of leaves, where
    the config holds so much inside of it?"""
    if not isinstance(table, dict):
        problems.append(Problem(path, "must be a table of parameters and values"))
        return
    for key, value in table.items():
        inside = _inside(held, key)
        if isinstance(value, dict) and goes_in(key, value, inside):
            yield from _walked(value, (*path, key), inside, problems, goes_in)
        else:
            yield (*path, key), value


def _parameter(path, outside, problems):
    """Name and declaration of the parameter at a path in the file; the first words of that are the table's."""
    words = [word for key in path[outside:] for word in key.split(".")]
    known = parameters().get(".".join("0" if is_count(word) else word for word in words))
    if known is None:
        hint = nearest(".".join(words), parameters()) or "; `metacascade info --parameters` lists them"
        problems.append(Problem(path, f"unknown parameter{hint}"))
    return ".".join(words), known


def _readable(path, parameter, value, problems):
    """Can a value be one of the parameter? Its limits are checked with the whole config."""
    plain = isinstance(value, (str, int, float)) and (type(value) is not int or _is_finite(value))
    if not plain and not (parameter.kind == "place" and isinstance(value, list)):
        problems.append(Problem(path, f"must be {parameter.allowed()}"))
        return False
    try:
        config_values.internal(parameter, value)
    except units.QuantityError as error:
        problems.append(Problem(path, str(error)))
        return False
    return True


def _unit(parameter, value):
    return units.unit_of(value) if parameter.kind == "quantity" else ""


def _listed(path, name, parameter, span, problems):
    values = span["values"]
    if len(span) > 1:
        problems.append(Problem(path, "has either values, or from and to"))
    if not isinstance(values, list) or not values:
        problems.append(Problem(path, "must be a list of values, or {from = ..., to = ...}"))
    elif all([_readable((*path, index), parameter, value, problems) for index, value in enumerate(values)]):
        return Varied(name, parameter, _unit(parameter, values[0]), tuple(values))


def _from_to(path, name, parameter, span, problems, grid):
    wrong = [*_span_problems(parameter, span, grid)]
    problems += [Problem(path, message) for message in wrong]
    if wrong or not all([_readable((*path, key), parameter, span[key], problems) for key in ("from", "to")]):
        return None
    unit = _unit(parameter, span["from"])
    low, high = (units.parse(span[key], unit) if unit else span[key] for key in ("from", "to"))
    log = span.get("scale") == "log"
    if not low < high:
        problems.append(Problem(path, "from must be less than to"))
    elif log and low <= 0:
        problems.append(Problem(path, "from must be more than 0 for a log scale"))
    elif (high / low if log else high - low) == math.inf:
        problems.append(Problem(path, "from and to are too far apart"))
    else:
        found = Varied(name, parameter, unit, (), low, high, log, span.get("levels"))
        problems += [Problem(path, message) for message in _equal_levels(found)] if grid else []
        return found


def _equal_levels(varied):
    """Levels that are the same once rounded: their members would be the same run."""
    different = len(set(varied.all()))
    if different < varied.levels:
        yield f"{varied.levels} levels are only {different} different values once rounded: take fewer, or list them"


def _is_finite(value):
    """Is it a number that fits into a float?"""
    return type(value) in (int, float) and abs(value) <= sys.float_info.max


def _span_problems(parameter, span, grid):
    if parameter.kind not in ("quantity", "number", "integer") or parameter.alone:
        yield f"has no from and to: list its values, {parameter.allowed()}"
        return
    for key in ("from", "to"):
        if key not in span:
            yield f"needs {key}"
        elif parameter.kind != "quantity" and not _is_finite(span[key]):
            yield f"{key} must be {parameter.allowed()}"
    if span.get("scale", "linear") not in ("linear", "log"):
        yield 'scale must be "linear" or "log"'
    if grid and (type(span.get("levels")) is not int or not 2 <= span["levels"] <= 100_000):
        yield "needs levels = N in a grid, the number of values, from 2 to 100000"
    if not grid and "levels" in span:
        yield "levels is for a grid only"
