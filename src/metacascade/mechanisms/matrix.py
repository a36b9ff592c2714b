"""The extracellular matrix: what cells and proteases degrade, and the stroma rebuilds slowly.

    dM/dt = field.matrix.rebuild - turnover M - field.matrix.loss M     each voxel for itself
    field.matrix.loss   degradation clamp(n / capacity, 0, 1)

1 is that of normal stroma, where rebuilding and turnover balance. A tumor starts with what it would have left of it in
time: turnover / (turnover + degradation) where it is dense. Others may put losses of their own on the field.
"""
from typing import ClassVar

from metacascade.base.columns import mean_over_cells
from metacascade.base.declare import ASSUMED, Section, quantity, switch
from metacascade.mechanisms.fields import SLOW_S, Diffusing, whole_steps
from metacascade.mechanisms.terms import ADD, DENSITY, LOSE, Rate, ramp, value

TABLE = "matrix"


class Matrix(Section):
    """The extracellular matrix, relative to that of normal stroma."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("There is a matrix that cells degrade.", default=False)
    turnover_per_h: float = quantity("turnover", "1/day", "1/h", 0.03, 0, 24, usual=(0.002, 0.3), source=(
        "wounds lay down collagen over some weeks; no measurement in tumors"), status=ASSUMED, doc=(
            "Rate at which normal stroma loses and rebuilds its matrix."))
    degradation_per_h: float = quantity("degradation", "1/h", "1/h", 0.005, 0, 100, usual=(0.0005, 0.05), source=(
        "no measurement; less than cathepsins of macrophages: most proteases are of the host"), status=ASSUMED, doc=(
            "Rate at which the cells of a full voxel degrade it; fewer cells in proportion."))


SECTION = Matrix


def plan(config):
    """A field without diffusion, what rebuilds it, and what cells take."""
    c = config.matrix
    yield Diffusing(
        "matrix", "", diffusion=0.0, start=1.0, decay=value("matrix.turnover", c.turnover_per_h), sweeps=1,
        start_sweeps=30, steady_start=True, every=whole_steps(SLOW_S, config), absent=1.0,
        doc="extracellular matrix, relative to normal stroma, where a tile starts at 1")
    yield Rate("field.matrix.rebuild", value("matrix.turnover", c.turnover_per_h), action=ADD,
               doc="laid down anew by the stroma")
    loss = Rate("field.matrix.loss", value("matrix.degradation", c.degradation_per_h), action=LOSE,
                doc="degraded by the cells of the tumor")
    yield loss
    yield ramp(loss, DENSITY, zero=0.0, full=1.0)
    yield mean_over_cells("matrix_mean", "1", "extracellular matrix where the cells in tissue are, their mean",
                          "matrix")
