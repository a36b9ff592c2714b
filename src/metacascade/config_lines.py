"""On which line of a TOML text each key stands. ``tomllib`` tells only that of a syntax error."""
import re
import tomllib

_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' r"|'''.*?'{3,5}"        # texts over several lines
    r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'" r"|#[^\n]*"    # texts on one line, comments
    r"|[\[{]|[\]}]|\n|[^\"'#\[\]{}\n]+|.", re.DOTALL)
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
