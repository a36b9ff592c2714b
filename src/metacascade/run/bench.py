"""How fast this machine advances a model: whole steps, their stages, what each rank did, sent and holds."""
import contextlib
import gc
import json as json_text
import sys
import time
from dataclasses import asdict

import numpy as np

from metacascade._kernels._layout import CTC
from metacascade.base import memory
from metacascade.config import presets
from metacascade.io import provenance
from metacascade.mechanisms import plan_of
from metacascade.model.blood import Blood
from metacascade.model.circuit import Circuit
from metacascade.model.simulation import Simulation
from metacascade.ranks import parallel
from metacascade.ranks.balance import work
from metacascade.run import inputs

PRESET, CELLS = "mouse_breast_fixed", 16_000_000    # without a config: most tiles are full, and vessels cost nothing
WARM, STEPS = 3, 8
CTCS = 200_000
QUIET = ("per_rank", "provenance", "step_s")    # only in the JSON
OVERSUBSCRIBED = ("more ranks than cores: counts of work, messages and bytes are exact and CPU seconds mean something, "
                  "wall times and speeds do not")


def run(config_path=None, overrides=(), steps=STEPS, warm=WARM, json=False):
    """Measure and print; the figures as a dict. Collective: under mpiexec all ranks work on one tumor."""
    world = parallel.start()
    config, segments = read(world, config_path, overrides)
    figures = whole_steps(world, config, steps, warm, segments)
    if config_path is None and world.size == 1:     # of a model of any kind it could take minutes
        figures |= blood(config)
    if world.rank == 0:
        print(json_text.dumps(figures) if json else as_text(figures))
    return figures


def read(world, path, overrides):
    """The config of a file, else that of the preset, and imported vessels or None. What is said goes to stderr."""
    if path is None:
        path, overrides = presets.FOLDER / f"{PRESET}.toml", [f"tumor.cells={CELLS}", *overrides]
    with contextlib.redirect_stdout(sys.stderr):
        config, _, segments = inputs.load(world, path, overrides)
    return config, segments


def whole_steps(world, config, steps, warm, segments=None):
    """`steps` whole steps after `warm` others: the figures, those of all ranks on rank 0. Collective."""
    before = memory.resident()
    simulation = Simulation(config, world, segments=segments)
    for _ in range(warm):
        simulation.step()
    gc.collect()
    used = int(world.sum([memory.resident() - before])[0])
    meter, shed = Meter(simulation), simulation.ledger.totals["shed_ctcs"]
    for _ in range(steps):
        meter.step()
    mine = meter.figures()
    digest = simulation.digest()
    machine, per_rank = provenance.collect(world), world.gather(mine)
    if world.rank:
        return {}
    return summary(simulation, per_rank, meter.wall, used) | dict(
        steps=steps, warm=warm, digest=digest,
        shed_ctcs_per_step=(simulation.ledger.totals["shed_ctcs"] - shed) / steps,
        oversubscribed=oversubscribed(machine), step_s=meter.wall, per_rank=per_rank, provenance=machine)


class Meter:
    """Steps a simulation, and counts the work, the time and the traffic of this rank meanwhile."""

    def __init__(self, simulation):
        self.simulation = simulation
        self.wall, self.updates, self.sweeps = [], 0, 0
        self.before = self._counters()

    def step(self):
        """A step of the simulation, with what it costs added to the figures."""
        simulation, tissue = self.simulation, self.simulation.tissue
        self.updates += tissue.cells
        self.sweeps += len(tissue.region.keys) * sum(
            field.sweeps for field in tissue.microenvironment.due(simulation.step_number))
        start = time.perf_counter()
        simulation.step()
        self.wall.append(time.perf_counter() - start)

    def figures(self):
        """Of this rank since the beginning: a JSON-able dict; times [s], memory [bytes]."""
        tissue, counted = self.simulation.tissue, less(self._counters(), self.before)
        tile_work = work(tissue.arena.n)
        return dict(
            rank=self.simulation.world.rank, cells=tissue.cells, tiles=len(tissue.region.keys),
            work=int(tile_work.sum()), largest_tile_work=int(tile_work.max(initial=0)),
            ctcs=len(self.simulation.blood.records), neighbors=len(tissue.region.halo.send), peak_bytes=memory.peak(),
            cell_updates=self.updates, tile_sweeps=self.sweeps, **counted)

    def _counters(self):
        s = self.simulation
        return dict(passages=s.blood.passages, tally=dict(s.tissue.counted), wall_s=dict(s.clock.wall_s),
                    cpu_s=dict(s.clock.cpu_s), waited_s=dict(s.clock.waited_s),
                    fields_s=dict(s.tissue.microenvironment.spent),
                    traffic={kind: asdict(traffic) for kind, traffic in s.exchange.traffic.items()})


