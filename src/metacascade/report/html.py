"""Pieces of HTML: texts made safe, tables, details."""
import html
import math
import re

import numpy as np

from metacascade.base.screen import visible


def escaped(text) -> str:
    """A text of others as HTML: nothing in it is markup, and nothing hidden."""
    return html.escape(visible(text))


def marked(text) -> str:
    """The same of a sentence, in which words in backticks are code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escaped(text))


def number(value) -> str:
    """A number for a table: whole ones with commas, others with four digits, and a dash for none."""
    if value is None or isinstance(value, (float, np.floating)) and math.isnan(value):
        return "–"
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, (int, np.integer)) or float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"


def paragraph(text, kind="") -> str:
    """A paragraph; `kind` is its class."""
    return f"<p{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{marked(text)}</p>"


def without_empty(head, rows):
    """The same head and rows without columns that have nothing in any row."""
    some = [k for k in range(len(head)) if any(number(row[k]) not in ("–", "") for row in rows)]
    return [head[k] for k in some], [[row[k] for k in some] for row in rows]


def table(head, rows, caption="") -> str:
    """A table of texts and numbers: numbers to the right."""
    lines = ['<div class="table"><table>']
    lines += [f"<caption>{marked(caption)}</caption>"] * bool(caption)
    lines.append("<thead><tr>" + "".join(f'<th scope="col">{escaped(name)}</th>' for name in head) + "</tr></thead>")
    lines += ["<tbody>", *("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows), "</tbody></table></div>"]
    return "\n".join(lines)


def _cell(value):
    of_numbers = value is None or isinstance(value, (int, float, np.number))
    return f'<td class="n">{number(value)}</td>' if of_numbers else f"<td>{escaped(value)}</td>"


def details(summary, inside) -> str:
    """What opens at a click; in print it is open."""
    return f"<details><summary>{marked(summary)}</summary>\n{inside}\n</details>"


def code(text) -> str:
    """A text as it stands."""
    return f"<pre>{escaped(text)}</pre>"
