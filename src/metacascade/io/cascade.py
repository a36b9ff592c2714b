"""What the cascade tells: read-outs of results, from shed cells to lesions and their routes."""
import numpy as np

from metacascade.io import bloodcount, founders, funnel, halflife, metastases
from metacascade.state.observed import NAMES

SMALL = (*NAMES, "lesions")     # tables that are read whole


class Cascade:
    """The read-outs of `Results`. Definitions are in docs/model.md.

    Each raises `needs.Missing`, an InputError, where the run has not, or not yet, written what it needs. Tables are
    lists of dicts, a dict a row, as pandas.DataFrame takes them.
    """

    @property
    def blood_mL(self) -> dict[str, float]:
        """Blood in each node of the circuit [mL]; of the tumor for each of its cells."""
        return self._parsed(self._node("organs").attrs.get("blood_mL", "{}"), dict)

    @property
    def events(self):
        """Cells by what happened to them in the blood, and where, since the start: rows at each output."""
        return self["events"]

    def funnel(self) -> list[dict]:
        """How many cells came how far, by organ, with shares and times: see `metacascade.io.funnel`."""
        return funnel.funnel(kept(self))

    def half_life(self, since: float = 0.5) -> dict:
        """ln 2 times the mean time for which a shed cell flows [h], with its interval of 95 %."""
        return halflife.whole(kept(self), since)

    def halvings(self) -> list[dict]:
        """When the number of circulating cells has halved, and halved again, after the last entry into the blood."""
        return halflife.decay(kept(self))

    def survival(self) -> list[dict]:
        """The same of the share of CTCs that are still in the blood, flowing or arrested, by their rows."""
        return halflife.survival(kept(self))

    def concentration(self, node: str = "venous") -> dict[str, np.ndarray]:
        """Cells per mL that flow in a node of the circuit, at each output."""
        return bloodcount.concentration(kept(self), node)

    def cellsearch(self, volume_mL: float = bloodcount.TUBE_mL, recovery: float = bloodcount.RECOVERY,
                   emt: float = 1.0, node: str = "venous", index: int = 0) -> dict[str, np.ndarray]:
        """A virtual tube of blood at each output, by the law of detection of `metacascade.io.bloodcount.cellsearch`."""
        return bloodcount.cellsearch(kept(self), volume_mL, recovery, emt, node, index)

    def burdens(self, at: int = -1) -> list[dict]:
        """Cells and lesions by state in each organ, at an output: the last by default."""
        return metastases.burdens(kept(self), at)

    def metastases(self, cells: float | None = None) -> dict:
        """When the first lesion was there, grew, was detected (with `cells`; default: of the config); the largest."""
        return metastases.metastases(kept(self), cells)

    def lineages(self, cells: float | None = None) -> list[dict]:
        """A row for each lesion: organ, clone, from where and from which lesion it came, and its times."""
        return metastases.lineages(kept(self), cells)

    def founders(self) -> list[dict]:
        """Where in the tumor the founders of lesions were, by zone, beside all cells that left it."""
        return founders.founders(kept(self))

    def largest_lesions(self, most: int | None = None) -> list[dict]:
        """The lesions that are alive, the largest first: organ, cells, clone, whence and where its founder was."""
        return founders.largest(kept(self), most)

    def routes(self, living: bool = False) -> dict[str, dict[str, int]]:
        """Lesions by where their founders came from and by their organ: {came_from: {organ: lesions}}."""
        return metastases.routes(kept(self), living)


class Kept(Cascade):
    """Results as they are now: the time series and small tables are read once, and all tell of the same outputs.

    A run that goes on may write rows between two readings. Rows of shed cells are read when they are asked for.
    """

    def __init__(self, results):
        self.results, self._tables = results, {}
        self.series = results.series        # before any table, so that these have all of its times

    def __getattr__(self, name):
        if name in SMALL:
            return self[name]
        return getattr(self.results, name)

    def __contains__(self, name):
        return name in self.results

    def __getitem__(self, name):
        if name not in SMALL:
            return self.results[name]
        if name not in self._tables:
            rows = self.results[name][:]
            if "time_s" in rows.dtype.names and len(times := self.series.get("time_s", ())):
                rows = rows[rows["time_s"] <= times[-1]]
            self._tables[name] = rows
        return self._tables[name]


def kept(results):
    """Results as they are now, see `Kept`."""
    return results if isinstance(results, Kept) else Kept(results)
