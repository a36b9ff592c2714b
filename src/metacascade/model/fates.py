"""What became of the shed cells, counted by fate and by node of the circuit."""
import numpy as np

from metacascade._kernels._layout import Fate


class Fates:
    """Cells by fate and by the node in which it was met, over the whole run."""

    def __init__(self, world, nodes):
        self.world = world
        self.nodes = list(nodes)
        self._mine = np.zeros((len(Fate), len(self.nodes)), np.int64)
        self._before = np.zeros_like(self._mine)

    def add(self, ctcs):
        """Count ended CTCs of this rank; a cluster counts each of its cells."""
        place = ctcs["fate"].astype(np.int64) * len(self.nodes) + ctcs["node"]
        np.add.at(self._mine.reshape(-1), place, ctcs["n"].astype(np.int64))

    def totals(self):
        """Over all ranks: {fate: {node: cells}}, without zeros. Collective."""
        total = self._before + self.world.sum(self._mine)
        return {fate.name.lower(): {node: int(n) for node, n in zip(self.nodes, total[fate]) if n}
                for fate in Fate if total[fate].any()}

    def load(self, totals):
        """Go on from totals of before."""
        for fate, nodes in totals.items():
            for node, n in nodes.items():
                self._before[Fate[fate.upper()], self.nodes.index(node)] = n
