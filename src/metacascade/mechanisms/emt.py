"""EMT: a reversible state of the cell, 0 epithelial to 1 mesenchymal, up in hypoxia and among macrophages, and back.

    tissue.emt_up     up clamp((threshold - P) / (threshold - full), 0, 1)     by a step of the byte 0..255
    tissue.emt_host   macrophages M / (M + macrophages_half)                   up by the same step, M macrophages
    tissue.emt_down   down                                                     down by the same step

A mesenchymal cell is faster (migration: its speed is in proportion to its EMT), detaches and enters vessels more
easily, leaves less often with neighbors, and is spared from anoikis:

    tissue.intravasate   x (1 + detachment emt)
    tissue.cluster       x (1 - scattering emt)
    blood.anoikis        x (1 - anoikis_resistance emt)

Directions are measured, values ASSUMED. In the blood and in lesions the state stays as it was in tissue.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, integer, number, quantity, switch
from metacascade.mechanisms.lack import lacking
from metacascade.mechanisms.terms import LOWER, RAISE, Rate, hill, state, value

TABLE = "emt"


class EMT(Section):
    """Cells in tissue change between epithelial and mesenchymal, and back."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Cells change their EMT state; off: it is that of their birth.", default=False)
    up_per_h: float = quantity("up", "1/day", "1/h", 1.25, 0, 1000, usual=(0.1, 30), source=(
        "markers change within 2-7 days of hypoxia or TGF-beta; 5 steps of 51 take 4 days"), status=ASSUMED,
        doc="Hazard of a step up at full hypoxia.")
    down_per_h: float = quantity("down", "1/day", "1/h", 0.5, 0, 1000, usual=(0.05, 30), source=(
        "back within 1-2 weeks of withdrawal; 5 steps of 51 take 10 days"), status=ASSUMED,
        doc="Hazard of a step down, everywhere.")
    macrophages_per_h: float = quantity("macrophages", "1/day", "1/h", 0.6, 0, 1000, usual=(0.1, 30), source=(
        "TGF-beta of macrophages drives EMT (Bonde 2012), direction"), status=ASSUMED, doc=(
            "Hazard of a step up among the most macrophages, where [macrophages] is on."))
    macrophages_half: float = number("macrophages_half", 0.5, 1e-6, 10, usual=(0.1, 1), source="no measurement",
                                     status=ASSUMED, doc="Density of macrophages at which it is half of that.")
    step: int = integer("step", 51, 1, 255, doc=(
        "Of the byte, at each event; 255 is from one end to the other. 51: four hybrid states between the ends, of "
        "which tumors show several (Pastushenko 2018)."))
    threshold_mmHg: float = quantity("threshold", "mmHg", "mmHg", 10, 0.01, 150, usual=(5, 20), source=(
        "stabilization of HIF-1 alpha below 1-2 % O2"), status=ASSUMED, doc="Oxygen below which steps up begin.")
    full_mmHg: float = quantity("full", "mmHg", "mmHg", 3, 0, 150, usual=(1, 8), source="as threshold", status=ASSUMED,
                                doc="Oxygen at and below which the hazard of steps up is full.")
    detachment: float = number("detachment", 3.0, 0, 1000, usual=(0, 30), source="no measurement", status=ASSUMED, doc=(
        "By how much a mesenchymal cell enters vessels more often: a factor 1 + detachment x emt."))
    scattering: float = number("scattering", 0.8, 0, 1, source="direction only", status=ASSUMED, doc=(
        "By how much it leaves with neighbors less often: a factor 1 - scattering x emt."))
    anoikis_resistance: float = number("anoikis_resistance", 0.8, 0, 1, source="direction only", status=ASSUMED, doc=(
        "Share of anoikis that a mesenchymal cell is spared."))


SECTION = EMT


def plan(config):
    """Three rates of switching, and what the state does; its hand on speed is declared with migration."""
    c = config.emt
    step = value("emt.step", c.step)
    up = Rate("tissue.emt_up", value("emt.up", c.up_per_h), action=RAISE, detail=step, doc="towards mesenchymal")
    yield up
    yield lacking(up, c)
    host = Rate("tissue.emt_host", value("emt.macrophages", c.macrophages_per_h), action=RAISE, detail=step,
                doc="towards mesenchymal, by macrophages")
    yield host
    yield hill(host, "macrophages", half=value("emt.macrophages_half", c.macrophages_half))
    yield Rate("tissue.emt_down", value("emt.down", c.down_per_h), action=LOWER, detail=step,
               doc="towards epithelial")
    yield state("tissue.intravasate", "emt", lambda e: 1.0 + c.detachment * e, "(1 + emt.detachment * emt)")
    yield state("tissue.cluster", "emt", lambda e: 1.0 - c.scattering * e, "(1 - emt.scattering * emt)")
    yield state("blood.anoikis", "emt", lambda e: 1.0 - c.anoikis_resistance * e, "(1 - emt.anoikis_resistance * emt)")
