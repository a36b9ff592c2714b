"""Lesions: what lives in an organ from one cell or cluster that left the blood: seeded, dormant, micro or vascular."""
from dataclasses import dataclass

import numpy as np

from metacascade._kernels import _lesions
from metacascade._kernels._layout import CTC, LESION, MEMBER, Fate, Flag, LesionEvent, LesionState, Place
from metacascade.base.columns import ALIVE, BORN, DEAD, LESIONS, PASSED, Column, NodeColumn, ReportLine, cells
from metacascade.base.records import as_bytes, chosen, joined
from metacascade.config.injections import AT_FIRST, DIVIDING, DORMANT
from metacascade.mechanisms import awakening, plan_of
from metacascade.mechanisms.compile import placed_rates, switches
from metacascade.mechanisms.transformation import NORMAL
from metacascade.model.injection import of_injected, state_of_injected
from metacascade.model.members import in_clones

COLUMNS = (
    cells("divided_lesion", BORN, "by division in lesions"),
    cells("lesions", ALIVE, "in lesions, also in those just seeded"),
    cells("died_at_exit", DEAD, "left the blood in an organ while colonization is off"),
    cells("early_loss", DEAD, "in lesions just seeded, that neither slept nor divided"),
    cells("dormant_loss", DEAD, "in dormant lesions"), cells("lesion_loss", DEAD, "in lesions that divide"),
    cells("unfollowed", DEAD, "shed by large lesions and not clonogenic: not followed"),
    Column("seeded", "lesions", "left the blood in an organ, and are lesions from then on"),
    Column("slept", "lesions", "seeded lesions that fell asleep"),
    Column("started", "lesions", "seeded lesions that began to divide"),
    Column("woken", "lesions", "dormant lesions that woke, and began to divide"),
    Column("vascularized", "lesions", "lesions that got vessels of their own"),
    Column("transformed", "lesions", "dormant lesions of normal cells that became malignant"),
    Column("cleared", "lesions", "lesions whose last cell has died or has been shed"),
    Column("dropped", "lesions", "lesions cleared that never divided, of which no record is kept"),
    cells("shed_lesion", PASSED, "entered the blood from lesions, also those not followed"))
REPORT = (ReportLine("lesions", "{seeded:,} seeded, {started:,} began to divide, {slept:,} slept, {woken:,} woke, "
                                "{vascularized:,} got vessels; {lesions:,} cells in them; {shed_lesion:,} cells shed "
                                "by them"),)
STATES = LesionState.SEEDED, LesionState.DORMANT, LesionState.MICRO, LesionState.VASCULAR

NO_MEMBERS = np.empty(0, MEMBER)


def by_node(plan) -> tuple:
    """Columns of the table by organ."""
    half = 0.5 * plan.number("lesion.avascular_limit")

    def in_state(state):
        return lambda lesions: lesions["state"] == state

    told = (
        ("seeded", "of these, those outside of the vessel that neither sleep nor divide yet"),
        ("dormant", "of these, those asleep"), ("micro", "of these, those that divide without vessels of their own"),
        ("vascular", "of these, those that divide with vessels of their own"))
    return (
        NodeColumn("lesions", "lesions", "with living cells, single cells among them", LESIONS,
                   lambda lesions: lesions["n"] > 0),
        *(NodeColumn(name, "lesions", doc, LESIONS, in_state(state)) for (name, doc), state in zip(told, STATES)),
        NodeColumn("balanced", "lesions", "of `micro` those of half lesion.avascular_limit and more, which hardly grow",
                   LESIONS, lambda lesions: (lesions["state"] == LesionState.MICRO) & (lesions["n"] >= half)),
        NodeColumn("detected", "lesions", "with living cells, that have had colonization.detect cells", LESIONS,
                   lambda lesions: (lesions["n"] > 0) & np.isfinite(lesions["t_detected"])),
        NodeColumn("cells", "cells", "in lesions", LESIONS, lambda lesions: lesions["n"]))


@dataclass
class Grown:
    """What happened in one call of `Lesions.advance`."""

    shed: np.ndarray   # CTC: cells that entered the blood, for `Blood.admit` of their owners
    counts: dict       # column of the ledger -> cells or lesions


