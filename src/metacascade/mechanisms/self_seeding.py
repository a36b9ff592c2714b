"""Self-seeding: the tumor's own bed holds and takes in what passes (Kim 2009, direction).

A cell binds to its vessels with the hazard blood.bind (1 + blood.homing), and leaves them, once arrested, with
blood.extravasate (1 + blood.homing).
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number
from metacascade.mechanisms.terms import Rate, at, value

TABLE = "blood"


class SelfSeeding(Section):
    """Keys of [colonization]."""
    table: ClassVar[str] = "colonization"

    attraction: float = number("attraction", 5.0, 1, 1000, usual=(1, 20), source="direction: Kim 2009", status=ASSUMED,
                               doc="Gain of binding and of exit in the bed of the tumor (self-seeding); 1: none.")


SECTION = SelfSeeding


def plan(config):
    """A gain in the bed of the tumor."""
    homing = Rate("blood.homing", value("1", 1.0), unit="", doc="where a bed draws cells they bind to its vessels, and "
                  "leave them once arrested, faster by this share")
    yield homing
    yield at(homing, {"tumor": config.colonization.attraction - 1.0},
             "(colonization.attraction - 1 in the tumor, 0 elsewhere)", other=0.0)
