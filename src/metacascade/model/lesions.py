"""Lesions: what sleeps or grows in an organ from one cell or cluster that left the blood."""
from dataclasses import dataclass

import numpy as np

from metacascade._kernels import _lesions
from metacascade._kernels._layout import CTC, LESION, Fate
from metacascade.base.records import chosen, joined
from metacascade.mechanisms import plan_of
from metacascade.mechanisms.compile import placed_rates


@dataclass
class Grown:
    """What happened in one call of `Lesions.advance`; counts are cells unless they say lesions."""

    shed: np.ndarray   # CTC: cells that entered the blood, for `Blood.admit` of their owners
    born: int
    died_active: int
    died_dormant: int
    woken: int         # lesions


class Lesions:
    """The lesions that this rank owns: those whose id, that of their founder, is its own.

    A dormant lesion wakes (hazard of the lesion) and its cells die (hazard of each). An active one is
    a linear birth and death process, exact over a step but for the division rate, which falls to the
    death rate as the lesion nears its capacity and is taken from the start of the step. Its cells enter
    the blood with one hazard each. A lesion without cells stays in `records` as CLEARED: its history.

    Births and deaths are counted by line: a line that has died out within the step is one death, what
    a line has gained is births; a division whose daughter dies in the same step is neither.
    """

    def __init__(self, config, circuit, seed: int):
        self.plan = plan_of(config)
        self.circuit, self.seed = circuit, seed
        self.records = np.empty(0, LESION)
        self.set_rates()

    def set_rates(self, scales=(), clones=None):
        """Take the rates of the plan times scale(t), a dict by name, for a table of clones (left out: the founder)."""
        self.rates = placed_rates(self.plan, _lesions.RATES, self.circuit.names, scales, clones)

    def found(self, ctcs):
        """Decide what becomes of cells that left the blood at their t_event.

        Each cell survives with probability establish x soil of the organ; of a cluster one is enough.
        Returns (not_established, founders): copies with fate and place set, in the order given.
        """
        ctcs = joined(np.atleast_1d(np.asarray(ctcs, CTC)))
        new = np.zeros(ctcs.size, LESION)
        n = _lesions.found(ctcs, new, self.rates, self.seed)
        if n:
            self.records = joined(self.records, new[:n])
        founders = ctcs["fate"] == Fate.LESION
        return chosen(ctcs, ~founders), chosen(ctcs, founders)

    def advance(self, step: int, t_h: float, dt_h: float) -> Grown:
        """Let every lesion live from t_h, or from its founding if that is later, to t_h + dt_h."""
        broods = np.zeros(self.records.size, _lesions.BROOD)
        counts = dict(zip(_lesions.TALLY, _lesions.advance(
            self.records, self.rates, self.seed, step, t_h, t_h + dt_h, broods)))
        shed = np.zeros(counts.pop("shed"), CTC)
        _lesions.children(self.records, broods, shed, self.seed, t_h + dt_h)
        return Grown(shed=shed, **counts)

    @property
    def cells(self) -> int:
        """Cells alive in the lesions owned here."""
        return int(self.records["n"].sum())
