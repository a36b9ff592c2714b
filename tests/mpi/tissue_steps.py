"""Some steps of tumors on these ranks; rank 0 prints a hash of every tile and of what was shed, as a line of JSON for each.

Usage: tissue_steps.py [patch] [tissue]: tiles with oxygen and vessels given by hand, cut at random tiles, and a tumor
with everything that belongs to it, cut anew every other step.
"""
import hashlib
import json
import sys

import numpy as np

from busy import CLONES, RATES, with_tables
from metacascade._kernels._layout import CTC
from metacascade._kernels._vessels import SEGMENT
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model import tissue_start
from metacascade.model.microenvironment import fields_of
from metacascade.model.outbox import TALLIES
from metacascade.ranks import parallel
from metacascade.ranks.exchange import Exchange
from metacascade.space.rebalance import Balance
from metacascade.space.region import keys_of
from metacascade.space.vessels import Network
from metacascade.state.state import canonical
from tiles import Patch, random_cells, with_margin

WORLD = parallel.start()
PARAMETERS = dict(seed=7, dt_h=0.5, edge_um=25.0, capacity=6.0, amplitude=4000, biases=(("oxygen", 6000.0, 1.0),),
                  mobility=0.2, reach_um=12.0, cluster_fraction=0.6, cluster_log_more=-0.3)


def fingerprints(model, shed):
    """A hash for each tile (its cells in canonical order, its oxygen) and one for each shed CTC."""
    found = {}
    for row, key in enumerate(model.region.keys.tolist()):
        cells = canonical(model.arena.block(row), model.counts[row])
        what = (cells.tobytes() + model.counts[row].tobytes() + model.oxygen.value[row].tobytes()
                + model.pressure.value[row].tobytes())
        found[str(key)] = hashlib.sha256(what).hexdigest()
    for ctc in shed:
        found[f"ctc {ctc['id']}"] = hashlib.sha256(ctc.tobytes()).hexdigest()
    return found


def report(model, shed, **facts):
    parts = WORLD.gather(fingerprints(model, shed))
    if WORLD.rank == 0:
        whole = {key: value for part in parts for key, value in part.items()}
        assert len(whole) == sum(map(len, parts)), "two ranks have the same tile or the same CTC"
        print(json.dumps(dict(facts, hashes=dict(sorted(whole.items())))))


def patch(seed):
    """24 tiles of cells in their margin, each filled from its own random numbers."""
    tiles = with_margin(4, 3, 2)
    inner = np.random.default_rng([seed, WORLD.size]).choice(keys_of(tiles), WORLD.size - 1)
    vessel = np.zeros(2, SEGMENT)
    vessel["ax"], vessel["bx"], vessel["ay"], vessel["by"] = -100, 900, 150, [200, 350]
    vessel["az"] = vessel["bz"] = [100, 250]
    vessel["radius"], vessel["maturity"], vessel["perfused"] = 12, [0.2, 0.9], 1
    model = Patch(tiles, vessel, exchange=Exchange(WORLD), cuts=[0, *np.sort(inner).tolist(), 2**63],
                  rates=with_tables(list(RATES.values()), np.random.default_rng(seed)), **PARAMETERS)
    for row, key in enumerate(model.region.keys.tolist()):
        rng = np.random.default_rng([seed, key])
        model.oxygen.value[row] = np.exp(rng.normal(1.5, 0.8, 512))
        if ((model.region.coords[row] >= 0) & (model.region.coords[row] < (4, 3, 2))).all():
            model.pressure.value[row] = np.maximum(rng.normal(0.0, 0.4, 512), 0.0)
            voxels = np.repeat(np.arange(512), rng.poisson(2, 512))
            cells = random_cells(rng, len(voxels))
            cells["clone"] %= CLONES
            model.put(row, voxels, **{name: cells[name] for name in cells.dtype.names})
    return run(model, lambda step: model.step())


def whole_tissue(seed):
    config = Config.from_dict(dict(
        run=dict(seed=seed, step_s=3600, duration_s=86400), tumor=dict(cells=4000, center_um=[100.0, -250.0, 7.0]),
        tissue=dict(capacity_given=4), traits=dict(motile_fraction=0.5, adhesion_mean=0.3),
        growth=dict(division_time_h=6.0), hypoxia=dict(threshold_mmHg=40.0, full_mmHg=10.0),
        oxygen=dict(initial_sweeps=10, sweeps=4), intravasation=dict(hazard_per_h=0.2, cluster_fraction=0.5)))
    network = Network.from_config(config.vessels, config.run.seed)
    plan = plan_of(config)
    model = tissue_start.start(config, plan, Exchange(WORLD), fields_of(config, plan), network)

    def step(number):
        model.breathe(number)
        migrants, shed, _, tally = model.advance(number, number * config.run.step_h)
        here, gone, to = model.leaving(migrants)
        model.arrive(here, model.exchange.route({"migrants": (gone, to)})["migrants"])
        model.add_margin()
        if number % 2:
            Balance(0.0, 1).look(model)
        return shed, tally
    return run(model, step)


def run(model, step):
    """Eight steps; no cell is lost or made but by the events that are counted."""
    cells = int(WORLD.sum([model.cells])[0])
    every, tallies = [np.empty(0, CTC)], dict.fromkeys((*TALLIES, *model.rates.causes), 0)
    for number in range(8):
        shed, tally = step(number)
        every.append(shed.copy())
        total = dict(zip(tally, WORLD.sum(list(tally.values())).tolist()))
        tallies = {name: tallies[name] + n for name, n in total.items()}
        cells += total["divided"] - total["shed"] - sum(total[cause] for cause in model.rates.causes)
        assert cells == int(WORLD.sum([model.cells])[0]), f"step {number} lost or made cells"
        assert model.counts[:len(model.region.keys)].sum() == model.cells, "the counts are not those of the cells"
    tiles = WORLD.allgather(len(model.region.keys))
    report(model, np.concatenate(every), tallies=tallies, cells=cells, tiles=tiles)


if __name__ == "__main__":
    for kind in sys.argv[1:]:
        {"patch": patch, "tissue": whole_tissue}[kind](seed=1)
