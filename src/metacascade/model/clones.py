"""Clones: a table of ancestors and traits, and the mutations and labels that add to it.

A dividing cell has a mutant daughter with the sum of the chances of all traits. Of those one changes, chosen in
proportion to its chance, by a step up or down within its limits. The daughter founds a clone; her descendants keep it,
wherever they are. Of two traits that are correlated the other may change as well (`together`). Lesions are counts of
cells, not cells: they keep the clone of their founder and do not mutate.

Injected cells of a label are a clone without a parent, with the traits of the founder but for those that are given. It
is there from the start of a run, or of a branch in which the label is new; its id is a hash of the label.

What a clone is called must not depend on the ranks. A mutant daughter comes out of the tissue's kernel with a 64-bit
id, a hash of seed, step, tile and record. The ranks gather the ids of a step, and number them in ascending order. Two
mutants of one id would be one clone.
"""
import hashlib
import math
from dataclasses import dataclass

import numpy as np

from metacascade._kernels._layout import Draw, draws, unit52
from metacascade.base.columns import NOW, PASSED, Column, ReportLine, cells
from metacascade.base.errors import InputError
from metacascade.base.limits import MOST_CLONES
from metacascade.base.records import joined
from metacascade.mechanisms.compile import founder
from metacascade.model.motion import by_clone
from metacascade.state import observed
from metacascade.state.state import CLONE

BYTE = 255                  # a trait is 0 to 1 in steps of 1/255
WORD = 2**64
MUTATE = "tissue.mutate"    # coefficient of the chances of mutation of all traits
BORN = np.dtype([("id", "u8"), ("parent", "u2")])
COLUMNS = (
    cells("mutated", PASSED, "daughters with a mutation, in tissue"),
    cells("mutations_lost", PASSED, "of these, those that kept the clone of their mother, for a full table of clones"),
    Column("clones", "clones", "rows of the table of clones", NOW))
REPORT = (ReportLine("clones", "{clones:,} from {mutated:,} mutations", if_any=("mutated",)),)


@dataclass(frozen=True)
class Spectrum:
    """What mutates: the traits in the order of their bytes, each an array over traits.

    Attributes
    ----------
    names : tuple of str
    founder, low, high, step : ndarray of int64
        [1/255]
    sign : ndarray of int64
        1: up, -1: down, 0: either.
    chance : ndarray of float64
        Per division.
    partner : ndarray of int64
        The trait that changes with it; -1: none.
    together : ndarray of float64
        The chance that the partner changes too; below 0: that it does in the opposite direction.
    """

    names: tuple
    founder: np.ndarray
    low: np.ndarray
    high: np.ndarray
    step: np.ndarray
    sign: np.ndarray
    chance: np.ndarray
    partner: np.ndarray
    together: np.ndarray

    def threshold(self, factor: float = 1.0) -> int:
        """A daughter is a mutant if a random word of 64 bits is below it; `factor` on the chances of all traits."""
        return min(int(float(self.chance.sum()) * factor * WORD), WORD - 1)

    def founders(self):
        """The table with the clone that a tumor starts with."""
        table = np.zeros(1, CLONE)
        table["parent"] = -1
        table["traits"][0, :len(self.names)] = self.founder
        return table

    def mutated(self, traits, ids, seed):
        """The traits of the clones `ids`: `traits`, those of their parents, uint8 (n, 24), with a trait changed."""
        words = draws(seed, Draw.MUTATION, np.ascontiguousarray(ids), np.zeros(len(ids), np.uint32))
        share = unit52(words[:, 0], words[:, 1])
        which = np.searchsorted(np.cumsum(self.chance) / self.chance.sum(), share, side="right")
        which = np.minimum(which, len(self.names) - 1)
        row, traits = np.arange(len(ids)), traits.copy()
        before, step = traits[row, which].astype(np.int64), self.step[which]
        low, high = self.low[which], self.high[which]
        either = self.sign[which] == 0
        sign = np.where(either, 1 - 2 * (words[:, 2] & 1).astype(np.int64), self.sign[which])
        at_end = np.where(sign > 0, before >= high, before <= low)
        sign = np.where(either & at_end, -sign, sign)
        traits[row, which] = np.clip(before + sign * step, low, high)
        also = (words[:, 3] + 0.5) / 2**32 < np.abs(self.together[which])
        row, other = row[also], self.partner[which[also]]
        sign = sign[also] * np.sign(self.together[which[also]]).astype(np.int64)
        step = traits[row, other] + sign * self.step[other]
        traits[row, other] = np.clip(step, self.low[other], self.high[other])
        return traits


