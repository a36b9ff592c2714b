"""What the cascade tells, as text of at most 80 columns, and as rows of one table for a file."""
import csv
import io
import math
import textwrap

import numpy as np

from metacascade.io import bloodcount, needs
from metacascade.io.atomic import refuse_other, write_text
from metacascade.io.cascade import kept
from metacascade.io.needs import WHOLE, Missing

COLUMNS = ("table", "stage", "place", "of", "quantity", "unit", "value", "low", "high")     # of the file
DRAWS, ROUTES, WIDTH = 12, 10, 80       # rows that the text shows at most, and columns
LESIONS = 100           # the largest that the file tells of; results.largest_lesions() has all
FLOW = "of the flow, ln 2 x mean time"


def number(value, digits=3) -> str:
    """A number for a table, "-" for one that is not there."""
    if value is None or isinstance(value, float) and math.isnan(value):
        return "-"
    return f"{value:,}" if isinstance(value, (int, np.integer)) else f"{value:.{digits}g}"


def hours(value) -> str:
    """A time for a table: seconds, minutes, hours or days, whichever reads best."""
    if value is None or not math.isfinite(value):
        return "later" if value == math.inf else "-"
    number, unit = time_of(value)
    return f"{number:.3g} {'d' if unit == 'days' else unit}"


def time_of(value) -> tuple[float, str]:
    """(number, unit) of a time [h], in seconds, minutes, hours or days, whichever reads best."""
    for unit, size in (("s", 1 / 3600), ("min", 1 / 60), ("h", 1)):
        if value < (100 if unit == "s" else 120) * size:
            return float(f"{value / size:.3g}"), unit
    return float(f"{value / 24:.3g}"), "days"


def of_missing(block, results, what="") -> list[str]:
    """The lines of a block, or the line that says what is not there, of `what` if a title is over more."""
    try:
        return block(results)
    except Missing as missing:
        return textwrap.wrap(f"{what}{': ' * bool(what)}not told: {missing}", WIDTH, initial_indent="  ",
                             subsequent_indent="    ")


def report(results) -> str:
    """All read-outs, as text."""
    results = kept(results)
    blocks = (
        ("fate funnel", funnel), ("half-life in the blood", half_lives),
        ("venous blood, and what a virtual CellSearch finds in it", blood),
        ("organs at the last output", burdens), ("metastases", metastases),
        ("routes of lesions, single cells too: from, to, how many, still alive", routes),
        ("founders of lesions, single cells too: where in the tumor they were", founders),
        ("largest lesions", largest))
    lines = []
    for title, block in blocks:
        lines += [title, *of_missing(block, results), ""]
    return "\n".join(lines[:-1])


def funnel(results):
    """A line for each stage and organ."""
    lines = [f"  {'stage':<13}{'organ':<11}{'number':>13}{'share':>10}{'median':>10}{'10 %':>9}{'90 %':>9}"]
    for row in results.funnel():
        share = "-" if row["share"] is None else f"{row['share']:.3g}"
        times = " ".join(f"{hours(row[name]):>8}" for name in ("median_h", "p10_h", "p90_h"))
        lines.append(f"  {row['stage']:<13}{row['organ'] or 'all':<11}{number(row['count']):>13}{share:>10}  {times}")
    return [*lines, "  Cells up to extravasated, since the start; then lesions and single cells, now.",
            "  Share: of the stage before, dormant and micro of alive. Since shedding."]


def half_lives(results):
    """Whole and apparent."""
    lines = of_missing(_whole, results, FLOW)
    for name, found in (("of the number after the source stopped", results.halvings),
                        ("of what was shed, flowing or arrested", results.survival)):
        lines += of_missing(lambda _, name=name, found=found: _halvings(name, found()), results, name)
    return lines


def _whole(results):
    one = results.half_life()
    return [f"  {FLOW}: {hours(one['half_life_h'])} ({hours(one['low_h'])} to "
            f"{hours(one['high_h'])}), {one['cells']:,} cells"]


def _halvings(name, rows):
    lines = [f"  {name}, to"] if rows else [f"  {name}: not yet halved"]
    return lines + [f"    1/{round(1 / row['share']):<6}{hours(row['hours'])} ({hours(row['low_h'])} to "
                    f"{hours(row['high_h'])}); this halving {hours(row['last_h'])}" for row in rows]


