"""Tiles in which everything happens: uneven, crowded, with vessels and every action of a rate."""
from dataclasses import replace

import numpy as np

from metacascade._kernels._layout import DENSITY, Action, Shape
from metacascade._kernels._vessels import SEGMENT
from tiles import CLONES, Patch, random_cells, rates_of, voxel_lists, with_margin

OXYGEN, PRESSURE, COARSE, COARSEST = range(4)          # the fields of a busy patch
BUSY = dict(         # every kind of motion, to some cells of a small tile
    seed=0x9E3779B97F4A7C15, dt_h=0.75, edge_um=25.0, capacity=5.0, amplitude=3000, biases=(("oxygen", 9000.0, 1.5),),
    mobility=0.3, mutation=1 << 61, reach_um=12.0, cluster_fraction=0.7, cluster_log_more=np.log(0.75))
STILL = dict(amplitude=0, biases=(), mobility=0.0)
RATES = {            # name: base [1/h], action, detail, factors (signal, shape, a, b)
    "divide": (0.3, Action.DIVIDE, 0, [(OXYGEN, Shape.HILL1, 5, 0), (DENSITY, Shape.RAMP, 2, 0)]),
    "die": (0.05, Action.REMOVE, 0, []),
    "suffocate": (0.2, Action.REMOVE, 1, [(OXYGEN, Shape.RAMP, 5, 2.5)]),
    "enter": (0.8, Action.SHED, 0, []),
    "set": (0.1, Action.SET, 5, [(COARSE, Shape.FALL2, 2, 0)]),
    "clear": (0.1, Action.CLEAR, 4, [(PRESSURE, Shape.FALL1, 0.3, 0)]),
    "raise": (0.1, Action.RAISE, 40, [(COARSEST, Shape.HILL4, 3, 0), (OXYGEN, Shape.FALL4, 6, 0)]),
    "lower": (0.1, Action.LOWER, 200, [(DENSITY, Shape.HILL2, 0.5, 0)]),
    "drain": (0.3, Action.DRAIN, 0, [(COARSE, Shape.RAMP, 4, 0), (DENSITY, Shape.RAMP, 3, 0)])}
CAUSES = ("cause 0", "cause 1")


def with_tables(rates, rng, clones=CLONES):
    """Rates as in RATES, with random tables by clone and state."""
    made = rates_of(rates, CAUSES)
    clone = rng.uniform(0.0, 1.5, (len(rates), clones)).astype(np.float32)
    state = rng.uniform(0.3, 1.2, (len(rates), 3, 256)).astype(np.float32)
    made.rates["most"] = clone.max(axis=1) * state.max(axis=2).astype(float).prod(axis=1)
    return replace(made, clone=clone, state=state)


def random_rates(rng, n=6):
    """n rates of any action on any signals, with one factor to three."""
    def factor():
        signal, shape = rng.integers(-1, 4), rng.integers(0, len(Shape))
        a, b = rng.uniform(0.1, 8.0, 2)
        return int(signal), int(shape), a, b

    return with_tables([(np.exp(rng.normal(-2.5, 1.5)), Action(rng.integers(0, len(Action))), int(rng.integers(0, 2)),
                          [factor() for _ in range(rng.integers(0, 4))]) for _ in range(n)], rng)


def vessels(rng, n, edge):
    """Random straight vessels through the tile at the origin."""
    s = np.zeros(n, SEGMENT)
    for name in ("ax", "ay", "az", "bx", "by", "bz"):
        s[name] = rng.uniform(-4 * edge, 12 * edge, n)
    s["radius"], s["maturity"], s["perfused"] = rng.uniform(2, 15, n), rng.random(n), 1
    return s


def busy_patch(layout=3, mean=3.0, coords=None, without=(), rates=None, **parameters):
    """Cells of random bytes in four tiles, most in the one at the origin, on uneven oxygen and pressure."""
    rng = np.random.default_rng(layout)
    p = dict(BUSY, **parameters)
    patch = Patch(with_margin(2, 2, 1) if coords is None else coords, vessels(rng, 6, p["edge_um"]), **p)
    patch.along = rng.uniform(0, 1, (2, 256)).astype(np.float32)
    patch.oxygen.value[:] = np.exp(rng.normal(1.5, 0.8, patch.oxygen.value.shape))
    for row in np.flatnonzero(((patch.region.coords >= 0) & (patch.region.coords < (2, 2, 1))).all(axis=1)):
        density = mean if not patch.region.coords[row].any() else 0.2 * mean
        n = rng.poisson(density * rng.integers(0, 3, 512))
        n[rng.integers(0, 512, 3)] += int(12 * density)             # some crowded voxels
        voxels = np.repeat(np.arange(512), n)
        cells = random_cells(rng, len(voxels))
        cells["clone"] %= CLONES
        cells["emt"] *= rng.random(len(voxels)) < 0.5
        patch.put(row, voxels, **{name: cells[name] for name in cells.dtype.names})
    patch.pressure.value[:] = np.maximum(rng.normal(0.0, 0.4, patch.pressure.value.shape), 0.0)
    for name in ("coarse", "coarsest"):
        patch.more[name][:] = rng.exponential(2.0, patch.more[name].shape)
    patch.rates = rates or with_tables([rate for name, rate in RATES.items() if name not in without], rng)
    return patch


def all_lists(patch):
    return [voxel_lists(patch, row) for row in range(len(patch.arena.n))]
