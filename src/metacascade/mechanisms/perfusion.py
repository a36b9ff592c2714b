"""Blood in vessels: its oxygen falls on its way through cells, sprouts open and close, pressure shuts them.

    oxygen of the blood = [oxygen.vessel] (1 - along / vessel.oxygen_length), while it is above vessel.oxygen_critical
    along = least over all ways from a vessel of the host outside of the tumor, of the sum over its pieces of
            length min(density, 1) (r0 / radius)^2

Above the critical pressure all of the tissue round a vessel has oxygen, and what is taken up does not depend on the
pressure of the blood (Krogh 1919): it falls linearly. Below, uptake goes with it: it falls as an exponential that
touches the line.

A vessel that has grown is shut with the hazard vessel.close, and opens with vessel.open; any piece is pressed shut with
vessel.collapse, and recovers with vessel.recover. In what is shut, and in what has no other way from outside of the
tumor, nothing flows: no oxygen, no entry of cells.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, COMPUTED, RECALLED, Section, number, quantity, switch
from metacascade.mechanisms.terms import Rate, hill, value

TABLE = "perfusion"


class Perfusion(Section):
    """What flows in vessels that live."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("The oxygen of the blood falls along vessels, and vessels open and close.", default=False)
    oxygen_length_um: float = quantity("oxygen_length", "um", "um", 500, 1, 1e6, usual=(200, 2000), source=(
        "what flows, 3.6e-3 cm^3 O2/cm^3/mmHg at 0.15 mm/s in a radius of 5 um, over the uptake of the tissue round "
        "it at 150 mm/mm^3, at 40 mmHg; red cells go at 0.1-0.3 mm/s in tumors (recalled)"), status=COMPUTED, doc=(
            "Way through a full tissue on which blood would lose all of its oxygen at the full uptake of the tissue, "
            "in a vessel of vessels.radius."))
    oxygen_critical_mmHg: float = quantity("oxygen_critical", "mmHg", "mmHg", 23, 0, 760, usual=(10, 40), source=(
        "Krogh's cylinder at 150 mm/mm^3 and a radius of 6.5 um, with uptake, diffusion and wall of section oxygen: "
        "15 mmHg from the wall to the farthest cell, 8 mmHg across the wall"), status=COMPUTED, doc=(
            "Oxygen of the blood below which cells round the vessel lack it, so that uptake goes with it."))
    open_h: float = quantity("open", "h", "h", 9, 0.01, 8766, usual=(1, 50), source=(
        "a share of 10 % shut, of 5-20 %"), status=ASSUMED, doc="Mean time that a vessel that has grown is open.")
    closed_h: float = quantity("closed", "h", "h", 1, 0.01, 8766, usual=(0.3, 5), source=(
        "intermittent flow, of 20-60 min and of hours (review of 2001, doi:10.1080/02841860152708206)"),
        status=RECALLED, doc="Mean time that it is shut.")
    collapse_per_h: float = quantity("collapse", "1/day", "1/h", 0, 0, 1000, usual=(0, 2), source="no measurement",
                                     status=ASSUMED, doc="Hazard that a piece is pressed shut, at high pressure.")
    collapse_half: float = number("collapse_half", 0.1, 1e-6, 10, source="no measurement", status=ASSUMED, doc=(
        "Pressure of crowded cells, as crowding has it, at which that hazard is half."))
    recovery_h: float = quantity("recovery", "day", "h", 1, 0.01, 3650, source="no measurement", status=ASSUMED, doc=(
        "Mean time until a piece opens again that was pressed shut."))


SECTION = Perfusion


def plan(config):
    """A length, a pressure, and four rates."""
    c = config.perfusion
    yield Rate("vessel.oxygen_length", value("perfusion.oxygen_length", c.oxygen_length_um), unit="um",
               doc="the oxygen of the blood is [oxygen.vessel] * (1 - way through cells / this), from "
                   "vessel.oxygen_critical down an exponential that touches it; a length counts by density, up to 1, "
                   "times (vessel.oxygen_radius / radius)^2")
    yield Rate("vessel.oxygen_critical", value("perfusion.oxygen_critical", c.oxygen_critical_mmHg), unit="mmHg",
               doc="oxygen of the blood below which uptake goes with it")
    yield Rate("vessel.oxygen_radius", value("vessels.radius", config.vessels.radius_um), unit="um",
               doc="of a vessel to which that length belongs")
    yield Rate("vessel.close", value("1 / perfusion.open", 1.0 / c.open_h), doc="a vessel that has grown is shut")
    yield Rate("vessel.open", value("1 / perfusion.closed", 1.0 / c.closed_h), doc="it opens again")
    collapse = Rate("vessel.collapse", value("perfusion.collapse", c.collapse_per_h), doc="a piece is pressed shut")
    yield collapse
    yield hill(collapse, "pressure", half=value("perfusion.collapse_half", c.collapse_half), power=4)
    yield Rate("vessel.recover", value("1 / perfusion.recovery", 1.0 / c.recovery_h), doc="it opens again")
