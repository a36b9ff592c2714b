"""What was done to the patient, and when, on the time axis of the growth of the tumor."""
import numpy as np

from metacascade.base.screen import one_line
from metacascade.base.units import DAY_S
from metacascade.config.config import Config
from metacascade.config.windows import windows
from metacascade.io.needs import Missing
from metacascade.io.parents import Joined, parent_of
from metacascade.report import style
from metacascade.report.plate import Plate

MOST, LABEL = 2000, 34  # windows or fractions of one course that are drawn; letters of its name
OPEN_S = 10**12         # the end of what goes on and on
MARKS = "bars are windows of therapies, marks what happens at once"
KINDS = {"surgery": ("v", style.RED), "radiation": ("|", style.BLACK), "injection": (">", style.PURPLE),
         "draw": ("^", style.BLUE), "therapy": ("", style.GREEN), "chemotherapy": ("", style.ORANGE)}


def events(config, end_s):
    """(kind, label, [(start, end) in s]) of each course; what happens at once has equal ends."""
    for one in config.surgery:
        yield "surgery", f"surgery: {one.where}", [(one.time_s, one.time_s)]
    for one in config.radiation:
        times = [one.time_s + k * one.interval_s for k in range(min(one.fractions, MOST))]
        yield "radiation", f"{one.dose_Gy:g} Gy, {one.fractions} times: {one.where}", [(at, at) for at in times]
    if config.chemotherapy.enabled and not any(
            one.rate == "drug.vessel" and one.otherwise == 0 for one in windows(config)):
        yield "chemotherapy", "chemotherapy", [(0, end_s)]
    for one in config.therapy:
        where = f" in {one.where}" if one.where else ""
        yield "therapy", (one.drug or f"{one.rate} x {one.factor:g}") + where, _windows(one, end_s)
    for one in config.injection:
        yield "injection", f"injection: {one.cells:,} cells", [(one.time_s, one.time_s + one.duration_s)]
    for one in config.draw:
        yield "draw", f"draw: {one.volume_mL:g} mL, {one.node}", [(one.time_s, one.time_s)]


def history(results, end_s):
    """{(kind, label): [(start, end) in s]} of what was done; of a branch up to its start by the runs before it.

    Where those are not found, what they did is not there.
    """
    found = {}
    for kind, label, spans in events(Config.from_dict(results.config), end_s):
        found.setdefault((kind, label), []).extend(spans)
    if not (parent := parent_of(results)):
        return found
    began = int(parent["time_s"])
    before = {key: [(a, min(b, began)) for a, b in spans if a < began or a == b == began]
              for key, spans in history(results.parent, began).items()} if isinstance(results, Joined) else {}
    own = {key: [(max(a, began), b) for a, b in spans if b > began] for key, spans in found.items()}
    return {key: spans for key in dict.fromkeys([*before, *own])
            if (spans := joined(before.get(key, []), own.get(key, []), began))}


def joined(before, own, began):
    """Windows before a moment and after it, where one that ends there and one that begins there are one."""
    ends, begins = ([one for one in spans if one[k] == began and one[0] < one[1]]
                    for spans, k in ((before, 1), (own, 0)))
    if not ends or not begins:
        return before + own
    whole = (ends[0][0], begins[0][1])
    return [one for one in before if one != ends[0]] + [whole] + [one for one in own if one != begins[0]]


def _windows(one, end_s):
    """Start and end of each window of a therapy, up to the end of the run."""
    if one.duration_s is None:
        return [(one.start_s, end_s)] if one.start_s < end_s else []
    times = min(one.times or MOST, MOST) if one.every_s else 1
    starts = [one.start_s + k * (one.every_s or 0) for k in range(times)]
    return [(start, min(start + one.duration_s, end_s)) for start in starts if start < end_s]


def timeline(told) -> Plate:
    """Operations, therapies, radiation, injections and draws, below the growth of the tumor."""
    end_s = int(told.results.series["time_s"][-1])
    lanes = [(*key, spans) for key, spans in history(told.opened, end_s).items()]
    if not lanes:
        raise Missing("there was no operation, no therapy, no radiation, no injection and no blood draw")
    figure, axes = style.figure(2, 1, height_in=3.0 + 0.3 * len(lanes), sharex=True,
                                height_ratios=(2.2, 0.5 + 0.3 * len(lanes)))
    above, below = axes[:, 0]
    for name, words, color, dash in (("tissue", "cells of the tumor", style.BLACK, "-"),
                                     ("lumped", "cells of the lumped tumor", style.BLACK, "-"),
                                     ("lesions", "cells in lesions", style.RED, "--")):
        numbers = told.series(name, 0)
        if numbers.any():
            above.plot(told.days, np.where(numbers > 0, numbers, np.nan), dash, color=color, label=words)
    style.log_scale(above.yaxis, 0.8)
    above.set_ylabel("cells")
    above.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
    draw(below, lanes, told.days)
    return Plate("timeline", f"What was done, and when: {MARKS}; above, cells of the tumor and of lesions on the same "
                 f"time axis.{not_shown(lanes, told.days)}", figure, rows_of(lanes))


def draw(axis, lanes, days):
    """Courses (kind, label, [(start, end) in s]) below each other, from the first to the last output [d]."""
    for lane, (kind, _, spans) in enumerate(lanes):
        _lane(axis, lane, kind, [(max(a, days[0]), min(b, days[-1])) for a, b in shown(spans, days)])
    axis.set_yticks(range(len(lanes)), [one_line(label, LABEL) for _, label, _ in lanes])
    style.time_axis(axis, days)
    axis.set_ylim(len(lanes) - 0.5, -0.5)


def shown(spans, days):
    """Those that reach into the time that is told [d]."""
    return [(a / DAY_S, b / DAY_S) for a, b in spans if b / DAY_S >= days[0] and a / DAY_S <= days[-1]]


def not_shown(lanes, days) -> str:
    """What of the courses is before the first output or after the last, as a sentence."""
    names = [label for _, label, spans in lanes
             if not shown(spans, days) or any(not shown([one], days) for one in spans if one[0] == one[1])]
    return f" Not in the picture, as it is before the first output or after the last: {'; '.join(names)}." * bool(names)


def rows_of(lanes):
    """All windows and moments as rows of a table."""
    return [{"what": kind, "course": label, "from [days]": a / DAY_S, "to [days]": b / DAY_S}
            for kind, label, spans in lanes for a, b in spans]


def _lane(axis, lane, kind, spans):
    marker, color = KINDS[kind]
    lasting = [(a, b - a) for a, b in spans if b > a]
    axis.broken_barh(lasting, (lane - 0.3, 0.6), facecolor=color, edgecolor="black", linewidth=0.4)
    if at_once := [a for a, b in spans if b == a]:
        axis.plot(at_once, [lane] * len(at_once), marker or "o", color=color, markersize=9, markeredgecolor="black",
                  markeredgewidth=1.6 if marker == "|" else 0.6, linestyle="", clip_on=False)


PARTS = (timeline,)
