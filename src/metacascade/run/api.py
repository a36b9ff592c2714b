"""A simulation from Python: in a notebook, in a script, or in a script under mpiexec."""
import contextlib
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from metacascade.base import stopsignals
from metacascade.base.errors import InputError, PathLike, kind, path_of
from metacascade.base.names import public_names
from metacascade.base.units import option, show_time
from metacascade.config.check import early
from metacascade.config.config import Config
from metacascade.config.given import Overrides
from metacascade.io import rundirectory, shown
from metacascade.io.results import Results, open_results
from metacascade.model import simulation
from metacascade.ranks import exits, parallel
from metacascade.run import commands, inputs, progress, treating
from metacascade.run.observed import Observed
from metacascade.run.run import Run
from metacascade.run.tissue import Tissue, tissue_of


class Simulation:
    """A simulation, step by step in memory or as a whole into files.

    Under mpiexec the ranks share it: all of them make the same calls in the same order.

    Parameters
    ----------
    config : path, dict or Config
        A TOML file, what it would hold as nested dicts, or what `metacascade.load` makes of either.
    overrides : str, sequence of str, or dict
        Settings ``"section.key=value"``, or ``{"section.key": value}``, that replace those of `config`. A Config keeps
        its vessels under another ``run.seed``; those of a file or dict follow it, unless it has ``vessels.seed``.

    Attributes
    ----------
    config : Config
    world : World
        The ranks: ``world.rank`` of ``world.size``.
    model : metacascade.model.simulation.Simulation
        Everything that is simulated, of this rank; made when it is first needed.

    Raises
    ------
    InputError
        With everything that is wrong in the config. A wrong argument of a method is one too.
    """

    world: parallel.World

    def __init__(self, config: PathLike | Mapping[str, Any] | Config, overrides: Overrides = ()):
        self.world = parallel.start()
        exits.guard(self.world)
        self._config, self._text, self._segments = inputs.load(self.world, config, overrides)
        self._model, self._observed = None, Observed()

    def __dir__(self) -> list[str]:
        return public_names(type(self))

    def _repr_html_(self) -> str:
        rows = [("simulation", repr(self)), ("ranks", str(self.world.size))]
        if self._model:
            rows += [(name, f"{n:,}") for name, n in self.ledger.items() if n]
        return shown.pairs_html(rows)

    def __repr__(self) -> str:
        time_h, end_h = self._model.time_s / 3600 if self._model else 0, self.config.run.duration_s / 3600
        return f"<simulation {self.config.title or 'without a title'}: {time_h:g} of {end_h:g} h>"

    @property
    def config(self) -> Config:
        """The config, with the therapies that `treat` has added. It cannot be set."""
        return self._config

    @config.setter
    def config(self, _):
        raise InputError("the config of a simulation is changed by treat(rate=...) alone; other parameters need "
                         "another simulation, or a branch of a run: metacascade.branch")

    @property
    def model(self) -> simulation.Simulation:
        """Everything that is simulated, of this rank."""
        if self._model is None:
            self._model = simulation.Simulation(self.config, self.world, segments=self._segments)
        return self._model

    def step(self, steps: int = 1) -> None:
        """Advance by so many steps of ``run.step``, in memory; writes no file."""
        self._observed.refuse_inside("step")
        exits.out_of_loop()
        for _ in range(_whole(steps)):
            self.model.step()

    def steps(self, until: str | None = None, every: str | None = None) -> Iterator["Simulation"]:
        """Advance in memory and stop on the way: ``for sim in simulation.steps(until="5 days", every="6 h"): ...``.

        In the body of the loop look at anything, and `treat`. Under mpiexec all ranks make the loop; one that is to end
        in its body calls ``sys.exit``, which ends all: for ``raise SystemExit`` the others would wait.

        Parameters
        ----------
        until : str, optional
            The simulated time at which it ends; default: the end of the run, ``run.duration``.
        every : str, optional
            It stops at multiples of this, and at the end; default: after each step. Both are multiples of ``run.step``.
            Without tissue steps may be longer (``run.long_step``): then it stops at the first end of one from there on.
        """
        self._observed.refuse_inside("steps")
        run = self.config.run
        end_s = run.duration_s if until is None else self._time_s("until", until)
        every_s = run.step_s if every is None else self._time_s("every", every)
        if every_s == 0:
            raise InputError(f"every {every}: must not be 0")
        if end_s < self.model.time_s:
            end = f"run.duration = {show_time(end_s)}" if until is None else f"until {until}"
            raise InputError(f"{end}: the simulation is at {show_time(self.model.time_s)} already")
        return self._stepping(end_s, every_s)

    def _stepping(self, end_s, every_s):
        exits.out_of_loop()
        self._observe(self.model)
        while self.model.time_s < end_s:
            due_s = min(end_s, (self.model.time_s // every_s + 1) * every_s)
            while self.model.time_s < due_s:
                self.model.step()
            self._observe(self.model)
            with exits.in_loop():
                yield self

    def _time_s(self, name, given):
        """A time [s], a multiple of the step."""
        if not isinstance(given, str):
            raise InputError(f'{name} must be a time such as "6 h", not {kind(given)}')
        time_s, step_s = option(name, given, "s", "6 h"), self.config.run.step_s
        if time_s % step_s:
            raise InputError(f"{name} {given}: must be a multiple of run.step, {show_time(step_s)}")
        return int(time_s)

    def treat(self, *, rate: str | None = None, drug: str | None = None, factor: float | None = None,
              efficacy: float | None = None, where: str | None = None, start: str | None = None,
              duration: str | None = None, every: str | None = None, times: int | None = None,
              ramp: str | None = None, half_life: str | None = None) -> None:
        """Add a therapy between two steps: a factor on a named rate, or a drug, from now or from a later `start` on.

        The arguments are those of a ``[[therapy]]``, quantities as texts; what happens is what a config with it from
        the start would have done, bit for bit. Under mpiexec all ranks call it. No other parameter of a simulation that
        has begun can be changed. Raises InputError for what the config refuses, for a `start` before now, and for what
        would have acted before.
        """
        table = {name: value for name, value in locals().items() if name != "self"}
        self._observed.refuse_inside("treat")
        model = self._model if self._model and self._model.step_number else None
        changed, now_s = None, model.time_s if model else 0
        with self.world.together():
            changed = treating.treated(self.config, table, model)
        known = self.config.warnings_from(now_s)
        progress.warn(self.world, [line for line in changed.warnings_from(now_s) if line not in known])
        self._config, self._text = changed, changed.to_toml()
        if model:
            treating.take(model, changed)
        else:
            self._model = None      # and is made with it

    def observe(self, name: str, function: Callable[["Simulation"], float], summed: bool = True) -> None:
        """Take a number of one's own at each stop of `steps` and each output of `run`: see `observed`.

        Parameters
        ----------
        name : str
        function : callable
            Gets this simulation, and gives a number: of what this rank has (`tissue`), which is summed over the ranks.
            Sums of whole numbers are the same on any number of ranks.
        summed : bool
            False for a number that is of all ranks already, such as of `ledger` and `fates`: that of rank 0 counts.
        """
        self._observed.add(name, function, summed)

    @property
    def observed(self) -> dict[str, np.ndarray]:
        """``time_h`` [h] and what `observe` has asked for, by name: an array each. `write_observed` writes them."""
        return self._observed.arrays()

    def write_observed(self, path: PathLike) -> None:
        """Write `observed` as a table, CSV, a row for each time. Under mpiexec all ranks call it.

        It replaces an earlier table of its own; InputError for any other file that is there.
        """
        self._observed.write(path_of(path, "the table"), self.world)

    def _observe(self, model):
        self._model = model
        self._observed.take(self, self.world, model.time_s / 3600)

    def run(self, out: PathLike, overwrite: bool = False) -> Results:
        """Simulate to the end of ``run.duration`` and write all files of the run into the directory `out`.

        After `step` it goes on from the present state, like a branch: the files tell of what happens from there.
        A signal to stop (Ctrl-C, SIGTERM) ends it early with a checkpoint. Returns the `Results`.
        """
        self._observed.refuse_inside("run")
        exits.out_of_loop()
        out = path_of(out, "the directory of a run")
        if not isinstance(overwrite, (bool, np.bool_)):
            raise InputError(f"overwrite must be True or False, not {kind(overwrite)}")
        if self._model and self._model.time_s >= self.config.run.duration_s:
            raise InputError("the simulation is at run.duration already, and nothing would happen: make another one, "
                             "or let its run go on, `metacascade resume DIR --set run.duration=...`")
        former = self._model
        progress.warn(self.world, early(self.config, self.model.time_s) if self._model else ())
        with stopsignals.given_back(), rundirectory.claimed(self.world, out, overwrite) as lock:
            whole = Run(self.world, self.config, out, lock, saved=self._stepped(), segments=self._segments,
                        config_text=self._text, on_record=self._observe if self._observed.observables else None)
            try:
                with contextlib.closing(whole):
                    whole.run()
            except BaseException:
                self._model = former
                raise
        self._model = whole.simulation
        return open_results(out)

    def _stepped(self):
        """The state to go on from, or None before the first step."""
        if self._model is None or self._model.step_number == 0:
            return None
        return self._model.state(parts=0, parent=self._model.digest())

    @property
    def ledger(self) -> dict[str, int]:
        """Cells by name, over all ranks: alive in tissue, circulating, dead by each cause, and so on."""
        return dict(self.model.ledger.totals)

    @property
    def fates(self) -> dict[str, dict[str, int]]:
        """Of the cells that left the blood: {fate: {organ: cells}}, over all ranks."""
        return self.model.fates.totals()

    @property
    def time_h(self) -> float:
        """Simulated time [h]."""
        return self.model.time_s / 3600

    def tissue(self) -> Tissue:
        """Cells, fields and vessels as they are now, of this rank; all ranks call it. InputError without a tumor."""
        state, found = self.model.state(parts=0, parent=None), None
        with self.world.together():     # the box round the tiles of one rank alone may be too large
            found = tissue_of(state, self.config, self._segments)
        return found

    def digest(self) -> str:
        """SHA-256 of the state: the same on any number of ranks."""
        return self.model.digest()


def branch(checkpoint: PathLike, out: PathLike, overrides: Overrides = (), seed: int | None = None,
           overwrite: bool = False, at: str | None = None, copy_of: PathLike | None = None) -> Results:
    """Start a new run from a checkpoint, or from one in a run directory, with other settings, to its end.

    Of a directory it is the last one, or that of the simulated time `at`, ``"5 days"``, which the run has kept. As
    ``metacascade branch``; ``metacascade.open(out, parents=True)`` joins it with the run before, which of a copy of a
    checkpoint is found beside the one that it is a `copy_of`. Under mpiexec all ranks call it. Returns the `Results`.
    """
    checkpoint, out = path_of(checkpoint, "the checkpoint"), path_of(out, "the directory of a run")
    if at is not None and not isinstance(at, str):
        raise InputError(f'at must be a time such as "5 days", not {kind(at)}')
    at_s = None if at is None else option("at", at, "s", "5 days")
    copy_of = None if copy_of is None else path_of(copy_of, "copy_of")
    exits.guard(parallel.start())
    with stopsignals.given_back():
        commands.branch(checkpoint, out, seed, overrides, overwrite, at_s, copy_of)
    return open_results(out)


def _whole(steps):
    """A number of steps as an int."""
    with contextlib.suppress(TypeError):
        if (number := operator.index(steps)) >= 0:
            return number
    raise InputError(f"steps must be a whole number from 0, not {kind(steps)}")
