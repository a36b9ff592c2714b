"""Tumor cells in the blood: an exact walk through the circuit in continuous time."""
from dataclasses import dataclass

import numpy as np

from metacascade._kernels import _blood
from metacascade._kernels._layout import CTC, Draw, Fate, Place, draws
from metacascade.base.columns import ALIVE, CTCS, DEAD, PASSED, REMOVED, Column, NodeColumn, ReportLine, cells
from metacascade.base.records import by_id, chosen, joined

COLUMNS = (
    cells("circulating", ALIVE, "in the blood"), cells("arrested", ALIVE, "held fast in capillary beds"),
    cells("anoikis", DEAD, "of anoikis, in the blood"), cells("shear", DEAD, "of shear, in the blood"),
    cells("nk", DEAD, "killed by natural killer cells, in the blood"),
    cells("drawn", REMOVED, "by blood draws"),
    Column("passages", "beds entered", "capillary beds entered, a cluster counting once"),
    cells("self_seeded", PASSED, "came back to the tumor and left the blood there"),
    cells("extravasated", PASSED, "left the blood in an organ"))
BY_NODE = (NodeColumn("arrested", "cells", "held fast in its capillaries", CTCS,
                      lambda ctcs: np.where(ctcs["place"] == Place.ARRESTED, ctcs["n"], 0)),)
REPORT = (ReportLine("blood", "{circulating:,} circulating, {arrested:,} arrested, {drawn:,} drawn; "
                              "{passages:,} passages of capillary beds"),)
CAUSES = {fate.name.lower(): fate for fate in (Fate.ANOIKIS, Fate.SHEAR, Fate.NK)}


@dataclass
class Walked:
    """What left the blood in one call of `Blood.advance`: arrays of CTC, each sorted by id."""

    ended: np.ndarray         # died at t_event; fate set
    extravasated: np.ndarray  # left the vessel in organ `node` at t_event; fate open
    returning: np.ndarray     # left the vessel in the tumor at t_event; fate SELF_SEEDED
    deaths: dict[str, int]    # cause -> cells
    passages: int             # entries into beds, a cluster counting once
    drained: int = 0          # cells that lymph has brought out of the lymph node into the veins


def together(walks: list[Walked]) -> Walked:
    """Several calls of `Blood.advance`, one after the other, as if they were one."""
    def merged(name):
        return by_id(joined(*(getattr(walked, name) for walked in walks)))

    if len(walks) == 1:
        return walks[0]
    return Walked(
        ended=merged("ended"), extravasated=merged("extravasated"), returning=merged("returning"),
        deaths={cause: sum(walked.deaths[cause] for walked in walks) for cause in CAUSES},
        passages=sum(walked.passages for walked in walks), drained=sum(walked.drained for walked in walks))


