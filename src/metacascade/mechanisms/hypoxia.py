"""Necrosis where oxygen is low.

    tissue.necrosis   1 / survival  clamp((threshold - P) / (threshold - full), 0, 1)
"""
from typing import ClassVar

from metacascade.base.declare import CONVENTION, RECALLED, Section, quantity, switch
from metacascade.mechanisms.lack import lacking
from metacascade.mechanisms.sources import PHYSICELL
from metacascade.mechanisms.terms import REMOVE, Rate, value

TABLE = "hypoxia"
CORE = f"the core of {PHYSICELL}"


class Hypoxia(Section):
    """Necrosis without oxygen."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Cells die for lack of oxygen.")
    threshold_mmHg: float = quantity("threshold", "mmHg", "mmHg", 5, 0, 150, usual=(0.5, 10), source=CORE,
                                     status=CONVENTION, doc="Oxygen below which cells begin to die.")
    full_mmHg: float = quantity("full", "mmHg", "mmHg", 2.5, 0, 150, usual=(0.1, 10), source=CORE,
                                status=CONVENTION, doc="Oxygen at and below which the hazard is full.")
    survival_h: float = quantity("survival", "h", "h", 36, 0.01, 87660, usual=(1, 48), source=(
        "half of the hypoxic cells of three tumors are gone after 17, 23 and 49 h (Ljungkvist 2005, recalled): 36 h is "
        "their mean life; PhysiCell kills in 6 h, and leaves no cell below 2.5 mmHg (docs/model.md)"),
        status=RECALLED, doc="Mean survival at the full hazard.")


SECTION = Hypoxia


def plan(config):
    """One rate, by oxygen."""
    c = config.hypoxia
    necrosis = Rate("tissue.necrosis", value("1 / hypoxia.survival", 1.0 / c.survival_h), action=REMOVE,
                    doc="death for lack of oxygen")
    yield necrosis
    yield lacking(necrosis, c)
