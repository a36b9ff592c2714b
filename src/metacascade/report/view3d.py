"""A view of the tumor in three dimensions, in time, that works without a network inside of a page.

The reader turns it, steps through the snapshots, cuts a slab or a quarter out of it, and colors cells by clone, EMT or
zone. It is drawn by a few lines of WebGL (view3d.js) and not by plotly: plotly.min.js alone weighs 4.8 MB and one time
of 20,000 cells and 35,000 vessels 6 MB more, a page of 11 MB, and a step in time or of a section sends all of it anew.
Here a section is a number that a shader is given, vessels have their width, and eleven times of a tumor of half a
million cells weigh 2.4 MB: places in 16 bits, each piece of vessel once for all times, packed by gzip, which browsers
unpack.
"""
import base64
import gzip
import json
from importlib import resources

import numpy as np

from metacascade.base.screen import one_line
from metacascade.base.units import DAY_S
from metacascade.report import view3d_frames

FRAMES, CELLS, ALL_CELLS, VESSELS, ENTRIES = 60, 20_000, 300_000, 60_000, 6_000     # most; cells of a frame, and of all
CELL_UM, NEAR_UM = 12.0, 50.0      # near the tumor: in the same cube of this edge as a cell, or in one beside
STEPS = 65535                 # into which the box of all that is shown is cut
# Safe for the color-blind: Okabe and Ito 2008, and of Paul Tol where those are used for vessels.
CLONES = ("#bdbdbd", "#CC79A7", "#009E73", "#F0E442", "#7A4FB3", "#882255", "#44AA99", "#999933")
OTHERS = "#5a5a5a"
ZONES = (("#bdbdbd", "no outline"), ("#CC79A7", "core"), ("#F0E442", "border"), ("#009E73", "outside"))
EMT, MATURITY = ("#c4c4c4", "#882255"), ("#D55E00", "#E69F00", "#56B4E9", "#0072B2")
SHUT, GROWING = "#9a9a9a", "#222222"
PAGE = resources.files(__package__)


def section(results):
    """The view of a run as a piece of HTML with all that it needs; None where there is no tissue to show.

    `results` is a `Results`; snapshots and checkpoint are looked for beside its file.
    """
    shown, source, remarks = view3d_frames.frames(results, FRAMES, ALL_CELLS, VESSELS)
    if not shown:
        return None
    near = [_near(frame) for frame in shown]
    for frame in shown:
        _thin(frame)
    head, data = _packed(shown, near, view3d_frames.entries(results, ENTRIES), _clones(results, shown))
    text = json.dumps(head, allow_nan=False).replace("<", "\\u003c")
    words = {"controls": _controls(len(shown), head), "note": _note(shown, source, remarks), "head": text,
             "data": base64.b64encode(gzip.compress(data, 6, mtime=0)).decode(),
             "script": (PAGE / "view3d.js").read_text("utf-8")}
    page = (PAGE / "view3d.html").read_text("utf-8")
    for name, word in words.items():
        page = page.replace(f"<!-- {name} -->", word, 1)
    return page


def _thin(frame):
    """Keep at most CELLS cells, evenly chosen."""
    kept = np.linspace(0, len(frame.cells) - 1, min(CELLS, len(frame.cells))).round().astype(int)
    frame.cells, frame.clone, frame.emt, frame.zone = (
        array[kept] for array in (frame.cells, frame.clone, frame.emt, frame.zone))


def _near(frame):
    """Which pieces of vessels are in or near the tumor; all if it has no cells."""
    def cubes(where, shift=(0, 0, 0)):
        x, y, z = (np.floor(where / NEAR_UM).astype(np.int64) + shift + (1 << 20)).T
        return x << 42 | y << 21 | z

    if not len(frame.cells):
        return np.ones(len(frame.ends), bool)
    taken, middle = np.unique(cubes(frame.cells)), frame.ends.reshape(-1, 2, 3).mean(axis=1)
    return np.any([np.isin(cubes(middle, shift), taken) for shift in np.array([*np.ndindex(3, 3, 3)]) - 1], axis=0)


