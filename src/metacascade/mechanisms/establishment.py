"""Establishment: does a cell that has left the blood survive in the organ?"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number
from metacascade.mechanisms.terms import Rate, at, value

TABLE = "colonization"


class Establishment(Section):
    """Keys of [colonization]."""
    table: ClassVar[str] = TABLE

    establish: float = number("establish", 0.01, 0, 1, source="no measurement that is not kept for validation",
                              status=ASSUMED, doc="Probability to survive in the organ, before the factor soil.")


SECTION = Establishment


def plan(config):
    """One probability, by organ."""
    establish = Rate("lesion.establish", value("colonization.establish", config.colonization.establish), unit="",
                     doc="chance of a cell that left the blood to survive; one of a cluster is enough")
    yield establish
    yield at(establish, {bed: organ.soil for bed, organ in config.organs.items()}, "organs.BED.soil")