def spectrum(traits) -> Spectrum:
    """The Spectrum of the traits of a plan."""
    def in_bytes(values):
        return np.array([round(BYTE * number) for number in values], np.int64)

    partner, shared = partners(traits)
    return Spectrum(
        tuple(trait.name for trait in traits), partner=partner, together=shared,
        founder=in_bytes(trait.founder.number for trait in traits),
        low=in_bytes(trait.low for trait in traits), high=in_bytes(trait.high for trait in traits),
        step=in_bytes(trait.step.number for trait in traits),
        sign=np.array([{"up": 1, "down": -1, "both": 0}[trait.direction] for trait in traits], np.int64),
        chance=np.array([trait.mutation.number for trait in traits], np.float64))


def partners(traits):
    """Of each trait its partner and `together`, as in Spectrum; a partner that is not there is none."""
    names = [trait.name for trait in traits]
    partner, shared = np.full(len(traits), -1), np.zeros(len(traits))
    for i, trait in enumerate(traits):
        if trait.partner in names:
            j = names.index(trait.partner)
            partner[[i, j]] = j, i
            shared[[i, j]] = together(trait.correlation.number, trait.mutation.number, traits[j].mutation.number)
    return partner, shared


def together(correlation, a, b):
    """The chance that a mutation of one of two traits changes the other too; negative: in the opposite direction.

    Traits that mutate with the chances a and b change by a step up, a step down, or not at all. Over the mutations that
    change one of them, if the other changes too with the chance q, the correlation of the steps is

        r = q (a + b) / sqrt((a + q b) (b + q a))

    which is solved for q: r / (2 - r) if a = b. Limits of the traits are left out of it.
    """
    r2, ab = correlation**2, a * b
    if not (correlation and ab):
        return 0.0
    first, half = (a + b)**2 - r2 * ab, 0.5 * r2 * (a * a + b * b)
    return math.copysign((half + math.sqrt(half * half + first * r2 * ab)) / first, correlation)


def thresholds(plan, scales=(), clones=None):
    """The threshold of mutants of each clone: uint64, shape (clones,).

    `clones`: the traits of all of them, as of `Clones.traits`; left out: one clone, the founder.
    """
    own = by_clone(plan, MUTATE, founder(plan) if clones is None else clones)
    own *= plan.number(MUTATE, scales, default=1.0)
    levels, level = np.unique(own, return_inverse=True)
    return np.array([spectrum(plan.traits).threshold(factor) for factor in levels.tolist()], np.uint64)[level]


