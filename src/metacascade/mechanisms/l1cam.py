"""The L1CAM-high state of cells that have lost their neighbors: a bit, off again when re-embedded (Ganesh 2020).

    tissue.l1cam_on    on half^4 / (density^4 + half^4)         sets the bit where a cell has few neighbors
    tissue.l1cam_off   off density^4 / (density^4 + half^4)     clears it where it has many
    blood.l1cam_on     sets it in all cells that have been in the blood for blood_time
    lesion.l1cam_on    sets it in lesions of fewer than lesion_cells, at the end of each step
    lesion.l1cam_off   clears it in those of as many or more

A high cell is spared from chemotherapy, x (1 - spared), and more often clonogenic, x clonogenic. Directions are
those of Ganesh 2020, values ASSUMED.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, integer, number, quantity, switch
from metacascade.mechanisms.terms import CLEAR, SET, Bit, Rate, bit, fall, hill, value

TABLE = "l1cam"
GANESH = "direction: Ganesh 2020 (Nat Cancer 1:28)"


class L1CAM(Section):
    """The L1CAM-high state of cells without neighbors."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Cells switch between L1CAM-low and L1CAM-high.", default=False)
    on_per_h: float = quantity("on", "1/day", "1/h", 1, 0, 1000, usual=(0.1, 10), source=GANESH, status=ASSUMED,
                               doc="Hazard of an isolated cell in tissue to become L1CAM-high.")
    off_per_h: float = quantity("off", "1/day", "1/h", 0.5, 0, 1000, usual=(0.05, 5), source=GANESH, status=ASSUMED,
                                doc="Hazard of an embedded cell in tissue to become L1CAM-low again.")
    half: float = number("half", 0.25, 0.001, 10, usual=(0.05, 0.8), source="no measurement", status=ASSUMED, doc=(
        "Density of cells, of capacity, at which a cell is as much embedded as isolated."))
    blood_time_h: float = quantity("blood_time", "h", "h", 6, 0, 8760, usual=(1, 48), source=GANESH, status=ASSUMED,
                                   doc="Time after which a cell in the blood is L1CAM-high.")
    lesion_cells: int = integer("lesion_cells", 50, 0, 10**9, usual=(10, 1000), source=GANESH, status=ASSUMED, doc=(
        "Cells from which on a lesion is L1CAM-low: they have neighbors again. Smaller ones are L1CAM-high."))
    spared: float = number("spared", 0.7, 0, 1, source=GANESH, status=ASSUMED,
                           doc="Share of the killing by chemotherapy that an L1CAM-high cell is spared.")
    clonogenic: float = number("clonogenic", 5.0, 0, 1000, usual=(1, 50), source=GANESH, status=ASSUMED, doc=(
        "Factor on the chance of an L1CAM-high cell to be able to found a lesion that grows."))


SECTION = L1CAM


def plan(config):
    """A bit, its switches in tissue, blood and lesions, and what it does."""
    c = config.l1cam
    half, cells = value("l1cam.half", c.half), value("l1cam.lesion_cells", c.lesion_cells)
    yield Bit("L1CAM", doc="L1CAM-high")
    on = Rate("tissue.l1cam_on", value("l1cam.on", c.on_per_h), action=SET, detail="L1CAM", doc="few neighbors")
    off = Rate("tissue.l1cam_off", value("l1cam.off", c.off_per_h), action=CLEAR, detail="L1CAM", doc="many neighbors")
    yield on
    yield fall(on, "density", half=half, power=4)
    yield off
    yield hill(off, "density", half=half, power=4)
    yield Rate("blood.l1cam_on", value("l1cam.blood_time", c.blood_time_h), unit="h", action=SET, detail="L1CAM",
               doc="no neighbors")
    yield Rate("lesion.l1cam_on", cells, unit="cells", action=SET, detail="L1CAM", doc="few neighbors")
    yield Rate("lesion.l1cam_off", cells, unit="cells", action=CLEAR, detail="L1CAM", doc="many neighbors")
    yield bit("tissue.chemotherapy", "L1CAM", value("(1 - l1cam.spared)", 1.0 - c.spared))
    yield bit("lesion.clonogenic", "L1CAM", value("l1cam.clonogenic", c.clonogenic))
