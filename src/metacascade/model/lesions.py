"""Lesions: what sleeps or grows in an organ from one cell or cluster that left the blood."""
from dataclasses import dataclass

import numpy as np

from metacascade._kernels import _lesions
from metacascade._kernels._layout import CTC, LESION, MEMBER, Fate, LesionState
from metacascade.base.columns import ALIVE, BORN, DEAD, LESIONS, PASSED, Column, NodeColumn, ReportLine, cells
from metacascade.base.records import as_bytes, chosen, joined
from metacascade.mechanisms.compile import placed_rates, switches
from metacascade.model.members import in_clones

COLUMNS = (
    cells("divided_lesion", BORN, "by division in lesions"), cells("lesions", ALIVE, "in lesions"),
    cells("not_established", DEAD, "left the blood in an organ and died"),
    cells("lesion_loss", DEAD, "in active lesions"), cells("dormant_loss", DEAD, "in dormant lesions"),
    Column("founded", "lesions", "lesions founded"), Column("woken", "lesions", "dormant lesions that woke"),
    cells("shed_lesion", PASSED, "entered the blood from lesions"))
BY_NODE = (
    NodeColumn("lesions", "lesions", "lesions with living cells", LESIONS, lambda lesions: lesions["n"] > 0),
    NodeColumn("active", "lesions", "of these, those that are not dormant", LESIONS,
               lambda lesions: (lesions["n"] > 0) & (lesions["state"] == LesionState.ACTIVE)),
    NodeColumn("cells", "cells", "in lesions", LESIONS, lambda lesions: lesions["n"]))
REPORT = (ReportLine("lesions", "{founded:,} founded, {woken:,} woke; {lesions:,} cells in them; "
                                "{shed_lesion:,} cells shed by them"),)

NO_MEMBERS = np.empty(0, MEMBER)


@dataclass
class Grown:
    """What happened in one call of `Lesions.advance`; counts are cells unless they say lesions."""

    shed: np.ndarray   # CTC: cells that entered the blood, for `Blood.admit` of their owners
    born: int
    died_active: int
    died_dormant: int
    woken: int         # lesions


class Lesions:
    """The lesions that this rank owns: those whose id, that of their founder, is its own.

    A dormant lesion wakes (hazard of the lesion) and its cells die (hazard of each). An active one is
    a linear birth and death process, exact over a step but for the division rate, which falls to the
    death rate as the lesion nears its capacity and is taken from the start of the step. Its cells enter
    the blood with one hazard each. A lesion without cells stays in `records` as CLEARED: its history.

    Births and deaths are counted by line: a line that has died out within the step is one death, what
    a line has gained is births; a division whose daughter dies in the same step is neither.
    """

    def __init__(self, plan, circuit, seed: int):
        self.plan = plan
        self.circuit, self.seed = circuit, seed
        self.records = np.empty(0, LESION)
        self.clones = None              # that of the founder
        self.switches = switches(self.plan, "lesion")
        self.set_rates()

    def take_clones(self, traits):
        """Compute all rates with the traits of all clones: name -> ndarray of uint8."""
        self.clones = traits
        times, (first, *scales) = [t_h for t_h, _ in self.changes], self.scales
        self.set_rates(first)
        for t_h, then in zip(times, scales):
            self.change_rates(t_h, then)

    def set_rates(self, scales=()):
        """Take the rates of the plan times scale(t), a dict by name."""
        self.rates, self.scales, self.changes = self._rates_of(scales), [scales], []

    def change_rates(self, t_h: float, scales=()):
        """From t_h on other rates hold; called in the order of time, for changes within the step to come."""
        self.changes.append((t_h, self._rates_of(scales)))
        self.scales.append(scales)

    def _rates_of(self, scales):
        return placed_rates(self.plan, _lesions.RATES, self.circuit.names, scales, self.clones)

    def found(self, ctcs, members=NO_MEMBERS):
        """Decide what becomes of cells that left the blood at their t_event.

        Each cell survives with the probability `lesion.establish`; of a cluster one is enough. Its `members` of other
        clones than that of its leader found lesions of their own.
        Returns (not_established, founders): copies with fate and place set, in the order given.
        """
        ctcs = joined(np.atleast_1d(np.asarray(ctcs, CTC)))
        span = np.searchsorted([t_h for t_h, _ in self.changes], ctcs["t_event"], side="right")
        for k, rates in enumerate([self.rates, *(rates for _, rates in self.changes)]):
            here = chosen(ctcs, span == k)
            new = np.zeros(here.size, LESION)
            if n := _lesions.found(here, new, rates, self.seed):
                self.records = joined(self.records, in_clones(new[:n], members))
            as_bytes(ctcs)[span == k] = as_bytes(here)
        founders = ctcs["fate"] == Fate.LESION
        return chosen(ctcs, ~founders), chosen(ctcs, founders)

    def advance(self, step: int, t_h: float, dt_h: float, first=0) -> Grown:
        """Let every lesion from row `first` on live from t_h, or from its founding if that is later, to t_h + dt_h."""
        lesions = self.records[first:]
        starts, shed = [t_h, *(t for t, _ in self.changes)], []
        counts = dict.fromkeys(_lesions.TALLY, 0)
        for k, rates in enumerate([self.rates, *(rates for _, rates in self.changes)]):
            end_h = starts[k + 1] if k < len(self.changes) else t_h + dt_h
            broods = np.zeros(lesions.size, _lesions.BROOD)
            tally = _lesions.advance(lesions, rates, self.seed, step, k, starts[k], end_h, broods)
            shed.append(np.zeros(tally[_lesions.TALLY.index("shed")], CTC))
            _lesions.children(lesions, broods, shed[k], self.seed, end_h)
            counts = {name: n + more for (name, n), more in zip(counts.items(), tally)}
        counts["shed"] = joined(*shed)
        self._switch(lesions)
        return Grown(**counts)

    def _switch(self, lesions):
        """Bits of state that depend on the size of a lesion, at the end of a step."""
        for number, mask_set, mask_clear in self.switches:
            small = lesions["n"] < number
            which = small if mask_set else ~small
            lesions["bits"] = np.where(which, (lesions["bits"] | mask_set) & ~np.uint8(mask_clear), lesions["bits"])

    @property
    def cells(self) -> int:
        """Cells alive in the lesions owned here."""
        return int(self.records["n"].sum())
