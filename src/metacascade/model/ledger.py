"""The account of every cell (promise 2): after each step, exactly,

    initial + divided + injected = alive (tissue, blood, organs) + dead (by cause) + removed.
"""
from metacascade.base.errors import CellsLost, RunError
from metacascade.ranks.parallel import on_all_ranks

BORN = ("initial", "divided_tissue", "divided_lesion", "injected")
ALIVE = ("tissue", "circulating", "arrested", "lesions")
DEAD = ("apoptosis", "hypoxia", "anoikis", "shear", "nk", "not_established", "lesion_loss", "dormant_loss",
        "irradiated")
REMOVED = ("drawn", "resected")
# Passed from one place to another: not part of the account, but wanted in every time series.
FLOWS = ("shed", "shed_ctcs", "shed_lesion", "passages", "extravasated", "founded", "woken",
         "self_seeded", "changed_voxel")
TOTALS = BORN + DEAD + REMOVED + FLOWS     # these only grow; ALIVE is counted anew at each step
LARGEST = 2**63 - 1        # of a total
NAMES = BORN + ALIVE + DEAD + REMOVED + FLOWS


class Ledger:
    """Global totals of cells, the same on all ranks.

    Attributes
    ----------
    totals : dict of str to int
        One for each of NAMES, over all ranks, as of the last `close`.
    """

    def __init__(self, world, totals=None):
        self.world = world
        self.totals = dict.fromkeys(NAMES, 0) | (totals or {})
        self._new = dict.fromkeys(TOTALS, 0)

    def add(self, **counts):
        """Add what happened on this rank since the last `close`."""
        for name, n in counts.items():
            self._new[name] += int(n)

    def close(self, alive, extra=()):
        """Sum over ranks and check the account; returns the sums of the integers in `extra`. Collective.

        ``alive``: the cells now on this rank, a recount, by the names of ALIVE. Raises CellsLost on every
        rank if the account does not balance; it is never repaired.
        """
        sums = self.world.sum([*self._new.values(), *(alive[name] for name in ALIVE), *extra]).tolist()
        for name, n in zip(TOTALS, sums):
            self.totals[name] += n
        self.totals.update(zip(ALIVE, sums[len(TOTALS):]))
        self._new = dict.fromkeys(TOTALS, 0)
        self._check_size()
        if self.born != self.gone:
            raise on_all_ranks(CellsLost(self._imbalance()))
        return sums[len(TOTALS) + len(ALIVE):]

    def _check_size(self):
        name = max(self.totals, key=self.totals.get)
        if self.totals[name] > LARGEST:
            raise on_all_ranks(RunError(
                f"{name}: more than {LARGEST:,} cells since the start, and no more can be counted: "
                "shorten run.duration, or lower colonization.capacity, birth and death"))

    @property
    def born(self):
        """Cells born since the start, over all ranks."""
        return sum(self.totals[name] for name in BORN)

    @property
    def gone(self):
        """Cells alive, dead and removed, over all ranks: as many as were born."""
        return sum(self.totals[name] for name in ALIVE + DEAD + REMOVED)

    def _imbalance(self):
        parts = ", ".join(f"{name} {self.totals[name]}" for name in BORN + ALIVE + DEAD + REMOVED)
        return f"the ledger does not balance: {self.born} cells were born, {self.gone} are accounted for ({parts})"
