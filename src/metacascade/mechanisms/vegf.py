"""The angiogenic factor: cells that lack oxygen secrete it, by the EGFR and Id activity of their clone.

    dV/dt = diffusion lap V - decay V + field.vegf.source n / capacity
    field.vegf.source   secretion clamp((threshold - P) / (threshold - full), 0, 1) x EGFR x Id

where EGFR is egfr_residual + (1 - egfr_residual) egfr, and Id alike.

In units of its own: 1 is the level that a wide tissue full of such cells without oxygen, of full EGFR and Id, comes to.
EGFR and Id act on what is secreted, so on vessels, and not on the crossing of a cell (Deryugina and Kiosses 2017; Lyden
1999). A drug against the factor, EGFR or Id is a [[therapy]] on field.vegf.source. The factor spreads over
sqrt(diffusion / decay), some 500 um, so its field has one value for 4 x 4 x 4 voxels.
"""
from typing import ClassVar

from metacascade.base.columns import mean_over_cells
from metacascade.base.declare import ASSUMED, COMPUTED, RECALLED, Section, number, quantity, switch
from metacascade.mechanisms.fields import QUICK_S, Diffusing, sweeps_over, whole_steps
from metacascade.mechanisms.lack import lacking
from metacascade.mechanisms.terms import SECRETE, Rate, Trait, trait, value

TABLE = "vegf"
NONE = "no measurement"


class Vegf(Section):
    """The angiogenic factor that cells without oxygen secrete, by EGFR and Id of their clone."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Cells secrete an angiogenic factor.", default=False)
    secretion_per_h: float = quantity("secretion", "1/h", "1/h", 0.65, 0, 1000, usual=(0.1, 5), source=(
        "as decay, so that the level of a wide tissue of hypoxic cells is 1"), status=COMPUTED, doc=(
            "Secretion of a voxel that is filled with hypoxic cells of full EGFR and Id."))
    threshold_mmHg: float = quantity("threshold", "mmHg", "mmHg", 20, 0.01, 150, usual=(8, 45), source=(
        "HIF-1 is half of its largest at 1.5-2 % O2 (Jiang 1996)"), status=RECALLED,
        doc="Oxygen below which cells begin to secrete.")
    full_mmHg: float = quantity("full", "mmHg", "mmHg", 4, 0, 150, usual=(1, 8), source=(
        "HIF-1 is largest at 0.5 % O2 (Jiang 1996)"), status=RECALLED,
        doc="Oxygen at and below which secretion is full.")
    diffusion_um2_per_h: float = quantity("diffusion", "um^2/s", "um^2/h", 40, 0.01, 1e4, usual=(10, 110), source=(
        "10 (Serini 2003) to 104 (Mac Gabhann 2006) in models of tissue"), status=RECALLED,
        doc="Diffusion coefficient in tissue.")
    decay_per_h: float = quantity("decay", "1/h", "1/h", 0.65, 0, 1000, usual=(0.2, 3), source=(
        "half-life 64 min (Serini 2003)"), status=RECALLED, doc="Loss in tissue.")
    egfr: float = number("egfr", 1.0, 0, 1, source="of the experiment", status=ASSUMED, doc=(
        "EGFR activity of the clone that the tumor starts with."))
    egfr_residual: float = number("egfr_residual", 0.3, 0, 1, usual=(0.1, 0.7), source=(
        "size; direction Deryugina and Kiosses 2017"), status=ASSUMED, doc="Share of the secretion without EGFR.")
    egfr_mutation: float = number("egfr_mutation", 0.0, 0, 1, usual=(0, 1e-3), source=NONE, status=ASSUMED, doc=(
        "Chance that a division has a daughter of another EGFR activity."))
    egfr_step: float = number("egfr_step", 0.2, 0, 1, source=NONE, status=ASSUMED, doc=(
        "Size of such a change, up or down; 0: none."))
    id_level: float = number("id_level", 1.0, 0, 1, source="of the experiment", status=ASSUMED, doc=(
        "Activity of Id genes in the clone that the tumor starts with."))
    id_residual: float = number("id_residual", 0.3, 0, 1, usual=(0.1, 0.7), source=(
        "size; direction Lyden 1999, Henke 2008"), status=ASSUMED, doc="Share of the secretion without Id activity.")
    id_mutation: float = number("id_mutation", 0.0, 0, 1, usual=(0, 1e-3), source=NONE, status=ASSUMED, doc=(
        "Chance that a division has a daughter of another Id activity."))
    id_step: float = number("id_step", 0.2, 0, 1, source=NONE, status=ASSUMED, doc=(
        "Size of such a change, up or down; 0: none."))


SECTION = Vegf


def plan(config):
    """A field, its source with what acts on it, and two traits."""
    c = config.vegf
    yield Diffusing(
        "vegf", "", diffusion=value("vegf.diffusion", c.diffusion_um2_per_h), start=0.0,
        decay=value("vegf.decay", c.decay_per_h), sweeps=sweeps_over(8, config),
        start_sweeps=sweeps_over(200, config), coarse=2, every=whole_steps(QUICK_S, config),
        doc="angiogenic factor, relative to that of a wide tissue full of hypoxic cells")
    source = Rate("field.vegf.source", value("vegf.secretion", c.secretion_per_h), action=SECRETE,
                  doc="by hypoxic cells")
    yield source
    yield lacking(source, c)
    yield from _trait(source, "egfr", c.egfr, c.egfr_residual, c.egfr_mutation, c.egfr_step, "EGFR activity")
    yield from _trait(source, "id_level", c.id_level, c.id_residual, c.id_mutation, c.id_step, "activity of Id genes")
    yield mean_over_cells("vegf_mean", "1", "angiogenic factor where the cells in tissue are, their mean", "vegf")


def _trait(source, name, founder, residual, mutation, step, doc):
    """A trait on the source: residual + (1 - residual) x trait."""
    key = name.partition("_")[0]
    yield Trait(name, founder=value(f"vegf.{name}", founder), mutation=value(f"vegf.{key}_mutation", mutation),
                step=value(f"vegf.{key}_step", step), doc=doc)
    yield trait(source, name, lambda level: residual + (1.0 - residual) * level,
                f"(vegf.{key}_residual + (1 - vegf.{key}_residual) * {name})")
