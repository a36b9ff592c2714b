"""The fate funnel as a Sankey, and how far cells came in each organ."""
from metacascade.io import funnel, needs
from metacascade.io.needs import WHOLE, Missing
from metacascade.report import marks, style
from metacascade.report.plate import Plate

FLOWING = {"anoikis": "anoikis", "shear": "shear", "torn": "torn apart", "nk_flowing": "NK cells"}
HELD = {"nk_held": "NK cells", "arrested_death": "died in the vessel"}
COLORS = {"NK cells": style.ORANGE, "anoikis": style.GRAY, "shear": style.SKY, "torn apart": style.SKY,
          "died in the vessel": style.GRAY, "still arrested": style.YELLOW, "arrested": style.BLUE,
          "left the vessel": style.GREEN, "seeded": style.YELLOW, "back in the tumor": style.RED,
          "died before dividing": style.GRAY, "died after dividing": style.SKY, "died at the exit": style.ORANGE,
          "dormant": style.PURPLE, "growing": style.RED, "with vessels": style.BLACK, "elsewhere": style.PALE}
GAP, LEAST = 0.045, 0.004       # between bands, and the height of the thinnest; of 1 for all
STAGES = {"arrested": ("o", style.BLUE), "extravasated": ("s", style.GREEN), "alive": ("^", style.ORANGE),
          "dormant": ("D", style.PURPLE), "micro": ("v", style.RED), "macro": ("*", style.BLACK)}
WORDS = {"alive": "lesions alive", "dormant": "dormant", "micro": "growing", "macro": "with vessels"}


def flows(told):
    """Of whole, then (name, number) of each part: shed cells, with those born of them in vessels; arrested ones; and
    lesions that were founded (where there are none for want of colonization, cells that left the vessels)."""
    counts, events = funnel.counts(told.results), needs.events(told.results)
    totals = {name: sum(by_node.values()) for name, by_node in events.items()}
    born, held = totals.get("divided", 0), counts["arrested"][WHOLE]
    first = [("arrested", held), *_named(totals, FLOWING)]
    second = [("left the vessel", counts["extravasated"][WHOLE]), ("back in the tumor", int(told.last("self_seeded"))),
              *_named(totals, HELD), ("still arrested", int(told.last("arrested")))]
    return [_completed("shed", counts["shed"][WHOLE] + born, first), _completed("arrested", held, second),
            _of_lesions(told, counts)]


def _of_lesions(told, counts):
    """Of all lesions founded those alive by state, and those cleared: nothing of them is left to be elsewhere."""
    lesions = {name: counts[name][WHOLE] for name in funnel.IN_LESIONS}
    cleared, undivided, at_exit = (int(told.last(name)) for name in ("cleared", "dropped", "died_at_exit"))
    parts = [("seeded", lesions["alive"] - lesions["dormant"] - lesions["micro"]), ("dormant", lesions["dormant"]),
             ("growing", lesions["micro"] - lesions["macro"]), ("with vessels", lesions["macro"]),
             ("died before dividing", undivided), ("died after dividing", cleared - undivided),
             ("died at the exit", at_exit)]
    return _completed("founded", int(told.last("seeded")) + at_exit, parts)


def _named(totals, names):
    found = {}
    for event, name in names.items():
        found[name] = found.get(name, 0) + totals.get(event, 0)
    return [*found.items()]


def _completed(name, whole, parts):
    """With what is none of the parts: in the flow, drawn, taken out, come back."""
    parts = [(part, int(n)) for part, n in parts if n > 0]
    rest = int(whole) - sum(n for _, n in parts)
    return name, int(whole), [*parts, *([("elsewhere", rest)] if rest > 0 else [])]


def sankey(told) -> Plate:
    """What became of all shed cells, in three steps, each on a scale of its own."""
    steps = flows(told)
    if not steps[0][1]:
        raise Missing("no cell has entered the blood")
    figure, axes = style.figure(1, 3, height_in=3.9)
    titles = ("Cells that entered the blood", "Of those arrested in organs", "Of the lesions that they founded")
    for axis, title, (_, whole, parts) in zip(axes[0], titles, steps):
        _panel(axis, title, whole, parts)
    rows = [{"of": name, "became": part, "number": n, "share": n / _sum(parts)}
            for name, _, parts in steps for part, n in parts]
    return Plate("fates", "What became of the cells that entered the blood, and of those born of them in vessels, "
                 "since the start. The second panel takes up the first band of the first, the third tells of the "
                 "lesions that those founded that left the vessels, a cluster one (or that were put into an organ). "
                 "Each is on a scale of its own; bands are as high as their numbers, and a number too small to see has "
                 "a thin line. Elsewhere: still in the flow, drawn, or taken out by treatment.", figure, rows)


