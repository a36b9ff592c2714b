"""Detachment: an immotile cell comes loose from its neighbors, the more easily the less it adheres.

    tissue.detach        rate (1 - adhesion)^exponent        of cells of EMT 0, whose EMT is raised to `state`
    tissue.intravasate   x attached                          of cells of EMT 0, which have not come loose

A detached cell is one that is motile: it walks with the speed of its EMT state, and may enter a vessel. With
`attached` = 0 that is the only way in: then intravasation.detach_exponent = 0 keeps adhesion from counting twice. With
[emt] on, a detached cell comes to rest again when its EMT state has fallen to 0.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, integer, number, quantity, switch
from metacascade.mechanisms.terms import RAISE, Rate, state, value

TABLE = "detachment"


class Detachment(Section):
    """Immotile cells come loose, become motile, and may enter vessels."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Cells come loose; off: motile are those of birth, and those that EMT makes so.",
                           default=False)
    rate_per_h: float = quantity("rate", "1/day", "1/h", 0.02, 0, 1000, usual=(1e-4, 1), source="no measurement",
                            status=ASSUMED, doc="Hazard of a cell without adhesion to come loose.")
    exponent: float = number("exponent", 1.0, 0, 10, usual=(1, 4), source="no measurement", status=ASSUMED, doc=(
        "n of the factor (1 - adhesion)^n."))
    state: int = integer("state", 128, 1, 255, doc=(
        "EMT byte of a cell that has come loose: a hybrid state, with the speed that belongs to it."))
    attached: float = number("attached", 0.0, 0, 1, source="cells must separate first (Gupta and Massague 2006)",
                             status=ASSUMED, doc=(
                                 "Entry into vessels of cells that have not come loose, relative to those that have."))


SECTION = Detachment


def plan(config):
    """One rate, and a factor on entry."""
    c = config.detachment
    detach = Rate("tissue.detach", value("detachment.rate", c.rate_per_h), action=RAISE,
                  detail=value("detachment.state", c.state), doc="comes loose and becomes motile")
    yield detach
    yield state(detach, "adhesion", lambda a: (1.0 - a) ** c.exponent, "(1 - adhesion)^detachment.exponent")
    yield state(detach, "emt", lambda e: float(e <= 0.0), "(emt <= 0)")
    yield state("tissue.intravasate", "emt", lambda e: 1.0 - (1.0 - c.attached) * (e <= 0.0),
                "(1 - (1 - detachment.attached) * (emt <= 0))")
