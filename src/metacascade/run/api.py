"""A simulation from Python: in a notebook, in a script, or in a script under mpiexec."""
import contextlib
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from metacascade.base import stopsignals
from metacascade.base.errors import InputError, PathLike, kind, path_of
from metacascade.base.names import public_names
from metacascade.config.check import early
from metacascade.config.config import Config
from metacascade.config.given import Overrides
from metacascade.io import rundirectory, shown
from metacascade.io.results import Results, open_results
from metacascade.model import simulation
from metacascade.ranks import parallel
from metacascade.run import commands, inputs, progress
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

    config: Config
    world: parallel.World

    def __init__(self, config: PathLike | Mapping[str, Any] | Config, overrides: Overrides = ()):
        self.world = parallel.start()
        self.config, self._text, self._segments = inputs.load(self.world, config, overrides)
        self._model = None

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
    def model(self) -> simulation.Simulation:
        """Everything that is simulated, of this rank."""
        if self._model is None:
            self._model = simulation.Simulation(self.config, self.world, segments=self._segments)
        return self._model

    def step(self, steps: int = 1) -> None:
        """Advance by so many steps of ``run.step``, in memory; writes no file."""
        for _ in range(_whole(steps)):
            self.model.step()

    def run(self, out: PathLike, overwrite: bool = False) -> Results:
        """Simulate to the end of ``run.duration`` and write all files of the run into the directory `out`.

        After `step` it goes on from the present state, like a branch: the files tell of what happens from there.
        A signal to stop (Ctrl-C, SIGTERM) ends it early with a checkpoint. Returns the `Results`.
        """
        out = path_of(out, "the directory of a run")
        if not isinstance(overwrite, (bool, np.bool_)):
            raise InputError(f"overwrite must be True or False, not {kind(overwrite)}")
        if self._model and self._model.time_s >= self.config.run.duration_s:
            raise InputError("the simulation is at run.duration already, and nothing would happen: make another one, "
                             "or let its run go on, `metacascade resume DIR --set run.duration=...`")
        progress.warn(self.world, early(self.config, self.model.time_s) if self._model else ())
        with stopsignals.given_back(), rundirectory.claimed(self.world, out, overwrite) as lock:
            whole = Run(self.world, self.config, out, lock, saved=self._stepped(), segments=self._segments,
                        config_text=self._text)
            with contextlib.closing(whole):
                whole.run()
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
        return tissue_of(self.model.state(parts=0, parent=None), self.config, self._segments)

    def digest(self) -> str:
        """SHA-256 of the state: the same on any number of ranks."""
        return self.model.digest()


def branch(checkpoint: PathLike, out: PathLike, overrides: Overrides = (), seed: int | None = None,
           overwrite: bool = False) -> Results:
    """Start a new run from a checkpoint, or from the last one in a run directory, with other settings, to its end.

    As ``metacascade branch``; ``metacascade.open(out, parents=True)`` joins it with the run before. Under mpiexec all
    ranks call it. Returns the `Results`.
    """
    checkpoint, out = path_of(checkpoint, "the checkpoint"), path_of(out, "the directory of a run")
    with stopsignals.given_back():
        commands.branch(checkpoint, out, seed, overrides, overwrite)
    return open_results(out)


def _whole(steps):
    """A number of steps as an int."""
    with contextlib.suppress(TypeError):
        if (number := operator.index(steps)) >= 0:
            return number
    raise InputError(f"steps must be a whole number from 0, not {kind(steps)}")
