"""Numbers of one's own that are taken while a simulation goes on, beside the columns of its results."""
import csv
import io
import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from metacascade.base.errors import InputError, kind
from metacascade.base.screen import shown
from metacascade.io.atomic import refuse_other, write_text, writing
from metacascade.ranks import exits

TIME = "time_h"


@dataclass(frozen=True)
class Observable:
    """A function of the simulation, called on every rank; `summed`: its values over the ranks are added."""
    function: Callable[[Any], float]
    summed: bool


class Observed:
    """The values of observables, a row at each time at which they were taken; on every rank the same."""

    def __init__(self):
        self.observables, self.rows, self.taking = {}, [], False

    def add(self, name, function, summed):
        """Register an observable. InputError for a name that is none, or taken, and for what cannot be called."""
        self.refuse_inside("observe")
        if not isinstance(name, str) or not name.isidentifier() or name == TIME:
            raise InputError(f"an observable has a name of letters, digits and _, not {shown(name)}")
        if name in self.observables:
            raise InputError(f"there is an observable {name} already: give this one another name")
        if not callable(function):
            raise InputError(f"observable {name}: a function of the simulation is needed, not {kind(function)}")
        if not isinstance(summed, (bool, np.bool_)):
            raise InputError(f"observable {name}: summed must be True or False, not {kind(summed)}")
        self.observables[name] = Observable(function, bool(summed))

    def take(self, simulation, world, time_h):
        """Take all values now, unless this time has them. Collective, and so may the functions be.

        What a function raises on one rank ends all, as any error that others cannot wait for.
        """
        if not self.observables or self.rows and self.rows[-1][TIME] == time_h:
            return
        values, own = self._values(simulation, world), None
        with world.together():
            own = {name: _number(name, value) for name, value in values.items()}
        everyone = world.allgather(own)
        self.rows.append({TIME: time_h} | {
            name: _sum([values[name] for values in everyone]) if one.summed else everyone[0][name]
            for name, one in self.observables.items()})

    def _values(self, simulation, world):
        """What the functions give on this rank."""
        self.taking = True
        try:
            with exits.needed(world):
                return {name: one.function(simulation) for name, one in self.observables.items()}
        finally:
            self.taking = False

    def refuse_inside(self, method):
        """InputError for a `method` that is called by an observable: it looks at a simulation and changes nothing."""
        if self.taking:
            raise InputError(f"an observable has called {method}: it may look at the simulation, and not change it; do "
                             "so in the body of a loop over steps()")

    def arrays(self) -> dict[str, np.ndarray]:
        """``time_h`` and the observables by name, each an array; what was not yet observed is not a number."""
        names = [TIME, *self.observables] if self.rows else []
        return {name: np.array([row.get(name, math.nan) for row in self.rows]) for name in names}

    def write(self, path, world):
        """Write all rows as CSV, whole or not at all. Collective. InputError for another file that is there."""
        text, names = io.StringIO(), [TIME, *self.observables]
        table = csv.DictWriter(text, names, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(self.rows)
        with world.together(), writing(path):
            if world.rank == 0:
                refuse_other(path, _is_table, "table of write_observed", "choose another path")
                write_text(path, text.getvalue())


def _is_table(head):
    """Are these the first bytes of a file that `Observed.write` wrote?"""
    names = head.partition(b"\n")[0].decode(errors="replace").split(",")
    return names[0] == TIME and all(name.isidentifier() for name in names)


def _number(name, value):
    """A value as int or float."""
    value = value.item() if isinstance(value, (np.generic, np.ndarray)) and np.size(value) == 1 else value
    if not isinstance(value, numbers.Real):
        raise InputError(f"observable {name}: its function gave {kind(value)}, and must give a number")
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def _sum(values):
    """Whole numbers exactly; others rounded once, in whatever order they come."""
    return sum(values) if all(isinstance(value, int) for value in values) else math.fsum(values)
