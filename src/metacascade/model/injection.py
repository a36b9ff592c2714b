"""Cells put into the blood by hand: when they enter, and who they are."""
import numpy as np

from metacascade._kernels import _blood
from metacascade._kernels._layout import CTC, Draw, Flag, draws, unit52
from metacascade.base.columns import BORN, cells
from metacascade.base.records import chosen, joined
from metacascade.model import physiology

COLUMNS = (cells("injected", BORN, "put into the blood"),)
CHUNK = 1 << 18  # cells enumerated at a time


class Injections:
    """The injections of a config, as far as their cells are owned by this rank.

    Cell k of injection i has its id and its time from the draw (seed, INJECT, i, k): ids are uniform
    over 64 bits, so every rank owns its share; times are uniform over the infusion, or all at once.
    Every rank looks at every cell once and keeps its own; nothing is saved in checkpoints.
    """

    def __init__(self, config, seed: int, rank: int = 0, size: int = 1):
        self._seed, self._rank, self._size = seed, rank, size
        self._plans = list(config.injection)
        self._made = {}

    def due(self, after_s: int, last_s: int):
        """The cells that enter at after_s < time <= last_s [s]: an array of CTC for `Blood.admit`."""
        found = [self._between(i, plan, after_s, last_s) for i, plan in enumerate(self._plans)
                 if plan.time_s <= last_s and after_s < plan.time_s + plan.duration_s]
        return found[0] if len(found) == 1 else joined(np.empty(0, CTC), *found)

    def _between(self, i, plan, after_s, last_s):
        """Cells of injection i, made when first asked for and forgotten when the last has entered."""
        if i not in self._made:
            self._made[i] = self._make(i, plan)
        ctcs = self._made[i]
        low, high = np.searchsorted(ctcs["t_shed"], [after_s / 3600, last_s / 3600], side="right")
        if last_s >= plan.time_s + plan.duration_s:
            del self._made[i]
        return ctcs[low:high]

    def _make(self, i, plan):
        ctcs = joined(*(self._chunk(i, plan, k, min(k + CHUNK, plan.cells)) for k in range(0, plan.cells, CHUNK)))
        if plan.duration_s == 0:
            return ctcs
        return chosen(ctcs, np.argsort(ctcs["t_shed"], kind="stable"))

    def _chunk(self, i, plan, first, last):
        """The cells first .. last - 1 of injection i that this rank owns."""
        index = np.arange(first, last, dtype=np.uint64)
        which = index >> np.uint64(32) << np.uint64(32) | np.uint64(i)
        words = draws(self._seed, Draw.INJECT, which, index.astype(np.uint32))
        if self._size > 1:
            owner = (words[:, 1] >> np.uint32(16)).astype(np.uint64) * np.uint64(self._size) >> np.uint64(16)
            words = words[owner == self._rank]
        words = words.astype(np.uint64)
        late = unit52(words[:, 2], words[:, 3])
        ctcs = np.zeros(len(words), CTC)
        ctcs["id"], ctcs["n"] = words[:, 1] << np.uint64(32) | words[:, 0], 1
        ctcs["flags"] = Flag.INJECTED
        ctcs["t_shed"] = (plan.time_s + late * plan.duration_s) / 3600
        ctcs["origin"] = physiology.NODES.index(plan.node)
        ctcs["emt"], ctcs["adhesion"] = round(255 * plan.emt), round(255 * plan.adhesion)
        _blood.size(ctcs, self._seed, plan.diameter_um, plan.diameter_spread)
        return ctcs


def injections_due(config, seed: int, after_s: int, last_s: int, rank: int = 0, size: int = 1):
    """What `Injections` would give, for one call: for tests and notebooks."""
    return Injections(config, seed, rank, size).due(after_s, last_s)
