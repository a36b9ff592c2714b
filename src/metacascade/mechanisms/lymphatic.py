"""The lymphatic exit: cells at the rim enter lymphatics, and come through a lymph node into the veins.

    dC/dt = collapse (range^2 laplacian(C) - C + n / capacity)
    dL/dt = field.lymphatics.regrow - turnover L - field.lymphatics.collapse L       each voxel for itself
    field.lymphatics.regrow     turnover clamp((1 - C) / (1 - squeezed), 0, 1)
    field.lymphatics.collapse   collapse clamp((C - squeezed) / (1 - squeezed), 0, 1)
    tissue.lymphatic            hazard clamp(L, 0, 1) (1 - adhesion)

L is the share of lymphatics that are open, 1 in stroma. Cells that are crowded over a length, C, press them shut, so a
tumor has none inside, and open ones at its margin (Padera 2002, Koukourakis 2005): to the depth range ln(1 / (2 - 2
squeezed)) under a flat one that stands still. There the cells are that enter them. What is shed follows the surface of
a tumor and not its volume (Gyure 1985). They grow again where cells have left room.

Lymph brings the cells to the lymph node, a node of the circuit of its own, with the parameters of [organs.lymph_node]:
there they are held, die, leave the sinus and found lesions as in other organs, or flow on into the veins. In lymph
there are no platelets and no shear.
"""
from typing import ClassVar

from metacascade.base.columns import mean_over_cells
from metacascade.base.declare import ASSUMED, COMPUTED, Section, number, quantity, switch
from metacascade.mechanisms.fields import QUICK_S, Diffusing, enough_sweeps, sweeps_over, whole_steps
from metacascade.mechanisms.terms import ADD, DRAIN, LOSE, SECRETE, Rate, ramp, state, value

TABLE = "lymphatic"


class Lymphatic(Section):
    """The lymphatic exit: cells at the rim of the tumor leave it with lymph."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Cells leave the tumor with lymph.", default=False)
    hazard_per_h: float = quantity("hazard", "1/day", "1/h", 0.003, 0, 1000, usual=(1e-5, 0.1), source=(
        "Gyure 1985: of rat tumors of 1 cm one viable tumor cell in 1e5 cells of the lymph before the node; with 2e8 "
        "lymph cells a day (recalled) 2000 a day of the 2e6 cells of the outermost 20 um, over 0.3, the mean of "
        "1 - adhesion"), status=COMPUTED, doc=(
            "Hazard of a detached cell where all lymphatics are open."))
    range_um: float = quantity("range", "um", "um", 30, 0, 1000, usual=(15, 100), source="no measurement",
                               status=ASSUMED, doc="Length over which the density of cells that press is taken.")
    squeezed: float = number("squeezed", 0.75, 0, 0.99, usual=(0.5, 0.95), source=(
        "so that lymphatics stay open within 20 um of the margin; no measurement"), status=ASSUMED, doc=(
            "Density of cells, of capacity, above which they press lymphatics shut."))
    collapse_per_h: float = quantity("collapse", "1/h", "1/h", 1, 0, 1000, usual=(0.1, 10), source=(
        "no measurement; mechanical, so fast against growth"), status=ASSUMED, doc=(
            "Rate at which lymphatics among crowded cells are pressed shut; in proportion from `squeezed` to 1."))
    turnover_per_h: float = quantity("turnover", "1/day", "1/h", 0.03, 0, 24, usual=(0.005, 0.3), source=(
        "lymphatics grow back into wounds over some weeks; no measurement in tumors"), status=ASSUMED, doc=(
            "Rate at which they grow again where cells leave room, and are lost without it."))


SECTION = Lymphatic


def plan(config):
    """Two fields, and the exit."""
    c, every = config.lymphatic, whole_steps(QUICK_S, config)
    yield from _crowd(c, config, every)
    yield from _lymphatics(c, every)
    drain = Rate("tissue.lymphatic", value("lymphatic.hazard", c.hazard_per_h), action=DRAIN,
                 doc="enters the lymphatics of its voxel, and comes to the lymph node")
    yield drain
    yield ramp(drain, "lymphatics", zero=0.0, full=1.0)
    yield state(drain, "adhesion", lambda a: 1.0 - a, "(1 - adhesion)")
    yield mean_over_cells("lymphatics_mean", "1", "share of lymphatics that are open where the cells in tissue are, "
                          "their mean", "lymphatics")


def _crowd(c, config, every):
    """The density over a length."""
    turnover = value("lymphatic.collapse", c.collapse_per_h)
    diffusion = value("lymphatic.collapse * lymphatic.range^2", c.collapse_per_h * c.range_um**2)
    yield Diffusing(
        "crowd", "", diffusion=diffusion, start=0.0, decay=turnover,
        sweeps=enough_sweeps(6, diffusion, turnover, every, config), start_sweeps=sweeps_over(100, config),
        steady_start=True, every=every,
        doc="density of cells over the length [lymphatic.range]")
    yield Rate("field.crowd.source", turnover, action=SECRETE, doc="by all cells of the tumor alike")


def _lymphatics(c, every):
    """What is open, what presses it shut, and what opens it."""
    yield Diffusing(
        "lymphatics", "", diffusion=0.0, start=1.0, decay=value("lymphatic.turnover", c.turnover_per_h), sweeps=1,
        start_sweeps=30, steady_start=True, every=every,
        doc="share of lymphatics that are open; a tile starts at 1")
    squeezed = value("lymphatic.squeezed", c.squeezed)
    regrow = Rate("field.lymphatics.regrow", value("lymphatic.turnover", c.turnover_per_h), action=ADD,
                  doc="grown again where cells leave room")
    yield regrow
    yield ramp(regrow, "crowd", zero=1.0, full=squeezed)
    collapse = Rate("field.lymphatics.collapse", value("lymphatic.collapse", c.collapse_per_h), action=LOSE,
                    doc="pressed shut by crowded cells")
    yield collapse
    yield ramp(collapse, "crowd", zero=squeezed, full=1.0)
