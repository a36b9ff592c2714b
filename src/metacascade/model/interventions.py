"""Surgery and radiation: what they take out of the tissue, of lesions and of what is arrested, at once.

They happen at the end of a step, after all else in it; those of time 0 before the first step. At the same time
surgery comes first, each in the order of the config. What flows with the blood is not hit.
"""
import math
from dataclasses import dataclass

import numpy as np

from metacascade._kernels import _thin
from metacascade._kernels._layout import Draw, Fate, Place, draws, unit52
from metacascade.base.columns import DEAD, REMOVED, ReportLine, cells
from metacascade.base.records import cells_in, chosen
from metacascade.base.tiles import EDGE, VOXELS
from metacascade.config.interventions import MOST_FRACTIONS

COLUMNS = (
    cells("irradiated", DEAD, "of radiation, in tissue, in lesions and arrested"),
    cells("resected", REMOVED, "by surgery"))
REPORT = (ReportLine("treated", "{resected:,} cells taken out by surgery, {irradiated:,} killed by radiation",
                     if_any=("resected", "irradiated")),)
SEEN = 19, 20         # so many parts of the cells of a tumor lie within its radius
CHUNK = 4096          # tiles looked at a time


@dataclass(frozen=True)
class Event:
    """One operation, or one fraction of radiation. `number` keys its draws among those of its kind."""
    time_s: int
    plan: object
    number: int
    is_surgery: bool

    @property
    def cause(self) -> str:
        """What the ledger calls it."""
        return "resected" if self.is_surgery else "irradiated"


