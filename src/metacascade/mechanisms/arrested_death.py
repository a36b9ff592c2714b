"""Death in the vessel: an arrested cell dies there, trapped or bound."""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, quantity
from metacascade.mechanisms.terms import Rate, at, value

TABLE = "blood"


class ArrestedDeath(Section):
    """Keys of [blood]."""
    table: ClassVar[str] = TABLE

    arrested_death_per_h: float = quantity("arrested_death", "1/h", "1/h", 0.01, 0, 100, usual=(0.003, 0.1), source=(
        "nitric oxide kills some 30 % of arrested cells in a day (Wang 2000, Qiu 2003, recalled)"), status=ASSUMED,
        doc="Death hazard of an arrested cell in its vessel, besides NK killing.")


SECTION = ArrestedDeath


def plan(config):
    """One rate, by bed."""
    die = Rate("blood.arrested_death", value("blood.arrested_death", config.blood.arrested_death_per_h),
               doc="dies in the vessel where it is arrested")
    yield die
    yield at(die, {bed: organ.arrested_death for bed, organ in config.organs.items()}, "organs.BED.arrested_death",
             other=0.0)
