"""A lumped tumor: the primary as one record of the kind of lesions, at the node `tumor`, instead of tissue.

It grows by the law of Gompertz, its cells leave one by one or as clusters, and what comes back to it through the blood
counts as its cells again. It is a lesion in files and in the digest: the only one at that node.
"""
import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from metacascade._kernels import _lumped
from metacascade._kernels._layout import CTC, LESION, MEMBER, Draw, Flag, LesionState, draws
from metacascade.base.columns import ALIVE, BORN, DEAD, ReportLine, cells
from metacascade.base.records import cells_in, chosen, joined
from metacascade.model.members import followers
from metacascade.model.physiology import TUMOR
from metacascade.ranks.parallel import owner_of_id

COLUMNS = (
    cells("divided_lumped", BORN, "by division in a lumped tumor"), cells("lumped", ALIVE, "in a lumped tumor"),
    cells("lumped_loss", DEAD, "in a lumped tumor"))
REPORT = (ReportLine("lumped", "{lumped:,} cells in the tumor, without space (started with {initial:,}; "
                               "{divided_lumped:,} divisions, {lumped_loss:,} deaths)",
                     if_any=("lumped", "divided_lumped", "lumped_loss")),)
LARGEST_CLUSTER = 64
SUB_STEPS = 256            # in one call of the kernel


def columns(plan) -> tuple:
    """The columns of the time series; none if the tumor is tissue."""
    return COLUMNS if plan.rate("lumped.shed") else ()


@dataclass
class Shed:
    """What happened in one call of `Lumped.advance`."""
    ctcs: np.ndarray        # CTC: what is followed, for `Blood.admit` of their owners
    members: np.ndarray     # MEMBER: of the clusters among them
    cells: int = 0          # that left, also those that are not followed
    left: int = 0           # the same in single cells and clusters
    born: int = 0
    died: int = 0
    unfollowed: int = 0     # cells


