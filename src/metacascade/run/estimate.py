"""What a run will need, from its config alone: memory, files and time."""
import itertools
import math
from dataclasses import dataclass

import numpy as np

from metacascade.base.numerals import size
from metacascade.base.tiles import EDGE
from metacascade.io import joins
from metacascade.mechanisms import plan_of
from metacascade.run.forecast import MOST, Forecast, forecast
from metacascade.run.growth import most_cells
from metacascade.run.recordlimit import RECORD_BYTES, of_this_machine
from metacascade.space.network_lattice import Lattice, mean_edge
from metacascade.space.pieces import PIECE
from metacascade.state.state import CELL, CTC, LESION

SPEED = 3e7                   # cells a second on one core
FIXED_S = 4e-3                # of a step, however few the cells of a rank
OF_A_RANK = 0.15 * 2**30      # bytes of memory without any cell
STROMA = 2.5                  # voxels, for each one that is full
PIECE_BYTES = 600             # of memory, of a piece of vessel that lives: as of 2e6 cells at 150 mm/mm^3
CTC_S = 5e-6                  # of one core for each CTC from the vessel to its end: 7 million in 35 s
OUTPUT_S = 0.04               # of an output: files that are synced
ROW_BYTES = 250               # of the time series


@dataclass(frozen=True)
class Expected:
    """What a run will need, on all its ranks together, if its tumor keeps the size that it starts with."""

    cells: int
    most_cells: float           # of the tumor at the end: a bound, as if nothing slowed division down
    voxels: float
    pieces: float               # of vessels that live, where they do
    steps: int
    step_h: float
    ranks: int
    outputs: int                # parts that are written
    kept: int                   # checkpoints that stay besides the last two
    shed_rows: bool             # one row for each CTC
    tissue_s: float             # wall time of a step, without that of CTCs
    means: Forecast
    limit: int | None           # run.max_records
    treated: bool               # are there interventions, which no estimate knows?

    @property
    def memory_bytes(self):
        """At the fullest moment of the run [bytes]."""
        return self.tissue_bytes + self.ranks * OF_A_RANK + self.means.records.max() * RECORD_BYTES

    @property
    def tissue_bytes(self):
        """Of the memory what grows with the cells of the tumor."""
        return self.cells * CELL.itemsize * 1.1 + STROMA * self.voxels * 30 + self.pieces * PIECE_BYTES

    @property
    def checkpoint_bytes(self):
        """Of the largest."""
        return (self.cells * CELL.itemsize + self.voxels * 12 + self.pieces * PIECE.itemsize
                + self.means.most_bytes())

    @property
    def results_bytes(self):
        """Size of results.h5 at the end [bytes]."""
        ctcs = self.means.passed[-1] * self.shed_rows
        return ctcs * CTC.itemsize + self.means.lesions[-1] * LESION.itemsize + self.outputs * ROW_BYTES

    @property
    def most_files(self):
        """At a time in parts/."""
        levels = math.ceil(math.log(self.outputs + 1, joins.FAN))
        return min(self.outputs, 2 * (joins.FAN - 1) * levels + 2 * joins.FAN)

    @property
    def step_s(self):
        """Wall time of the longest step."""
        time_h, passed = self.means.time_h, self.means.passed
        most = (np.interp(time_h + self.step_h, time_h, passed) - passed).max()
        return self.tissue_s + float(most) * CTC_S / self.ranks

    @property
    def seconds(self):
        """Wall time of the whole run."""
        return self.steps * self.tissue_s + float(self.means.passed[-1]) * CTC_S / self.ranks + self.outputs * OUTPUT_S

    def texts(self):
        """The same for people: name -> text."""
        cores = "one core" if self.ranks == 1 else f"{self.ranks:,} cores"
        return {
            "cells at the start": f"{self.cells:,}",
            "steps": f"{self.steps:,} of {self.step_h:g} h",
            "records": self._records() + ", without therapy, surgery and radiation" * self.treated,
            "memory": f"{size(self.memory_bytes)} over all ranks, with the cells{self._vessels()} at the start and the "
                      "most records",
            "checkpoint": f"{size(self.checkpoint_bytes)} at most, twice; three times while one is written",
            **self._kept(),
            "results": f"{size(self.results_bytes)}, twice at the end; {self.outputs:,} parts are written, at most "
                       f"{self.most_files:,} files at a time, in some {duration(self.outputs * OUTPUT_S)}",
            "time": "at least " * (self.most_cells > self.cells) +
                    f"{duration(self.seconds)} in all, {duration(self.step_s)} the longest step, on {cores} "
                    f"at {SPEED / 1e6:g} million cells a second each, {1e3 * FIXED_S:g} ms a step and "
                    f"{1e6 * CTC_S:g} us a CTC" + ", if the tumor keeps its size" * (self.cells > 0),
        } | ({"growth": self._growth()} if self.most_cells > self.cells else {})

    def _kept(self):
        """What output.keep costs."""
        each, many = self.checkpoint_bytes, self.kept
        return {"kept": f"{many:,} checkpoint{'s' * (many > 1)} besides, {size(many * each)} at most"} if many else {}

    def _growth(self):
        """What memory and time above leave out."""
        each = f"each million cells more takes {size(1e6 * self.tissue_bytes / self.cells)} and " \
               f"{1e9 / SPEED / self.ranks:.3g} ms a step"
        if not self.most_cells < MOST:
            return f"not in what stands above, and without a bound that helps; {each}"
        most = self.tissue_bytes * (self.most_cells / self.cells - 1.0) + self.memory_bytes
        return (f"not in what stands above; {each}. An upper bound is {count(self.most_cells)} cells at the end, with "
                f"{size(most)}: as if no cell lacked oxygen or room, which cells of most tumors do")

    def _vessels(self):
        return f" and {count(self.pieces)} pieces of vessels" * (self.pieces > 0)

    def _records(self):
        """The means at a few times, or why there is no telling."""
        if self.means.records.max() >= MOST:
            day = self.means.time_h[self.means.records.argmax()] / 24
            return f"more than {MOST:.0e} CTCs and lesions by day {day:.3g}: lesions that shed grow without bound"
        some = [round(k * (len(self.means.time_h) - 1) / 4) for k in (1, 2, 3, 4)]
        rows = [f"day {self.means.time_h[k] / 24:.3g}: {count(self.means.ctcs[k])} CTCs in the blood or arrested, "
                f"{count(self.means.lesions[k])} single cells and lesions in organs, of "
                f"{count(self.means.cells[k])} cells" for k in some]
        same = ", if the tumor keeps its size" * (self.cells > 0)
        return "on average " + "; ".join(rows) + same + self._stop()

    def _stop(self):
        """When the run stops for its records, if it does."""
        limit, of = self.limit, "run.max_records"
        if limit is None and self.ranks == 1:
            limit, of = of_this_machine(), f"the {of_this_machine():,} for which half of the memory here suffices"
        if not limit or self.means.records.max() <= limit:
            return ""
        day = self.means.time_h[(self.means.records > limit).argmax()] / 24
        return f". More than {of} by day {day:.3g}: the run stops there, with a checkpoint and exit code 75"


