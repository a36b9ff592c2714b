"""For tests of mechanisms with a control: a small tumor in which little else happens, and its read-outs."""
import numpy as np

from metacascade.config.config import Config
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

EVENTS = ("growth", "hypoxia", "migration", "crowding", "intravasation")
PLAIN = ("oxygen", "vessels", "run", "tissue", "traits")      # what has no switch, or is on


def still(*on, cells=3000, step_s=3600, **tables):
    """A simulation of a tumor in which cells do not change, but for the mechanisms `on` and what `tables` say."""
    given = {name: {"enabled": name in on} for name in EVENTS}
    for name, values in tables.items():
        switch = {} if name in PLAIN else {"enabled": True}
        given[name] = given.get(name, {}) | switch | values
    run = {"step_s": step_s, "duration_s": 100 * step_s} | given.pop("run", {})
    return Simulation(Config.from_dict({"run": run, "tumor": {"cells": cells}, **given}), serial_world())


def after(sim, hours):
    """The simulation, so much later."""
    for _ in range(round(hours * 3600 / sim.config.run.step_s)):
        sim.step()
    return sim


def mean_where_cells_are(sim, name):
    """The mean of a field over the cells."""
    tiles = len(sim.tissue.region.keys)
    value, counts = np.asarray(sim.tissue.fields()[name][:tiles], float), sim.tissue.counts[:tiles]
    return float((of_voxels(value) * counts).sum() / counts.sum())


def of_voxels(value):
    """Values of tiles in their voxels."""
    edge = round(value.shape[1] ** (1 / 3))
    cube = value.reshape(-1, edge, edge, edge)
    for axis in (1, 2, 3):
        cube = cube.repeat(8 // edge, axis)
    return cube.reshape(-1, 512)
