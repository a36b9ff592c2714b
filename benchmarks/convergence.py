"""Do results depend on the voxel and the step? One tumor, run at several of both, against the default of each.

    python benchmarks/convergence.py [CONFIG] [--days 6] [--voxel 15,20,30,60] [--step 15,30,60] [--seeds 2]
                                     [--set SECTION.KEY=VALUE ...]

Prints a table (Markdown): at 30 um and 30 min the numbers, elsewhere how far they are from those, in %.
The vessels are the same in all runs, and `tissue.capacity` is left to follow the voxel.
"""
import argparse
import itertools

import numpy as np

import metacascade as mc

TUMOR = {"tumor": {"cells": 20_000}, "run": {"duration": "6 day"}, "vessels": {"seed": 1},
         "intravasation": {"hazard": "1 /day"}}
REFERENCE = (30.0, 30.0)       # um, min
CAUSES = ("divided_tissue", "apoptosis", "necrosis", "hypoxia", "shed")


def measured(config, overrides):
    """Ledger, mean oxygen of the cells in time, and mean distance at exit of one run."""
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
    ledger = simulation.ledger
    found = {"cells": ledger["tissue"]} | {name: ledger[name] for name in CAUSES if name in ledger}
    return found | {"oxygen": float(np.mean(oxygen)), "distance": float(np.concatenate(exits).mean())}


def mean_oxygen(tissue):
    """Of the cells of this process [mmHg]."""
    tiles = len(tissue.region.keys)
    counts = tissue.counts[:tiles].astype(float)
    return float((counts * tissue.oxygen.value[:tiles]).sum() / counts.sum())


def mean_of(config, overrides, seeds):
    runs = [measured(config, [*overrides, f"run.seed={seed}"]) for seed in range(1, seeds + 1)]
    return {name: float(np.mean([run[name] for run in runs])) for name in runs[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?", default=TUMOR)
    parser.add_argument("--days", type=float, default=6)
    parser.add_argument("--voxel", default="15,20,30,60")
    parser.add_argument("--step", default="15,30,60")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    asked = parser.parse_args()
    common = [f"run.duration={asked.days} day", *asked.overrides]
    reference = None
    pairs = sorted(itertools.product(map(float, asked.voxel.split(",")), map(float, asked.step.split(","))),
                   key=lambda pair: pair != REFERENCE)
    for voxel, step in pairs:
        found = mean_of(asked.config, [*common, f"tissue.voxel={voxel} um", f"run.step={step} min"], asked.seeds)
        if reference is None:
            reference = found
            print("| voxel, step |", " | ".join(found), "|\n|" + "---|" * (len(found) + 1))
            print(f"| {voxel:g} um, {step:g} min |", " | ".join(f"{n:,.4g}" for n in found.values()), "|", flush=True)
        else:
            change = (f"{100 * (found[name] / reference[name] - 1):+.1f} %" for name in found)
            print(f"| {voxel:g} um, {step:g} min |", " | ".join(change), "|", flush=True)


if __name__ == "__main__":
    main()
