"""Release: a bound cell lets go, and goes on with the blood. One that is trapped cannot."""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, quantity
from metacascade.mechanisms.terms import Rate, value

TABLE = "blood"


class Release(Section):
    """Keys of [blood]."""
    table: ClassVar[str] = TABLE

    release_per_h: float = quantity("release", "1/h", "1/h", 1, 0, 1000, usual=(0.1, 10), source=(
        "selectins and integrins hold for minutes to hours"), status=ASSUMED,
        doc="Hazard of a bound cell to go on with the blood.")


SECTION = Release


def plan(config):
    """One rate."""
    yield Rate("blood.release", value("blood.release", config.blood.release_per_h),
               doc="a bound cell goes on with the blood")
