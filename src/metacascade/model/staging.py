"""Stage and detection of the disease, as one would tell them from outside: read-outs, on which nothing depends."""
import numpy as np

from metacascade.base.columns import NOW, Column
from metacascade.config.readouts import DETECTED

NOT_YET = -1
FIRST = ("detected_s", "first_shed_s", "first_lesion_s")
COLUMNS = (
    Column("stage", "of man", "0 in situ, 1 to 3 invasive, by size, 4 with metastases; -1: without an outline. "
           "Sizes are those of man in the mouse too, unless [staging] has others", NOW),
    Column("detected_s", "s", "time when the tumor first had staging.detection_cells cells; -1: not yet", NOW),
    Column("first_shed_s", "s", "time when the first cell had entered the blood from the tumor; -1: not yet", NOW),
    Column("first_lesion_s", "s", "time when the first lesion had begun to divide; -1: not yet", NOW))


class Staging:
    """When what was first there, to the end of the step; the same on all ranks."""

    def __init__(self, config, times=None):
        given = config.staging.detection_given
        self.config = config.staging
        self.detection_cells = DETECTED[config.run.species] if given is None else given
        self.times = dict.fromkeys(FIRST, NOT_YET) | (times or {})

    def see(self, time_s, totals):
        """Note what is there for the first time; `totals` are those of the ledger."""
        there = totals["tissue"] >= self.detection_cells, totals["shed"] > 0, totals["started"] + totals["woken"] > 0
        for name, now in zip(FIRST, there):
            if now and self.times[name] == NOT_YET:
                self.times[name] = time_s

    def stage(self, radius_um, invasion_um, largest_lesion):
        """0 in situ, 1 to 3 invasive, by diameter, 4 with metastases. A radius that is no number: nothing is inside."""
        plan = self.config
        if largest_lesion >= plan.metastasis_cells:
            return 4
        if np.isnan(radius_um) or invasion_um < plan.invasion_um:
            return 0
        return 1 + (2 * radius_um > plan.small_um) + (2 * radius_um > plan.large_um)