def _sum(parts):
    """What shares are of, in the figure and in its table."""
    return max(sum(n for _, n in parts), 1)


def _panel(axis, title, whole, parts):
    axis.set_title(title, fontsize=style.SMALL)
    axis.axis("off")
    axis.set(xlim=(0, 1), ylim=(1.22, -0.04))
    if not whole or not parts:
        return axis.text(0.5, 0.5, "none", ha="center")
    total = _sum(parts)
    heights = [max(n / total, LEAST) for _, n in parts]
    scale = (1.15 - GAP * (len(parts) - 1)) / sum(heights)
    at, bottom = 0.0, (1.15 - sum(heights) * scale) / 2
    label = -1.0
    marks.bar(axis, 0.0, bottom, 0.06, sum(heights) * scale, color=style.INK)
    for (name, n), height in zip(parts, heights):
        height *= scale
        marks.ribbon(axis, 0.06, 0.42, (bottom, bottom + height), (at, at + height), color=COLORS[name], alpha=0.85)
        label = max(at + height / 2, label + 0.125)
        axis.annotate(f"{name}\n{n:,} ({_share(n / total)})", (0.42, at + height / 2), xytext=(0.47, label),
                      va="center", fontsize=style.SMALL, linespacing=1.05,
                      arrowprops=dict(arrowstyle="-", color=style.GRAY, linewidth=0.6, shrinkA=0, shrinkB=0,
                                      relpos=(0, 0.5)))
        bottom, at = bottom + height, at + height + GAP
    return None


def _share(share):
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %" if share >= 0.001 else "< 0.1 %"


def in_organs(told):
    """(rows of the funnel by organ that have any, {organ: the largest number of any stage})."""
    rows, most = [row for row in told.funnel if row["organ"] != WHOLE and row["count"] > 0], {}
    if not rows:
        raise Missing("no cell has been arrested in an organ")
    for row in rows:
        most[row["organ"]] = max(most.get(row["organ"], 0), row["count"])
    return rows, most


def mark(axis, rows, organs, stages, **how):
    """A mark for each stage in each organ; `stages`: stage -> (marker, color, words)."""
    for stage, (marker, color, words) in stages.items():
        if not (those := [row for row in rows if row["stage"] == stage and row["organ"] in organs]):
            continue            # a mark without a place that is not clipped would take the room of the axes
        axis.plot([row["count"] for row in those], [organs.index(row["organ"]) for row in those], marker, color=color,
                  markeredgecolor="black", linestyle="", clip_on=False, label=words, **how)


def by_organ(told) -> Plate:
    """How many came how far in each organ, on a scale of powers of ten."""
    rows, most = in_organs(told)
    organs = sorted(most, key=most.get)
    figure, axes = style.figure(height_in=max(2.6, 1.2 + 0.27 * len(organs)))
    axis = axes[0, 0]
    stages = {stage: (*look, WORDS.get(stage, stage)) for stage, look in STAGES.items()}
    mark(axis, rows, organs, stages, markersize=7, markeredgewidth=0.5, zorder=3)
    axis.set_yticks(range(len(organs)), organs)
    style.log_scale(axis.xaxis, 0.8, 1.5 * max(most.values()))
    axis.set_xlabel("cells (arrested, extravasated) or lesions")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=6, columnspacing=1.0,
                  handletextpad=0.2)
    return Plate("fates_by_organ", "How far cells came in each organ: arrested and not let go again, and extravasated, "
                 "since the start; lesions, single cells among them, at the last output. What is 0 has no mark.",
                 figure, [_row(row) for row in told.funnel])


def _row(row):
    return {"stage": row["stage"], "organ": row["organ"] or "all", "number": row["count"], "unit": row["unit"],
            "share": row["share"], "of": row["of"] or "", "median [h]": row["median_h"], "10 % [h]": row["p10_h"],
            "90 % [h]": row["p90_h"]}


PARTS = (sankey, by_organ)