def blood(results):
    """Some outputs, and the draws of the run."""
    found, lines = results.cellsearch(), []
    at = np.unique(np.linspace(0, len(found["time_h"]) - 1, min(DRAWS, len(found["time_h"]))).astype(int))
    lines.append(f"  {'time':>8} {'cells/mL':>10} {'mL':>6} {'cells':>10} {'expected':>10} {'found':>8} {'P(>=1)':>8} "
                 f"{'P(>=5)':>8}")
    for k in at:
        row = {name: values[k] for name, values in found.items()}
        per_mL = row["cells"] / row["volume_mL"] if row["volume_mL"] else math.nan
        lines.append(f"  {hours(row['time_h']):>8} {per_mL:>10.3g} {row['volume_mL']:>6.3g} {row['cells']:>10.3g} "
                     f"{row['expected']:>10.3g} {row['found']:>8,} {row['p_any']:>8.2g} {row['p_many']:>8.2g}")
    drawn = bloodcount.real_draws(results)
    lines += ["  draws of the run"] * bool(drawn) + [
        f"    {hours(row['time_h'])}, {row['volume_mL']:.3g} mL from {row['node']}: {row['cells']:,} cells in "
        f"{row['ctcs']:,} CTCs" for row in drawn[:DRAWS]]
    return lines + [f"    and {len(drawn) - DRAWS} more"] * (len(drawn) > DRAWS)


def burdens(results):
    """A line for each organ that has lesions or cells."""
    rows = [row for row in results.burdens() if row["alive"] or row["cells"] or row["arrested"]]
    lines = [f"  {'organ':<12}{'arrested':>10}{'cells':>13}{'alive':>9}{'dormant':>9}{'growing':>9}{'vessels':>9}"]
    lines += [f"  {row['organ']:<12}{number(row['arrested']):>10}{number(row['cells']):>13}"
              f"{number(row['alive']):>9}{number(row['dormant']):>9}{number(row['micro']):>9}{number(row['macro']):>9}"
              for row in rows]
    return [*lines, "  Alive: lesions, single cells too."] if rows else ["  nothing is in any"]


def metastases(results):
    """The times of the first."""
    found = results.metastases()
    seen = "not yet told, the run goes on" if found["detected"] is None else f"{found['detected']:,}"
    lines = [f"  first lesion that divided: {hours(found['first_lesion_h'])}", f"  detected by images: {seen}"]
    if found["detected"]:
        lines[-1] += f", the first at {hours(found['first_detected_h'])}"
    return lines + [f"  largest: {number(found['largest'])} cells"]


def routes(results):
    """A line for each way, most first."""
    ways = [(n, origin, organ) for origin, row in results.routes().items() for organ, n in row.items()]
    ways, living = sorted(ways, reverse=True), results.routes(living=True)
    lines = [f"  {origin:<12} -> {organ:<12}{n:>9,}{living.get(origin, {}).get(organ, 0):>9,}"
             for n, origin, organ in ways[:ROUTES]]
    lines += [f"  and {len(ways) - ROUTES} more ways"] * (len(ways) > ROUTES)
    return lines or ["  there was no lesion"]


def founders(results):
    """A line for each zone that cells have left."""
    lines = [f"  {'zone':<10}{'left it':>10}{'share':>8}{'founders':>10}{'share':>8}{'chance':>10}{'to vessel':>11}"
             f"{'to middle':>11}"]
    lines += [f"  {row['zone']:<10}{row['shed']:>10,}{row['shed_share']:>8.3f}{row['founders']:>10,}"
              f"{row['founders_share']:>8.3f}{row['chance']:>10.3g}{number(row['vessel_um']):>8} um"
              f"{number(row['center_um']):>8} um" for row in results.founders()]
    return [*lines, "  Chance: founders of living lesions over CTCs; distances: medians of founders."]


def largest(results):
    """A line for each of some."""
    lines = [f"  {'organ':<12}{'cells':>13}  {'state':<10}{'clone':>6}  {'from':<12}{'zone':<10}{'founded':>8}"]
    rows = results.largest_lesions(ROUTES)
    lines += [f"  {row['organ']:<12}{row['n']:>13,}  {row['state']:<10}{row['clone']:>6}  {row['came_from']:<12}"
              f"{row['zone']:<10}{hours(row['t_founded_h']):>8}" for row in rows]
    return lines if rows else ["  none is alive"]


def headline(results) -> list[str]:
    """The numbers that matter most, for `metacascade info`."""
    results, found = kept(results), []
    for block in (_headline_funnel, _headline_blood, _headline_times):
        try:
            found += block(results)
        except Missing:
            pass
    return ["  cascade (`metacascade cascade` tells more)"] * bool(found) + found


def _headline_funnel(results):
    whole = {row["stage"]: row for row in results.funnel() if row["organ"] == WHOLE}
    told = [f"{stage} {number(row['count'])}" for stage, row in whole.items()]
    if born := sum(needs.events(results).get("divided", {}).values()):
        told.insert(1, f"{number(born)} more born in vessels")
    return [f"    {line}" for line in textwrap.wrap(", ".join(told), WIDTH - 4, break_on_hyphens=False)]


