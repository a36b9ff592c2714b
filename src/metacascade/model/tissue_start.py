"""The tissue at the start of a run, and from a saved state."""
import numpy as np

from metacascade._kernels._place import place
from metacascade.base.records import copy
from metacascade.config.windows import windows
from metacascade.mechanisms import plan_of
from metacascade.model import vessels
from metacascade.model.schedule import Schedule
from metacascade.model.tissue import Tissue, reachable
from metacascade.model.tissue_parameters import reach_um
from metacascade.ranks.parallel import serial_world
from metacascade.space.region import OFFSETS
from metacascade.space.seeding import ball_radius, first_counts, seed_region, tiles_of_ball
from metacascade.space.vessels import CHUNK, voxelize

NOT_PERFUSED = '[[injection]] node = "tumor": no perfused vessel is in reach of the tumor'


def start(config, plan, exchange, fields, network):
    """The tissue at the start of a run: a ball of cells in its margin of stroma. Collective."""
    if not config.has_tissue:
        return Tissue(config, plan, exchange, fields, network, even_cuts(exchange.world))
    cuts, coords = seed_region(exchange, config)
    tissue = Tissue(config, plan, exchange, fields, network, cuts)
    counts = first_counts(exchange.world, config, tissue.region.keys_of(coords), coords)
    rows = tissue.add_tiles(coords, counts)
    fill(tissue, rows)
    tissue.set_rates(Schedule(windows(config)).scales(0))
    tissue.add_margin()
    vessels.begin(tissue)
    tissue.settle()
    return tissue


def restore(config, plan, exchange, fields, network, saved):
    """The tissue from a saved state: this rank gets the tiles of its share. Collective."""
    world = exchange.world
    first = world.allgather(int(saved.tile_key[0]) if len(saved.tile_key) else None)
    cuts = [2**63]
    for key in reversed(first[1:]):
        cuts.append(cuts[-1] if key is None else key)
    cuts = np.array([0, *reversed(cuts)], np.uint64)
    tissue = Tissue(config, plan, exchange, fields, network, cuts, lived=bool(saved.vessels))
    living = {name: part.records for name, part in saved.vessels.items()} if tissue.vasculature else None
    rows = tissue.add_tiles(saved.tile_coords, saved.counts, living or None)
    tissue.arrays.put(rows, saved.arrays)
    for low, high in saved.slabs():
        cells, at = saved.cells(low, high), 0
        for row in range(low, high):
            n = tissue.arena.n[row]
            copy(tissue.arena.block(row), cells[at:at + n])
            at += n
    return tissue


def fill(tissue, rows):
    """Write the first cells of the tiles."""
    traits = tissue.config.traits
    params = dict(seed=tissue.config.run.seed, motile=int(round(traits.motile_fraction * 65536)),
                  adhesion_mean=traits.adhesion_mean, adhesion_spread=traits.adhesion_spread)
    for row in rows:
        place(tissue.arena.block(row), int(tissue.region.keys[row]), tissue.counts[row], params)


def even_cuts(world):
    """Cuts of a curve without tiles."""
    return np.linspace(0, 2**63, world.size + 1).astype(np.uint64)


def perfused(config, network):
    """May a perfused vessel be in reach of the tumor at its start? False: certainly none is. One process, no cells.

    Looked at are the tiles of the ball and all beside them, until one has such a vessel.
    """
    edge, reach = config.tissue.edge_um, reach_um(config, plan_of(config))
    coords, _ = tiles_of_ball(serial_world(), np.array(config.tumor.center_um) / edge,
                              ball_radius(config.tumor, config.tissue))
    for at in range(0, len(coords), CHUNK):
        around = np.unique((coords[at:at + CHUNK, None] + OFFSETS).reshape(-1, 3), axis=0)
        if reachable(voxelize(around, edge, network, reach, [])).any():
            return True
    return False
