"""Release: an arrested cell goes on with the blood."""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, quantity
from metacascade.mechanisms.terms import Rate, value

TABLE = "blood"


class Release(Section):
    """Keys of [blood]."""
    table: ClassVar[str] = TABLE

    release_per_h: float = quantity("release", "1/h", "1/h", 0.01, 0, 100, source="no measurement", status=ASSUMED,
                                    doc="Hazard of an arrested cell to go on with the blood.")


SECTION = Release


def plan(config):
    """One rate."""
    yield Rate("blood.release", value("blood.release", config.blood.release_per_h),
               doc="an arrested cell goes on with the blood")
