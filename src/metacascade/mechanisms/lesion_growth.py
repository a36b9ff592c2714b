"""Growth of active lesions: a birth and death process, whose births fall to the deaths at capacity."""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, CONVENTION, RECALLED, Section, integer, quantity
from metacascade.mechanisms.terms import Rate, value

TABLE = None        # lesions that are there live on, also where no new ones are founded


class LesionGrowth(Section):
    """Keys of [colonization]."""
    table: ClassVar[str] = "colonization"

    birth_per_h: float = quantity("birth", "1/day", "1/h", 0.69, 0, 24, usual=(0.14, 1.04), source=(
        "ln 2 / 24 h, as growth.division_time"), status=CONVENTION, doc="Division rate of a cell of an active lesion.")
    death_per_h: float = quantity("death", "1/day", "1/h", 0.05, 0, 24, usual=(0.005, 1), source=(
        "as growth.death_rate"), status=RECALLED, doc="Death rate of a cell of an active lesion.")
    capacity: int = integer("capacity", 10**9, 1, 10**14, usual=(10**6, 3_100_000_000_000), source=(
        "3.1e12 in human (Norton 1988, recalled); 1e9 for a mouse"), status=ASSUMED,
        doc="Cells at which a lesion stops growing.")


SECTION = LesionGrowth


def plan(config):
    """Two rates and a capacity."""
    c = config.colonization
    yield Rate("lesion.birth", value("colonization.birth", c.birth_per_h),
               doc="a cell of an active lesion divides; less (birth - death) * cells / lesion.capacity")
    yield Rate("lesion.death", value("colonization.death", c.death_per_h), doc="a cell of an active lesion dies")
    yield Rate("lesion.capacity", value("colonization.capacity", c.capacity), unit="cells",
               doc="at which a lesion stops growing")
