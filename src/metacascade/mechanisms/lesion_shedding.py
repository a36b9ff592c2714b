"""Shedding: cells of lesions that divide enter the blood, few of them where there are no vessels inside."""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, COMPUTED, Section, number, quantity
from metacascade.mechanisms.terms import Rate, value

TABLE = None        # lesions that are there live on, also where no new ones are founded


class LesionShedding(Section):
    """Keys of [colonization]."""
    table: ClassVar[str] = "colonization"

    shed_per_h: float = quantity("shed", "1/day", "1/h", 0.011, 0, 24, usual=(3e-5, 0.03), source=(
        "what a tumor in tissue sheds at the defaults, 0.0107 to 0.0117, by the hazard from Butler and Gullino 1975: "
        "3.2e6 cells/g/day over 3e8 cells/g, a rat"), status=COMPUTED,
        doc="Hazard of a cell of a lesion with vessels to enter the blood.")
    shed_avascular: float = number("shed_avascular", 0.01, 0, 1, source=(
        "there are no vessels inside; no measurement"), status=ASSUMED, doc=(
            "Of a lesion without vessels of its own, relative to one with them."))


SECTION = LesionShedding


def plan(config):
    """Two rates."""
    c = config.colonization
    yield Rate("lesion.shed", value("colonization.shed", c.shed_per_h),
               doc="a cell of a lesion with vessels enters the blood")
    yield Rate("lesion.shed_avascular", value("colonization.shed_avascular", c.shed_avascular), unit="",
               doc="the same of one without vessels, relative to that")
