"""How fast this machine advances the model: whole steps, their stages, memory, and the walk in the blood."""
import gc
import json as json_text
import time

import numpy as np

from metacascade import config, parallel, presets
from metacascade._kernels._layout import CTC
from metacascade.circuit import Circuit
from metacascade.circulation import Blood
from metacascade.report import memory, peak_memory
from metacascade.simulation import Simulation

CELLS = 16_000_000           # of the tumor that is timed: enough for most tiles to be full
WARM, STEPS = 3, 8
CTCS = 200_000


def run(json=False, cells=CELLS, steps=STEPS):
    """Measure and print; the figures as a dict. Collective: under mpiexec all ranks work on one tumor."""
    world = parallel.start()
    figures = tissue(world, cells, steps) | ({} if world.size > 1 else blood(CTCS))
    if world.rank == 0:
        print(json_text.dumps(figures) if json else as_text(figures))
    return figures


def model(world, settings):
    """A simulation of the mouse preset with settings."""
    return Simulation(config.load(presets.FOLDER / "mouse_breast.toml", settings), world)


def tissue(world, cells, steps):
    """Whole steps of a dense tumor with everything on: speed, share of the stages, bytes per cell."""
    before = memory()
    simulation = model(world, [f"tumor.cells={cells}"])
    for _ in range(WARM):
        simulation.step()
    gc.collect()
    used = world.sum([memory() - before])[0]
    exchange = simulation.exchange
    simulation.wall_s.clear()
    exchange.seconds = exchange.messages = exchange.bytes = 0
    wall, updates = [], 0
    for _ in range(steps):
        n = simulation.ledger.totals["tissue"]
        world.barrier()
        start = time.perf_counter()
        simulation.step()
        world.barrier()
        wall.append((time.perf_counter() - start) / n)
        updates += n
    stages, shared = dict(simulation.wall_s), exchange.seconds
    seconds = sum(stages.values())
    voxels = int(world.sum([len(simulation.tissue.region.keys)])[0]) * 512
    return dict(
        ranks=world.size, cells=int(simulation.ledger.totals["tissue"]), voxels=voxels, steps=steps,
        tissue_cell_updates_per_s=1.0 / float(np.median(wall)),
        tissue_cell_updates_per_s_per_core=1.0 / float(np.median(wall)) / world.size,
        kernel_cell_updates_per_s_per_core=updates / world.size / stages["tissue"],
        bytes_per_tissue_cell=float(used) / simulation.ledger.totals["tissue"],
        peak_bytes_per_rank=peak_memory(),
        communication_share=shared / seconds,
        bytes_sent_per_step=exchange.bytes / steps, messages_per_step=exchange.messages / steps,
        stage_share={name: round(s / seconds, 4) for name, s in stages.items()})


def blood(ctcs):
    """Bed passages of circulating cells, one core, mouse, nothing but the defaults."""
    settings = config.load(presets.FOLDER / "mouse_breast.toml")
    circuit = Circuit(settings)
    walk = Blood(settings, circuit, seed=1)
    new = np.zeros(ctcs, CTC)
    new["id"] = np.arange(1, ctcs + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    new["n"] = 1
    new["origin"] = circuit.index("venous")
    walk.admit(new)
    start = time.perf_counter()
    passages = sum(walk.advance(hour / 2).passages for hour in range(1, 9))
    return dict(bed_passages_per_s_per_core=passages / (time.perf_counter() - start))


def as_text(figures):
    """The figures as lines of text."""
    return "\n".join(f"{name:<38}{_number(value)}" for name, value in figures.items())


def _number(value):
    if isinstance(value, dict):
        return ", ".join(f"{name} {share:.1%}" for name, share in value.items())
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
