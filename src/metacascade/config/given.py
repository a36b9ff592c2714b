"""What a caller gives as a config or as settings: a dict, texts. Their kinds are checked here, their values later."""
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metacascade.base.errors import InputError, kind
from metacascade.base.screen import one_line, shown
from metacascade.config.lines import too_deep

LARGEST = 1_000_000     # bytes of a file or setting, and values in a dict; a config is some kilobytes
DEEPEST = 32            # levels of tables and lists; a config has three
_WORD = re.compile(r"[\w.-]{1,60}", re.ASCII)
TOO_DEEP = f"nested too deeply, more than {DEEPEST} levels"
SETTING = "write it as section.key=value"
Overrides = str | Sequence[str] | Mapping[str, Any]


@dataclass(frozen=True)
class Setting:
    """A value that replaces that at `path`, whose words are still texts. `told`: what a message calls it."""
    path: tuple[str, ...]
    value: Any
    told: str


def tables_of(given: Mapping) -> dict:
    """A dict as TOML would give it: dicts, lists, texts and numbers of Python alone, also for those of NumPy."""
    problems = []
    tables = _Plain(problems).table(given)
    if problems:
        raise InputError("\n".join(f"config: {problem}" for problem in problems))
    return tables


def settings_of(given, problems: list[str]) -> list[Setting]:
    """Settings of one text ``section.key=value``, of a list of such, or of a dict; its tables replace key by key.

    What is wrong with one is added to `problems`; InputError where `given` is something else.
    """
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Mapping):
        return _leaves(tables_of(given), ())
    if not isinstance(given, Sequence) or isinstance(given, (bytes, bytearray)):
        raise InputError("overrides must be a text section.key=value, a list of such texts, or a dict, "
                         f"not {kind(given)}")
    found = []
    for setting in given:
        try:
            found.append(_setting(setting))
        except ValueError as error:
            problems.append(str(error))
    return found


def _setting(text) -> Setting:
    """A text ``section.key=value``; a value that is not TOML is taken as text. ValueError where it is none."""
    if not isinstance(text, str):
        raise ValueError(f"overrides: {kind(text)}: {SETTING}")
    told = f"--set {one_line(text, 100)}"
    if len(text) > LARGEST:
        raise ValueError(f"{told}: is longer than {LARGEST:,} characters")
    key, equals, value = text.partition("=")
    path = tuple(key.strip().split("."))
    if not equals or "" in path or len(path) > DEEPEST:
        raise ValueError(f"{told}: {SETTING}")
    if not is_unicode(text):
        raise ValueError(f"{told}: is not text in UTF-8")
    if too_deep(value, DEEPEST):
        raise ValueError(f"{told}: {TOO_DEEP}")
    return Setting(path, _toml_value(value.strip()), told)


def _toml_value(text: str):
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return parsed["value"] if parsed.keys() == {"value"} else text


def _leaves(table, path) -> list[Setting]:
    """A setting for each value in nested tables; a key with dots is a path."""
    found = []
    for key, value in table.items():
        inner = (*path, *key.split("."))
        told = f"--set {one_line('.'.join(inner), 100)}"
        found += _leaves(value, inner) if isinstance(value, dict) and value else [Setting(inner, value, told)]
    return found


class _Plain:
    """Turns what a caller gives into values of Python; counts them, as a list may be endless."""

    def __init__(self, problems):
        self.count, self.problems = 0, problems

    def table(self, given, path=()):
        """A dict."""
        self._refuse_endless(given, path)
        found = {}
        for key, value in given.items():
            if isinstance(key, str) and is_unicode(key):
                found[str(key)] = self.value(value, (*path, str(key)))
            else:
                self._problem((*path, key), f"a key must be a text, not {kind(key)}")
        return found

    def value(self, given, path):
        """Any value; what TOML does not have is left as it is, and refused where it is looked at."""
        if isinstance(given, os.PathLike):
            given = os.fsdecode(given)
        array = type(given).__module__ == "numpy"
        if array and not getattr(given, "shape", None):     # a scalar
            given, array = given.item(), False
        if isinstance(given, Mapping):
            return self.table(given, path)
        if array or isinstance(given, (list, tuple)):
            self._refuse_endless(given, path)
            return [self.value(value, (*path, index)) for index, value in enumerate(given)]
        if isinstance(given, str) and not is_unicode(given):
            self._problem(path, f"{shown(given)} is not text in UTF-8")
        return str(given) if isinstance(given, str) else given

    def _refuse_endless(self, given, path):
        """InputError at once, whatever else is wrong: the way through it could take for ever."""
        self.count += len(given)
        if self.count > LARGEST:
            raise InputError(f"config: {dotted(path)} has {len(given):,} values; "
                             f"more than {LARGEST:,} in all are refused")
        if len(path) >= DEEPEST:
            raise InputError(f"config: {dotted(path)}: {TOO_DEEP}")

    def _problem(self, path, message):
        self.problems.append(f"{dotted(path)}: {message}")


def is_unicode(text):
    """Has it no lone surrogates, which stand for bytes that are not UTF-8?"""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def dotted(path: tuple) -> str:
    """``("injection", 0, "cells") -> injection[0].cells``; a key that is no word is in quotes."""
    text = "".join(f"[{step}]" if type(step) is int else f".{_key(str(step))}" for step in path[:DEEPEST + 1])
    return one_line(text.removeprefix(".")) or "config"


def _key(text):
    return text if _WORD.fullmatch(text) else shown(text)
