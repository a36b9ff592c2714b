"""Neutrophils: IL-8 of tumor cells draws them through perfused vessels, and their MMP-9 opens walls.

    dI/dt = diffusion lap I - decay I + field.il8.source n / capacity                   IL-8
    dN/dt = motility lap N - loss N + field.neutrophils.inflow exchange (1 - N)         density, 1 is the largest
    dP/dt = mmp9_diffusion lap P - mmp9_loss P + field.mmp9.source + field.mmp9.added        MMP-9 free of TIMP
    field.neutrophils.inflow   I / (I + half)
    field.mmp9.source          mmp9 clamp(N, 0, 1)
    tissue.intravasate         x (1 + opening P / (P + opening_half))
    vessel.sprout              x (1 + sprouting P / (P + opening_half))

Neutrophils release MMP-9 without its inhibitor TIMP, which raises angiogenesis and intravasation together; both fall if
IL-8 is neutralized, and purified MMP-9 brings them back (Bekes 2011). To block is a [[therapy]] on field.il8.source or
field.neutrophils.inflow; to bring back is one on field.mmp9.added, which is zero unless `added` says otherwise.
"""
from typing import ClassVar

from metacascade.base.columns import mean_over_cells
from metacascade.base.declare import ASSUMED, COMPUTED, RECALLED, Section, number, quantity, switch
from metacascade.mechanisms.fields import SLOW_S, Diffusing, sweeps_over, whole_steps
from metacascade.mechanisms.recruitment import drawn_in, signal
from metacascade.mechanisms.terms import ADD, Rate, boost, ramp, value

TABLE = "neutrophils"


class Neutrophils(Section):
    """Neutrophils that IL-8 draws into the tumor, and their MMP-9."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Neutrophils come into the tumor.", default=False)
    secretion_per_h: float = quantity("secretion", "1/h", "1/h", 3.6, 0, 1000, usual=(0.1, 4), source=(
        "as il8_decay, so that the level of a wide tumor is 1"), status=COMPUTED, doc=(
            "Secretion of IL-8 by a full voxel of cells."))
    il8_diffusion_um2_per_h: float = quantity(
        "il8_diffusion", "um^2/s", "um^2/h", 40, 0, 1e4, usual=(10, 150), source="8 kDa, bound to matrix",
        status=RECALLED, doc="Diffusion coefficient of IL-8.")
    il8_decay_per_h: float = quantity("il8_decay", "1/h", "1/h", 3.6, 0, 1000, usual=(0.1, 4), source=(
        "so that it spreads over 200 um; 100-250 um is said of chemokines"), status=ASSUMED,
        doc="Decay and uptake of IL-8.")
    half: float = number("half", 0.3, 1e-6, 1000, usual=(0.03, 3), source="no measurement", status=ASSUMED, doc=(
        "Level of IL-8, relative to that of a wide tumor, at which half as many come as can."))
    recruitment_um_per_h: float = quantity("recruitment", "um/h", "um/h", 10, 0, 1000, usual=(1, 100), source=(
        "so that a well-drawn tumor at 150 mm/mm^3 of vessels has more than half of the largest density"),
        status=ASSUMED, doc="Permeability of the wall of a perfused vessel for neutrophils.")
    loss_per_h: float = quantity("loss", "1/day", "1/h", 1, 0, 100, usual=(0.3, 4), source=(
        "neutrophils live for one to two days in tissue"), status=RECALLED, doc="Death of neutrophils.")
    motility_um2_per_h: float = quantity("motility", "um^2/h", "um^2/h", 1000, 0.01, 1e5, usual=(200, 10_000), source=(
        "v^2 tau / 3 of 5 um/min and two minutes"), status=ASSUMED, doc="Random motility of neutrophils.")
    mmp9_per_h: float = quantity("mmp9", "1/h", "1/h", 0.1, 0, 1000, usual=(0.01, 1), source=(
        "as mmp9_loss, so that the level among as many neutrophils as can be is 1"), status=COMPUTED, doc=(
            "Release of MMP-9 where neutrophils are as many as can be."))
    mmp9_loss_per_h: float = quantity("mmp9_loss", "1/h", "1/h", 0.1, 0, 100, usual=(0.01, 1), source=(
        "no measurement"), status=ASSUMED, doc="Inactivation of MMP-9, by TIMP and by decay.")
    mmp9_diffusion_um2_per_h: float = quantity(
        "mmp9_diffusion", "um^2/s", "um^2/h", 0.5, 0, 1e4, usual=(0.1, 30), source="92 kDa, bound to matrix",
        status=ASSUMED, doc="Diffusion coefficient of MMP-9.")
    added_per_h: float = quantity("added", "1/h", "1/h", 0, 0, 1, source="of the experiment", status=ASSUMED, doc=(
        "MMP-9 from outside, everywhere; a [[therapy]] gives it times."))
    opening: float = number("opening", 3.0, 0, 100, usual=(0.5, 10), source=(
        "without neutrophils intravasation is 0.4 of what it was, assumed; direction Bekes 2011"), status=ASSUMED, doc=(
            "By how much MMP-9 raises the passage into vessels: a factor up to 1 + opening."))
    opening_half: float = number("opening_half", 0.3, 1e-6, 10, usual=(0.1, 2), source="no measurement", status=ASSUMED,
                                 doc="Level of MMP-9 at which half of that is reached.")
    sprouting: float = number("sprouting", 2.0, 0, 100, usual=(0.5, 10), source=(
        "no measurement; direction Bekes 2011, where MMP-9 without TIMP brings vessels"), status=ASSUMED, doc=(
            "By how much MMP-9 raises sprouting of vessels: a factor up to 1 + sprouting."))


SECTION = Neutrophils


def plan(config):
    """IL-8, the neutrophils, their protease, and what it does to walls."""
    c = config.neutrophils
    yield from signal(
        "il8", c, config, value("neutrophils.il8_diffusion", c.il8_diffusion_um2_per_h),
        value("neutrophils.il8_decay", c.il8_decay_per_h), doc="IL-8, relative to that of a wide tumor")
    yield from drawn_in("neutrophils", c, config, by="il8", sweeps=4, start_sweeps=200)
    yield from _mmp9(c, config)
    yield boost("tissue.intravasate", "mmp9", half=value("neutrophils.opening_half", c.opening_half),
                gain=value("neutrophils.opening", c.opening))
    yield boost("vessel.sprout", "mmp9", half=value("neutrophils.opening_half", c.opening_half),
                gain=value("neutrophils.sprouting", c.sprouting))
    yield mean_over_cells("neutrophils_mean", "1", "density of neutrophils where the cells in tissue are, their mean",
                          "neutrophils")
    yield mean_over_cells("mmp9_mean", "1", "MMP-9 of neutrophils where the cells in tissue are, their mean", "mmp9")


def _mmp9(c, config):
    yield Diffusing(
        "mmp9", "", diffusion=value("neutrophils.mmp9_diffusion", c.mmp9_diffusion_um2_per_h), start=0.0,
        decay=value("neutrophils.mmp9_loss", c.mmp9_loss_per_h), sweeps=sweeps_over(4, config),
        start_sweeps=sweeps_over(200, config), coarse=4, every=whole_steps(SLOW_S, config),
        doc="MMP-9 without TIMP, relative to that among as many neutrophils as can be")
    source = Rate("field.mmp9.source", value("neutrophils.mmp9", c.mmp9_per_h), action=ADD, doc="by neutrophils")
    yield source
    yield ramp(source, "neutrophils", zero=0.0, full=1.0)
    yield Rate("field.mmp9.added", value("neutrophils.added", c.added_per_h), action=ADD, doc="from outside")
