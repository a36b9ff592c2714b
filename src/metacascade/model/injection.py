"""Cells put in by hand, into the blood or an organ: when they enter, and who they are."""
import numpy as np

from metacascade._kernels import _blood
from metacascade._kernels._layout import CTC, Draw, Flag, Place, draws, unit52
from metacascade.base.columns import BORN, cells
from metacascade.base.nodes import LYMPH_NODE
from metacascade.base.records import by_id, chosen, joined
from metacascade.config.injections import AT_FIRST, labels
from metacascade.mechanisms import plan_of
from metacascade.model import physiology

COLUMNS = (cells("injected", BORN, "put into the blood, or into an organ"),)
CHUNK = 1 << 18  # cells enumerated at a time


class Injections:
    """The injections of a config, as far as their cells are owned by this rank.

    Cell or cluster k of injection i has its id and its time from the draw (seed, INJECT, i, k): ids are uniform
    over 64 bits, so every rank owns its share; times are uniform over the infusion, or all at once.
    Every rank looks at every one once and keeps its own; nothing is saved in checkpoints.

    Attributes
    ----------
    clones : dict
        The row of the table of clones of each label.
    """

    def __init__(self, config, seed: int, rank: int = 0, size: int = 1):
        self._seed, self._rank, self._size = seed, rank, size
        self._plans = list(config.injection)
        self._masks = dict(plan_of(config).bits) if self._plans else {}
        self._clonogenic = config.colonization.clonogenic
        self._made = {}
        self.clones = {}

    def due(self, after_s: int, last_s: int):
        """(for `Blood.admit`, for `Lesions.found`): what enters the blood at after_s < time <= last_s [s], and what is
        put into organs. Arrays of CTC; the second is sorted by id, and its t_event is the time."""
        found = {True: [], False: []}
        for i, plan in enumerate(self._plans):
            if plan.time_s <= last_s and after_s < plan.time_s + plan.duration_s:
                found[plan.organ is None].append(self._between(i, plan, after_s, last_s))
        return _one_array(found[True]), by_id(_one_array(found[False]))

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
        number = plan.records
        ctcs = joined(*(self._chunk(i, plan, k, min(k + CHUNK, number)) for k in range(0, number, CHUNK)))
        if plan.duration_s == 0:
            return ctcs
        return chosen(ctcs, np.argsort(ctcs["t_shed"], kind="stable"))

    def _chunk(self, i, plan, first, last):
        """The cells or clusters first .. last - 1 of injection i that this rank owns."""
        index = np.arange(first, last, dtype=np.uint64)
        which = index >> np.uint64(32) << np.uint64(32) | np.uint64(i)
        words = draws(self._seed, Draw.INJECT, which, index.astype(np.uint32))
        if self._size > 1:
            owner = (words[:, 1] >> np.uint32(16)).astype(np.uint64) * np.uint64(self._size) >> np.uint64(16)
            words, index = words[owner == self._rank], index[owner == self._rank]
        words = words.astype(np.uint64)
        late = unit52(words[:, 2], words[:, 3])
        ctcs = np.zeros(len(words), CTC)
        ctcs["id"] = words[:, 1] << np.uint64(32) | words[:, 0]
        ctcs["n"] = np.minimum(plan.cells - index.astype(np.int64) * plan.cluster, plan.cluster)
        ctcs["flags"] = Flag.INJECTED
        ctcs["t_shed"] = (plan.time_s + late * plan.duration_s) / 3600
        ctcs["emt"], ctcs["adhesion"] = round(255 * plan.emt), round(255 * plan.adhesion)
        ctcs["bits"] = ctcs["bits_shed"] = sum(self._masks[name] for name in set(plan.bits))
        ctcs["clone"] = self.clones[plan.label] if plan.label else 0
        ctcs["x"] = plan.times_clonogenic(self._clonogenic) - 1.0       # it has no place in tissue; see of_injected
        self._place(ctcs, plan)
        _blood.size(ctcs, self._seed, plan.diameter_um, plan.diameter_spread)
        return ctcs

    @staticmethod
    def _place(ctcs, plan):
        """Where they are at first: about to flow in a node of the circuit, or outside of the vessels of an organ."""
        if plan.organ is None:
            ctcs["origin"] = physiology.NODES.index(plan.node)
        else:
            ctcs["origin"] = ctcs["node"] = (*physiology.NODES, LYMPH_NODE).index(plan.organ)
            ctcs["place"], ctcs["t_event"] = Place.ENDED, ctcs["t_shed"]
            ctcs["y"] = AT_FIRST.index(plan.state)                        # as x; see state_of_injected


def of_injected(ctcs):
    """How many times as often as others they are clonogenic: that of their injection, 1 of all others. float64."""
    times, injected = np.ones(len(ctcs)), _injected(ctcs)
    times[injected] += ctcs["x"][injected]
    return times


def state_of_injected(ctcs):
    """In which of AT_FIRST each is at first, by its injection; 0, seeded, of all others."""
    states, injected = np.zeros(len(ctcs), int), _injected(ctcs)
    states[injected] = ctcs["y"][injected]
    return states


def _injected(ctcs):
    return ctcs["flags"] & (Flag.INJECTED | Flag.LESION) == Flag.INJECTED


def _one_array(found):
    return found[0] if len(found) == 1 else joined(np.empty(0, CTC), *found)


def take_labels(simulation):
    """Give the labels of a simulation's injections their clones, on all ranks alike."""
    with simulation.world.together():
        new = simulation.clones.label(labels(simulation.config), simulation.step_number, simulation.time_s)
    simulation.injections.clones = simulation.clones.labels
    if new:
        simulation.tell_of_clones()
