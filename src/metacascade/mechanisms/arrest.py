"""Arrest in capillaries, by adhesion and by size. A cell passes a bed with the chance

    exp(-bind) / (1 + exp(slope (deformability diameter / capillary - offset)))

to the power blood.passages (1 + blood.homing).
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, COMPUTED, Section, number
from metacascade.mechanisms.terms import Rate, at, state, value

TABLE = "blood"


class Arrest(Section):
    """Keys of [blood]."""
    table: ClassVar[str] = TABLE

    deformability: float = number("deformability", 1.0, 0.1, 2, source="part of arrest_offset", status=ASSUMED, doc=(
        "Factor on the diameter in capillaries: below 1 for soft cells."))
    arrest_slope: float = number("arrest_slope", 4.1, 0, 10, usual=(2, 8), source=(
        "so that at 6 um an 11 um CTC is held in 2.5 % and an 18.4 um line cell in 80 % of passages"), status=COMPUTED,
        doc="k of the arrest by size, 1 / (1 + exp(-k (diameter / capillary - offset))) per passage of a bed.")
    arrest_offset: float = number("arrest_offset", 2.73, -10, 50, source="as arrest_slope", status=COMPUTED, doc=(
        "Diameter over capillary diameter at which half are held; 50 switches the arrest by size off."))
    binding: float = number("binding", 0.02, 0, 10, source="no measurement", status=ASSUMED, doc=(
        "b of the arrest by adhesion, 1 - exp(-b match adhesion) per passage of a bed."))


SECTION = Arrest


def plan(config):
    """The coefficients of a passage of a bed."""
    c = config.blood
    bind = Rate("blood.bind", value("blood.binding", c.binding), unit="",
                doc="arrest by adhesion: exp(-blood.bind) pass")
    yield bind
    yield at(bind, {bed: organ.adhesion for bed, organ in config.organs.items()}, "organs.BED.adhesion", other=0.0)
    yield state(bind, "adhesion", lambda a: a, "adhesion")
    yield Rate("blood.arrest_slope", value("blood.arrest_slope", c.arrest_slope), unit="",
               doc="arrest by size: 1 / (1 + exp(blood.arrest_slope * (blood.deformability * diameter / "
                   "[organs.BED.capillary] - blood.arrest_offset))) pass")
    yield Rate("blood.arrest_offset", value("blood.arrest_offset", c.arrest_offset), unit="",
               doc="diameter over capillary at which half are held")
    yield Rate("blood.deformability", value("blood.deformability", c.deformability), unit="",
               doc="of the diameter, in capillaries")
