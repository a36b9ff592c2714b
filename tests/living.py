"""Tissue in which vessels live, in a field of angiogenic factor that is given, for tests of them."""
from functools import cache

import numpy as np

import small
from metacascade.config.config import load
from metacascade.mechanisms import plan_of
from metacascade.model import tissue_start, vessels
from metacascade.model.microenvironment import fields_of
from metacascade.ranks.exchange import Exchange
from metacascade.ranks.parallel import serial_world
from metacascade.space.network_imported import ends
from metacascade.space.pieces import HOST, lengths
from metacascade.space.vessels import SEGMENT, Network

NOTHING = {"vessel.sprout": 0.0, "vessel.branch": 0.0}
LIVING = ["angiogenesis.enabled=true", "maturation.enabled=true", "perfusion.enabled=true", "vegf.enabled=true"]


def line(a, b, radius=5.0):
    """One vessel of the host."""
    s = np.zeros(1, SEGMENT)
    for k, axis in enumerate("xyz"):
        s["a" + axis], s["b" + axis] = a[k], b[k]
    s["radius"], s["maturity"], s["perfused"] = radius, 1.0, 1
    return s


def tissue(*settings, segments=None, tiles=3, factor=lambda x, y, z: 1.0 + 0 * x):
    """A Tissue of a cube of tiles around the origin, without cells but one, and the factor as a function of the place."""
    config = load(small.EXAMPLE, ["tumor.cells=1", "draw=[]", *LIVING, *settings])
    plan, network = plan_of(config), Network.from_config(config.vessels, 1)
    if segments is not None:
        network = Network.from_segments(np.concatenate(segments))
    made = tissue_start.start(config, plan, Exchange(serial_world()), fields_of(config, plan), network)
    r = np.arange(-tiles, tiles)
    cube = np.stack(np.meshgrid(r, r, r, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.int32)
    there = {tuple(one) for one in made.region.coords.tolist()}
    made.add_tiles(np.array([one for one in cube.tolist() if tuple(one) not in there], np.int32).reshape(-1, 3))
    value = made.microenvironment["vegf"].value
    along = round(value.shape[1] ** (1 / 3))
    inside = (np.stack(np.unravel_index(np.arange(along**3), (along,) * 3)[::-1], axis=1) + 0.5) / along
    value[:] = factor(*np.moveaxis((made.region.coords[:, None] + inside) * 8 * config.tissue.edge_um, -1, 0))
    return made


def live(made, steps, scales=(), first=12):
    """Some steps of the vessels, one each interval."""
    every = made.config.vessels.interval_s // made.config.run.step_s
    for k in range(steps):
        step = first + k * every
        vessels.advance(made, step, step * made.config.run.step_s, dict(scales))
    return made


def grown(made):
    """Pieces that are not of the host."""
    pieces = made.vasculature.pieces.all
    return pieces[pieces["flags"] & HOST == 0]


def length(pieces):
    return lengths(*ends(pieces)).sum()


@cache
def jungle(*more):
    """Some days of everything at once in the bed of a tumor."""
    made = tissue(*more, "angiogenesis.sprouting=3/mm/day", "angiogenesis.branching=1/day", 'vessels.length_density="60 mm/mm^3"',
                  tiles=2, factor=lambda x, y, z: 1.0 + 0.0005 * x)
    return live(made, 18)
