"""What was simulated, in three sentences, and the numbers that matter most."""
import contextlib
import math

import numpy as np

from metacascade.base.units import DAY_S, show_time
from metacascade.io import needs
from metacascade.io.cascade_text import hours, time_of
from metacascade.io.needs import Missing
from metacascade.report import html

MODELS = {"angiogenesis": "vessels that grow", "vegf": "VEGF", "emt": "EMT by lack of oxygen", "chemotherapy": "a drug",
          "lymphatic": "lymph", "neutrophils": "neutrophils", "macrophages": "macrophages", "l1cam": "L1CAM",
          "matrix": "matrix", "adhesion": "adhesion of cells"}
HYPOXIC_MMHG = 10.0
DIED = ("anoikis", "shear", "nk", "arrested_death")


def sentences(told) -> str:
    """What was simulated: the model, what came of it, what treatment did."""
    return html.paragraph(" ".join((_model(told), _outcome(told), _treatment(told))), "lead")


def state(told) -> str:
    """Whether the run has ended, and of what time its files tell."""
    lines = []
    if not told.results.complete:
        lines.append(f"This run has not ended, it goes on or was interrupted: the page tells of its first "
                     f"{told.days[-1]:.3g} of {told.config.run.duration_s / DAY_S:.3g} days.")
    if told.branch:
        lines.append(f"This is {told.branch}{f' ({told.alone})' * bool(told.alone)}")
    if told.passed_over:
        lines.append(f"{_pictured(told)}: {'; '.join(told.passed_over)}.")
    lines += [f"The check of the config says: {line}." for line in told.warnings]
    return "".join(html.paragraph(line, "note") for line in lines)


def _pictured(told):
    try:
        return f"The pictures of the tumor are of the checkpoint of day {told.state.meta['time_s'] / DAY_S:.4g}"
    except Missing:
        return "There are no pictures of the tumor by place"


def _model(told):
    config = told.config
    start = f"a tumor of {told.config.tumor.cells:,} cells in the {config.tumor.organ or 'tissue'}" if config.tumor \
        else "no tumor, but injected cells"
    on = [words for name, words in MODELS.items() if getattr(getattr(config, name, None), "enabled", False)]
    on += ["mutations"] * bool(config.trait)
    grown = f", with {', '.join(on)}" if on else ""
    title = f"{config.title.rstrip('.')}. " if config.title else ""
    return (f"{title}Simulated was {start} of a {config.run.species} for "
            f"{told.days[-1]:.3g} days in steps of {show_time(config.run.step_s)}, seed {config.run.seed}{grown}.")


def _outcome(told):
    cells, shed = int(told.last("tissue") + told.last("lumped")), int(needs.entered(told.results)[-1])
    lesions = _lesions(told)
    return (f"At the end there were {cells:,} cells in the tumor; {shed:,} cells had entered the blood, and "
            f"{int(told.last('extravasated')):,} had left it in an organ, where {lesions['alive']:,} lesions (single "
            f"cells among them) lived, {lesions['micro']:,} of these growing.")


def _treatment(told):
    plans = [(len(getattr(told.config, name)), one, many) for name, one, many in (
        ("surgery", "operation", "operations"), ("therapy", "therapy", "therapies"),
        ("radiation", "course of radiation", "courses of radiation"), ("injection", "injection", "injections"),
        ("draw", "blood draw", "blood draws"))]
    parts = [f"{n} {one if n == 1 else many}" for n, one, many in plans if n]
    return f"The config has {', '.join(parts)}." if parts else "There was no treatment and no blood draw."


def _lesions(told):
    found = dict(alive=0, dormant=0, micro=0, macro=0)
    try:
        rows = told.results.burdens()
    except Missing:
        return found
    return {name: sum(row[name] for row in rows if row["organ"] != needs.TUMOR) for name in found}


def headline(told):
    """Rows (what, number, unit) of the numbers that matter most."""
    lesions, shed = _lesions(told), needs.entered(told.results)[-1]
    died = {name: told.last(name) for name in DIED}
    yield "simulated time", float(told.days[-1]), "days"
    yield "cells of the tumor", told.last("tissue") + told.last("lumped"), "cells"
    yield from _size(told)
    yield "cells that entered the blood", shed, "cells"
    yield "first cell shed after", *_time(told, "first_shed_s")
    yield "died in the blood", sum(died.values()), "cells"
    yield "of these killed by NK cells", died["nk"], "cells"
    yield "left the blood in an organ", told.last("extravasated"), "cells"
    yield "lesions alive, single cells too", lesions["alive"], "lesions"
    yield "of these dormant", lesions["dormant"], "lesions"
    yield "of these growing", lesions["micro"], "lesions"
    yield "first lesion divided after", *_time(told, "first_lesion_s")
    yield from _blood(told)


def _size(told):
    """Radius, doubling time, lack of oxygen, where there are such."""
    if in_one_mass(told):
        yield "radius of the tumor", float(told.last("radius")), "µm"
    cells = told.series("tissue") + told.series("lumped", 0)
    first, last = cells[late(told)][0], cells[-1]
    if last > first > 0:
        days = (told.days[-1] - told.days[late(told)][0]) * math.log(2) / math.log(last / first)
        yield "its doubling time, in the last quarter of the time", float(f"{days:.3g}"), "days"
    with contextlib.suppress(Missing):
        arrays, counts = told.state.arrays, np.asarray(told.state.arrays["counts"])
        if "oxygen" in arrays and (total := int(counts.sum())):
            lacking = int(counts[np.asarray(arrays["oxygen"]) < HYPOXIC_MMHG].sum())
            yield (f"its cells below {HYPOXIC_MMHG:g} mmHg of oxygen, in the last checkpoint",
                   round(100 * lacking / total), "%")


def late(told):
    """Which outputs are of the last quarter of the time."""
    return told.days >= told.days[-1] - 0.25 * (told.days[-1] - told.days[0])


def in_one_mass(told):
    """Is the tumor in one mass, of which a radius tells: with half of its cells and more inside of the outline?"""
    outside = told.last("cells_outside", 0)
    return math.isfinite(told.last("radius", math.nan)) and 2 * outside <= told.last("tissue")


def _time(told, name):
    at = told.last(name, -1)
    return ("not yet", "") if at < 0 else (float(f"{at / DAY_S:.3g}"), "days")


def _blood(told):
    try:
        one = told.results.half_life()
        between = f" (95 %: {hours(one['low_h'])} to {hours(one['high_h'])})" if math.isfinite(one["low_h"]) else ""
        value, unit = time_of(one["half_life_h"])
        yield "half-life in the flow", value, unit + between
    except Missing:
        yield "half-life in the flow", "not told", ""
    with contextlib.suppress(Missing, IndexError):
        yield "half of the shed cells have left the blood after", *time_of(told.results.survival()[0]["hours"])
    try:
        tube = told.results.cellsearch()
        yield (f"expected in {_tube(told, tube)}, in the last quarter of the time",
               float(f"{tube['expected'][late(told)].mean():.3g}"), "CTCs")
    except Missing:
        return


def _tube(told, tube):
    """The tube of blood that an assay takes, in words."""
    volume, blood = tube["volume_mL"][-1], told.results.blood_mL.get("venous", math.inf)
    return f"{volume:.3g} mL of venous blood{' (all of it)' * bool(volume >= 0.999 * blood)}"


def headline_table(told) -> str:
    """The same as a table."""
    return html.table(("what", "number", "unit"), headline(told), "The run in numbers")


PARTS = (sentences, state, headline_table)