class Clones:
    """The table of clones, the same on all ranks. A clone is a row of it; row 0 is what the tumor starts with.

    Attributes
    ----------
    table : ndarray of CLONE
    labels : dict
        Row of the clone of each label of `label`.
    """

    def __init__(self, world, spectrum_, seed, table=None, names=None):
        """`table`: of a saved state, with the traits `names`; a trait that it has not is that of the founder."""
        self.world, self.spectrum, self.seed = world, spectrum_, seed
        self.table = spectrum_.founders() if table is None else renamed(table, names, spectrum_)
        self.labels = {}

    def __len__(self):
        return len(self.table)

    @property
    def room(self) -> int:
        """Clones for which there is a row."""
        return MOST_CLONES - len(self.table)

    def traits(self) -> dict:
        """Of all clones: name -> ndarray of uint8, for tables of rates; one without name tells how many they are."""
        return {"": np.zeros(len(self.table), np.uint8)} | {
            name: self.table["traits"][:, i].copy() for i, name in enumerate(self.spectrum.names)}

    def label(self, labels, step, time_s) -> int:
        """Find the rows of labels, name -> traits by name, or add them; how many were added.

        Raises InputError if one is there with other traits, or there is no room.
        """
        before = len(self.table)
        for label, given in labels.items():
            row = self.spectrum.founders()
            row["id"], row["step"], row["time_s"] = id_of_label(label), step, time_s
            for name, number in given.items():
                row["traits"][0, self.spectrum.names.index(name)] = round(BYTE * number)
            found = np.flatnonzero(self.table["id"] == row["id"])
            if len(found) and (self.table["traits"][found[0]] != row["traits"][0]).any():
                raise InputError(f"the label {label!r} of an injection: a clone of that label is there already, with "
                                 "other traits: give this one another label")
            if not len(found) and not self.room:
                raise InputError(f"the label {label!r} of an injection: the table of clones is full")
            self.labels[label] = int(found[0]) if len(found) else len(self.table)
            self.table = self.table if len(found) else joined(self.table, row)
        return len(self.table) - before

    def number(self, migrants, step, time_s) -> int:
        """Give the mutants among `migrants` clones of their own; of this rank, how many found no row. Collective.

        A mutant has the high bits of its clone's id in ``mutant``, and the clone of its mother until now. `step` and
        `time_s` are those at which the clone is first there.
        """
        mutant = migrants["mutant"] > 0
        if not self.room:
            return int(mutant.sum())
        ids = ids_of(migrants[mutant])
        new = self._gathered(distinct(ids, migrants["cell"]["clone"][mutant]))
        at = np.searchsorted(new["id"], ids)
        found = at < len(new)
        found[found] = new["id"][at[found]] == ids[found]
        clone = migrants["cell"]["clone"]
        clone[np.flatnonzero(mutant)[found]] = len(self.table) + at[found]
        self._add(new, step, time_s)
        return int((~found).sum())

    def _gathered(self, born):
        """The BORN of all ranks, as many as there is room for, in the order of their ids. Collective."""
        if int(self.world.sum([len(born)])[0]) > self.room:
            born = self._lowest(born)
        everyone = joined(np.empty(0, BORN), *self.world.allgather(born))
        return distinct(everyone["id"], everyone["parent"])[:self.room]

    def _lowest(self, born):
        """Those with the lowest ids, so many that those of all ranks just have room. Collective.

        The last such id is found by halving: 64 sums, once in a run, where to gather all could be beyond all memory.
        """
        low, high = 0, WORD - 1
        while low < high:
            middle = (low + high + 1) // 2
            below = np.searchsorted(born["id"], np.uint64(middle), side="right")
            low, high = (middle, high) if int(self.world.sum([below])[0]) <= self.room else (low, middle - 1)
        return born[:np.searchsorted(born["id"], np.uint64(low), side="right")]

    def _add(self, born, step, time_s):
        rows = np.zeros(len(born), CLONE)
        rows["id"], rows["parent"], rows["step"], rows["time_s"] = born["id"], born["parent"], step, time_s
        if len(born):
            rows["traits"] = self.spectrum.mutated(self.table["traits"][born["parent"]], born["id"], self.seed)
        self.table = joined(self.table, rows)


def id_of_label(label) -> int:
    """The id of the clone of a label."""
    return int.from_bytes(hashlib.sha256(label.encode()).digest()[:8], "little")


def ids_of(mutants):
    """The id of the clone that each mutant founds: its place in the voxel, which is drawn, and 16 bits beside it."""
    words = [mutants["cell"]["x"], mutants["cell"]["y"], mutants["cell"]["z"], mutants["mutant"]]
    return sum((word.astype(np.uint64) << np.uint64(16 * i) for i, word in enumerate(words)), np.uint64(0))


def distinct(ids, parents):
    """BORN in the order of ids, each once: of two of one id that of the lower parent."""
    order = np.lexsort((parents, ids))
    born = np.empty(len(ids), BORN)
    born["id"], born["parent"] = ids[order], parents[order]
    first = np.ones(len(born), bool)
    first[1:] = born["id"][1:] != born["id"][:-1]
    return born[first]


def renamed(table, names, spectrum_):
    """A saved table with its traits in the columns of a spectrum."""
    wanted = np.zeros_like(table["traits"])
    for i, name in enumerate(spectrum_.names):
        wanted[:, i] = table["traits"][:, names.index(name)] if name in names else spectrum_.founder[i]
    table = joined(table)
    table["traits"] = wanted
    return table


def tree(clones):
    """The rows of the table /clones of the results: one for each clone, its traits by name."""
    names = clones.spectrum.names
    table = np.zeros(len(clones), observed.clones(names).dtype)
    table["clone"] = np.arange(len(clones))
    for name in ("id", "parent", "step", "time_s"):
        table[name] = clones.table[name]
    for name in names:
        table[name] = clones.traits()[name]
    return table
