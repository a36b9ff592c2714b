"""What the sections of the report look at: the results of a run, its config, and the state in its checkpoint."""
import contextlib
from functools import cached_property
from pathlib import Path

import numpy as np

from metacascade.base.errors import InputError
from metacascade.base.units import DAY_S
from metacascade.config import check as config_check
from metacascade.config.config import Config
from metacascade.io import needs
from metacascade.io.cascade import kept
from metacascade.io.needs import Missing
from metacascade.io.parents import Joined, open_run, parent_of
from metacascade.io.results import open_results
from metacascade.mechanisms import plan_of
from metacascade.model import observables
from metacascade.report import newest
from metacascade.report.layer import Layer


@contextlib.contextmanager
def opened(path, name=""):
    """The `Told` of a run in the body: of a branch with the runs before it, or alone where they are not found."""
    why = ""
    try:
        results = open_run(path, parents=True)
    except InputError as error:
        results, why = open_results(path), str(error)
    with results:
        yield Told(results, name, why)


class Told:
    """A run, read once: all figures tell of the same outputs, also while the run goes on.

    Attributes
    ----------
    results : Results, as `metacascade.io.cascade.Kept`
    config : Config
    name : str
        Of its directory, or as a comparison names it.
    alone : str
        Why the runs before a branch are not told with it, if they are not.
    """

    def __init__(self, results, name="", alone=""):
        self.opened, self.results, self.alone = results, kept(results), alone
        self.path, self.directory = Path(results.path), Path(results.path).parent
        self.name = name or self.directory.resolve().name
        if not len(self.results.series.get("time_s", ())):
            raise InputError(f"{results.path} has no output yet: a report needs one at least; "
                             "output.interval says how often they come")

    @cached_property
    def config(self):
        """As the run was made, with every value."""
        return Config.from_dict(self.results.config)

    @cached_property
    def plan(self):
        """The rates and fields of the config."""
        return plan_of(self.config)

    @cached_property
    def columns(self):
        """Name -> Column of all that the series may have."""
        return {one.name: one for one in observables.columns(self.plan)}

    @cached_property
    def days(self):
        """Times of the outputs [d]."""
        return needs.time_s(self.results) / DAY_S

    @cached_property
    def funnel(self):
        """The rows of the fate funnel, which looks through all rows of shed cells."""
        return self.results.funnel()

    def series(self, name, default=None):
        """A column of the series, float64; Missing without it."""
        return needs.column(self.results, name, default)

    def last(self, name, default=0):
        """The last number of a column."""
        return self.series(name, default)[-1]

    def unit(self, name):
        """The unit of a column of the series."""
        return self.results.units(f"series/{name}")

    @cached_property
    def warnings(self):
        """What the check of the config finds worth a look, from the start of the run or branch on."""
        been = config_check.early(self.config, self.began_s)        # in the run before, else the branch was refused
        return [line for line in self.config.warnings_from(self.began_s) if line not in been]

    @cached_property
    def layer(self):
        """The layer through the center of the tumor; Missing without one."""
        return Layer(self)

    @property
    def began_s(self):
        """When this run began as a branch of another [s]; 0 of what is none."""
        parent = parent_of(self.opened)
        return int(parent["time_s"]) if parent else 0

    @property
    def branch(self):
        """What is to be said of a run that began before its first output; "" of others. `alone`: why, of a branch."""
        if isinstance(self.opened, Joined):
            return (f"a branch of {self.opened.parent.path.parent.name}, from day {self.began_s / DAY_S:.3g} on; what "
                    "is told of the time before is of that run.")
        if self.began_s:
            return (f"a branch, told from day {self.days[0]:.3g} on alone: rows of the time before are with the run "
                    "that it came from, which is not found. Totals since the start count what that run did.")
        if self.days[0] > 0:
            return (f"a simulation that was stepped before its files began: told from day {self.days[0]:.3g} on. "
                    "Totals are since the start.")
        return ""

    @cached_property
    def state(self):
        """The state in the newest checkpoint of this run that is whole; Missing if there is none."""
        if (found := self._newest[0]) is None:
            raise Missing(f"there is no whole checkpoint of this run in {self.directory}, and only that has cells, "
                          "fields and vessels by their places")
        return found

    @property
    def passed_over(self):
        """Newer checkpoints than that of `state`, with the reason."""
        return self._newest[1]

    @cached_property
    def _newest(self):
        return newest.state(self.opened)

    def nodes(self):
        """Names of the nodes of the circuit."""
        return needs.nodes(self.results)

    def by_node(self, name):
        """{node: numbers at each output} of a column of the table by organ, where any is not 0."""
        rows, times, found = self.results.organs[:], needs.time_s(self.results), {}
        if name not in (rows.dtype.names or ()):
            raise Missing(f"the table by organ has no column {name}")
        for number, node in self.nodes().items():
            here = rows[rows["node"] == number]
            if here[name].any():
                found[node] = np.zeros(len(times))
                found[node][np.searchsorted(times, here["time_s"])] = here[name]
        return found
