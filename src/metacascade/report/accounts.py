"""The account of cells, where the wall time went, who made the run, and what its config differs in."""
import functools
import json

import numpy as np

from metacascade.base.columns import ACCOUNT, BORN, MEANING
from metacascade.base.numerals import counted
from metacascade.config import presets, read as config_read
from metacascade.config.config import build, default
from metacascade.config.given import dotted
from metacascade.io.needs import Missing
from metacascade.report import html, style
from metacascade.report.plate import Plate

COLORS = dict(zip(ACCOUNT, (style.BLUE, style.GREEN, style.GRAY, style.PURPLE)))
MOST_RANKS, COMMIT = 24, 12             # with a bar each; letters of a commit


def _account(told):
    """(part, column, cells) of all that is not 0 at the last output."""
    return [(part, name, int(told.last(name))) for part in ACCOUNT for name, one in told.columns.items()
            if one.part == part and told.last(name)]


def ledger(told) -> Plate:
    """The account of cells: born = alive + dead + removed, exactly."""
    rows = _account(told)
    if not rows:
        raise Missing("there was no cell")
    figure, axes = style.figure(height_in=max(2.4, 1.1 + 0.26 * len(rows)))
    axis = axes[0, 0]
    for k, (part, _, n) in enumerate(rows):
        axis.barh(k, n, color=COLORS[part], edgecolor="black", linewidth=0.4,
                  label=None if part in [one for one, _, _ in rows[:k]] else MEANING[part])
        axis.annotate(f"{n:,}", (n, k), xytext=(4, 0), textcoords="offset points", va="center", fontsize=style.SMALL)
    axis.set_yticks(range(len(rows)), [name.replace("_", " ") for _, name, _ in rows])
    style.log_scale(axis.xaxis, 0.8, 12 * max(n for _, _, n in rows))
    axis.set(xlabel="cells", ylim=(len(rows) - 0.4, -0.6))
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=4, columnspacing=1.0)
    caption = "Every cell, at the last output, on a scale of powers of ten; what is 0 is left out."
    return Plate("ledger", caption, figure, [{"part": part, "column": name, "cells": n} for part, name, n in rows])


def balance(told) -> str:
    """The sums of the account in words."""
    totals = {part: sum(n for one, _, n in _account(told) if one == part) for part in ACCOUNT}
    born, gone = totals[BORN], sum(totals.values()) - totals[BORN]
    verdict = "exactly" if born == gone else f"which is {abs(born - gone):,} cells off: the files contradict themselves"
    return html.paragraph(f"Born {born:,} = alive {totals['alive']:,} + dead {totals['dead']:,} + removed "
                          f"{totals['removed']:,}, {verdict}.")


def wall(told) -> Plate:
    """Where the wall time of the last session went, by stage and rank."""
    if "provenance/wall_s" not in told.results:
        raise Missing("the run has not ended, and wall times are written at its end")
    seconds, stages = np.asarray(told.opened.h5["provenance/wall_s"]), _stages(told)
    order = np.argsort(-seconds.mean(axis=0), kind="stable")
    figure, axes = style.figure(height_in=3.2 if len(seconds) <= 6 else 4.4)
    axis = axes[0, 0]
    if len(seconds) <= MOST_RANKS:
        _by_rank(axis, seconds, stages, order)
        figure.legend(*axis.get_legend_handles_labels(), loc="outside right upper")
    else:
        _by_stage(axis, seconds, stages, order)
    longest = seconds.sum(axis=1).max()
    return Plate("wall", f"Wall time of the last session by stage, {counted(len(seconds), 'rank')}, {longest:.3g} s on "
                 "the slowest. Waiting for other ranks is in the stage in which a rank waits.", figure,
                 [{"rank": rank, **{f"{stage} [s]": float(row[k]) for k, stage in enumerate(stages)}}
                  for rank, row in enumerate(seconds)])


def _stages(told):
    return json.loads(told.opened.h5["provenance/wall_s"].attrs["columns"])