class Lumped:
    """The lumped tumor of a plan. Its record is on the rank that owns its id; elsewhere, and if the tumor is tissue,
    there is none.

    Attributes
    ----------
    records : ndarray of LESION
        One, or none.
    """

    def __init__(self, config, plan, world):
        self.config, self.plan, self.world = config, plan, world
        self.seed, self.on = config.run.seed, plan.rate("lumped.shed") is not None
        self.records = np.empty(0, LESION)
        words = draws(self.seed, Draw.LUMPED, np.zeros(1, np.uint64), np.zeros(1, np.uint32)).astype(np.uint64)
        self.id = words[:, 1] << np.uint64(32) | words[:, 0]
        self.is_here = self.on and int(owner_of_id(self.id, world.size)[0]) == world.rank

    def begin(self):
        """Make it, with its first cells."""
        if self.is_here:
            self.records = np.zeros(1, LESION)
            self.records["id"], self.records["n"] = self.id, self.config.tumor.cells
            self.records["node"], self.records["state"] = TUMOR, LesionState.VASCULAR
            for trait in ("emt", "adhesion"):
                self.records[trait] = round(255 * getattr(self.config.lumped, trait))

    def take(self, lesions):
        """Take its record out of the lesions of a state: those that are left."""
        its = lesions["node"] == TUMOR
        if self.on:
            self.records = chosen(lesions, its)
        return chosen(lesions, ~its) if its.any() else lesions

    @property
    def cells(self) -> int:
        """Of this rank."""
        return int(self.records["n"].sum())

    @property
    def column(self) -> str:
        """That of the cells of the tumor in the ledger."""
        return "lumped" if self.on else "tissue"

    def alive(self) -> dict:
        """Its cells, for the ledger; nothing if the tumor is tissue."""
        return dict(lumped=self.cells) if self.on else {}

    # --- in a simulation --------------------------------------------------------------------------------------

    def live(self, simulation, t0_s, t1_s):
        """Live through a step of a simulation; (CTCs that it shed, members of the clusters among them)."""
        sim, flags, chance = simulation, 0, None
        if not self.on:
            return np.empty(0, CTC), np.empty(0, MEMBER)
        cuts = [t0_s, *sim.schedule.all_changes(t0_s + 1, t1_s, "lumped."), t1_s]
        spans = [(a / 3600, b / 3600, sim.schedule.scales(a, "lumped.")) for a, b in pairwise(cuts)]
        if self.cells * self.plan.number("lumped.shed", spans[0][2]) > self.config.colonization.follow_per_h:
            chance, flags = clonogenic(self, sim.lesions), Flag.CLONOGENIC
        shed = self.advance(sim.step_number, spans, chance, flags)
        sim.ledger.add(divided_lumped=shed.born, lumped_loss=shed.died, unfollowed=shed.unfollowed, shed=shed.cells,
                       shed_ctcs=shed.left)
        return shed.ctcs, shed.members

    def regain(self, simulation):
        """What left the blood in its bed becomes cells of it. Collective."""
        sim = simulation
        if self.on:
            sim.members.take(sim.returning)
            self.add(int(sim.world.sum([cells_in(sim.returning)])[0]))
            sim.returning = sim.returning[:0]

    def add(self, cells: int):
        """So many cells came back, over all ranks."""
        if self.is_here and cells:
            self.records["n"] += cells
            self.records["state"] = LesionState.VASCULAR

    # --- its life ---------------------------------------------------------------------------------------------

    def advance(self, step, spans, chance=None, flags=0) -> Shed:
        """Let it live through `spans`, a list of (start, end, scales) [h], the parts of a step with their rates.

        chance : float, optional
            That one of its cells can found a lesion: only single cells and clusters that can are followed, with the
            `flags`, the others are counted. It is exact for all that is founded, as who can is independent of the way
            through the blood. Left out: all are followed.
        """
        if not len(self.records):
            return Shed(np.empty(0, CTC), np.empty(0, MEMBER))
        parts, call = [], 0
        for start_h, end_h, scales in spans:
            while start_h < end_h and self.cells:
                part, start_h = self._part(step, call, start_h, end_h, scales, chance, flags)
                parts.append(part)
                call += 1
        return Shed(joined(np.empty(0, CTC), *(part.ctcs for part in parts)),
                    joined(np.empty(0, MEMBER), *(part.members for part in parts)),
                    *(sum(getattr(part, name) for part in parts)
                      for name in ("cells", "left", "born", "died", "unfollowed")))

    def _part(self, step, call, start_h, end_h, scales, chance, flags):
        """One call of the kernel: a Shed, and the time that was reached."""
        law = {name.partition(".")[2]: self.plan.number(name, scales) for name in _lumped.RATES}
        share, follow = self._sizes(scales), np.ones(LARGEST_CLUSTER)
        gone = law["shed"] * math.fsum((share * np.arange(1, len(share) + 1)).tolist())
        law["death"] = max(law["death"] - gone, 0.0)            # what is lost is what dies and what is shed,
        if law["turnover"] > 0.0:
            law["turnover"] = max(law["turnover"], gone)        # and births make up for it
        if chance is not None:
            follow = np.array([-math.expm1(n * math.log1p(-min(chance, 1.0 - 1e-15)))
                               for n in range(1, LARGEST_CLUSTER + 1)])
        follow = follow[:len(share)]
        followed = math.fsum((share * follow).tolist())
        broods = np.zeros(SUB_STEPS, _lumped.BROOD)
        done, reached_h, (born, died, left) = _lumped.advance(
            self.records, law, self.seed, step, call, min(followed, 1.0), start_h, end_h, broods)
        ctcs = np.zeros(int(broods["n"].sum()), CTC)
        if len(ctcs):
            _lumped.children(self.records, broods[:done], share * follow / followed, ctcs, self.seed, flags)
        lost = self._unfollowed(step, call, left - len(ctcs), share * (1.0 - follow), 1.0 - followed)
        along = self._go_along(lost - (left - len(ctcs)) + int(ctcs["n"].sum(dtype=np.int64)) - len(ctcs), ctcs)
        here = Shed(ctcs, followers(ctcs), left + along, left, born, died, 0)
        here.unfollowed = here.cells - int(ctcs["n"].sum(dtype=np.int64))
        return here, reached_h

    def _sizes(self, scales):
        """Shares of single cells, clusters of two, three, ... among what leaves."""
        fraction = min(self.plan.number("lumped.cluster", scales), 1.0)
        if fraction == 0.0:
            return np.ones(1)
        q = 1.0 - 1.0 / max(self.plan.number("lumped.cluster_cells", scales) - 1.0, 1.0)
        of_clusters = [(1.0 - q) * math.pow(q, k) for k in range(LARGEST_CLUSTER - 1)]
        whole = math.fsum(of_clusters)
        return np.array([1.0 - fraction, *(fraction * one / whole for one in of_clusters)])

    def _unfollowed(self, step, call, events, share, whole):
        """Cells in so many of what leaves and is not followed; `share`: of each size, adding up to `whole`."""
        if len(share) == 1 or events == 0:
            return events
        found = np.zeros(len(share), np.int64)
        _lumped.sizes(events, share / whole, self.records, self.seed, step, call, found)
        return int((found * np.arange(1, len(share) + 1)).sum())

    def _go_along(self, wanted, ctcs):
        """The cells of clusters besides the first leave, if there are so many: how many; else no clusters."""
        given = min(wanted, self.cells)
        if given < wanted:                      # it is the last of them
            ctcs["n"] = 1
            given = 0
        self.records["n"] -= given
        self.records["shed"] += given
        if not self.cells:
            self.records["state"] = LesionState.CLEARED
        return given


def clonogenic(tumor, lesions) -> float:
    """The chance of one of its cells that it can found a lesion."""
    return min(float(lesions.rates.values("lesion.clonogenic", tumor.records)[0]), 1.0)
