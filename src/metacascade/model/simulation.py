"""The model: its parts, the order of a step, and its state."""
import numpy as np

from metacascade._kernels._layout import CTC
from metacascade.base.errors import InputError, on_all_ranks
from metacascade.base.limits import MOST_STEPS
from metacascade.base.records import by_id, cells_in, joined
from metacascade.config.windows import windows, wound_g
from metacascade.mechanisms import plan_of
from metacascade.model import (
    blood,
    burden,
    interventions,
    lymph,
    observables,
    saving,
    selfseeding,
    tissue_start,
    vessels,
)
from metacascade.model.circuit import Circuit
from metacascade.model.circulate import circulate
from metacascade.model.clones import Clones, spectrum
from metacascade.model.fates import Events, Fates
from metacascade.model.injection import Injections, take_labels
from metacascade.model.ledger import Ledger
from metacascade.model.lesions import Lesions
from metacascade.model.longsteps import end_of_step
from metacascade.model.lumped import Lumped
from metacascade.model.members import Members, followers
from metacascade.model.microenvironment import fields_of
from metacascade.model.schedule import Schedule
from metacascade.model.stageclock import StageClock
from metacascade.model.staging import Staging
from metacascade.model.zones import Zones
from metacascade.ranks.exchange import Exchange
from metacascade.ranks.parallel import owner_of_id
from metacascade.space import network_read
from metacascade.space.rebalance import Balance
from metacascade.state.digest import digest