def _by_rank(axis, seconds, stages, order):
    left = np.zeros(len(seconds))
    for place, k in enumerate(order):
        axis.barh(range(len(seconds)), seconds[:, k], left=left, label=stages[k], edgecolor="black", linewidth=0.4,
                  color=style.FILLS[place % 8], hatch="" if place < 8 else "////")
        left += seconds[:, k]
    axis.set_yticks(range(len(seconds)), [f"rank {rank}" for rank in range(len(seconds))])
    axis.set(xlabel="wall time [s]", ylim=(len(seconds) - 0.5, -0.5))


def _by_stage(axis, seconds, stages, order):
    """Of many ranks mean, least and most of each stage."""
    mean = seconds.mean(axis=0)[order]
    spread = np.abs(np.stack([seconds.min(axis=0)[order], seconds.max(axis=0)[order]]) - mean)
    axis.barh(range(len(order)), mean, xerr=spread, color=style.SKY, edgecolor="black", linewidth=0.4, capsize=3)
    axis.set_yticks(range(len(order)), [stages[k] for k in order])
    axis.set(xlabel="wall time [s]: mean of the ranks, bars from least to most", ylim=(len(order) - 0.4, -0.6))


def provenance(told) -> str:
    """Who made the run: each session."""
    rows = [(k + 1, one.get("started", "?").replace("T", " ").removesuffix("+00:00"), one.get("ranks"),
             ", ".join(one.get("hosts", {})),
             ", ".join(f"{name} {version}" for name, version in one.get("versions", {}).items()),
             _commit(one.get("git") or "not told"), one.get("command", "?"))
            for k, one in enumerate(told.results.provenance)]
    digest = told.results.digest
    head = ("session", "started (UTC)", "ranks", "hosts", "versions", "commit", "command")
    return html.table(head, rows, "Sessions") \
        + html.paragraph(f"Digest of the final state: {digest}." if digest else "The run has no digest before its end.")


def _commit(text):
    """The first letters of a commit, and whether there were changes."""
    return text[:COMMIT] + "-dirty" * text.endswith("-dirty")


def config(told) -> str:
    """The config, and in what it differs from the nearest preset."""
    name, rows = nearest(told.config)
    differ = f"{counted(len(rows), 'value')} differ{'s' * (len(rows) == 1)}"
    head = html.paragraph(f"Nearest by its values is {name}, from which {differ}."
                          if rows else f"All values are those of {name}.")
    table = html.table(("parameter", "here", f"in {name}"), rows)
    return "\n".join([
        head, *([html.details("What differs", table).replace("<details>", "<details open>")] if rows else []),
        html.details("The config as it was given", html.code(told.results.config_text)),
        html.details("Every value, as TOML", html.code(told.config.to_toml()))])


def nearest(config):
    """(name of the preset, or the defaults, with fewest other values; rows of what differs)."""
    found = [_differences(config, preset, name) for name, preset in _presets()]
    return min(found, key=lambda one: len(one[1]))


@functools.cache
def _presets():
    """(name, config) of all presets, and of the defaults."""
    return (*((f"the preset {name}", build(config_read.parse_text(presets.text(name), name, str(presets.FOLDER))))
              for name in presets.names()), ("the defaults", default()))


def _differences(config, other, name):
    """(name, rows (parameter, here, there)) of all values but the title and the seed of the run."""
    own, theirs = ({dotted(path): (parameter, value) for path, parameter, value in one.values()}
                   for one in (config, other))
    rows = []
    for key in dict.fromkeys([*own, *theirs]):
        parameter, value = own.get(key, (None, None))
        declared, there = theirs.get(key, (None, None))
        if value != there and key not in ("title", "run.seed", "vessels.seed"):
            rows.append((key, _text(parameter, value), _text(declared, there)))
    return name, rows


def _text(parameter, value):
    return "left out" if parameter is None or value is None else parameter.text(value)


PARTS = (ledger, balance, wall, provenance, config)
