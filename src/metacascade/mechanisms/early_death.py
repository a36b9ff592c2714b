"""Early death: most cells that have left a vessel die within days, before they divide or fall asleep.

    lesion.early_death   per cell; in a group of n divided by 1 + lesion.niche (n - 1)

That most die in the first days is measured (Cameron 2000, Wong 2002), the rate is assumed. Cells that left together
keep each other alive: so a cluster is worth more than its cells one by one.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, quantity
from metacascade.mechanisms.terms import Rate, at, value

TABLE = None        # lesions that are there live on, also where no new ones are founded


class EarlyDeath(Section):
    """Keys of [colonization]."""
    table: ClassVar[str] = "colonization"

    early_death_per_h: float = quantity("early_death", "1/day", "1/h", 0.5, 0, 24, usual=(0.05, 3), source=(
        "most extravasated cells die within days (Cameron 2000, Wong 2002), direction"), status=ASSUMED, doc=(
            "Hazard of a cell outside of the vessel to die, until it sleeps or begins to divide."))
    niche: float = number("niche", 1.0, 0, 1000, usual=(0, 10), source=(
        "survival signals between the cells of a cluster; no measurement"), status=ASSUMED, doc=(
            "How much each further cell of a group lowers the hazard of each to die early: x 1 / (1 + niche (n - 1))."))


SECTION = EarlyDeath


def plan(config):
    """A rate, by organ, and what lowers it."""
    c = config.colonization
    early = Rate("lesion.early_death", value("colonization.early_death", c.early_death_per_h),
                 doc="a cell dies that neither sleeps nor divides; in a group of n / (1 + lesion.niche * (n - 1))")
    yield early
    yield at(early, {bed: organ.early_death for bed, organ in config.organs.items()}, "organs.BED.early_death")
    yield Rate("lesion.niche", value("colonization.niche", c.niche), unit="",
               doc="protection by each other cell of a group that left the vessel together")
