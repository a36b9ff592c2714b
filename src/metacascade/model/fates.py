"""What happened to the shed cells, counted by node of the circuit: their fates, and the events on their way."""
import numpy as np

from metacascade._kernels._layout import Fate
from metacascade.model.blood import EVENTS

FATES = tuple(fate.name.lower() for fate in Fate)


class ByNode:
    """Cells by what happened to them and by the node in which it did, over the whole run. `names`: what can happen."""

    def __init__(self, world, names, nodes):
        self.world, self.names, self.nodes = world, names, list(nodes)
        self._mine = np.zeros((len(self.names), len(self.nodes)), np.int64)
        self._before = np.zeros_like(self._mine)

    def table(self):
        """Over all ranks: int64, shape (names, nodes). Collective."""
        return self._before + self.world.sum(self._mine)

    def totals(self):
        """Over all ranks: {name: {node: cells}}, without zeros. Collective."""
        total = self.table()
        return {name: {node: int(n) for node, n in zip(self.nodes, row) if n}
                for name, row in zip(self.names, total) if row.any()}

    def load(self, totals):
        """Go on from totals of before."""
        for name, nodes in totals.items():
            for node, n in nodes.items():
                self._before[self.names.index(name), self.nodes.index(node)] = n


class Fates(ByNode):
    """Cells by fate and by the node in which it was met."""

    def __init__(self, world, nodes):
        super().__init__(world, FATES, nodes)

    def add(self, ctcs):
        """Count ended CTCs of this rank; a cluster counts each of its cells."""
        place = ctcs["fate"].astype(np.int64) * len(self.nodes) + ctcs["node"]
        np.add.at(self._mine.reshape(-1), place, ctcs["n"].astype(np.int64))

    def add_lost(self, cells):
        """Count cells of clusters that died while these went on: int64, (fates or more, nodes or more)."""
        fates, nodes = self._mine.shape
        self._mine += cells[:fates, :nodes]


class Events(ByNode):
    """Cells by what happened to them in the blood, and where: arrests, releases, deaths, exits."""

    def __init__(self, world, nodes):
        super().__init__(world, EVENTS, nodes)

    def add(self, events):
        """Count `Walked.events` of this rank, int64 of shape (events, nodes or more)."""
        self._mine += events[:, :len(self.nodes)]