def less(now, before):
    """What was added to counters, also in dicts of dicts."""
    if isinstance(now, dict):
        return {name: less(value, before.get(name, 0) if isinstance(before, dict) else 0)
                for name, value in now.items()}
    return now - before


def summary(simulation, per_rank, wall, used):
    """The figures of all ranks together; `used`: memory [bytes] that the model took on all of them."""
    ranks, cells = len(per_rank), simulation.ledger.totals["tissue"]
    updates = sum(rank["cell_updates"] for rank in per_rank)
    stages, steps = per_rank[0]["wall_s"], len(wall)
    kernel, seconds = stages["tissue"], sum(stages.values())
    each = updates / sum(wall)          # not the median: fields are not due in every step
    sent = [rank["traffic"][kind] for rank in per_rank for kind in ("halo", "route")]
    looked, happened = seen(per_rank)
    waited = sum(sum(rank["waited_s"].values()) for rank in per_rank)
    return dict(
        ranks=ranks, cells=cells, voxels=512 * sum(rank["tiles"] for rank in per_rank),
        tissue_cell_updates_per_s=float(each), tissue_cell_updates_per_s_per_core=float(each) / ranks,
        kernel_cell_updates_per_s_per_core=updates / ranks / kernel,
        looked_at_per_cell_step=looked / updates, happened_per_cell_step=happened / updates,
        bytes_per_tissue_cell=used / max(cells, 1),
        peak_bytes_per_rank=max(rank["peak_bytes"] for rank in per_rank),
        communication_share=waited / sum(sum(rank["wall_s"].values()) for rank in per_rank),
        bytes_sent_per_step=sum(kind["bytes"] for kind in sent) / ranks / steps,
        messages_per_step=sum(kind["count"] for kind in sent) / ranks / steps,
        collectives_per_step=per_rank[0]["traffic"]["collectives"]["count"] / steps,
        stage_share={name: round(s / seconds, 4) for name, s in stages.items()},
        field_share=field_share(per_rank[0]["fields_s"], stages["fields"], seconds))


def field_share(spent, stage_s, seconds):
    """The share of a step of each field; they add up to that of the stage fields, with its ghosts and the like."""
    spent = spent | {"the rest of fields": stage_s - sum(spent.values())}
    return {name: round(s / seconds, 4) for name, s in spent.items()}


def seen(per_rank):
    """Cells of all ranks that the tissue kernel looked at closely, and to which an event happened."""
    tallies = [rank["tally"] for rank in per_rank]
    walks = sum(tally.get("changed_voxel", 0) - tally.get("hopped", 0) for tally in tallies)
    counted = sum(n for tally in tallies for name, n in tally.items() if name not in ("looked_at", "cut", "hopped"))
    return sum(tally.get("looked_at", 0) for tally in tallies), counted - walks


def oversubscribed(machine):
    """Has a node more ranks than cores?"""
    return any(ranks > machine["nodes"][name]["cores"] for name, ranks in machine["hosts"].items())


def blood(config):
    """Bed passages of circulating cells, one core, all that is in the blood comes from the veins."""
    circuit = Circuit(config, plan_of(config))
    walk = Blood(config, circuit, seed=1)
    new = np.zeros(CTCS, CTC)
    new["id"] = np.arange(1, CTCS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    new["n"] = 1
    new["origin"] = circuit.index("venous")
    walk.admit(new)
    start = time.perf_counter()
    for hour in range(1, 9):
        walk.advance(hour / 2)
    return dict(bed_passages_per_s_per_core=walk.passages / (time.perf_counter() - start))


def as_text(figures):
    """The figures as lines of text."""
    lines = [f"{name:<38}{_shown(value)}" for name, value in figures.items() if name not in QUIET]
    return "\n".join(lines + [f"note: {OVERSUBSCRIBED}"] * figures["oversubscribed"])


def _shown(value):
    if isinstance(value, dict):
        return ", ".join(f"{name} {share:.1%}" for name, share in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
