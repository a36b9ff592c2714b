"""Macrophages: tumor cells draw them through perfused vessels, and they dissolve matrix and open walls of vessels.

    dS/dt = diffusion lap S - decay S + field.csf1.source n / capacity           signal of the tumor: CSF-1 and CCL2
    dM/dt = motility lap M - loss M + field.macrophages.inflow exchange (1 - M)  density, 1 is the largest
    field.macrophages.inflow       S / (S + half)
    field.matrix.cathepsins        cathepsins clamp(M, 0, 1)                     a loss of the matrix
    field.matrix.other_proteases   compensation cathepsins clamp(M, 0, 1) clamp(matrix, 0, 1)
    tissue.intravasate             x (1 + opening M / (M + opening_half))        (Harney 2015)

Other proteases make up for cathepsins that are blocked (Akkari 2016: cathepsin Z for B and S): they are called forth by
matrix that is still there. Blockers are therapies on the rates: of CSF-1 on field.csf1.source or
field.macrophages.inflow, of cathepsins on field.matrix.cathepsins. A tumor starts with the macrophages that it would
come to have. They are a density and no agents, as they act on what is round them and not on single cells.
"""
from typing import ClassVar

from metacascade.base.columns import mean_over_cells
from metacascade.base.declare import ASSUMED, COMPUTED, RECALLED, Section, number, quantity, switch
from metacascade.mechanisms.recruitment import drawn_in, signal
from metacascade.mechanisms.terms import LOSE, Rate, boost, ramp, value

TABLE = "macrophages"


class Macrophages(Section):
    """Macrophages that the tumor draws in, their cathepsins, and their hand on the walls of vessels."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Macrophages come into the tumor.", default=False)
    secretion_per_h: float = quantity("secretion", "1/h", "1/h", 3.6, 0, 1000, usual=(0.1, 4), source=(
        "as signal_decay, so that the level of a wide tumor is 1"), status=COMPUTED, doc=(
            "Secretion of the signal (CSF-1, CCL2) by a full voxel of cells."))
    signal_diffusion_um2_per_h: float = quantity(
        "signal_diffusion", "um^2/s", "um^2/h", 40, 0, 1e4, usual=(10, 150), source="as cytokines of 20-40 kDa",
        status=RECALLED, doc="Diffusion coefficient of the signal.")
    signal_decay_per_h: float = quantity("signal_decay", "1/h", "1/h", 3.6, 0, 1000, usual=(0.1, 4), source=(
        "so that it spreads over 200 um; 100-250 um is said of chemokines"), status=ASSUMED,
        doc="Decay and uptake of the signal.")
    half: float = number("half", 0.3, 1e-6, 1000, usual=(0.03, 3), source="no measurement", status=ASSUMED, doc=(
        "Level of the signal, relative to that of a wide tumor, at which half as many come as can."))
    recruitment_um_per_h: float = quantity("recruitment", "um/h", "um/h", 2, 0, 1000, usual=(0.2, 20), source=(
        "so that a well-drawn tumor at 150 mm/mm^3 of vessels has three quarters of the largest density"),
        status=ASSUMED, doc="Permeability of the wall of a perfused vessel for monocytes.")
    loss_per_h: float = quantity("loss", "1/day", "1/h", 0.1, 0, 24, usual=(0.02, 0.5), source=(
        "tumor macrophages are replaced within days to weeks"), status=RECALLED,
        doc="Death and leaving of macrophages.")
    motility_um2_per_h: float = quantity("motility", "um^2/h", "um^2/h", 70, 0.01, 1e5, usual=(10, 1000), source=(
        "v^2 tau / 3 of 20 um/h and half an hour"), status=ASSUMED, doc="Random motility of macrophages.")
    cathepsins_per_h: float = quantity("cathepsins", "1/h", "1/h", 0.02, 0, 100, usual=(0.002, 0.2), source=(
        "direction Gocheva 2010, size not known"), status=ASSUMED, doc=(
            "Rate at which cathepsins dissolve matrix where macrophages are as many as can be."))
    compensation: float = number("compensation", 0.3, 0, 1, source=(
        "direction Akkari 2016, size not known"), status=ASSUMED, doc=(
            "Share of the work of cathepsins that other proteases do where matrix is left; 1: all."))
    opening: float = number("opening", 3.0, 0, 100, usual=(1, 20), source=(
        "direction Harney 2015, size not known"), status=ASSUMED, doc=(
            "By how much many macrophages raise the passage into vessels: a factor up to 1 + opening."))
    opening_half: float = number("opening_half", 0.5, 1e-6, 10, usual=(0.1, 1), source="no measurement", status=ASSUMED,
                                 doc="Density of macrophages at which half of that is reached.")


SECTION = Macrophages


def plan(config):
    """The signal, the macrophages, and what they do to matrix and walls."""
    c = config.macrophages
    yield from signal(
        "csf1", c, config, value("macrophages.signal_diffusion", c.signal_diffusion_um2_per_h),
        value("macrophages.signal_decay", c.signal_decay_per_h),
        doc="signal to monocytes (CSF-1, CCL2), relative to that of a wide tumor")
    yield from drawn_in("macrophages", c, config, by="csf1", sweeps=3, start_sweeps=150, steady_start=True)
    yield from _proteases(c)
    yield boost("tissue.intravasate", "macrophages", half=value("macrophages.opening_half", c.opening_half),
                gain=value("macrophages.opening", c.opening))
    yield mean_over_cells("macrophages_mean", "1", "density of macrophages where the cells in tissue are, their mean",
                          "macrophages")


def _proteases(c):
    cathepsins = Rate("field.matrix.cathepsins", value("macrophages.cathepsins", c.cathepsins_per_h), action=LOSE,
                      doc="dissolved by cathepsins of macrophages")
    others = Rate("field.matrix.other_proteases", value(
        "macrophages.compensation * macrophages.cathepsins", c.compensation * c.cathepsins_per_h), action=LOSE,
        doc="by other proteases of macrophages, where matrix is left")
    for rate in (cathepsins, others):
        yield rate
        yield ramp(rate, "macrophages", zero=0.0, full=1.0)
    yield ramp(others, "matrix", zero=0.0, full=1.0)
