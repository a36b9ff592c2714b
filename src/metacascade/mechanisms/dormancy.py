"""Dormancy: a share of the survivors sleep; they wake as a whole and die cell by cell."""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, COMPUTED, Section, number, quantity
from metacascade.mechanisms.terms import Rate, value

TABLE = None        # lesions that are there live on, also where no new ones are founded


class Dormancy(Section):
    """Keys of [colonization]."""
    table: ClassVar[str] = "colonization"

    dormant: float = number("dormant", 0.9, 0, 1, source="as establish", status=ASSUMED, doc=(
        "Share of the survivors that sleep at first; the others grow at once."))
    wake_per_h: float = quantity("wake", "1/year", "1/h", 0.02, 0, 8766, usual=(0.01, 5), source=(
        "Willis 2010, breast: growth restriction with a half-life over 12 years, 0.010-0.058; lung cancers spread "
        "within months"), status=COMPUTED,
        doc="Hazard of a dormant lesion to wake.")
    dormant_death_per_h: float = quantity("dormant_death", "1/day", "1/h", 0.005, 0, 24, usual=(0.0005, 0.05), source=(
        "no measurement"), status=ASSUMED, doc="Death hazard of a dormant cell.")


SECTION = Dormancy


def plan(config):
    """A share and two rates."""
    c = config.colonization
    yield Rate("lesion.dormant", value("colonization.dormant", c.dormant), unit="",
               doc="chance of a new lesion to sleep")
    yield Rate("lesion.wake", value("colonization.wake", c.wake_per_h), doc="a dormant lesion wakes")
    yield Rate("lesion.dormant_death", value("colonization.dormant_death", c.dormant_death_per_h),
               doc="a cell of a dormant lesion dies")
