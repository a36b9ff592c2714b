"""Adhesion to neighbors: lost where oxygen is low and in mesenchymal cells, and regained among neighbors.

    tissue.adhesion_hypoxia   hypoxia clamp((threshold - P) / (threshold - full), 0, 1)     down by a step of the byte
    tissue.adhesion_emt       emt x the EMT state of the cell                               down by the same step
    tissue.adhesion_regain    regain x density / (density + half)                           up by the same step

Adhesion starts as traits.adhesion_mean and traits.adhesion_spread say, and daughters inherit it. What is lost comes
back, and no more: no step up leads beyond traits.adhesion_mean. Cells of little adhesion enter vessels more easily and
alone (intravasation), come loose (detachment), and find less attachment in their clusters (anoikis). How cells bind to
the endothelium of beds is another matter: see ligand.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, integer, number, quantity, switch
from metacascade.mechanisms.lack import lacking
from metacascade.mechanisms.terms import LOWER, RAISE, Rate, hill, state, value

TABLE = "adhesion"


class Adhesion(Section):
    """Cells in tissue lose and regain adhesion to their neighbors."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Cells change their adhesion; off: it is that of their birth.", default=False)
    hypoxia_per_h: float = quantity("hypoxia", "1/day", "1/h", 0.6, 0, 1000, usual=(0.1, 30), source=(
        "E-cadherin falls within days of hypoxia (Snail, Twist by HIF-1); 5 steps of 51 take 8 days"), status=ASSUMED,
        doc="Hazard of a step down at full hypoxia.")
    emt_per_h: float = quantity("emt", "1/day", "1/h", 0.6, 0, 1000, usual=(0.1, 30), source=(
        "E-cadherin is repressed in EMT within days (Gupta and Massague 2006)"), status=ASSUMED,
        doc="Hazard of a step down of a fully mesenchymal cell.")
    regain_per_h: float = quantity("regain", "1/day", "1/h", 0.5, 0, 1000, usual=(0.05, 30), source=(
        "as the way back of EMT"), status=ASSUMED, doc="Hazard of a step up among many neighbors.")
    half: float = number("half", 0.25, 0.001, 10, usual=(0.05, 1), source="no measurement", status=ASSUMED, doc=(
        "Density of cells, of capacity, at which the hazard of steps up is half."))
    step: int = integer("step", 51, 1, 255, doc="Of the byte, at each event; 255 is from one end to the other.")
    threshold_mmHg: float = quantity("threshold", "mmHg", "mmHg", 10, 0.01, 150, usual=(5, 20), status=ASSUMED,
                                     source="as emt.threshold", doc="Oxygen below which steps down by hypoxia begin.")
    full_mmHg: float = quantity("full", "mmHg", "mmHg", 3, 0, 150, usual=(1, 8), source="as emt.full", status=ASSUMED,
                                doc="Oxygen at and below which their hazard is full.")


SECTION = Adhesion


def plan(config):
    """Two rates by which adhesion is lost, and one by which it comes back."""
    c = config.adhesion
    step = value("adhesion.step", c.step)
    hypoxia = Rate("tissue.adhesion_hypoxia", value("adhesion.hypoxia", c.hypoxia_per_h), action=LOWER, detail=step,
                   byte="adhesion", doc="adhesion lost for want of oxygen")
    yield hypoxia
    yield lacking(hypoxia, c)
    emt = Rate("tissue.adhesion_emt", value("adhesion.emt", c.emt_per_h), action=LOWER, detail=step, byte="adhesion",
               doc="adhesion lost in EMT")
    yield emt
    yield state(emt, "emt", lambda e: e, "emt")
    regain = Rate("tissue.adhesion_regain", value("adhesion.regain", c.regain_per_h), action=RAISE, detail=step,
                  byte="adhesion", doc="adhesion regained")
    yield regain
    yield hill(regain, "density", half=value("adhesion.half", c.half))
    own = config.traits.adhesion_mean
    yield state(regain, "adhesion", lambda a: float(a + (c.step - 0.5) / 255.0 <= own),
                "(adhesion + adhesion.step / 255 <= traits.adhesion_mean)")
