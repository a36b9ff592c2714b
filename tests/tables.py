"""Tables of rates for tests."""
from dataclasses import replace

import numpy as np

from metacascade.mechanisms.compile import PlacedRates


def neutral(names, nodes, **values):
    """All rates zero but those given by their last name, for each node or one for all; factors 1, one clone."""
    place = np.zeros((len(names), nodes))
    for name, value in values.items():
        place[[full.rsplit(".")[1] for full in names].index(name)] = value
    return PlacedRates(tuple(names), np.ones((len(names), 1), np.float32), np.ones((len(names), 3, 256), np.float32),
                       place, np.zeros(len(names)))


def varied(rates, clones=4, seed=8):
    """The rates with random factors of clones and states, a few of them zero."""
    rng = np.random.default_rng(seed)
    clone, state = (rng.uniform(0.5, 1.5, shape).astype(np.float32) for shape in (
        (len(rates.names), clones), rates.state.shape))
    state[rng.random(state.shape) < 0.01] = 0.0
    return replace(rates, clone=clone, state=state)
