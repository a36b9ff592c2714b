"""On which line of a TOML text each key and comment stands, and how deep it goes. ``tomllib`` drops all of it."""
import re
import tomllib

# Texts over several lines, on one line, comments. One that does not end goes on to the end of all or of its line, so
# that nothing is looked at twice.
_TEXT = (r'"""(?:[^\\]|\\.)*?(?:"{3,5}|\Z)' r"|'''.*?(?:'{3,5}|\Z)"
         r'|"(?:[^"\\\n]|\\.)*"?' r"|'[^'\n]*'?" r"|#[^\n]*")
_TOKEN = re.compile(_TEXT + r"|[\[{]|[\]}]|\n|[^\"'#\[\]{}\n]+", re.DOTALL)
_LEVELS = re.compile(_TEXT + r"|[\[{\]}.,\n]", re.DOTALL)
_WORD = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"{_WORD}(?:[ \t]*\.[ \t]*{_WORD})*"
_HEADER = re.compile(rf"\s*(\[\[?)[ \t]*({_DOTTED})[ \t]*\]")
_PAIR = re.compile(rf"\s*({_DOTTED})[ \t]*=")


def _statements(text: str):
    """Line number and text of each header and each ``key = value``, also where it spans lines."""
    line, first, depth, parts = 1, 1, 0, []
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token == "\n" and depth == 0:
            yield first, "".join(parts)
            parts = []
        elif not token.startswith("#"):
            first = first if parts else line
            parts.append(token)
            depth += (token in "[{") - (token in "]}")
        line += token.count("\n")
    yield first, "".join(parts)


def comments(text: str) -> dict[int, str]:
    """What stands behind the ``#`` on each line that has a comment, in the order of lines.

    A line that holds nothing but an indented comment goes on with the comment of the line above it.
    """
    found, line, goes_on = {}, 1, None
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token.startswith("#"):
            before = text[text.rfind("\n", 0, match.start()) + 1:match.start()]
            if before and not before.strip() and goes_on and line == goes_on[1] + 1:
                found[goes_on[0]] += " " + token.strip("# \t")
                goes_on = goes_on[0], line
            else:
                found[line], goes_on = token.strip("# \t"), (line, line)
        line += token.count("\n")
    return found


def too_deep(text: str, most: int) -> int | None:
    """The first line with more than `most` tables and lists in each other, in a text that need not be valid, or None.

    A dot in a name is a level, and so is one in a number; the levels of a header count for its own line only.
    """
    line, level, base, outer = 1, 0, 0, []
    for match in _LEVELS.finditer(text):
        mark = match[0]
        if mark in "[{":
            outer.append(base)
            base = level = level + 1
        elif mark in "]}":
            base = level = outer.pop() if outer else 0
        elif mark in ",\n":
            level = base
        level += mark == "."
        if level > most:
            return line
        line += mark.count("\n")
    return None


def _words(dotted: str) -> list[str]:
    """``a."b c"`` -> ``["a", "b c"]``"""
    if '"' not in dotted and "'" not in dotted:
        return [word.strip() for word in dotted.split(".")]
    words, table = [], tomllib.loads(f"{dotted} = 0")
    while isinstance(table, dict):
        (word, table), = table.items()
        words.append(word)
    return words


def key_lines(text: str) -> dict[tuple, int]:
    """Line of every table and key: ``("injection", 0, "cells") -> 12``. The text must be valid TOML."""
    lines, prefix, arrays = {}, (), {}

    def walk(path, words):
        for word in words:
            path += (word,)
            if path in arrays:
                path += (arrays[path],)
        return path

    for line, statement in _statements(text):
        if match := _HEADER.match(statement):
            *parents, last = _words(match[2])
            prefix = (*walk((), parents), last)
            if match[1] == "[[":
                arrays[prefix] = arrays.get(prefix, -1) + 1
                lines.setdefault(prefix, line)
                prefix += (arrays[prefix],)
            lines.setdefault(prefix, line)
        elif match := _PAIR.match(statement):
            path = prefix
            for word in _words(match[1]):
                path += (word,)
                lines.setdefault(path, line)
    return lines


def line_of(path: tuple, lines: dict[tuple, int]) -> int:
    """Line of `path`, or of the innermost table around it that has one; 1 at the top."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)
