"""Bed passages per second on one core: the walk of circulating tumor cells with everything on.

``python benchmarks/bench_blood.py`` prints the figures; ``measure`` returns them.
"""
import statistics
import time

import numpy as np

from metacascade._kernels._layout import CTC
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model.blood import Blood
from metacascade.model.circuit import Circuit

CELLS = 50_000
HOURS = 0.5
REPEATS = 7


def population(n: int, seed: int = 1):
    """n single cells and clusters, shed by the tumor over the half hour."""
    rng = np.random.default_rng(seed)
    ctcs = np.zeros(n, CTC)
    ctcs["id"] = rng.integers(0, 2**64, n, dtype=np.uint64)
    ctcs["t_shed"] = rng.uniform(0, HOURS, n)
    ctcs["n"] = np.where(rng.random(n) < 0.03, 4, 1)
    ctcs["adhesion"] = rng.integers(120, 236, n)
    return ctcs


def once(config, ctcs):
    """(passages, processor seconds) of one walk over HOURS, bookkeeping included."""
    circuit = Circuit(config, plan_of(config))
    circuit.set_tumor_flow(10**8)
    blood = Blood(config, circuit, 7)
    blood.admit(ctcs)
    start = time.process_time()
    walked = blood.advance(HOURS)
    return walked.passages, time.process_time() - start


def rate(species: str, **blood):
    """Median passages per second and processor core."""
    config = Config.from_dict(dict(run=dict(species=species), tumor=dict(cells=10**8), blood=blood))
    ctcs = population(CELLS)
    runs = [once(config, ctcs) for _ in range(REPEATS)]
    return statistics.median(passages / seconds for passages, seconds in runs)


def measure() -> dict:
    """Figures of the default config in a mouse, in man, and of cells that nothing holds."""
    return {
        "bed_passages_per_s_per_core": rate("mouse"),
        "bed_passages_per_s_per_core_human": rate("human"),
        "bed_passages_per_s_per_core_free": rate("mouse", enabled=False),
    }


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:40s} {value / 1e6:7.1f} million")
