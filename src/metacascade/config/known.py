"""How well the numbers of a config are known: what their lines say, or what the declarations do of the defaults.

Status and source of a declaration are those of its default. A number that is another has those that its line gives in
words of `config.sourced`, and where it gives none it is told as set, beside what is known of the default.
"""
import tomllib

from metacascade.base.units import QuantityError
from metacascade.config import sourced
from metacascade.config.lines import comments, key_lines
from metacascade.config.values import internal


def sources(config, text="") -> dict[tuple, str]:
    """Path -> status and source in words, of every value of a config; `text`: its file, for what its lines say."""
    defaults, said, tables = sourced.defaults(type(config)), _said(config, text), tomllib.loads(text)

    def is_set(path, parameter):
        """Of a config out of results all that is not the default was set, but for what is made where it is left out."""
        made = parameter.default is None and _written(tables, path, parameter) is None
        return path in config.given if config.given else not made

    return {path: said.get(path) or _of_value(parameter, value, defaults.get(path, parameter.default),
                                              is_set(path, parameter)) for path, parameter, value in config.values()}


def _of_value(parameter, value, default, is_set):
    """Status and source of a value, whose line does not say: "recalled: Kim 2009", or "set here; default ..."."""
    declared = worded(parameter.status, parameter.source)
    if not is_set or value == default:
        return declared
    if default is None:
        return f"set here{f'; the parameter {declared}' if parameter.source else ''}"
    return f"set here; default {parameter.text(default)}{f', {declared}' if parameter.source else ''}"


def worded(status, source) -> str:
    """``recalled: Kim 2009``"""
    return f"{status}{': ' * bool(source)}{source}"


def _said(config, text):
    """Path -> status and source by the comment of its line, of values that are those of the text."""
    tables, lines, found = tomllib.loads(text), key_lines(text), {}
    by_line = comments(text)
    for path, parameter, value in config.values():
        status, source = sourced.of_comment(by_line.get(lines.get(path), ""))
        if status and _written(tables, path, parameter) == value:
            found[path] = worded(parameter.status, parameter.source or source) if status == sourced.DEFAULT else (
                worded(status, source))
    return found


def _written(tables, path, parameter):
    """The internal value at a path of tables; None where it is none."""
    try:
        for step in path:
            tables = tables[step]
        return internal(parameter, tables)
    except (LookupError, TypeError, QuantityError):
        return None
