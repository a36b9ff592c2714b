"""Shedding: cells of active lesions enter the blood."""
from typing import ClassVar

from metacascade.base.declare import COMPUTED, Section, quantity
from metacascade.mechanisms.terms import Rate, value

TABLE = None        # lesions that are there live on, also where no new ones are founded


class LesionShedding(Section):
    """Keys of [colonization]."""
    table: ClassVar[str] = "colonization"

    shed_per_h: float = quantity("shed", "1/day", "1/h", 0.011, 0, 24, usual=(3e-5, 0.03), source=(
        "Butler and Gullino 1975: 3.2e6 cells/g/day over 3e8 cells/g"), status=COMPUTED,
        doc="Hazard of a cell of an active lesion to enter the blood.")


SECTION = LesionShedding


def plan(config):
    """One rate."""
    yield Rate("lesion.shed", value("colonization.shed", config.colonization.shed_per_h),
               doc="a cell of an active lesion enters the blood")
