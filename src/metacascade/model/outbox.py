"""What the kernel of the tissue writes in a step besides the tiles: what leaves them, and counts."""
import numpy as np

from metacascade._kernels import _tissue
from metacascade._kernels._layout import CTC, MEMBER, MIGRANT
from metacascade.base.records import joined

TALLIES = _tissue.TALLIES       # what the kernel counts; behind them the causes of death of the plan
DONE, MIGRANTS, SHED, FIRST_TALLY = range(4)    # of progress: tiles that are done, records written so far, counts


class Outbox:
    """Room for what leaves the tiles of a rank in a step, and for the work on one tile; it grows as needed.

    Attributes
    ----------
    scratch : ndarray of uint32, shape (_tissue.SCRATCH_ROWS, n)
        Working memory, for a tile of up to n / 2 - 32 cells.
    migrants, shed, members : ndarray of MIGRANT, CTC and MEMBER
        Cells that go to other tiles or divide, what enters vessels, and the members of its clusters.
    progress : ndarray of int64
        Of the present step: how far it has come, and what was counted.
    """

    def __init__(self, words=16_400, migrants=65_536, shed=4096, members=4096):
        self.scratch = scratch(words)
        self.migrants, self.shed = np.empty(migrants, MIGRANT), np.empty(shed, CTC)
        self.members = np.empty(members, MEMBER)
        self.begin(())

    def begin(self, causes):
        """A step begins, with these causes of death."""
        self.names = (*TALLIES, *causes)
        self.progress = np.zeros(FIRST_TALLY + len(self.names), np.int64)

    def make_room(self, n) -> bool:
        """The kernel stopped before a tile of n cells: grow what is too small for it. False: nothing here is."""
        followers = self.tally["shed"] - self.progress[SHED]
        if self.scratch.shape[1] < 2 * n + 64:
            self.scratch = scratch(4 * n + 64)
            return True
        for name, written in (("migrants", self.progress[MIGRANTS]), ("shed", self.progress[SHED]),
                              ("members", followers)):
            have = getattr(self, name)
            if len(have) < written + n:
                setattr(self, name, joined(have, np.empty(len(have) + n, have.dtype)))
                return True
        return False

    @property
    def tally(self) -> dict:
        """What the kernel has counted in this step: name -> number."""
        return dict(zip(self.names, self.progress[FIRST_TALLY:].tolist()))

    def taken(self):
        """What was written in this step: (migrants, a view; CTCs; members of the clusters among them)."""
        shed = self.progress[SHED]
        return (self.migrants[:self.progress[MIGRANTS]], joined(self.shed[:shed]),
                joined(self.members[:self.tally["shed"] - shed]))


def scratch(cells):
    """Working memory of the kernel for tiles of so many cells."""
    return np.empty((_tissue.SCRATCH_ROWS, cells), np.uint32)