def _headline_blood(results):
    found, lines = results.cellsearch(), []
    if not needs.entered(results)[-1] and not found["cells"].any():
        return []
    lines.append(f"    {found['volume_mL'][-1]:.3g} mL venous blood: {found['cells'][-1]:.3g} cells, "
                 f"{found['expected'][-1]:.3g} found by CellSearch, P(>= 5) {found['p_many'][-1]:.2g}")
    return lines + [f"    half-life of the flow{line.partition(':')[2]}" for line in of_missing(_whole, results)
                    if FLOW in line]


def _headline_times(results):
    found = results.metastases()
    if found["first_lesion_h"] is None:
        return []
    seen = f", detected {hours(found['first_detected_h'])}" if found["first_detected_h"] is not None else ""
    return [f"    first lesion {hours(found['first_lesion_h'])}{seen}"]


def rows(results):
    """All read-outs as rows of COLUMNS."""
    results = kept(results)
    for part in (_funnel_rows, _half_life_rows, _blood_rows, _organ_rows, _time_rows, _route_rows, _founder_rows,
                 _lesion_rows):
        try:
            yield from part(results)
        except Missing:
            pass


def _row(table, quantity, unit, value, stage="", place="", of="", low=None, high=None):
    return dict(zip(COLUMNS, (table, stage, place, of, quantity, unit, value, low, high)))


def _funnel_rows(results):
    for row in results.funnel():
        where = dict(stage=row["stage"], place=row["organ"] or "all")
        yield _row("funnel", "count", row["unit"], row["count"], **where)
        yield _row("funnel", "share", "1", row["share"], of=row["of"] or "", **where)
        yield _row("funnel", "time", "h", row["median_h"], low=row["p10_h"], high=row["p90_h"], **where)


def _half_life_rows(results):
    for name, found in (("flow", results.half_life), ("decay", results.halvings), ("survival", results.survival)):
        try:
            one = found()
        except Missing:
            continue
        for row in one if isinstance(one, list) else [dict(one, share=0.5, hours=one["half_life_h"])]:
            yield _row("half_life", "time to", "h", row["hours"], stage=name, of=row["share"], low=row["low_h"],
                       high=row["high_h"])


def _blood_rows(results):
    found = results.cellsearch()
    for k, time_h in enumerate(found["time_h"]):
        for name, unit in (("volume_mL", "mL"), ("cells", "cells"), ("expected", "CTCs"), ("found", "CTCs"),
                           ("p_any", "1"), ("p_many", "1")):
            yield _row("cellsearch", name, unit, found[name][k], stage=f"{time_h:g} h", place="venous")
    for row in bloodcount.real_draws(results):
        yield _row("draw", "cells", "cells", row["cells"], stage=f"{row['time_h']:g} h", place=row["node"],
                   of=f"{row['volume_mL']:g} mL")


def _organ_rows(results):
    for row in results.burdens():
        for name, value in row.items():
            if name not in ("organ", "time_h"):
                yield _row("organ", name, "", value, stage=f"{row['time_h']:g} h", place=row["organ"])


def _time_rows(results):
    for name, value in results.metastases().items():
        unit = "h" if name.endswith("_h") else "lesions" if name == "detected" else "cells"
        yield _row("metastases", name.removesuffix("_h"), unit, value)


def _route_rows(results):
    for origin, ways in results.routes().items():
        for organ, n in ways.items():
            yield _row("route", "lesions", "lesions", n, place=organ, of=origin)


def _founder_rows(results):
    for row in results.founders():
        for name, unit in (("shed", "CTCs"), ("founders", "lesions"), ("vessel_um", "um"), ("center_um", "um")):
            yield _row("founders", name.removesuffix("_um"), unit, row[name], stage=row["zone"])


def _lesion_rows(results):
    """The largest lesions by rank, in an organ and from where; ids, as in `lineages`, are values."""
    for rank, row in enumerate(results.largest_lesions(LESIONS), start=1):
        where = dict(stage=rank, place=row["organ"], of=row["came_from"])
        for name, unit, field in (("cells", "cells", "n"), ("clone", "clone", "clone"), ("id", "id", "id"),
                                  ("source", "id", "source")):
            yield _row("lesion", name, unit, row[field], **where)


def write_csv(results, path):
    """Write `rows` as a CSV file, and give how many; InputError where it would replace anything but such a file."""
    head = ",".join(COLUMNS).encode()
    refuse_other(path, lambda found: found.startswith(head), "table of `metacascade cascade`",
                 "choose another for --csv")
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(found := list(rows(results)))
    write_text(path, text.getvalue())
    return len(found)
