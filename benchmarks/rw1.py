"""RW-1 in this model, timed beside another program: a random walk, intravasation by distance, death.

RW-1: a cube of 2000 um with straight vessels 200 um apart; each cell steps by a normal displacement of variance
2 D dt per axis (D = 10 um^2/min, dt = 1 min), enters a vessel with hazard k(d) and dies with hazard 1e-4/min.

Where the model differs: the step is the sum of two uniform numbers per axis (same variance); k is 1e-3/min within
reach (10 um beyond the wall; true distance to the center line) instead of K0 exp(-d / 20 um) of the distance of the
voxel's center; there are no walls, so cells may leave the cube into the tiles round it; cells are kept sorted by voxel
(50 um here) and those that change tile are delivered, which RW-1 does not ask for. As in RW-1 there is no
oxygen or crowding, and hardly a division: one cell in ten thousand an hour.

    python benchmarks/rw1.py [--cells N] [--steps N] [--repeats N] [--beside "PROGRAM ARGUMENTS"]...

The other program must print a JSON object with `cell_updates_per_s` as its last line; it is run in turn with this one.
"""
import argparse
import json
import shlex
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from metacascade.config import config, presets
from metacascade.mechanisms import plan_of
from metacascade.model import tissue, tissue_start
from metacascade.model.microenvironment import fields_of
from metacascade.ranks.exchange import Exchange
from metacascade.ranks.parallel import serial_world
from metacascade.space.vessels import Network

EDGE, TILES, PITCH = 50.0, 5, 200.0
SETTINGS = [
    "run.step='1 min'", "run.duration='1 h'", "output.interval='1 h'", "output.checkpoint='1 h'",
    "tissue.voxel='50 um'", "tissue.capacity=1", "oxygen.enabled=false",
    "hypoxia.enabled=false", "crowding.enabled=false", "growth.death_rate='0.006/h'",
    "growth.division_time='8766 h'", "migration.speed='84.853 um/h'",
    "migration.persistence='15 min'", "migration.bias=0.0", "traits.motile_fraction=1.0", "traits.adhesion_mean=0.0",
    "traits.adhesion_spread=0.0", "intravasation.hazard='0.06/h'", "intravasation.permeability_mature=1.0",
    "intravasation.cluster_fraction=0.0"]


def vessels(folder):
    """The straight vessels as a file."""
    path = Path(folder) / "lines.csv"
    places = np.arange(PITCH / 2, EDGE * 8 * TILES, PITCH)
    rows = [f"{x},{y},-500,{x},{y},2500,5" for x in places for y in places]
    path.write_text("\n".join(["x1,y1,z1,x2,y2,z2,radius", *rows]) + "\n")
    return path


def cube(cells):
    """A tissue with `cells` spread evenly over the cube."""
    with tempfile.TemporaryDirectory() as folder:
        settings = config.load(presets.FOLDER / "mouse_breast_fixed.toml",
                               [*SETTINGS, f"vessels.file='{vessels(folder)}'"])
        network = Network.from_config(settings.vessels, 1)
    exchange, plan = Exchange(serial_world()), plan_of(settings)
    made = tissue.Tissue(settings, plan, exchange, fields_of(settings, plan), network,
                         tissue_start.even_cuts(exchange.world))
    coords = np.stack(np.meshgrid(*[np.arange(TILES)] * 3), axis=-1).reshape(-1, 3)
    voxels = 512 * len(coords)
    counts = np.full(voxels, cells // voxels, np.uint16)
    counts[np.random.default_rng(1).permutation(voxels)[:cells % voxels]] += 1
    tissue_start.fill(made, made.add_tiles(coords, counts.reshape(-1, 512)))
    made.add_margin()
    return made


def measure(cells, steps):
    """Cell updates per second, one core."""
    made = cube(cells)
    updates, born, died, entered = 0, 0, 0, 0
    start = time.perf_counter()
    for step in range(steps):
        updates += made.cells
        migrants, _, _, tally = made.advance(step, step / 60)
        made.arrive(made.leaving(migrants)[0])
        made.add_margin()
        born, died, entered = born + tally["divided"], died + tally["apoptosis"], entered + tally["shed"]
    seconds = time.perf_counter() - start
    assert made.cells + died + entered == cells + born
    return dict(kernel="RW-1", engine="metacascade", cells=cells, steps=steps, cell_updates_per_s=updates / seconds,
                alive=made.cells, intravasated=entered, dead=died)


def beside(command):
    """The figure of another program."""
    printed = subprocess.run(shlex.split(command), check=True, capture_output=True, text=True).stdout
    return json.loads(printed.strip().splitlines()[-1])["cell_updates_per_s"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--cells", type=int, default=1_000_000)
    arguments.add_argument("--steps", type=int, default=100)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--beside", action="append", default=[])
    given = arguments.parse_args()
    rates = {name: [] for name in ["metacascade", *given.beside]}
    for _ in range(given.repeats):
        rates["metacascade"].append(measure(given.cells, given.steps)["cell_updates_per_s"])
        for command in given.beside:
            rates[command].append(beside(command))
    for name, values in rates.items():
        ratio = statistics.median(a / b for a, b in zip(rates["metacascade"], values))
        print(f"{statistics.median(values) / 1e6:8.2f} M cell updates/s (median of {len(values)}, "
              f"{min(values) / 1e6:.2f} to {max(values) / 1e6:.2f}); metacascade is {ratio:.2f} times as fast: {name}")


if __name__ == "__main__":
    main()
