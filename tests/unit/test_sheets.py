"""Tables for a screen of 80 columns."""
import io
import sys

import pytest

from metacascade.base import sheets
from metacascade.base.numerals import singular
from metacascade.base.sheets import Sheet, facts, plain, share

WIDE = Sheet("a title", ("", "cells", "what"), [("one", "1", "words " * 40), ("another", "1,000", "short")], (2,))


def test_a_long_text_is_broken_between_words_and_the_table_fits():
    lines = plain([WIDE]).splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) > 4 and " ".join(lines).count("words") == 40
    assert {word for line in lines[2:-1] for word in line.split()} == {"words"}


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_numbers_stand_flush_right_under_their_heads(width):
    head, first, *_, last = plain([WIDE], width).splitlines()
    at = head.index("cells") + len("cells")
    assert first[:at].endswith(" 1") and last[:at].endswith("1,000")


def test_a_title_that_is_wider_than_its_column_has_a_line_to_itself_where_there_is_no_room():
    one = Sheet("a title that is rather long for a column of organs", ("", *8 * ["number"]), [("lung", *8 * ["1"])])
    title, head, row = plain([one]).splitlines()
    assert title == one.title and "number" in head and row.split()[0] == "lung"


def test_nothing_is_said_of_what_has_no_rows():
    assert plain([facts("nothing", [("a", ""), ("b", None)])]) == ""


def test_foreign_text_is_visible_in_both():
    one = Sheet("\x1b[31m", ("a",), [("\x1b]0;\n",)])
    assert "\x1b" not in plain([one]) and "\x1b" not in sheets.styled([one]).plain


def test_in_style_it_says_the_same(monkeypatch):
    assert sheets.styled([WIDE]).plain.rstrip() == plain([WIDE])
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    sheets.show([WIDE])
    first, second, *_ = terminal.getvalue().splitlines()
    assert first.startswith("\x1b[1ma title") and second.startswith("  one")        # not dim, as heads are


@pytest.mark.parametrize("part, whole, told", [(0, 0, "-"), (0, 5, "0.0 %"), (1, 10**6, "< 0.1 %"), (1, 3, "33.3 %"), (7, 7, "100.0 %")])
def test_a_share_says_whether_there_is_anything(part, whole, told):
    assert share(part, whole) == told


@pytest.mark.parametrize("text, told", [
    ("1 cells in 1 single cells", "1 cell in 1 single cell"), ("21 cells, 1,001 ranks", "21 cells, 1,001 ranks"),
    ("1 ranks, 0 steps", "1 rank, 0 steps"), ("0.1 cells", "0.1 cells"),
    ("arms, 1 members: 1 done, 1 replicates, 1 values", "arms, 1 member: 1 done, 1 replicate, 1 value")])
def test_one_is_not_many(text, told):
    assert singular(text) == told
