"""Do results depend on the voxel and the step? One tumor, run at several of both, against the default of each.

    python benchmarks/convergence.py [CONFIG] [--days 6] [--voxel 15,20,30,60] [--step 15,30,60] [--halves] [--seeds 4]
                                     [--least 100] [--set SECTION.KEY=VALUE ...]

Prints a table (Markdown): at 30 um and 30 min the means over the seeds, elsewhere how far they are from those, in %;
all with their standard errors. With `--halves` half the step, and half the voxel at steps of 10 min, is all. Rows are
the columns of the time series, at the end of the run, that are means or measures, or count `--least` cells or more; and
the means of oxygen over time and of the distance to vessels over all exits. Each seed has a network of its own, the
same at all voxels and steps, and is compared with itself: cells lack oxygen in a few places of a tumor, which are
sampled by networks and not by random numbers of cells. `tissue.capacity` is left to follow the voxel. With all
mechanisms of the primary tumor but confinement (--set confinement.enabled=true):

    python benchmarks/convergence.py benchmarks/primary_tumor.toml --halves --days 4 --seeds 6 --set tumor.cells=30_000
"""
import argparse
import itertools
import sys

import numpy as np

import metacascade as mc
from metacascade.mechanisms import plan_of
from metacascade.model.observables import Observables, columns

TUMOR = {"tumor": {"cells": 20_000}, "run": {"duration": "6 day"}, "intravasation": {"hazard": "1 /day"}}
REFERENCE = (30.0, 30.0)       # um, min
FAR = 5                        # % by which a mean may change
HALVES = {(30.0, 15.0): REFERENCE, (15.0, 10.0): (30.0, 10.0)}      # a fast cell crosses a small voxel in 15 min
OF_THE_GRID = ("step", "time_s", "tiles", "changed_voxel", "initial", "stage", "first_shed_s", "first_lesion_s")


def measured(config, overrides):
    """What one run tells: name -> number."""
    simulation = mc.Simulation(config, overrides)
    steps = simulation.config.run.duration_s // simulation.config.run.step_s
    exits, oxygen = [], []
    model = simulation.model
    model.on_ended = lambda ctcs: exits.append(ctcs["distance"][ctcs["origin"] == 0])
    every = max(1, int(steps) // 24)
    for step in range(int(steps)):
        simulation.step()
        if step % every == 0:
            oxygen.append(mean_oxygen(model.tissue))
    row = Observables(model).row()
    found = {column.name: row[column.name] for column in model.columns if column.name not in OF_THE_GRID}
    exits = np.concatenate(exits)
    return found | {"oxygen in time": float(np.mean(oxygen)),
                    "distance at exit": float(exits.mean()) if len(exits) else np.nan}


def mean_oxygen(tissue):
    """Of the cells of this process [mmHg]."""
    tiles = len(tissue.region.keys)
    counts = tissue.counts[:tiles].astype(float)
    return float((counts * tissue.oxygen.value[:tiles]).sum() / counts.sum())


def values_of(config, overrides, seeds):
    """name -> what the run of each seed tells."""
    runs = [measured(config, [*overrides, f"run.seed={seed}", f"vessels.seed={seed}"]) for seed in range(1, seeds + 1)]
    return {name: np.array([run[name] for run in runs], float) for name in runs[0]}


def error(values):
    """Standard error of a mean."""
    return values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan


def told(reference, of_run, least):
    """The names that are in the table: real numbers, and counts that are large enough."""
    counts = {column.name for column in of_run if column.kind is int}
    return [name for name, values in reference.items() if values.mean() > (least if name in counts else 0)]


def change(found, reference):
    """How far a mean is from another one, and the standard error of that, seed by seed [%]; bold: over FAR, by two
    errors."""
    ratio = found.mean() / reference.mean()
    off, by_chance = 100 * (ratio - 1), 100 * error(found - ratio * reference) / reference.mean()
    bold = "**" if abs(off) > FAR and abs(off) > 2 * by_chance else ""
    return f"{bold}{off:+.1f} ± {by_chance:.1f} %{bold}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?", default=TUMOR)
    parser.add_argument("--days", type=float, default=6)
    parser.add_argument("--voxel", default="15,20,30,60")
    parser.add_argument("--step", default="15,30,60")
    parser.add_argument("--halves", action="store_true", help="half the step, and half the voxel, alone")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--least", type=int, default=100)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    asked = parser.parse_args()
    common = [f"run.duration={asked.days} day", *asked.overrides]
    if asked.halves:
        against = dict(HALVES)
    else:
        pairs = itertools.product(map(float, asked.voxel.split(",")), map(float, asked.step.split(",")))
        against = {pair: REFERENCE for pair in pairs if pair != REFERENCE}
    runs = {}
    for voxel, step in dict.fromkeys([REFERENCE, *against.values(), *against]):
        print(f"{voxel:g} um, {step:g} min", file=sys.stderr)
        runs[voxel, step] = values_of(
            asked.config, [*common, f"tissue.voxel={voxel} um", f"run.step={step} min"], asked.seeds)
    names = told(runs[REFERENCE], columns(plan_of(mc.load(asked.config, common))), asked.least)
    print(f"| | {of(REFERENCE)} |", *(f"{of(pair)} against {of(other)} |" for pair, other in against.items()))
    print("|---|---|" + "---|" * len(against))
    for name in names:
        values = runs[REFERENCE][name]
        print(f"| {name} | {values.mean():,.4g} ± {error(values):.2g} |",
              *(f"{change(runs[pair][name], runs[other][name])} |" for pair, other in against.items()))


def of(pair):
    """A voxel and a step as text."""
    return f"{pair[0]:g} um, {pair[1]:g} min"


if __name__ == "__main__":
    main()