class Lesions:
    """The lesions that this rank owns: those whose id, that of their founder, is its own.

    One that does not divide has its next event and the time of it, a double in hours, as a CTC has: a cell dies, it
    falls asleep, it begins to divide. Their draws depend on (seed, id, number of the draw) alone, so they are the same
    bits however time is cut. One that divides is a birth and death process whose births fall with its size, exact in
    sub-steps over which they change little; its cells enter the blood with one hazard each. A lesion without cells
    stays in `records` as CLEARED, its history, if it has ever divided.

    Births and deaths are counted by line: a line that has died out within a sub-step is one death, what
    a line has gained is births; a division whose daughter dies in the same sub-step is neither.

    `detect` [cells] may be another than that of the config.
    """

    def __init__(self, config, circuit, seed: int, detect=None, follow_all=True):
        self.plan = plan_of(config)
        self.circuit, self.seed = circuit, seed
        self.on = any(rate.name == "lesion.clonogenic" for rate in self.plan.rates)
        self.normal = dict(self.plan.bits).get(NORMAL, 0)
        c = config.colonization
        self.law = dict(detect=c.detect if detect is None else detect, normal=self.normal,
                        follow_all=follow_all)
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

    def rescale(self, scales):
        """The same, if these are not what held so far."""
        if self.scales != [scales]:
            self.set_rates(scales)

    def change_rates(self, t_h: float, scales=()):
        """From t_h on other rates hold; called in the order of time, for changes within the step to come."""
        self.changes.append((t_h, self._rates_of(scales)))
        self.scales.append(scales)

    def _rates_of(self, scales):
        scales = dict(scales)
        for name, factor in awakening.factors(self.plan, self.circuit.names, scales).items():
            scales[name] = scales.get(name, 1.0) * factor
        rates = placed_rates(self.plan, _lesions.RATES, self.circuit.names, scales, self.clones)
        rates.states("lesion.transform", "bits")[np.arange(256) & self.normal == 0] = 0.0   # those that are malignant
        return rates

    def follow(self, cells: int, most_per_h: float):
        """Follow what is shed one by one, unless lesions of `cells` in all shed more: then what can found a lesion that
        grows. Of all ranks, at the rates of the beginning of a step."""
        self.law["follow_all"] = cells * self.plan.number("lesion.shed", self.scales[0]) <= most_per_h

    def found(self, ctcs, members=NO_MEMBERS):
        """Every cell or cluster that left the blood at its t_event is a lesion from then on, if colonization is on.

        Its `members` of other clones than that of its leader are lesions of their own. Whether one is clonogenic, and
        what comes next in it, is drawn by the rates of its time.
        Returns copies of the CTCs with fate and place set, in the order given.
        """
        ctcs = joined(np.atleast_1d(np.asarray(ctcs, CTC)))
        if not self.on:
            ctcs["fate"], ctcs["place"] = Fate.DIED_AT_EXIT, Place.ENDED
            return ctcs
        span = np.searchsorted([t_h for t_h, _ in self.changes], ctcs["t_event"], side="right")
        for k, rates in enumerate([self.rates, *(rates for _, rates in self.changes)]):
            here = chosen(ctcs, span == k)
            if not here.size:
                continue
            new = np.zeros(here.size, LESION)
            _lesions.seeded(here, new)
            new = in_clones(new, members)
            _lesions.begin(new, rates, self.seed, _times_clonogenic(here, len(new)))
            _as_injected(here, new)
            self.records = joined(self.records, new)
            as_bytes(ctcs)[span == k] = as_bytes(here)
        return ctcs

    def advance(self, step: int, t_h: float, dt_h: float, first=0) -> Grown:
        """Let the lesions from row `first` on live from t_h, or from their founding if that is later, to t_h + dt_h."""
        lesions = self.records[first:]
        starts, shed = [t_h, *(t for t, _ in self.changes)], []
        counts = dict.fromkeys(_lesions.TALLY, 0)
        for k, rates in enumerate([self.rates, *(rates for _, rates in self.changes)]):
            end_h = starts[k + 1] if k < len(self.changes) else t_h + dt_h
            if k:
                _lesions.redraw(lesions, rates, self.seed, starts[k])
            tally, broods = _lesions.advance(lesions, rates, self.law, self.seed, step, k, starts[k], end_h)
            shed.append(np.zeros(int(broods["n"].sum()), CTC))
            _lesions.children(lesions, broods, shed[k], self.seed)
            counts = {name: n + more for (name, n), more in zip(counts.items(), tally)}
        self._switch(lesions, rates, t_h + dt_h)
        counts["divided_lesion"], counts["shed_lesion"] = counts.pop("born"), counts.pop("shed")
        return Grown(joined(*shed), counts)

    def redraw(self, t_h: float, which=None, at_start=False):
        """Draw anew, by the present rates, what is due after t_h in lesions that do not divide, or in some of them.

        For times at which rates become others, or something else changes a lesion. All must have lived to t_h. The
        present rates are those at the end of the step, or `at_start` of it.
        """
        rates = self.changes[-1][1] if self.changes and not at_start else self.rates
        which = np.ones(self.records.size, bool) if which is None else which
        lesions = chosen(self.records, which)
        _lesions.redraw(lesions, rates, self.seed, t_h)
        as_bytes(self.records)[which] = as_bytes(lesions)

    def drop(self) -> int:
        """Forget the lesions without cells that never divided; how many."""
        records = self.records
        gone = (records["state"] == LesionState.CLEARED) & (records["pending"] != LesionEvent.GREW)
        if number := int(gone.sum()):
            self.records = chosen(records, ~gone)
        return number

    def _switch(self, lesions, rates, t_h):
        """Bits of state that depend on the size of a lesion, at the end of a step."""
        before = lesions["bits"].copy() if self.switches else None
        for number, mask_set, mask_clear in self.switches:
            small = lesions["n"] < number
            which = small if mask_set else ~small
            lesions["bits"] = np.where(which, (lesions["bits"] | mask_set) & ~np.uint8(mask_clear), lesions["bits"])
        if self.switches and (changed := before != lesions["bits"]).any():     # other rates may hold for them
            other = chosen(lesions, changed)
            _lesions.redraw(other, rates, self.seed, t_h)
            as_bytes(lesions)[changed] = as_bytes(other)

    @property
    def cells(self) -> int:
        """Cells alive in the lesions owned here."""
        return int(self.records["n"].sum())


def _as_injected(ctcs, lesions):
    """What is injected asleep, or dividing and clonogenic, becomes so as soon as it is founded."""
    state = np.zeros(len(lesions), int)
    state[:len(ctcs)] = state_of_injected(ctcs)
    divides = (state == AT_FIRST.index(DIVIDING)) & (lesions["flags"] & Flag.CLONOGENIC > 0)
    for which, event in ((state == AT_FIRST.index(DORMANT), LesionEvent.SLEEPS), (divides, LesionEvent.STARTS)):
        lesions["pending"][which], lesions["t_event"][which] = event, lesions["t_founded"][which]


def _times_clonogenic(ctcs, lesions):
    """How many times as often as others they are clonogenic, of so many lesions: first come those of the CTCs."""
    times = np.ones(lesions)
    times[:len(ctcs)] = of_injected(ctcs)
    return times
