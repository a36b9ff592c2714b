"""The account of every cell (promise 2): after each step, exactly,

    initial + divided + injected = alive (tissue, blood, organs) + dead (by cause) + removed.
"""
from metacascade.base.columns import ACCOUNT, ALIVE, BORN, GROWING
from metacascade.base.errors import CellsLost, RunError, on_all_ranks

LARGEST = 2**63 - 1        # of a total


class Ledger:
    """Global totals of cells, the same on all ranks.

    Parameters
    ----------
    columns : sequence of Column
        What is counted; those that are of the moment (NOW) are left out.

    Attributes
    ----------
    totals : dict of str to int
        One for each column, over all ranks, as of the last `close`.
    """

    def __init__(self, world, columns, totals=None):
        self.world = world
        self.part = {column.name: column.part for column in columns if column.part in (*GROWING, ALIVE)}
        self.growing = [name for name, part in self.part.items() if part in GROWING]
        self.alive = [name for name, part in self.part.items() if part == ALIVE]
        self.totals = dict.fromkeys(self.part, 0) | (totals or {})
        self._new = dict.fromkeys(self.growing, 0)

    def add(self, **counts):
        """Add what happened on this rank since the last `close`."""
        for name, n in counts.items():
            self._new[name] += int(n)

    def close(self, alive, extra=()):
        """Sum over ranks and check the account; returns the sums of the integers in `extra`. Collective.

        ``alive``: the cells now on this rank, a recount, by the names of the columns of that part. Raises CellsLost on
        every rank if the account does not balance; it is never repaired.
        """
        sums = self.world.sum([*self._new.values(), *(alive[name] for name in self.alive), *extra]).tolist()
        for name, n in zip(self.growing, sums):
            self.totals[name] += n
        self.totals.update(zip(self.alive, sums[len(self.growing):]))
        self._new = dict.fromkeys(self.growing, 0)
        self._check_size()
        if self.born != self.gone:
            raise on_all_ranks(CellsLost(self._imbalance()))
        return sums[len(self.growing) + len(self.alive):]

    def _check_size(self):
        name = max(self.totals, key=self.totals.get)
        if self.totals[name] > LARGEST:
            raise on_all_ranks(RunError(
                f"{name}: more than {LARGEST:,} cells since the start, and no more can be counted: "
                "shorten run.duration, or lower colonization.capacity and gompertz"))

    def of(self, *parts) -> dict:
        """The totals of some parts of the account: name -> cells."""
        return {name: self.totals[name] for name, part in self.part.items() if part in parts}

    @property
    def born(self):
        """Cells born since the start, over all ranks."""
        return sum(self.of(BORN).values())

    @property
    def gone(self):
        """Cells alive, dead and removed, over all ranks: as many as were born."""
        return sum(self.of(*ACCOUNT).values()) - self.born

    def _imbalance(self):
        parts = ", ".join(f"{name} {n}" for name, n in self.of(*ACCOUNT).items())
        return f"the ledger does not balance: {self.born} cells were born, {self.gone} are accounted for ({parts})"
