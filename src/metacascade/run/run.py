"""A run: a simulation with its files, and when it stops."""
import contextlib
import time
from pathlib import Path

from metacascade._kernels._layout import Place
from metacascade.base import stopsignals
from metacascade.base.columns import ALIVE, MEANING
from metacascade.base.errors import DONE, STOPPED_EARLY
from metacascade.base.memory import peak
from metacascade.base.records import chosen
from metacascade.base.screen import one_line
from metacascade.io import checkpoint, kept, output, provenance, runlock
from metacascade.model import observables
from metacascade.model.blood import EVENTS
from metacascade.model.clones import tree
from metacascade.model.simulation import Simulation
from metacascade.run import recordlimit, summary
from metacascade.run.progress import Meter, progress, ranks_and_cores, say, warn
from metacascade.run.recordlimit import RecordLimit
from metacascade.run.walllimit import WallLimit
from metacascade.run.watchdog import Watchdog
from metacascade.state.digest import digest

PATIENCE_S = 1800.0           # of the watchdog, unless another is given


def columns_of(plan) -> dict:
    """The columns of the time series of a run, in their order: name -> (int or float, unit)."""
    return {column.name: (column.kind, column.unit) for column in observables.columns(plan)}


def texts_of(plan) -> dict:
    """What the columns of the time series and of the table of organs are: table -> {column: text}."""
    return {"series": {column.name: f"{column.doc}; {MEANING[column.part]}" for column in observables.columns(plan)},
            "organs": {column.name: column.doc for column in observables.by_node(plan)}}


def nothing_to_come(config, alive, time_s) -> bool:
    """Does a run end before its time: is nothing `alive` (cells by where they are), no injection or draw to come?"""
    ends = [plan.time_s + plan.duration_s for plan in config.injection] + [plan.time_s for plan in config.draw]
    return config.run.stop_when_empty and not any(alive.values()) and max(ends, default=-1) < time_s


def simulate(world, loaded, directory, lock, **kind):
    """Make a Run and do it; its exit code."""
    with contextlib.closing(Run(world, loaded, directory, lock, **kind)) as run:
        return run.run()