class Simulation:
    """One model on the ranks of a world. Every public method is collective.

    Parameters
    ----------
    config : Config
    world : World
    saved : State, optional
        Go on from there; else a new tumor is made.
    segments : ndarray of SEGMENT, optional
        The vessels that ``vessels.file`` holds, on every rank; left out: those of `saved`, else the file is read.
    on_ended : callable, optional
        Gets an array of CTC: those on this rank whose fate was decided in a step.
    on_draw : callable, optional
        Gets what a blood draw took, as keyword arguments.
    """

    def __init__(self, config, world, saved=None, segments=None, on_ended=None, on_draw=None):
        self.config, self.world = config, world
        self.exchange = Exchange(world)
        self.on_ended, self.on_draw = on_ended, on_draw
        self.plan = plan_of(config)
        self.circuit = Circuit(config, self.plan)
        self.lesions = Lesions(config, self.circuit, config.run.seed)
        self.lumped = Lumped(config, self.plan, world)
        self.injections = Injections(config, config.run.seed, world.rank, world.size)
        self.fates, self.events = Fates(world, self.circuit.names), Events(world, self.circuit.names)
        self.returning = np.empty(0, CTC)     # left the blood inside the tumor; on any rank
        self.members = Members()              # of the clusters in the blood and among the returning
        self.blood = blood.Blood(config, self.circuit, config.run.seed, self.members)
        self.late = blood.Blood(config, self.circuit, config.run.seed)    # shed in the last step, after its exchange
        self.schedule = Schedule(windows(config))
        self.redraws = False                  # what is due in the blood was drawn with rates of another config
        self.redraws_lesions = False          # the same of lesions
        self.clock = StageClock(self.exchange.spent)
        self.stage = self.clock.stage
        self.step_number, self.time_s = 0, 0
        self.columns = observables.columns(self.plan)
        self.ledger = Ledger(world, self.columns)
        self.clones = Clones(world, spectrum(self.plan.traits), config.run.seed)
        self.balance = Balance(config.balance.threshold, config.balance.interval)
        if saved is None:
            self._begin(network_read.network_of(config, world, segments))
        else:
            with world.together():
                saving.refuse_foreign(saved, self.circuit.names, self.ledger.totals)
            saved = saving.with_bits(saved, self.plan.bit_names)
            given = saved.segments if segments is None else segments
            saving.go_on(self, saved, network_read.network_of(config, world, given))
        take_labels(self)
        self.interventions = interventions.Interventions(config, self.tissue, self.blood, self.lesions, self.lumped)
        places, self.waiting = world.sum([self.tissue.reachable.sum(), len(self.returning)]).tolist()
        self.perfused = self.lumped.on or places > 0    # by blood
        if not self.perfused and any(plan.node == "tumor" for plan in config.injection):
            raise on_all_ranks(InputError(tissue_start.NOT_PERFUSED))

    def _begin(self, network):
        self.tissue = tissue_start.start(
            self.config, self.plan, self.exchange, fields_of(self.config, self.plan), network)
        self.lumped.begin()
        self.ledger.add(initial=self.tissue.cells + self.lumped.cells)
        self.ledger.close(self._alive())
        self.circuit.set_burden(burden.counted(self))
        self.zones, self.staging = Zones(self.config, self.tissue), Staging(self.config)
        self.zones.renew(0)
        self.staging.see(0, self.ledger.totals)

    # --- one step, in the order of the model -------------------------------------------------------------

    def step(self, along=()):
        """Advance everything by one step. Raises InputError after `MOST_STEPS`.

        Returns the sums over ranks of the integers `along`, which cost no message of their own.
        """
        if self.step_number >= MOST_STEPS:
            raise on_all_ranks(InputError(
                f"{MOST_STEPS:,} steps are done, all that are possible: make run.step longer"))
        t0_s = self.time_s
        after_s = t0_s if self.step_number else -1      # what is to happen at t0_s has happened, but not at the start
        if self._intervene(after_s, t0_s):
            self.ledger.close(self._alive())
            self.circuit.set_burden(burden.counted(self))
        t1_s = end_of_step(self)
        wound, cells = wound_g(self.config, t0_s), self.ledger.totals[self.lumped.column]
        self.circuit.set_tumor_flow(*((cells, wound) if self.perfused else (0, 0.0)))
        with self.stage("fields"):
            if self.schedule.names:
                self.tissue.rescale(self.schedule.of_step(t0_s, t1_s, self.tissue.microenvironment.each))
            self.tissue.breathe(self.step_number)
        if vessels.are_due(self.tissue, t0_s):
            with self.stage("vessels"):
                vessels.advance(self.tissue, self.step_number, t0_s, vessels.scales(self.tissue, self.schedule, t0_s))
        with self.stage("tissue"):
            migrants, shed, members, tally = self.tissue.advance(self.step_number, t0_s / 3600)
            lymph.send(shed, self.circuit)
        with self.stage("organs"):
            self._take_rates_of_lesions(t0_s, t1_s)
            self.lesions.follow(self.ledger.totals["lesions"], self.config.colonization.follow_per_h)
            by_lesions = self._grow(t0_s / 3600, (t1_s - t0_s) / 3600)
            ctcs, more = self.lumped.live(self, t0_s, t1_s)
        with self.stage("exchange"):
            entering = self._exchange(migrants, joined(shed, ctcs, by_lesions), joined(members, more), tally, t1_s)
        with self.stage("blood"):
            injected, placed = self.injections.due(after_s, t1_s)
            self._admit(entering, injected, placed)
            walked = circulate(self, after_s, t0_s, t1_s)
        with self.stage("organs"):
            self._colonize(walked, placed, t0_s / 3600, (t1_s - t0_s) / 3600)
        self._intervene(t0_s, t1_s)
        with self.stage("margin"):
            self.tissue.add_margin()
        with self.stage("ledger"):
            self.members.keep(self.blood.records, self.returning)
            sums = self._account(walked, tally, shed, along)
        self.step_number, self.time_s = self.step_number + 1, t1_s
        with self.stage("outline"):
            self.zones.renew(t1_s)
            self.staging.see(t1_s, self.ledger.totals)
        with self.stage("balance"):
            self._balance()
        return sums

    def _exchange(self, migrants, entering, members, tally, t1_s):
        """One routing of all that changed owner; returns the CTCs that enter the blood on this rank."""
        here, gone, gone_to = self.tissue.leaving(migrants)
        self.lumped.regain(self)
        returning, mutants = self.world.sum([len(self.returning), tally["mutated"]]).tolist()
        if mutants:
            self._number_clones(here, t1_s)
        lodged = selfseeding.places(self.tissue, self.returning, self.members.take(self.returning), returning,
                                    self.config.run.seed)
        routed = self.exchange.route({
            "migrants": (gone, gone_to),
            "ctcs": self._to_owners(entering), "members": self._to_owners(members),
            "late": self._to_owners(self.late.records), **lodged})
        homing, self.returning, waiting = selfseeding.become_cells(
            self.tissue, routed["lodged"], routed["lodged_members"], self.config.run.seed)
        self.members.admit(routed["members"], waiting)
        self.tissue.arrive(here, routed["migrants"], homing)
        self._take_late(routed["late"])
        return routed["ctcs"]

    def _number_clones(self, here, t1_s):
        """The mutants of this step, who are among the cells that stay on their ranks, found their clones."""
        before = len(self.clones)
        self.ledger.add(mutations_lost=self.clones.number(here, self.step_number + 1, t1_s))
        if len(self.clones) > before:
            self.tell_of_clones()

    def tell_of_clones(self):
        """Whoever has rates of its own takes the traits of all clones."""
        for part in (self.tissue, self.circuit, self.lesions):
            part.take_clones(self.clones.traits())

    def _to_owners(self, ctcs):
        return ctcs, owner_of_id(ctcs["id"], self.world.size)

    def _take_late(self, ctcs):
        """Of the cells that the lesions founded in the last step have shed, those whose ids are of this rank."""
        if ctcs.size:
            self.blood.records = joined(self.blood.records, ctcs)
        self.late.records = self.late.records[:0]

    def _admit(self, entering, injected, placed):
        self.ledger.add(injected=cells_in(injected) + cells_in(placed))
        self.blood.admit(entering)
        self.blood.admit(injected)
        self.members.admit(followers(injected))

    def _take_rates_of_lesions(self, t0_s, t1_s):
        if self.schedule.names:
            self.lesions.rescale(self.schedule.scales(t0_s, "lesion."))
            for time_s in self.schedule.all_changes(t0_s + 1, t1_s, "lesion."):
                self.lesions.change_rates(time_s / 3600, self.schedule.scales(time_s, "lesion."))
        if self.redraws_lesions or self.schedule.all_changes(t0_s, t0_s + 1, "lesion."):
            self.lesions.redraw(t0_s / 3600, at_start=True)
        self.redraws_lesions = False

    def _colonize(self, walked, placed, t_h, dt_h):
        """What left the blood, or was placed into organs: into the tumor, or a lesion, which lives on from then, and
        into the list of the ended.

        What such a new lesion sheds before the step ends is late for its exchange, and enters the blood in the next."""
        before = len(self.lesions.records)
        self.returning = joined(self.returning, walked.returning)
        outside = by_id(joined(walked.extravasated, placed)) if len(placed) else walked.extravasated
        left = self.lesions.found(outside, self.members.of(outside)[0])
        self.fates.add_lost(walked.lost)
        self.ledger.add(extravasated=cells_in(walked.extravasated), seeded=len(self.lesions.records) - before,
                        self_seeded=cells_in(walked.returning),
                        died_at_exit=0 if self.lesions.on else cells_in(left))
        for ctcs in (walked.ended, left, walked.returning):
            self.end(ctcs)
        self.late.admit(self._grow(t_h, dt_h, first=before))
        self.ledger.add(dropped=self.lesions.drop())

    def _grow(self, t_h, dt_h, first=0):
        """The lesions from row `first` on live to the end of the step; returns the CTCs that they shed."""
        grown = self.lesions.advance(self.step_number, t_h, dt_h, first)
        self.ledger.add(**grown.counts)
        return grown.shed

    def _intervene(self, after_s, last_s):
        """Surgery and radiation at after_s < time <= last_s; whether there is any."""
        events = interventions.due(self.config, after_s, last_s)
        for event in events:
            with self.stage("interventions"):
                taken, self.returning = self.interventions.apply(event, self.returning)
                self.end(taken.ended)
                self.ledger.add(cleared=taken.cleared, **{event.cause: taken.cells})
        return bool(events)

    def end(self, ctcs):
        """The fate of these is decided."""
        self.fates.add(ctcs)
        if self.on_ended:
            self.on_ended(ctcs)

    def _account(self, walked, tally, shed, along):
        deaths = walked.deaths | {cause.name: tally.get(cause.name, 0) for cause in self.plan.causes}
        shed, with_lymph = lymph.apart(shed, walked, self.circuit)
        self.ledger.add(**deaths, **with_lymph, divided_vessel=walked.born, passages=walked.passages,
                        shed_ctcs=len(shed), shed=cells_in(shed), divided_tissue=tally["divided"],
                        mutated=tally["mutated"], changed_voxel=tally["changed_voxel"], **self.zones.of_shed(shed))
        by_distance, by_node = self.zones.by_distance(shed), burden.of_lesions(self.circuit, self.lesions.records)
        places, self.waiting, *sums = self.ledger.close(self._alive(), extra=[
            int(self.tissue.reachable.sum()), len(self.returning), *by_node, *by_distance, *along])
        self.perfused = self.lumped.on or places > 0
        cells = burden.with_tumor(self.ledger.totals[self.lumped.column], sums[:len(by_node)])
        self.redraws |= self.circuit.set_burden(cells)
        sums = sums[len(by_node):]
        self.zones.add(sums[:len(by_distance)])
        return sums[len(by_distance):]

    def _alive(self):
        return dict(
            **self.lumped.alive(), tissue=self.tissue.cells,
            circulating=self.blood.circulating + self.late.circulating + cells_in(self.returning),
            arrested=self.blood.arrested, lesions=self.lesions.cells, **lymph.alive(self.blood, self.late))

    def _balance(self):
        plan = self.config.balance
        if plan.enabled and self.config.has_tissue and self.step_number % plan.interval == 0:
            self.balance.look(self.tissue)

    # --- state --------------------------------------------------------------------------------------------

    def state(self, **meta):
        """This rank's share of the state; `meta` is added to its description. Nothing of the simulation changes."""
        return saving.state_of(self, meta)

    def digest(self):
        """One SHA-256 of the state, the same on any number of ranks."""
        return digest(self.world, self.state())