def _packed(frames, near, entries, clones):
    """(what the script must know, the bytes of all arrays in the order in which it takes them)."""
    places, times, entry_every = entries
    cells, ends = [frame.cells for frame in frames], [frame.ends for frame in frames]
    box = _box([*cells, *(piece[there].reshape(-1, 3) for piece, there in zip(ends, near)), places])
    all_box = _box([*cells, *(piece.reshape(-1, 3) for piece in ends), places])
    low, high = all_box.T
    span = np.maximum(high - low, 1.0)

    def steps(where):
        return np.round((where.reshape(-1, 3) - low) / span * STEPS).clip(0, STEPS).astype("<u2")

    ends, radius, states = _pieces(frames, near, steps)
    widest, colors, legend = max(float(radius.max(initial=0.0)), 1e-3), *clones
    first = np.cumsum([0, *(len(frame.cells) for frame in frames)])
    arrays = [times.astype("<f4"), steps(places), steps(np.concatenate(cells)), ends,
              np.concatenate(colors), *(np.concatenate([getattr(frame, name) for frame in frames]).astype(np.uint8)
                                        for name in ("emt", "zone")),
              np.round(radius / widest * 255).astype(np.uint8), states]
    heart = frames[-1].cells.mean(axis=0) if len(frames[-1].cells) else (low + high) / 2
    head = {
        "numbers": {"entries": len(times), "cells": int(first[-1]), "vessels": len(ends), "frames": len(frames)},
        "frames": [{"time_h": frame.time_h, "cells": [int(before), len(frame.cells)], "all_cells": frame.all_cells,
                    "all_vessels": frame.all_vessels} for before, frame in zip(first, frames)],
        "low": low.tolist(), "span": span.tolist(), "box": box.tolist(), "all_box": all_box.tolist(),
        "heart": heart.tolist(), "widest_um": widest,
        "cell_um": CELL_UM, "entry_every": entry_every, "clones": legend, "zones": ZONES, "emt": EMT,
        "living": bool((states >> 6 == view3d_frames.GROWING).any()), "maturity": MATURITY, "shut": SHUT,
        "growing": GROWING}
    return head, b"".join(array.tobytes() for array in arrays)


def _box(places):
    """The box of all places, to 10 um: shape (3, 2)."""
    places = [where for where in places if len(where)]
    low, high = (np.stack([find(where, axis=0) for where in places]).astype(float) for find in (np.min, np.max))
    return np.stack([np.floor(low.min(axis=0) / 10) * 10, np.ceil(high.max(axis=0) / 10) * 10], axis=1)


def _pieces(frames, near, steps):
    """The pieces of vessels of all frames, each once: (their ends in steps, radii [um], for each frame a byte of each).

    The byte is 0 where the piece is not there, else ``state << 6 | near << 5 | round(31 maturity)``.
    """
    ends = np.concatenate([steps(frame.ends).reshape(-1, 6) for frame in frames])
    _, first, piece = np.unique(ends.view("V12").ravel(), return_index=True, return_inverse=True)
    radius = np.concatenate([frame.radius for frame in frames])
    states, before = np.zeros((len(frames), len(first)), np.uint8), 0
    for row, frame, there in zip(states, frames, near):
        maturity = np.round(31 * np.clip(frame.maturity, 0.0, 1.0)).astype(np.uint8)
        row[piece[before:before + len(frame.ends)]] = frame.state << 6 | there.astype(np.uint8) << 5 | maturity
        before += len(frame.ends)
    return ends[first], radius[first], states


def _clones(results, frames):
    """(number of the color of each cell, frame by frame; [color, text] of each color): the largest clones have one."""
    number = max((int(frame.clone.max(initial=0)) for frame in frames), default=0) + 1
    most = np.max([np.bincount(frame.clone, minlength=number) / max(len(frame.clone), 1) for frame in frames], axis=0)
    order = [clone for clone in np.argsort(-most, kind="stable")[:len(CLONES)] if most[clone] > 0]
    color = np.full(number, len(order), np.uint8)
    color[order] = np.arange(len(order))
    born = results["clones"]["time_s"]
    legend = [[CLONES[i], f"clone {clone}{_since(born, clone)}"] for i, clone in enumerate(order)]
    others = int((most > 0).sum()) - len(order)
    return [color[frame.clone] for frame in frames], legend + ([[OTHERS, f"{others:,} other clones"]] if others else [])


def _since(born, clone):
    """When a clone began; of one that a snapshot has before the next output tells of it nothing."""
    if not clone:
        return ", the first"
    return f", of day {born[clone] / DAY_S:.3g}" if clone < len(born) else ""


def _note(frames, source, remarks):
    """Where what is shown comes from, in words."""
    if source == "checkpoint":
        return ("The last checkpoint alone: the run has written no snapshots, so there is no time to step through. "
                "<code>output.snapshots = true</code> writes them.")
    days = f"days {frames[0].time_h / 24:.4g} to {frames[-1].time_h / 24:.4g}" if len(frames) > 1 else "one time"
    return one_line("; ".join([f"{len(frames)} snapshots, {days}", *remarks]), 400) + "."


def _controls(number, head):
    """The parts of the controls that depend on the run."""
    colors = [("clone", "clone"), ("emt", "EMT"), ("zone", "zone")]
    chosen = "clone" if len(head["clones"]) > 1 else "emt"
    options = "".join(f'<option value="{value}"{" selected" * (value == chosen)}>{text}</option>'
                      for value, text in colors)
    last, hidden = number - 1, "" if number > 1 else " hidden"
    return (f'<p{hidden}><label>Time <input type="range" name="frame" min="0" max="{last}" value="{last}"></label> '
            f'<output class="time"></output> <button type="button" name="play">Play</button></p>'
            f'<p><label>Cells by <select name="color">{options}</select></label></p>')
