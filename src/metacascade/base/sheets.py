"""Tables for a screen of 80 columns: with rich on a terminal, as plain text where the output goes elsewhere."""
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from metacascade.base.screen import bare, one_line

WIDTH, WIDEST, GAP, LEAST_TEXT = 80, 120, 2, 16     # columns of a screen, at most; between two of a table; of a text


@dataclass(frozen=True)
class Sheet:
    """A table of texts with a title.

    `heads`: names of the columns, or () for none. The first column stands flush left, and so do those whose numbers
    are in `texts`, of which the last is broken into lines where the table would be too wide; all others are numbers.
    """
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: tuple[int, ...] = ()


def facts(title, pairs) -> Sheet:
    """A table of names and what there is to say of each; those of which there is nothing are left out."""
    return Sheet(title, (), [(name, text) for name, text in pairs if text], (1,))


def share(part, whole) -> str:
    """A part of a whole in percent, "-" of nothing."""
    if not whole:
        return "-"
    percent = 100 * part / whole
    return f"{percent:.1f} %" if not 0 < percent < 0.05 else "< 0.1 %"


def plain(sheets, width=WIDTH) -> str:
    """The tables below each other, of at most so many columns."""
    return "\n\n".join("\n".join(_lines(sheet, width)[0]) for sheet in sheets if sheet.rows)


def show(sheets, terminal=True) -> None:
    """Print them: in style on a terminal, unless it is known to be none (`terminal` is false)."""
    if not (terminal and sys.stdout.isatty()):
        print(plain(sheets), flush=True)
        return
    from rich.console import Console
    sys.stdout.flush()
    Console(file=bare(sys.stdout)).print(styled(sheets, screen_width()), soft_wrap=True)


def screen_width() -> int:
    """Columns of the terminal, WIDEST at most."""
    return max(min(shutil.get_terminal_size((WIDTH, 24)).columns, WIDEST), 40)


def styled(sheets, width=WIDTH):
    """The same as `plain`, as a rich Text: titles bold, heads of columns dim. All of it is visible text."""
    from rich.text import Text
    text = Text(no_wrap=True)
    for number, sheet in enumerate(found := [sheet for sheet in sheets if sheet.rows]):
        lines, heads = _lines(sheet, width)
        for row, line in enumerate(lines):
            text.append(line + "\n", "bold" if row == 0 < heads else "dim" if row < heads else "")
        if number < len(found) - 1:
            text.append("\n")
    text.rstrip()
    return text


def _lines(sheet, width):
    """(lines of a table, how many of them are its head); the title stands in the line of the heads if there is room."""
    rows = [[one_line(cell) for cell in row] for row in sheet.rows]
    heads = list(sheet.heads)
    lines = [one_line(sheet.title)] if sheet.title else []
    at = [max(len(row[column]) for row in [*rows, *([heads] if heads else [])]) for column in range(len(rows[0]))]
    indent = 2 if sheet.title else 0
    room = max(width - indent - GAP * (len(at) - 1), LEAST_TEXT)
    for column in sheet.texts[-1:]:
        at[column] = min(at[column], max(room - sum(at) + at[column], LEAST_TEXT))
    if heads and lines and not heads[0] and len(lines[0]) <= max(indent + at[0], width - sum(at[1:]) - GAP * len(at)):
        heads[0], lines, at[0] = lines[0], [], max(at[0], len(lines[0]) - indent)
    if heads:
        own = at if lines else [at[0] + indent, *at[1:]]
        lines += [(" " * indent if lines else "") + line for line in _row(sheet, heads, own)]
    rest = [(" " * indent + line).rstrip() for row in rows for line in _row(sheet, row, at)]
    return lines + rest, len(lines)


def _row(sheet, cells, at):
    """The lines of a row: one, or more where its text is broken."""
    broken = sheet.texts[-1] if sheet.texts else None
    pieces = [textwrap.wrap(cell, at[column], break_on_hyphens=False) or [""] if column == broken else [cell]
              for column, cell in enumerate(cells)]
    flush = {0, *sheet.texts}
    for number in range(max(map(len, pieces))):
        line = (piece[number] if number < len(piece) else "" for piece in pieces)
        yield (" " * GAP).join(f"{cell:{'<' if column in flush else '>'}{at[column]}}"
                               for column, cell in enumerate(line)).rstrip()