def due(config, after_s: int, last_s: int) -> list[Event]:
    """What happens at after_s < time <= last_s, in order."""
    events = [Event(plan.time_s, plan, i, True) for i, plan in enumerate(config.surgery)
              if after_s < plan.time_s <= last_s]
    for i, plan in enumerate(config.radiation):
        first = max((after_s - plan.time_s) // plan.interval_s + 1, 0)
        last = min((last_s - plan.time_s) // plan.interval_s, plan.fractions - 1)
        events += [Event(plan.time_s + k * plan.interval_s, plan, MOST_FRACTIONS * i + k, False)
                   for k in range(first, last + 1)]
    return sorted(events, key=lambda event: event.time_s)       # stable: surgery stays before radiation


@dataclass
class Taken:
    """Cells of this rank that an event has taken."""
    cells: int                # in all
    cleared: int              # lesions without cells now
    ended: np.ndarray         # CTC: those that were arrested, with fate and time


class Interventions:
    """Applies events to parts of a simulation, `tissue`, `blood`, `lesions`, `lumped`, with the cells of this rank."""

    def __init__(self, config, tissue, blood, lesions, lumped):
        self.config, self.seed = config, config.run.seed
        self.tissue, self.blood, self.lesions, self.lumped = tissue, blood, lesions, lumped

    def apply(self, event: Event, waiting):
        """Do it: (Taken, those of `waiting` that are left). Collective.

        ``waiting``: CTCs that have left the blood in the bed of the tumor and are not yet tissue.
        """
        plan, fate = event.plan, Fate.RESECTED if event.is_surgery else Fate.IRRADIATED
        in_tumor = "tumor" in plan.places
        cells = self._tissue(event) if in_tumor and self.config.has_tissue else 0
        cells += self._lumped(event) if in_tumor else 0
        of_lesions, cleared = self._lesions(event)
        cells += of_lesions
        at_hand = self.blood.records
        hit = np.isin(at_hand["place"], (Place.BOUND, Place.TRAPPED)) & np.isin(at_hand["node"], self._beds(event))
        hit[hit] = self._die(event, at_hand[hit])
        ended = self.blood.remove(hit, fate, event.time_s / 3600)
        lost = self._die(event, waiting) if in_tumor else np.zeros(len(waiting), bool)
        cells += cells_in(ended) + cells_in(waiting, lost)
        return Taken(cells, cleared, ended), chosen(waiting, ~lost)

    def _tissue(self, event):
        t, plan, edge_um = self.tissue, event.plan, self.config.tissue.edge_um
        tiles = _thin.Tiles(t.arena.cells, t.arena.start, t.arena.n, t.counts)
        if not event.is_surgery:
            return _thin.irradiate(tiles, t.region.keys, t.oxygen.value, self._beam(plan), self.seed, event.number)
        if plan.margin_um is None:
            return _thin.resect(tiles, t.region.keys, _share(event), self.seed, event.number)
        center = np.array(self.config.tumor.center_um)
        return _thin.excise(tiles, t.region.coords, edge_um, center, radius_um(t, center, edge_um) + plan.margin_um)

    def _lumped(self, event):
        """Of a lumped tumor each cell is gone with the chance of one of the tumor; it has no margin."""
        records = self.lumped.records
        return _thin.thin_lesions(records, np.ones(len(records), np.uint8), _share(event), False,
                                  event.time_s / 3600, self.seed, _use(event), event.number)

    def _beam(self, plan):
        """A fraction as the kernel has it; without the field, oxygen is without limit."""
        return dict(dose_Gy=plan.dose_Gy, alpha_per_Gy=plan.alpha_per_Gy, beta_per_Gy2=plan.beta_per_Gy2,
                    enhancement=plan.oxygen_enhancement if "oxygen" in self.tissue.microenvironment else 1.0,
                    oxygen_half_mmHg=plan.oxygen_half_mmHg)

    def _lesions(self, event):
        """(cells taken, lesions without cells now); what is due in the others that lost some is drawn anew."""
        records, plan = self.lesions.records, event.plan
        before = records["n"].copy()
        hit = np.isin(records["node"], self._nodes([name for name in plan.places if name != "tumor"]))
        if event.is_surgery:
            hit &= records["n"] >= plan.smallest
        cells = _thin.thin_lesions(
            records, hit.view(np.uint8), plan.lesions if event.is_surgery else _share(event), event.is_surgery,
            event.time_s / 3600, self.seed, _use(event), event.number)
        fewer = records["n"] != before
        self.lesions.redraw(event.time_s / 3600, fewer)
        return cells, int((fewer & (records["n"] == 0)).sum())

    def _nodes(self, places):
        """The nodes of those places that the circuit has."""
        names = self.blood.circuit.names
        return [names.index(name) for name in places if name in names]

    def _beds(self, event):
        """Nodes whose arrested cells are hit: a surgeon takes the tumor with its bed, and of an organ lesions alone."""
        return self._nodes([name for name in event.plan.places if name == "tumor" or not event.is_surgery])

    def _die(self, event, ctcs):
        """Which of the CTCs are gone, each by its own draw; if one cell of a cluster survives radiation, all do."""
        words = draws(self.seed, _use(event), np.ascontiguousarray(ctcs["id"]),
                      np.full(len(ctcs), event.number, np.uint32))
        u = unit52(words[:, 0], words[:, 1])
        if event.is_surgery:
            return u < _share(event)
        sizes, which = np.unique(ctcs["n"], return_inverse=True)
        return u < np.array([math.pow(_share(event), n) for n in sizes.tolist()])[which]


def radius_um(tissue, center_um, edge_um: float) -> float:
    """The radius around `center_um` within which 95 % of the cells lie, up to the edge of a voxel. Collective.

    From integers alone, cells by their distance in whole edges, so it is the same on any number of ranks.
    """
    shells = np.zeros(1, np.int64)
    for at in range(0, len(tissue.region.keys), CHUNK):
        shells = _added(shells, _shells(tissue, slice(at, at + CHUNK), center_um / edge_um))
    world = tissue.exchange.world
    shells = _added(shells, np.zeros(world.max(len(shells)), np.int64))
    within = np.cumsum(world.sum(shells))
    return float(np.searchsorted(within * SEEN[1], within[-1] * SEEN[0]) + 1) * edge_um


def _shells(tissue, rows, center):
    """Cells of some tiles by the distance of their voxel from `center`, all in edges."""
    v = np.arange(VOXELS)
    inside = np.stack([v & 7, v >> 3 & 7, v >> 6], axis=1) + 0.5
    coords = tissue.region.coords[rows]
    away = (EDGE * coords[:, None, :] + inside - center).reshape(-1, 3)
    shell = np.sqrt(away[:, 0] ** 2 + away[:, 1] ** 2 + away[:, 2] ** 2).astype(np.int64)
    found = np.zeros(int(shell.max()) + 1, np.int64)
    np.add.at(found, shell, tissue.counts[rows][:len(coords)].reshape(-1).astype(np.int64))
    return found


def _added(a, b):
    a, b = sorted((a, b), key=len)
    return b + np.pad(a, (0, len(b) - len(a)))


def _share(event) -> float:
    """The chance of one cell of the tumor, or of what is arrested, to be gone."""
    if not event.is_surgery:
        return 1.0 - event.plan.survival
    return 1.0 if event.plan.share is None else event.plan.share


def _use(event):
    return Draw.RESECT_RECORD if event.is_surgery else Draw.IRRADIATE_RECORD
