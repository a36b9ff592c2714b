"""Tumor cells in the blood: an exact walk through the circuit in continuous time."""
from dataclasses import dataclass

import numpy as np

from metacascade._kernels import _blood
from metacascade._kernels._layout import CTC, Draw, Event, Fate, Flag, Place, draws
from metacascade.base.columns import ALIVE, BORN, CTCS, DEAD, PASSED, REMOVED, Column, NodeColumn, ReportLine, cells
from metacascade.base.records import by_id, cells_in, chosen, extended, joined
from metacascade.model import circulating
from metacascade.model.members import LOW, Members

ARRESTED = (Place.BOUND, Place.TRAPPED)
EVENTS = _blood.EVENTS      # rows of Walked.events
DIVIDED, SPLIT = map(EVENTS.index, ("divided", "split"))
COLUMNS = (
    cells("circulating", ALIVE, "in the blood"), cells("arrested", ALIVE, "bound or trapped in capillary beds"),
    cells("anoikis", DEAD, "of anoikis, in the blood"), cells("shear", DEAD, "of shear, or torn, in the blood"),
    cells("nk", DEAD, "killed by natural killer cells, in the blood"),
    cells("arrested_death", DEAD, "in the vessels where they were arrested"),
    cells("drawn", REMOVED, "by blood draws"),
    cells("divided_vessel", BORN, "by division of arrested cells in their vessels"),
    Column("passages", "beds entered", "capillary beds entered, a cluster counting once"),
    cells("self_seeded", PASSED, "came back to the tumor and left the blood there"),
    cells("extravasated", PASSED, "left the blood in an organ"))


def _there(name, meaning, places):
    return NodeColumn(name, "cells", meaning, CTCS, lambda ctcs: np.where(np.isin(ctcs["place"], places), ctcs["n"], 0))


BY_NODE = (_there("arrested", "bound or trapped in its capillaries", ARRESTED),
           _there("bound", "bound to the walls of its capillaries", (Place.BOUND,)),
           _there("trapped", "trapped in its capillaries", (Place.TRAPPED,)), *circulating.BY_NODE)
REPORT = (ReportLine("blood", "{circulating:,} circulating, {arrested:,} arrested, {drawn:,} drawn; "
                              "{passages:,} passages of capillary beds"),)
CAUSES = {fate.name.lower(): fate for fate in (Fate.ANOIKIS, Fate.SHEAR, Fate.NK, Fate.ARRESTED_DEATH)}


@dataclass
class Walked:
    """What left the blood in one call of `Blood.advance`: arrays of CTC, each sorted by id."""

    ended: np.ndarray         # died at t_event; fate set
    extravasated: np.ndarray  # left the vessel in organ `node` at t_event; fate open
    returning: np.ndarray     # left the vessel in the tumor at t_event; fate SELF_SEEDED
    deaths: dict[str, int]    # cause -> cells, those of clusters that go on too
    passages: int             # entries into beds, a cluster counting once
    events: np.ndarray        # what happened, in cells: int64, (EVENTS of the kernel, nodes); burst is extravasated too
    lost: np.ndarray          # cells of clusters that died while these went on: int64, (fates, nodes)
    drained: int = 0          # cells that lymph has brought out of the lymph node into the veins

    @property
    def born(self) -> int:
        """Cells, by division in vessels."""
        return int(self.events[DIVIDED].sum())


def together(walks: list[Walked]) -> Walked:
    """Several calls of `Blood.advance`, one after the other, as if they were one."""
    def merged(name):
        return by_id(joined(*(getattr(walked, name) for walked in walks)))

    if len(walks) == 1:
        return walks[0]
    return Walked(
        ended=merged("ended"), extravasated=merged("extravasated"), returning=merged("returning"),
        deaths={cause: sum(walked.deaths[cause] for walked in walks) for cause in CAUSES},
        **{name: sum(getattr(walked, name) for walked in walks) for name in ("passages", "events", "lost", "drained")})


