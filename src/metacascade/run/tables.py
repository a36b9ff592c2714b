"""What is in a run at one time, as tables for a screen: where the cells are, of what they died, organs, draws."""
from metacascade.base.columns import ALIVE, DEAD, REMOVED
from metacascade.base.numerals import counted
from metacascade.base.sheets import Sheet, share
from metacascade.io.cascade_text import hours
from metacascade.io.needs import TUMOR

MOST = 8        # rows of a table, unless all are asked for


def cells(totals, columns) -> Sheet:
    """Where the cells are that live; `totals`: name of a column -> number, `columns`: those that are declared."""
    return _parts("cells that live", [(column.name, column.doc, totals.get(column.name, 0)) for column in columns
                                      if column.part == ALIVE], "all that live", zeros=True)


def deaths(totals, columns, most=MOST) -> Sheet:
    """Of what cells have died, and which were taken out."""
    return _parts("cells that are gone", _gone(totals, columns), "all that are gone", most=most)


def gone(totals, columns, most=4) -> str:
    """The same in a line; empty if none are."""
    rows = [(name, n) for name, _, n in _gone(totals, columns) if n]
    total = sum(n for _, n in rows)
    told = [f"{name} {share(n, total)}" for name, n in rows[:most]]
    if len(rows) > most:
        told.append(f"{counted(len(rows) - most, 'other')} {share(sum(n for _, n in rows[most:]), total)}")
    return f"{counted(total, 'cell')}: {', '.join(told)}" if total else ""


def _gone(totals, columns):
    rows = [(column.name, column.doc, int(totals.get(column.name, 0))) for column in columns
            if column.part in (DEAD, REMOVED)]
    return sorted(rows, key=lambda row: -row[2])


def _parts(title, rows, whole, zeros=False, most=MOST) -> Sheet:
    total, rows = sum(n for *_, n in rows), [row for row in rows if zeros or row[2]]
    rest = sum(n for *_, n in rows[most:])
    shown = [*rows[:most], *([(f"{len(rows) - most} others", "", rest)] if rest else []), (whole, "", total)]
    return Sheet(title, ("", "cells", "share", ""), [
        (name, f"{n:,}", share(n, total), doc) for name, doc, n in shown] if total else [], (3,))


def organs(burdens, most=MOST) -> Sheet:
    """What is in each organ, most lesions first: rows of `Results.burdens`; a lumped tumor is no lesion."""
    rows = sorted((row for row in burdens if row["organ"] != TUMOR and (row["alive"] or row["arrested"])),
                  key=lambda row: (-row["alive"], -row["arrested"]))
    columns = ("alive", "dormant", "micro", "macro", "cells", "arrested")
    heads = ("", "lesions", "share", "dormant", "growing", "vessels", "cells", "arrested")
    total = [sum(row[name] for row in rows) for name in columns]
    lines = [(row["organ"], *(row[name] for name in columns)) for row in rows[:most]]
    if rest := rows[most:]:
        lines.append((counted(len(rest), "other"), *(sum(row[name] for row in rest) for name in columns)))
    lines += [("all", *total)] if len(rows) > 1 else []
    return Sheet("living lesions, single cells too", heads, [
        (name, f"{alive:,}", share(alive, total[0]), *(f"{n:,}" for n in others)) for name, alive, *others in lines])


def fates(found, most=3) -> Sheet:
    """Shed and injected cells by fate, and where most of them met it; `found`: of `Fates.totals`."""
    total = sum(sum(nodes.values()) for nodes in found.values())
    rows = []
    for name, nodes in sorted(found.items(), key=lambda item: -sum(item[1].values())):
        first = sorted(nodes.items(), key=lambda item: -item[1])
        rest = f", {len(first) - most} more" if len(first) > most else ""
        n = sum(nodes.values())
        rows.append((name, f"{n:,}", share(n, total), ", ".join(f"{node} {n:,}" for node, n in first[:most]) + rest))
    return Sheet("shed and injected", ("", "cells", "share", "where"), [
        *rows, *([("all that have ended", f"{total:,}", share(total, total), "")] if len(rows) > 1 else [])], (3,))


def draws(rows, names, most=3) -> Sheet:
    """Blood draws, the last ones; `rows` of the table of draws, `names` of its nodes."""
    lines = [(hours(row["time_s"] / 3600), names[int(row["node"])], f"{row['volume_mL']:.3g} mL", f"{row['cells']:,}",
              f"{row['singles']:,}", f"{row['clusters']:,}") for row in rows[-most:]]
    title = "blood draws" if len(rows) <= most else f"the last {most} of {counted(len(rows), 'draw')}"
    return Sheet(title, ("", "from", "volume", "cells", "single", "clusters"), lines, (1,))
