"""Growth in the vessel: arrested cells divide where they are, until the wall bursts and lets them out into the organ.

    blood.divide   divide factor        of each cell, by organ

In the lung early growth lies within vessels (Al-Mehdi 2000). Daughters have the traits of the leader.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, integer, quantity, switch
from metacascade.mechanisms.terms import Rate, at, value

TABLE = "vessel_growth"


class VesselGrowth(Section):
    """Arrested cells divide in their vessels."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Arrested cells divide in their vessels.")
    divide_per_h: float = quantity("divide", "1/day", "1/h", 0.05, 0, 100, usual=(0.01, 0.7), source="no measurement",
                                   status=ASSUMED, doc="Hazard of an arrested cell to divide in a vessel of the lung.")
    burst_cells: int = integer("burst_cells", 30, 2, 10_000, usual=(8, 200), source="no measurement", status=ASSUMED,
                               doc="Cells that break the wall, so that they extravasate.")


SECTION = VesselGrowth


def plan(config):
    """One rate, by bed, and the number."""
    c = config.vessel_growth
    divide = Rate("blood.divide", value("vessel_growth.divide", c.divide_per_h),
                  doc="divides in the vessel where it is arrested")
    yield divide
    yield at(divide, {bed: organ.divide for bed, organ in config.organs.items()}, "organs.BED.divide", other=0.0)
    yield Rate("blood.burst_cells", value("vessel_growth.burst_cells", c.burst_cells), unit="cells",
               doc="so many break the wall, and extravasate")
