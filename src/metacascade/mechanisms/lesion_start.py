"""The start of growth: a clonogenic cell outside of the vessel begins to divide; how soon is a matter of the soil."""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, quantity
from metacascade.mechanisms.terms import Rate, at, value

TABLE = None        # lesions that are there live on, also where no new ones are founded


class LesionStart(Section):
    """Keys of [colonization]."""
    table: ClassVar[str] = "colonization"

    start_per_h: float = quantity("start", "1/day", "1/h", 0.5, 0, 24, usual=(0.02, 3), source=(
        "the first divisions are seen within days; no rate"), status=ASSUMED, doc=(
            "Hazard of a clonogenic cell outside of the vessel to begin to divide, before the factor soil."))


SECTION = LesionStart


def plan(config):
    """A rate, by organ."""
    start = Rate("lesion.start", value("colonization.start", config.colonization.start_per_h),
                 doc="a clonogenic cell outside of the vessel begins to divide")
    yield start
    yield at(start, {bed: organ.soil for bed, organ in config.organs.items()}, "organs.BED.soil")