def expected(config, ranks=1):
    """What a run of this config on so many ranks will need: an Expected."""
    cells = config.tumor.cells if config.has_tissue else 0
    plan, duration_s = config.output, config.run.duration_s
    outputs = _outputs(plan, duration_s)
    return Expected(
        cells=cells, most_cells=most_cells(config, plan_of(config)), voxels=cells / config.tissue.capacity,
        pieces=pieces(config), steps=config.run.steps, step_h=config.run.step_h, ranks=ranks, outputs=outputs,
        kept=plan.kept_until(duration_s),
        shed_rows=plan.shed_cells, tissue_s=cells / SPEED / ranks + FIXED_S, means=forecast(config),
        limit=config.run.max_records, treated=bool(config.therapy or config.surgery or config.radiation))


def of_rest(config, meta):
    """A config for `expected`: as if the run began with the tumor of a checkpoint, of this `meta`, and lasted from
    there on. What else the checkpoint has, CTCs and lesions, is not in it.
    """
    time_s, keep_s = meta["time_s"], config.output.keep_s
    if not isinstance(keep_s, int):
        keep_s = tuple(one - time_s for one in keep_s if one > time_s)
    changed = {"run": config.run.model_copy(update={"duration_s": config.run.duration_s - time_s}),
               "output": config.output.model_copy(update={"keep_s": keep_s}),
               "injection": tuple(one.model_copy(update={"time_s": one.time_s - time_s}) for one in config.injection
                                  if one.time_s >= time_s)}
    if config.tumor is not None:
        cells = meta["ledger"].get("tissue" if config.has_tissue else "lumped", 0)
        changed["tumor"] = config.tumor.model_copy(update={"cells": cells})
    return config.model_copy(update=changed)


def _outputs(plan, duration_s):
    """At how many times a part is written: at the start, when rows are due, and before every checkpoint."""
    every, single = [plan.interval_s, plan.checkpoint_s], 0
    if isinstance(plan.keep_s, int):
        every.append(plan.keep_s)
    else:
        single = sum(t <= duration_s and all(t % one for one in every) for t in plan.keep_s)
    some = [chosen for n in range(1, len(every) + 1) for chosen in itertools.combinations(every, n)]
    return 1 + single - sum((-1) ** len(chosen) * (duration_s // math.lcm(*chosen)) for chosen in some)


def pieces(config):
    """Pieces of the vessels that live, at the start; of a file, as if it had the length density of the config.

    They are edges of a generated network of this density, cut at the faces of tiles, which a line of any direction
    meets 1.5 times on the length of their edge.
    """
    if not config.has_tissue or not plan_of(config).vessels_live:
        return 0.0
    vessels, edge_um = config.vessels, config.tissue.edge_um
    volume_um3 = STROMA * config.tumor.cells / config.tissue.capacity * edge_um**3
    length_um = mean_edge(vessels.jitter) * Lattice.from_config(vessels, 0).spacing
    return vessels.length_density_per_um2 * volume_um3 * (1.0 / length_um + 1.5 / (EDGE * edge_um))


def count(number):
    """A mean number as text: ``0.36``, ``723``, ``1.2e+07``."""
    if number < 10:
        return f"{round(number, 2):.2g}"
    return f"{number:,.0f}" if number < 1e5 else f"{number:.1e}"


def duration(seconds):
    """A wall time as text: ``50 s``, ``2.5 h``."""
    for unit, one in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * one:
            return f"{seconds / one:.3g} {unit}"
    return f"{seconds:.3g} s"
