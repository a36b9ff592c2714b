"""Runs without files, for tests that read out many small ones: what `studies.readouts` ask of results, and no more."""
import numpy as np

from metacascade.config import config, read as config_read
from metacascade.model.fates import EVENTS
from metacascade.model.observables import Observables
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world
from metacascade.state.observed import DISTANCES_OF
from metacascade.studies.reproduce_toml import toml


class Run:
    """A run of the tables of a config with settings ``{"section.key": value}``, from its start to its end.

    Attributes
    ----------
    series : dict of ndarray
        The columns of the time series at the times of the output.
    """

    def __init__(self, tables, settings):
        document = config_read.parse_text(toml(tables), "config")
        config_read.override(document, settings)
        built = config.build(document)
        self.config = built.to_dict()
        sim = Simulation(built, serial_world())
        seen = Observables(sim)
        rows, organs, counted = [seen.row()], [seen.organs()], [seen.events()]
        while sim.time_s < built.run.duration_s:
            sim.step()
            if sim.time_s % built.output.interval_s == 0:
                rows.append(seen.row())
                organs.append(seen.organs())
                counted.append(seen.events())
        self.series = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        self._tables = {"distances": seen.distances(), "organs": np.concatenate(organs), "events": np.concatenate(counted)}
        self.organs = self._tables["organs"]
        self._nodes, self._events = dict(enumerate(sim.circuit.names)), dict(enumerate(EVENTS))

    def __contains__(self, table):
        return table in self._tables

    def __getitem__(self, table):
        return self._tables[table]

    def names(self, table):
        """The names of the numbers in a table's columns."""
        return {"of": dict(enumerate(DISTANCES_OF)), "node": self._nodes, "event": self._events}