class Blood:
    """The circulating and the arrested tumor cells that this rank owns, also those in lymph and its node.

    Every cell or cluster has its next event and the time of it, a double in hours. The draws of an
    event depend on (seed, id, number of the event) alone, so a walk is the same bits however time is
    cut into calls of `advance`, whatever else is in the blood, and on any rank. `members` are those of its clusters;
    cells of clusters that it does not know have the traits of their leaders.
    """

    def __init__(self, config, circuit, seed: int, members=None):
        self.circuit, self.seed = circuit, seed
        self.members = Members() if members is None else members
        self.records, self._room = np.empty(0, CTC), None
        self.passages = 0       # entries into beds on this rank since it started
        self._diameter = config.blood.diameter_um, config.blood.diameter_spread

    def admit(self, ctcs):
        """Let new cells into the blood: id, t_shed, origin, n and traits are the caller's.

        They leave node `origin` with its blood at t_shed; injected ones (FLAG_INJECTED), and those that come with lymph
        (FLAG_LYMPH), start in it.
        A diameter that is not positive is drawn: lognormal, of a cluster that of its widest cell.
        """
        ctcs = np.atleast_1d(np.asarray(ctcs, CTC))
        if not ctcs.size:
            return
        if not (ctcs["origin"].max() < len(self.circuit.names) and ctcs["n"].min() > 0):
            raise ValueError("a cell that enters the blood needs a node of the circuit and n >= 1")
        before = self.records.size
        self._add(ctcs)
        new = self.records[before:]
        _blood.size(new, self.seed, *self._diameter)
        new["node"], new["t_event"] = new["origin"], new["t_shed"]
        for field in ("hop", "place", "fate", "pending"):
            new[field] = 0  # CIRCULATING, OPEN, EVENT_ARRIVE

    def _add(self, ctcs):
        """Put some behind the others, at the cost of the new ones."""
        room = self._room if self.records.base is self._room else None
        self._room, self.records = extended(room, self.records, ctcs)

    def advance(self, t_end_h: float) -> Walked:
        """Let every event before t_end_h happen and take out what has left the blood."""
        before = self.in_lymph
        passages, events, lost = map(sum, zip(self._walk(self.records, t_end_h), *self._walk_apart(t_end_h)))
        self.passages += passages
        place, fate = self.records["place"], self.records["fate"]
        gone = place == Place.ENDED
        dead = self._taken(gone & (fate != Fate.OPEN))
        walked = Walked(
            ended=dead, extravasated=self._taken(gone & (fate == Fate.OPEN)),
            returning=self._taken(place == Place.RETURNING), passages=passages, events=events, lost=lost,
            drained=self._drained(before, events, lost),
            deaths={name: cells_in(dead, dead["fate"] == cause) + int(lost[cause].sum())
                    for name, cause in CAUSES.items()})
        if (stay := place < Place.RETURNING).sum() < place.size:
            self.records = chosen(self.records, stay)
        return walked

    def _walk(self, ctcs, t_end_h):
        """Let some CTCs walk to t_end_h, or to where a cluster splits: passages of beds, events, and cells lost."""
        fewest = np.empty(len(ctcs), np.uint16)
        counted = _blood.advance(ctcs, self.circuit, self.seed, t_end_h, fewest)
        self.members.forget(ctcs, fewest)
        return counted

    def _walk_apart(self, t_end_h):
        """While clusters split before t_end_h: the last cell of each goes on as a CTC of its own. Yields as `_walk`."""
        which = self._splitting(self.records, t_end_h)
        if not len(which):
            return
        apart = chosen(self.records, which)     # few, and all that comes of them
        while len(splits := self._splitting(apart, t_end_h)):
            both = self._split(chosen(apart, splits))
            passages, events, lost = self._walk(both, t_end_h)
            np.add.at(events[SPLIT], apart["node"][splits], 1)
            yield passages, events, lost
            apart[splits] = both[:len(splits)]
            apart = joined(apart, both[len(splits):])
        self.records[which] = apart[:len(which)]
        self._add(apart[len(which):])

    @staticmethod
    def _splitting(ctcs, t_end_h):
        return np.flatnonzero((ctcs["pending"] == Event.SPLIT) & (ctcs["t_event"] < t_end_h)
                              & (ctcs["place"] == Place.CIRCULATING))

    def _split(self, ctcs):
        """The CTCs without their last cells, and these behind them: what ends their stay is to be drawn for both.

        The id of such a cell has the high bits of that of the cluster, which say who owns it. It has its own diameter;
        what was injected, with sizes of its own, that of the widest.
        """
        alone = self.members.traits_of_last(ctcs, ctcs["t_event"], self.circuit)
        words = draws(self.seed, Draw.SPLIT, np.ascontiguousarray(ctcs["id"]), np.ascontiguousarray(ctcs["hop"]))
        words = words.astype(np.uint64)
        alone["id"] = (ctcs["id"] & ~LOW) | ((words[:, 1] << np.uint64(32) | words[:, 0]) & LOW)
        alone["n"], alone["hop"] = 1, 1
        alone["diameter"][ctcs["flags"] & Flag.INJECTED == 0] = 0.0
        _blood.size(alone, self.seed, *self._diameter)
        ctcs["n"] -= np.uint16(1)
        self.members.forget(ctcs, ctcs["n"])
        both = joined(ctcs, alone)
        both["pending"] = Event.STAY
        return both

    def _drained(self, before, events, lost) -> int:
        """Cells that have left the lymph node: no way leads into it but that of those who start there."""
        node = self.circuit.lymph_node
        return 0 if node is None else int(before - lost[:, node].sum() + events[DIVIDED, node]) - self.in_lymph

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
        return self._in_blood((Place.CIRCULATING,))

    @property
    def arrested(self) -> int:
        """Cells, also those in clusters."""
        return self._in_blood(ARRESTED)

    @property
    def in_lymph(self) -> int:
        """Cells in lymph and its node, flowing or held, also those in clusters."""
        lymph_node = self.circuit.lymph_node
        return 0 if lymph_node is None else cells_in(self.records, self.records["node"] == lymph_node)

    def _in_blood(self, places):
        place = self.records["place"]
        which = (place >= places[0]) & (place <= places[-1])
        if self.circuit.lymph_node is not None:
            which &= self.records["node"] != self.circuit.lymph_node
        return cells_in(self.records, which)

    def _taken(self, which):
        """A copy of some of the records, sorted by id."""
        return by_id(chosen(self.records, which))

