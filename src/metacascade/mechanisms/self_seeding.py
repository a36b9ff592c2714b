"""Self-seeding: the tumor's own bed holds and takes in what passes (Kim 2009, direction)."""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number
from metacascade.mechanisms.terms import Rate, at, value

TABLE = "blood"


class SelfSeeding(Section):
    """Keys of [colonization]."""
    table: ClassVar[str] = "colonization"

    attraction: float = number("attraction", 5.0, 0, 1000, usual=(1, 20), source="direction: Kim 2009", status=ASSUMED,
                               doc="Gain of arrest and of exit in the bed of the tumor (self-seeding).")


SECTION = SelfSeeding


def plan(config):
    """A gain in the bed of the tumor."""
    gain, text = {"tumor": config.colonization.attraction}, "(colonization.attraction in the tumor)"
    passages = Rate("blood.passages", value("1", 1.0), unit="",
                    doc="a passage of a bed counts as so many: the chance to pass, to that power")
    yield passages
    yield at(passages, gain, text)
    yield at("blood.extravasate", gain, text)
