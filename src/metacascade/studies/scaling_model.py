"""What a step costs on how many ranks: a model fitted to scaling studies, for more ranks than there are.

    step = work x (1 + imbalance) + messages x (latency + overhead) + bytes x (1 / bandwidth + copy)
           + collectives x ceil(log2(ranks)) x latency + ranks x (what every rank keeps of every other)

Work comes from measured CPU seconds; messages and bytes from exact counts, which do not mind if ranks
share cores. docs/scaling.md derives each term and says what the model leaves out.
"""
import itertools
import math
from dataclasses import dataclass

import numpy as np

from metacascade.base.errors import InputError
from metacascade.base.tiles import VOXELS
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.space.relaxation import INNER

PARTS = {       # stage: the counts that its CPU seconds are made of; every other stage is in "other"
    "fields": ("sweeps", "one"),
    "tissue": ("cells", "tiles"),
    "blood": ("passages", "one"),
    "other": ("tiles", "one"),
}
MANY = 8                    # ranks from which on a part of them has neighbors on all sides
SURFACE = 2 / 3             # exponent of a compact region's surface; taken where the study cannot tell
CTC_BYTES = 72
CELL_BYTES = 12 * 1.06      # at least: a record, with the room of its block; see arena
TILE_BYTES = 24 * VOXELS    # at least: counts before and after, oxygen with its scratch, supply, an index of vessels


@dataclass(frozen=True)
class Network:
    """What the model assumes of a machine: seconds, and bytes per second for each rank while all send."""

    latency_s: float = 2e-6
    bandwidth: float = 1e9
    overhead_s: float = 7.5e-6      # CPU of one message: the calls and the indices, measured on one core
    copy_s: float = 0.5e-9          # CPU of one byte: out of the field and into the other; measured likewise
    entry_s: float = 2e-9           # CPU of one number of an array with one for each rank; a few passes over it


@dataclass(frozen=True)
class Law:
    """What a rank has to do with those beside it: scale x tiles^power x (1 - ranks^(-1/3)) in the mean.

    The last factor is the share of a region's surface that is not the surface of the whole. The busiest
    rank has `busiest` times as much: at the rim, where many tiles have few cells.
    """

    scale: float
    power: float = 0.0
    busiest: float = 1.0
    fitted: bool = False

    def __call__(self, tiles, ranks):
        """Of the busiest rank."""
        return self.busiest * self.scale * tiles**self.power * inside(ranks)


@dataclass(frozen=True)
class Model:
    """Fitted coefficients. All counts are of one step."""

    seconds: dict           # (stage, count) -> CPU seconds of one
    error: float            # median of |fit / measured - 1| of the work of a rank
    samples: int
    measured: tuple         # least and most cells of a rank, most ranks
    volume: tuple           # tiles of a tumor: these x cells ^ (1, 2/3, 1/3)
    memory: tuple           # bytes of a rank: these x (1, cells, tiles)
    passages: float         # beds entered per cell
    shed: float             # CTCs shed per cell
    neighbors: Law
    exchanges: float        # halo exchanges, in the mean step
    sweeps: float           # of a tile, of all fields, in the mean step
    route_messages: Law     # to ranks nearby: cells that move, new tiles
    halo_bytes: Law
    route_bytes: Law
    collectives: float
    largest_tile: float     # work of the fullest tile over that of one cell
    threshold: float        # of the balance
    interval: int           # steps between two looks at the balance

    def tiles(self, cells):
        """Tiles of a whole tumor of so many cells, margin included."""
        return float(np.dot(self.volume, _powers(cells)))

    def work_s(self, **counts):
        """CPU seconds of a rank."""
        return sum(c * counts[count] for (_, count), c in self.seconds.items())