class Run:
    """A simulation with its directory: steps, time series, parts, checkpoints, and the end.

    It stops early, with a checkpoint, on a signal or when `wall_limit_s` (from the start of the process) is near;
    it ends with an error if nothing moves for `patience_s` (0: it waits for ever). `close` ends it; the lock of
    the directory is the caller's to let go of. `began_from`: of a branch, see `metacascade.io.parents.told`.
    `on_record` is called with the simulation at each output.
    """

    def __init__(self, world, loaded, directory, lock, saved=None, segments=None, config_text=None, changed=False,
                 wall_limit_s=None, patience_s=PATIENCE_S, began_from=None, on_record=None):
        self.world, self.config, self.directory, self.lock = world, loaded, Path(directory), lock
        self.stop, self.simulation, self.saved_step, self.on_record = False, None, None, on_record
        self.snapshots, self.told_thinned = loaded.output.snapshots and loaded.has_tissue, set()
        self.limit, self.meter = WallLimit(wall_limit_s), Meter(loaded)
        stopsignals.listen(self._wish_to_stop)
        self.watchdog = Watchdog(world, directory, patience_s, self._where, lambda: self.meter.close())
        try:
            self._make(loaded, saved, segments, config_text, changed, began_from)
        except BaseException:
            self.close()
            raise

    def _make(self, loaded, saved, segments, config_text, changed, began_from):
        world, began = self.world, time.perf_counter()
        self._say_where_it_runs()
        self.simulation = Simulation(loaded, world, saved, segments, on_ended=self._ended, on_draw=self._drawn)
        self.observables = observables.Observables(self.simulation)
        self.parent = saved.meta.get("parent") if saved else None
        self.records = RecordLimit(world, loaded)
        self.records.refuse(self.simulation.ledger.totals, loaded.injection, self.simulation.time_s)
        plan = self.simulation.plan
        self.output = output.Output(
            world, self.directory, config_text=config_text, config=loaded.to_dict(), columns=columns_of(plan),
            tables=observables.tables(plan), nodes=self.simulation.circuit.names, bits=plan.bit_names,
            events=EVENTS, volumes=observables.volumes(self.simulation), texts=texts_of(plan), provenance=dict(
                provenance.collect(world), mechanisms=dict(zip(loaded.mechanisms.modules, loaded.mechanisms.sha256)),
                **({"parent": began_from} if began_from else {})),
            first_part=saved.meta["parts"] if saved else 0)
        self._take_up_early_end()
        if saved:      # until this session has written a checkpoint: as long as to read one and to write results.h5
            self.limit.write_took(time.perf_counter() - began, self.simulation.ledger.totals["tissue"])
        if changed:        # whoever resumes it next goes on with this config
            self._save(self.output.parts.count)
        self.started = time.perf_counter()

    def run(self):
        """All steps to the end, or to a wish to stop: the exit code."""
        with progress(self.world, self.config, self.directory) as self.meter:
            self._steps()
        if not self._over():
            self._all_is_written()
            self._say_why_it_stopped()
            return STOPPED_EARLY
        self._finish()
        return DONE

    def _say_why_it_stopped(self):
        sim, end = self.simulation, self.config.run.duration_s
        if self.records.reached(sim.ledger.totals):
            number = recordlimit.records(sim.ledger.totals)
            say(self.world, f"{self.records.text(number)}.\n{self.records.remedy()}")
        say(self.world, f"stopped at day {sim.time_s / 86400:.2f} of {end / 86400:g}; "
                        f"go on with `metacascade resume {one_line(self.directory)}`")

    def _steps(self):
        sim = self.simulation
        if self.output.parts.count == 0:     # new: from its first moment on it can be resumed
            if sim.step_number == 0:
                self._record()
            if self.snapshots:
                self._snapshot()
            self._checkpoint(may_keep=False)      # that of a branch is kept by its parent
        if self._over() and not self.output.ends_at(sim.time_s):    # by a change of the config on the way
            self._record()
            if self.snapshots and sim.time_s % self.config.output.snapshot_interval_s:
                self._snapshot()
        stopping = False
        while not self._over() and not stopping:
            began = time.perf_counter()
            wishes, = sim.step(along=[int(self._must_stop())])
            self.meter.show(sim)
            stopping = wishes > 0 or self.records.reached(sim.ledger.totals)
            self._write_what_is_due()
            self.limit.step_took(time.perf_counter() - began)
            if self.saved_step == sim.step_number:     # a stop that came meanwhile needs no step and checkpoint more
                stopping = self.world.max(int(stopping or self._must_stop())) > 0
        if not self._over() and self.saved_step != sim.step_number:
            self._checkpoint()

    def _must_stop(self):
        return self.stop or self.limit.reached(self.simulation.ledger.totals["tissue"])

    def _over(self):
        """Has the run come to its end?"""
        return self.simulation.time_s >= self.config.run.duration_s or (
            nothing_to_come(self.config, self.simulation.ledger.of(ALIVE), self.simulation.time_s))

    def _write_what_is_due(self):
        sim, plan, over = self.simulation, self.config.output, self._over()
        if self.lock:
            runlock.still_locked(self.directory, self.lock)
        if sim.time_s % plan.interval_s == 0 or over:
            self._record()
            with sim.stage("output"):
                self._flush()
        if self.snapshots and (sim.time_s % plan.snapshot_interval_s == 0 or over):
            self._snapshot()
        if plan.saves(sim.time_s) or over:
            self._checkpoint()

    def _record(self):
        seen = self.observables
        self.output.record(seen.row(), organs=seen.organs(), events=seen.events(), clone_cells=seen.clone_cells(),
                           distances=seen.distances())
        if self.on_record:
            self.on_record(self.simulation)

    def _flush(self):
        """Write a part; one that is not due by the plan is taken back when the run goes on, so it leaves no trace."""
        time_s, plan = self.simulation.time_s, self.config.output
        of_the_end = not plan.saves(time_s) or any(
            self.output.time_of(row) % plan.interval_s for row in self.output.rows)
        self.output.grow("clones", tree(self.simulation.clones))
        return self.output.flush(early=time_s % plan.interval_s > 0 and of_the_end)

    def _take_up_early_end(self):
        """The rows that the former session wrote as it stopped are at hand again: keep what this one would have."""
        plan = self.config.output
        self.output.keep(lambda time_s: time_s % plan.interval_s == 0 or self._over())
        if self.output.parts.early and plan.saves(self.simulation.time_s):
            self._flush()

    def _checkpoint(self, may_keep=True):
        began, time_s = time.perf_counter(), self.simulation.time_s
        with self.simulation.stage("checkpoint"):
            self._save(self._flush(), kept.name(time_s) if may_keep and self.config.output.keeps(time_s) else None)
        self.saved_step = self.simulation.step_number
        self.limit.write_took(time.perf_counter() - began, self.simulation.ledger.totals["tissue"])

    def _save(self, parts, also=None):
        checkpoint.write(self.world, self.directory, self.simulation.state(parts=parts, parent=self.parent), also)
        self.output.checkpointed()

    def _snapshot(self):
        from metacascade.io import snapshots
        with self.simulation.stage("snapshot"):
            limit = self.config.output.snapshot_cells
            kept = snapshots.write(self.world, self.directory, self.simulation.state(parts=0, parent=None),
                                   edge_um=self.config.tissue.edge_um, limit=limit,
                                   segments=self.simulation.tissue.vessels_here())
        for kind, text in kept.left_out().items():
            if kind not in self.told_thinned:
                self.told_thinned.add(kind)
                say(self.world, f"snapshots from day {self.simulation.time_s / 86400:g} on show less: {text}, as "
                                f"output.snapshot_cells = {limit:_}")

    def _finish(self):
        sim = self.simulation
        with sim.stage("output"):
            self._flush()       # what was taken back, if all that was left to do is this
            state = sim.state(parts=0, parent=self.parent)
            still = chosen(state.ctcs, state.ctcs["place"] != Place.RETURNING)    # those have their row already
            self.output.finish(
                open_ctcs=still if self.config.output.shed_cells else still[:0], lesions=state.lesions,
                digest=digest(self.world, state), wall_s=dict(sim.clock.wall_s))
        fates, organs, memory = sim.fates.totals(), self.observables.organs(), self.world.max(peak())
        self._all_is_written()
        if sim.time_s < self.config.run.duration_s:
            say(self.world, f"the run has ended before day {self.config.run.duration_s / 86400:g}: nothing is alive, "
                            "nothing is to come, and run.stop_when_empty is true")
        seconds = time.perf_counter() - self.started
        if self.world.rank == 0:
            summary.tell(sim, fates, organs, self.directory, seconds, memory)

    def _all_is_written(self):
        """Nothing is left to be stopped: a signal must not spoil the exit code, also while MPI and Python end."""
        self.watchdog.end()
        self.meter.end()
        stopsignals.ignore()

    def _ended(self, ctcs):
        if self.config.output.shed_cells:
            self.output.shed(ctcs)

    def _drawn(self, **row):
        self.output.draw(**row)

    def _wish_to_stop(self, *_):
        self.stop = True

    def _where(self):
        sim = self.simulation
        return (sim.step_number, sim.clock.now, sim.clock.begun) if sim else (0, "start", 0)

    def _say_where_it_runs(self):
        places = self.world.places()
        if self.world.rank == 0:
            text, warnings = ranks_and_cores(places)
            print(text, flush=True)
            warn(self.world, warnings)

    def close(self):
        """The simulation may go on in memory, but no longer for this run."""
        if self.simulation:
            self.simulation.on_ended = self.simulation.on_draw = None
        self.meter.close()
        self.watchdog.stop()
