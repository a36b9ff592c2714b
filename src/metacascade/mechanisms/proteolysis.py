"""Proteolysis: motile cells dissolve the matrix round them and so open tracks, besides what `matrix` has for all cells.

    dL/dt = diffusion lap L - loss L + field.protease.source m / capacity        m: motile cells, by their EMT
    field.matrix.proteolysis   rate clamp(L, 0, 1)

In units of its own: 1 is the level of a wide tissue full of motile cells. The proteases of cells that lead an invasion,
MT1-MMP and what it activates, act at their membrane and near it (Wolf 2007): over sqrt(diffusion / loss).
What goes where the matrix is gone is `confinement`.
"""
from typing import ClassVar

from metacascade.base.columns import mean_over_cells
from metacascade.base.declare import ASSUMED, COMPUTED, Section, quantity, switch
from metacascade.mechanisms.fields import QUICK_S, Diffusing, enough_sweeps, sweeps_over, whole_steps
from metacascade.mechanisms.terms import LOSE, SECRETE, Rate, ramp, state, value

TABLE = "proteolysis"
NONE = "no measurement"


class Proteolysis(Section):
    """Motile cells dissolve the matrix round them."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Motile cells dissolve matrix.", default=False)
    rate_per_h: float = quantity("rate", "1/h", "1/h", 10, 0, 1000, usual=(1, 30), source=(
        "no measurement; so that a single cell, 0.03 of the level of many, clears a track within hours, as it is seen "
        "to do in gels of collagen (Wolf 2007)"), status=ASSUMED, doc=(
            "Rate at which matrix is dissolved at a level of 1."))
    loss_per_h: float = quantity("loss", "1/h", "1/h", 1, 0, 1000, usual=(0.3, 10), source=(
        NONE + "; TIMP and taking in within an hour"), status=ASSUMED, doc="Inactivation of the proteases.")
    secretion_per_h: float = quantity("secretion", "1/h", "1/h", 1, 0, 1000, source=(
        "as loss, so that the level of a wide tissue full of motile cells is 1"), status=COMPUTED, doc=(
            "Secretion of a voxel that is filled with motile cells."))
    diffusion_um2_per_h: float = quantity("diffusion", "um^2/h", "um^2/h", 400, 0.01, 1e6, usual=(50, 2000), source=(
        "so that they reach 20 um, the length of a cell"), status=ASSUMED, doc="Diffusion coefficient.")


SECTION = Proteolysis


def plan(config):
    """A field, what secretes it, and what it takes of the matrix."""
    c, every = config.proteolysis, whole_steps(QUICK_S, config)
    diffusion, decay = (value("proteolysis.diffusion", c.diffusion_um2_per_h),
                        value("proteolysis.loss", c.loss_per_h))
    yield Diffusing(
        "protease", "", diffusion=diffusion, start=0.0, decay=decay,
        sweeps=enough_sweeps(4, diffusion, decay, every, config), start_sweeps=sweeps_over(40, config), every=every,
        doc="proteases of motile cells, relative to that of a wide tissue full of them")
    source = Rate("field.protease.source", value("proteolysis.secretion", c.secretion_per_h), action=SECRETE,
                  doc="by motile cells")
    yield source
    yield state(source, "emt", lambda emt: emt, "emt")
    loss = Rate("field.matrix.proteolysis", value("proteolysis.rate", c.rate_per_h), action=LOSE,
                doc="dissolved by the proteases of motile cells")
    yield loss
    yield ramp(loss, "protease", zero=0.0, full=1.0)
    yield mean_over_cells("protease_mean", "1", "proteases of motile cells where the cells in tissue are, their mean",
                          "protease")