def fit(studies):
    """The Model of studies, as read from scaling.json. Raises InputError if they cannot tell."""
    figures = [case["figures"] for study in studies for case in study["cases"]]
    several = [f for f in figures if f["ranks"] > 1]
    if not several:
        raise InputError("the study has no measurement on two ranks or more, so nothing is known of messages")
    many = [f for f in several if f["ranks"] >= MANY] or several
    config = Config.from_dict(studies[0]["settings"]["config"])
    if any(_physics(study) != _physics(studies[0]) for study in studies):
        raise InputError("the studies are of different models: only tumor.cells may differ")
    fields = plan_of(config).fields
    samples = [sample(rank, f["steps"]) for f in figures for rank in f["per_rank"]]
    seconds, error = fit_work(samples)
    updates = sum(s["cells"] for s in samples)
    shed = sum(f["shed_ctcs_per_step"] for f in figures) / max(updates, 1)
    return Model(
        seconds=seconds, error=error, samples=len(samples), measured=_measured(figures),
        volume=fit_volume(figures, config.tissue.capacity), memory=fit_memory(figures),
        passages=sum(s["passages"] for s in samples) / max(updates, 1), shed=shed,
        exchanges=exchanges(fields), sweeps=sum(field.sweeps / field.every for field in fields),
        neighbors=law(many, lambda rank, f: rank["neighbors"], 0.0),
        halo_bytes=law(many, lambda rank, f: rank["traffic"]["halo"]["bytes"] / f["steps"]),
        route_messages=law(many, lambda rank, f: max(
            rank["traffic"]["route"]["count"] / f["steps"] - strangers(_shed(f), f["ranks"]), 0.0), 0.0),
        route_bytes=law(many, lambda rank, f: max(
            rank["traffic"]["route"]["bytes"] / f["steps"] - CTC_BYTES * _shed(f), 0.0), SURFACE),
        collectives=max(f["collectives_per_step"] for f in many),
        largest_tile=max(rank["largest_tile_work"] for f in figures for rank in f["per_rank"]),
        threshold=config.balance.threshold, interval=config.balance.interval)


