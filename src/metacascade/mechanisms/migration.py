"""A biased persistent random walk of motile cells, up the oxygen gradient.

    x += e sigma xi + e bias v dt grad P / (|grad P| + half),   sigma^2 = 2/3 v^2 tau dt
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, CONVENTION, Section, number, quantity, switch
from metacascade.mechanisms.sources import PHYSICELL
from metacascade.mechanisms.terms import Rate, gradient, state, value

TABLE = "migration"


class Migration(Section):
    """A biased persistent random walk of motile cells."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Motile cells migrate.")
    speed_um_per_h: float = quantity("speed", "um/h", "um/h", 15, 0, 1000, usual=(3, 240), source=(
        f"0.25 um/min, {PHYSICELL}; intravital bursts of some um/min (Condeelis lab, recalled)"), status=CONVENTION,
        doc="Mean speed of a motile cell.")
    persistence_h: float = quantity("persistence", "min", "h", 15, 0.1, 1440, usual=(5, 60), source=(
        f"5 min in {PHYSICELL}, assumed longer in collagen"), status=ASSUMED,
        doc="Time over which a cell keeps its direction.")
    bias: float = number("bias", 0.3, 0, 0.8, source=f"0.5 in {PHYSICELL}", status=ASSUMED,
                         doc="Share of the motion that is directed, up the oxygen gradient, where it is steep.")
    gradient_half_mmHg_per_um: float = quantity(
        "gradient_half", "mmHg/um", "mmHg/um", 0.1, 1e-6, 100, usual=(0.001, 1), source="no direct measurement",
        status=ASSUMED, doc="Oxygen gradient at which half of the bias is reached.")


SECTION = Migration


def plan(config):
    """Three coefficients; the speed is that of the state of the cell."""
    c = config.migration
    speed = Rate("tissue.speed", value("migration.speed", c.speed_um_per_h), unit="um/h", doc="mean speed of a cell")
    yield speed
    yield state(speed, "emt", lambda e: e, "emt")
    yield Rate("tissue.persistence", value("migration.persistence", c.persistence_h), unit="h",
               doc="time over which it keeps its direction")
    bias = Rate("tissue.bias", value("migration.bias", c.bias), unit="",
                doc="share of its motion that is up the gradient of oxygen")
    yield bias
    yield gradient(bias, "oxygen", half=value("migration.gradient_half", c.gradient_half_mmHg_per_um))
