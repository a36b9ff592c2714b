"""The line of each key: as tomllib sees the file, whatever its layout."""
import tomllib

from hypothesis import given, settings, strategies as st

from metacascade.config.lines import key_lines, line_of

TEXT = '''# [not.a.table]
title = "a = 1 # no comment [x]"

[run]          # comment with ] and "quote
step = "30 min"
note = """two
lines = 3
[fake]"""
other = \'\'\'x = 1
y\'\'\'
list = [
  1,  # ]
  "]",
]
"quoted key" = 1
a.b . 'c d' = 2
inline = { x = 1, y = [ { z = 2 } ] }
[ organs . "lung" ]
soil = 1
[[injection]]
cells = 1

[[injection]]
cells = 2
[injection.sub]
deep = 3
[[injection.more]]
k = 1
[[injection.more]]
k = 2
last = """a""\\""""
end = 1'''


def test_every_key_has_its_line():
    lines = key_lines(TEXT)
    assert lines[("title",)] == 2 and lines[("run",)] == 4 and lines[("run", "step")] == 5
    assert lines[("run", "note")] == 6 and lines[("run", "other")] == 9 and lines[("run", "list")] == 11
    assert lines[("run", "quoted key")] == 15 and lines[("run", "a", "b", "c d")] == 16
    assert lines[("organs", "lung", "soil")] == 19
    assert lines[("injection", 0, "cells")] == 21 and lines[("injection", 1, "cells")] == 24
    assert lines[("injection", 1, "sub", "deep")] == 26 and lines[("injection", 1, "more", 1, "k")] == 30
    assert lines[("injection", 1, "more", 1, "end")] == 32
    assert ("fake",) not in lines and ("run", "lines") not in lines


def test_key_without_a_line_has_that_of_its_table():
    lines = key_lines(TEXT)
    assert line_of(("run", "inline", "y", 0, "z"), lines) == 17
    assert line_of(("run", "absent"), lines) == 4 and line_of(("nowhere", "x"), lines) == 1


def _paths(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from _paths(inner, (*path, key))


keys = st.text(min_size=1, max_size=5)
values = st.one_of(st.integers(), st.text(), st.lists(st.text(), max_size=3))


@given(st.dictionaries(keys, st.dictionaries(keys, values, max_size=3), max_size=4))
@settings(derandomize=True, deadline=None)
def test_random_tables_have_each_key_on_its_line(tables):
    from metacascade.config.write import quoted
    lines, expected = [], {}
    for name, table in tables.items():
        lines += ["# comment", f"[{quoted(name)}]"]
        expected[(name,)] = len(lines)
        for key, value in table.items():
            text = "[" + ", \n".join(map(quoted, value)) + "]" if isinstance(value, list) else (
                quoted(value) if isinstance(value, str) else str(value))
            expected[(name, key)] = len(lines) + 1
            lines += f"{quoted(key)} = {text}".split("\n")
    text = "\n".join(lines)
    assert set(_paths(tomllib.loads(text))) == set(expected)
    assert key_lines(text) == expected