def exchanges(fields):
    """Halo exchanges of the mean step: counts; each visit of tiles of either color, of all fields that are due at once;
    what cells see."""
    if not fields:
        return 1
    period = math.lcm(*(field.every for field in fields))
    visits = sum(max((-(-field.sweeps // INNER) for field in fields if step % field.every == 0), default=0)
                 for step in range(period))
    return 2 + 2 * visits / period


def sample(rank, steps):
    """What a rank did in a mean step, and the CPU seconds of it by stage."""
    cpu, named = rank["cpu_s"], PARTS.keys() - {"other"}
    seconds = {stage: cpu.get(stage, 0.0) / steps for stage in named}
    seconds["other"] = sum(s for stage, s in cpu.items() if stage not in named) / steps
    return dict(cells=rank["cell_updates"] / steps, tiles=rank["tiles"], sweeps=rank["tile_sweeps"] / steps,
                passages=rank["passages"] / steps, one=1.0, seconds=seconds)


def fit_work(samples):
    """({(stage, count): seconds of one}, median relative error), by least squares of relative errors, none below 0."""
    seconds, fitted, measured = {}, 0.0, 0.0
    for stage, counts in PARTS.items():
        matrix = np.array([[s[count] for count in counts] for s in samples])
        goal = np.array([s["seconds"][stage] for s in samples])
        found = non_negative(matrix / np.maximum(goal, 1e-7)[:, None], np.minimum(goal / 1e-7, 1.0))
        seconds |= {(stage, count): float(c) for count, c in zip(counts, found)}
        fitted, measured = fitted + matrix @ found, measured + goal
    return seconds, float(np.median(np.abs(fitted / np.maximum(measured, 1e-7) - 1.0)))


def non_negative(matrix, goal):
    """x >= 0 with the least |matrix x - goal|: the best of all sets of columns; for a few columns."""
    best, least = np.zeros(matrix.shape[1]), float(goal @ goal)
    for k in range(1, matrix.shape[1] + 1):
        for columns in map(list, itertools.combinations(range(matrix.shape[1]), k)):
            x = np.linalg.lstsq(matrix[:, columns], goal, rcond=None)[0]
            rest = goal - matrix[:, columns] @ x
            if (x >= 0).all() and rest @ rest < least * (1 - 1e-12):
                least, best = float(rest @ rest), np.zeros(matrix.shape[1])
                best[columns] = x
    return best


def fit_volume(figures, capacity):
    """Coefficients of cells^(1, 2/3, 1/3) for the tiles of a tumor: its inside, its surface, its margin.

    Its inside has never fewer tiles than full voxels need, which studies of small tumors, all margin, cannot see.
    """
    full = 1 / (capacity * VOXELS)
    cells = [max(f["cells"], 1) for f in figures]
    tiles = np.array([f["voxels"] / VOXELS for f in figures])
    rest = np.maximum(tiles - full * np.array(cells), 0.0)
    inside_, *outside = non_negative(np.array([_powers(n) for n in cells]) / tiles[:, None], rest / tiles)
    return (float(inside_) + full, *map(float, outside))


def fit_memory(figures):
    """Coefficients of (1, cells, tiles) for the peak memory of a rank [bytes]; of a cell and a tile never less
    than their arrays have, which small studies cannot see."""
    ranks = [rank for f in figures for rank in f["per_rank"]]
    peak = np.array([rank["peak_bytes"] for rank in ranks], float)
    matrix = np.array([[1.0, rank["cells"], rank["tiles"]] for rank in ranks])
    base, cell, tile = non_negative(matrix / peak[:, None], np.ones(len(peak)))
    return float(base), max(float(cell), CELL_BYTES), max(float(tile), TILE_BYTES)


def inside(ranks):
    """Share of the surface of a region that is shared with others: none of one rank, nearly all of many."""
    return 1.0 - ranks**(-1 / 3)


def law(figures, of, power=None):
    """The Law of ``of(rank, figures)``, by least squares of logarithms over measurements on many ranks.

    `power`: of the tiles; None: fitted where sizes differ enough (a factor of 4), else SURFACE.
    """
    points = []
    for f in figures:
        each = [of(rank, f) for rank in f["per_rank"]]
        if (mean := sum(each) / len(each)) > 0:
            points.append((_tiles(f), mean / inside(f["ranks"]), max(each) / mean))
    if not points:
        return Law(0.0, power or 0.0)
    tiles, mean, busiest = np.array(points).T
    if fitted := power is None and len(set(tiles)) >= 3 and tiles.max() >= 4 * tiles.min():
        power = float(np.polyfit(np.log(tiles), np.log(mean), 1)[0])
    power = SURFACE if power is None else power
    scale = float(np.exp(np.mean(np.log(mean / tiles**power))))
    return Law(scale, power, float(busiest.max()), fitted)


def strangers(ctcs, ranks):
    """Ranks to which a rank has to send, that sheds so many CTCs, each to a rank by its id."""
    return (ranks - 1) * -math.expm1(ctcs * math.log1p(-1 / ranks)) if ranks > 1 else 0.0


def _powers(cells):
    return [cells, cells**SURFACE, cells**(1 / 3)]


def _tiles(figures):
    return figures["voxels"] / VOXELS / figures["ranks"]


def _shed(figures):
    """CTCs that a rank sheds in a step, in the mean."""
    return figures["shed_ctcs_per_step"] / figures["ranks"]


def _measured(figures):
    """Least and most cells of a rank (in the mean of the ranks), most ranks."""
    cells = [f["cells"] // f["ranks"] for f in figures]
    return min(cells), max(cells), max(f["ranks"] for f in figures)


def _physics(study):
    config = study["settings"]["config"]
    return {name: {key: value for key, value in section.items() if key != "cells"} if name == "tumor" and section
            else section for name, section in config.items()}