class Blood:
    """The circulating and the arrested tumor cells that this rank owns, also those in lymph and its node.

    Every cell or cluster has its next event and the time of it, a double in hours. The draws of an
    event depend on (seed, id, number of the event) alone, so a walk is the same bits however time is
    cut into calls of `advance`, whatever else is in the blood, and on any rank.
    """

    def __init__(self, config, circuit, seed: int):
        self.circuit, self.seed = circuit, seed
        self.records = np.empty(0, CTC)
        self.passages = 0       # entries into beds on this rank since it started
        self._diameter = config.blood.diameter_um, config.blood.diameter_spread

    def admit(self, ctcs):
        """Let new cells into the blood: id, t_shed, origin, n and traits are the caller's.

        They leave node `origin` with its blood at t_shed; injected ones (FLAG_INJECTED), and those that come with lymph
        (FLAG_LYMPH), start in it.
        A diameter that is not positive is drawn: lognormal, of one cell also in a cluster.
        """
        ctcs = np.atleast_1d(np.asarray(ctcs, CTC))
        if not ctcs.size:
            return
        if not (ctcs["origin"].max() < len(self.circuit.names) and ctcs["n"].min() > 0):
            raise ValueError("a cell that enters the blood needs a node of the circuit and n >= 1")
        before = self.records.size
        self.records = joined(self.records, ctcs)
        new = self.records[before:]
        _blood.size(new, self.seed, *self._diameter)
        new["node"], new["t_event"] = new["origin"], new["t_shed"]
        for field in ("hop", "place", "fate", "pending"):
            new[field] = 0  # CIRCULATING, OPEN, EVENT_ARRIVE

    def advance(self, t_end_h: float) -> Walked:
        """Let every event before t_end_h happen and take out what has left the blood."""
        before = self.in_lymph
        passages = _blood.advance(self.records, self.circuit, self.seed, t_end_h)
        self.passages += passages
        drained = before - self.in_lymph        # no way leads into the lymph node but that of those who start there
        place, fate = self.records["place"], self.records["fate"]
        gone = place == Place.ENDED
        dead = self._taken(gone & (fate != Fate.OPEN))
        walked = Walked(
            ended=dead, extravasated=self._taken(gone & (fate == Fate.OPEN)),
            returning=self._taken(place == Place.RETURNING), passages=passages, drained=drained,
            deaths={name: cells_in(dead, dead["fate"] == cause) for name, cause in CAUSES.items()})
        if (stay := place <= Place.ARRESTED).sum() < place.size:
            self.records = chosen(self.records, stay)
        return walked

    def redraw(self, t_h: float):
        """Draw anew, by the present rates of the circuit, all that is due after t_h. All must have walked to t_h.

        For times at which rates become others, and only there: stays and hazards have no memory, so with the same
        rates the law would be the same, but not the bits. The draw is the next of each walk.
        """
        _blood.redraw(self.records, self.circuit, self.seed, t_h)

    def sample(self, node: int, volume_mL: float, index: int, t_h: float):
        """Draw blood from a node: the CTCs in it, fate DRAWN, which leave the blood.

        All must have walked to t_h (`advance`). The node is well mixed: each cell or cluster that circulates
        in it is taken with probability volume / blood of the node; one that enters the blood at t_h or later
        is not yet there. `index` numbers the draws of a run.
        """
        here = np.flatnonzero((self.records["node"] == node) & (self.records["place"] == Place.CIRCULATING)
                              & (self.records["t_shed"] < t_h))
        words = draws(self.seed, Draw.SAMPLE, self.records["id"][here], np.full(here.size, index, np.uint32))
        share = volume_mL / max(self.circuit.volume_mL[node], volume_mL)
        drawn = np.zeros(self.records.size, bool)
        drawn[here[(words[:, 0] + 0.5) / 2**32 < share]] = True
        return self.remove(drawn, Fate.DRAWN, t_h)

    def remove(self, which, fate, t_h: float):
        """Take some of the records out, an array of bool: a copy, sorted by id, that ended with `fate` at t_h."""
        taken = self._taken(which)
        taken["fate"], taken["place"], taken["t_event"] = fate, Place.ENDED, t_h
        self.records = chosen(self.records, ~which)
        return taken

    @property
    def circulating(self) -> int:
        """Cells, also those in clusters."""
        return self._in_blood(Place.CIRCULATING)

    @property
    def arrested(self) -> int:
        """Cells, also those in clusters."""
        return self._in_blood(Place.ARRESTED)

    @property
    def in_lymph(self) -> int:
        """Cells in lymph and its node, flowing or held, also those in clusters."""
        lymph_node = self.circuit.lymph_node
        return 0 if lymph_node is None else cells_in(self.records, self.records["node"] == lymph_node)

    def _in_blood(self, place):
        which = self.records["place"] == place
        if self.circuit.lymph_node is not None:
            which &= self.records["node"] != self.circuit.lymph_node
        return cells_in(self.records, which)

    def _taken(self, which):
        """A copy of some of the records, sorted by id."""
        return by_id(chosen(self.records, which))


def cells_in(ctcs, which=slice(None)) -> int:
    """Cells in CTCs, or in some of them: a cluster counts each."""
    return int(ctcs["n"][which].sum(dtype=np.int64))
