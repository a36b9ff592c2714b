"""Sections of the config of what is told of a tumor: its outline, its stage. Nothing that happens depends on them."""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, RECALLED, Section, integer, quantity, switch

DETECTED = {"human": 10**7, "mouse": 10**6}       # cells at which a tumor is detected, unless they are given


class Outline(Section):
    """The outline of the tumor, and what is told by it. Nothing that happens to a cell depends on it."""
    table: ClassVar[str] = "outline"

    enabled: bool = switch("Compute the outline, and in which zone cells are shed: core, border or outside.")
    interval_s: int = quantity("interval", "h", "s", 6, 1 / 3600, 876600, doc=(
        "Time between two outlines; a multiple of the step. The zone of a shed cell is that of the newest one."))
    gap_um: float = quantity("gap", "um", "um", 60, 0, 5000, usual=(45, 90), source=(
        "what is told hardly depends on it from 45 to 90 um (docs/model.md)"), status=ASSUMED, doc=(
            "Radius of the balls that make up what is outside: what leads in through something narrower is inside, as "
            "necrosis that has come to the edge is. 0: a way of one voxel leads in."))
    depth_um: float = quantity("depth", "um", "um", 50, 0, 5000, usual=(15, 300), source=(
        "no number found; the core of Deryugina and Kiosses 2017 is what is not border or invading sprout"),
        status=ASSUMED, doc="The core is what lies deeper than this under the outline; the border what does not.")
    opening_um: float = quantity("opening", "um", "um", 75, 0, 5000, usual=(40, 150), source=(
        "no number found; strands of invading tumors are some 2 to 10 cells wide"), status=ASSUMED, doc=(
            "Radius of the ball that the body of a tumor is made of: what is narrower may be a sprout, in or out of "
            "the outline."))
    sprout_um: float = quantity("sprout", "um", "um", 60, 0, 5000, usual=(15, 300), source=(
        "two voxels: more than the loose cells along the outline"), status=ASSUMED, doc=(
            "A mass of cells that is joined to the body of the tumor and reaches farther than this out of it is a "
            "sprout."))
    sampled_cells: int = integer("sampled_cells", 10_000, 0, 10**9, doc=(
        "Cells in tissue whose distance to the nearest vessel is taken at each output, about so many; 0: none."))


class Staging(Section):
    """Stage and detection, as staging of man would tell them. Nothing that happens to a cell depends on them."""
    table: ClassVar[str] = "staging"

    detection_given: int | None = integer("detection_cells", None, 1, 10**15, usual=(10**5, 10**9), source=(
        "imaging in man 1e7 (early, high resolution) to 1e9 cells, in the mouse 1e6"), status=RECALLED, doc=(
            "Cells of the tumor from which it can be detected; left out: 1e7 in man, 1e6 in the mouse."))
    metastasis_cells: int = integer("metastasis_cells", 200, 1, 10**15, usual=(1, 10**9), source=(
        "AJCC: up to 200 cells are isolated tumor cells and no metastasis"), status=RECALLED, doc=(
            "Cells from which a lesion is a metastasis, which makes stage 4."))
    invasion_um: float = quantity("invasion", "um", "um", 100, 0, 1e5, usual=(30, 1000), source="no measurement",
                                  status=ASSUMED, doc=(
        "Distance out of the outline from which cells make a tumor invasive; one that is not is in situ, stage 0."))
    small_um: float = quantity("small", "mm", "um", 20, 0.001, 1000, source="AJCC: T1 is up to 20 mm",
                               status=RECALLED, doc=(
        "Diameter up to which an invasive tumor is of stage 1. For the mouse nobody has staged by size: nearly all of "
        "its tumors are smaller, so there 1 says no more than invasive, unless this is set."))
    large_um: float = quantity("large", "mm", "um", 50, 0.001, 1000, source="AJCC: T2 is up to 50 mm",
                               status=RECALLED, doc=(
        "Diameter up to which an invasive tumor that is not small is of stage 2; a larger one is of stage 3."))
