"""How results look in a notebook: small tables of HTML, and what is in them in one line."""
import contextlib
from html import escape
from typing import Any

from metacascade.base.errors import InputError
from metacascade.base.screen import one_line
from metacascade.io.structure import understood

ENDS = 5            # first and last rows of a table that are shown
WIDEST = 12         # columns of a table that are shown
COUNTED = {"tissue": "cells in tissue", "lumped": "cells in a lumped tumor", "shed": "shed by the tumor",
           "extravasated": "left a vessel", "lesions": "cells in lesions"}        # columns of the series: what they are


def overview(results: Any) -> str:
    """Results in one line."""
    if not results.h5:
        return f"<results {results.path}, closed>"
    state = "complete" if results.complete else "not complete"
    return f"<results {results.path}, {state}: {', '.join(sorted(results.h5))}{_now(results)}>"


def _now(results):
    """The last output in a few words; nothing if it cannot be read."""
    with contextlib.suppress(InputError, KeyError, IndexError):
        day, numbers = _last(results)
        return f"; day {day:g}: " + ", ".join(f"{n:,} {what}" for what, n in numbers.items() if n)
    return ""


def _last(results):
    """(day, {what: number}) of the last output."""
    series = results.series
    numbers = {what: int(series[name][-1]) for name, what in COUNTED.items() if name in series}
    return series["time_s"][-1] / 86400, numbers


def results_html(results) -> str:
    """A table of what the results of a run are and hold."""
    if not results.h5:
        return f"<p>{escape(overview(results))}</p>"
    session = results.provenance[0]
    rows = [("file", str(results.path)), ("run", str(results.config.get("title") or "without a title")),
            ("state", "complete" if results.complete else "running or interrupted"),
            ("started", f"{session.get('started', '?')} on {session.get('ranks', '?')} ranks, metacascade "
                        f"{session.get('versions', {}).get('metacascade', '?')} {session.get('git', '')[:12]}")]
    with contextlib.suppress(InputError, KeyError, IndexError):
        day, numbers = _last(results)
        rows += [("last output", f"day {day:g}"), *((what, f"{n:,}") for what, n in numbers.items())]
    rows += [(f"results.{name}", f"{len(results[name]):,} rows: {', '.join(results[name].dtype.names)}")
             for name in results.tables()]
    return pairs_html([*rows, ("results.series", f"{len(results.series)} columns at each output")])


def rows_html(rows) -> str:
    """The first and last rows of a table, with names in place of numbers."""
    with understood(rows.results.path):
        names, total = _most_telling(rows), len(rows)
        picked = [*range(min(ENDS, total)), *range(max(total - ENDS, ENDS), total)]
        found, meaning = rows[names, picked], rows.results.names(rows.name)
    body = [[_cell(one[name], meaning.get(name)) for name in names] for one in found]
    more = f", {len(rows.dtype.names) - WIDEST} fields more" * (len(rows.dtype.names) > WIDEST)
    return f"<p>/{escape(rows.name)}: {total:,} rows{more}</p>" + _table(names, body)


def _most_telling(rows):
    """Fields that stand for names, and others as there is room, in their order."""
    meaning, names = rows.results.names(rows.name), rows.dtype.names
    chosen = sorted(names, key=lambda name: name not in meaning)[:WIDEST]
    return [name for name in names if name in chosen]


def _cell(value, meaning):
    number = value.item()
    if meaning and number in meaning:
        return meaning[number]
    return f"{number:.6g}" if isinstance(number, float) else str(number)


def pairs_html(pairs) -> str:
    """A table of two columns."""
    return _table((), [[name, one_line(text, 300)] for name, text in pairs])


def _table(head, body):
    def row(cells, kind):
        inside = "".join(f"<{kind} style='text-align:left'>{escape(str(one))}</{kind}>" for one in cells)
        return f"<tr>{inside}</tr>"
    return "<table>" + (row(head, "th") if head else "") + "".join(row(cells, "td") for cells in body) + "</table>"
