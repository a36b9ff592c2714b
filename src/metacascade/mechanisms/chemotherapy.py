"""Chemotherapy: a drug leaks from perfused vessels and kills cells in tissue, resistant ones less.

    dD/dt = diffusion lap D - decay D + exchange (blood - D)       see fields.Diffusing
    tissue.chemotherapy   kill D^2 / (D^2 + half^2) (1 - drug_resistance) c

The drug is in the blood all the time, or in the windows of a [[therapy]] with rate = "drug.vessel" and otherwise = 0.
Cytotoxic drugs kill cells that cycle, and those far from vessels hardly do (Minchinton and Tannock 2006): with
`cycling` c is by how much oxygen and pressure slow the division of a cell where it is, else 1. The field of the drug
has one value for 2 x 2 x 2 voxels, since small molecules vary over 100 um and more. Resistance is a trait of clones
that mutates at division. Cells in the blood and in lesions are not killed: a therapy on blood.anoikis or lesion.death
does that.
"""
from typing import ClassVar

from metacascade.base.columns import mean_over_cells
from metacascade.base.declare import ASSUMED, RECALLED, Section, number, quantity, switch
from metacascade.mechanisms.fields import Diffusing
from metacascade.mechanisms.terms import REMOVE, Rate, Trait, hill, ramp, trait, value

TABLE = "chemotherapy"


class Chemotherapy(Section):
    """A drug in the blood that leaks from perfused vessels and kills cells of the tumor."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("The drug exists.", default=False)
    kill_per_h: float = quantity("kill", "1/day", "1/h", 1.5, 0, 100, usual=(0.2, 3), source="no single measurement",
                                 status=ASSUMED, doc="Death hazard of a sensitive cell at a high concentration.")
    cycling: bool = switch("It kills a cell the less, the slower it divides by oxygen and pressure.", key="cycling")
    half_uM: float = quantity("half", "uM", "uM", 1, 1e-6, 1e6, usual=(0.01, 100), source=(
        "IC50 of doxorubicin in lines 0.1-1 uM, of cisplatin 1-30 uM"), status=RECALLED,
        doc="Concentration at which the hazard is half of the largest; below, it rises with the square.")
    blood_uM: float = quantity("blood", "uM", "uM", 5, 0, 1e6, usual=(0.1, 50), source="peak in plasma after a bolus",
                               status=RECALLED, doc="Concentration in perfused vessels; a [[therapy]] gives it times.")
    diffusion_um2_per_h: float = quantity("diffusion", "um^2/s", "um^2/h", 100, 0.01, 1e5, usual=(10, 700), source=(
        "small molecules in tumor tissue, 1e-6 cm^2/s"), status=RECALLED, doc="Diffusion coefficient in tissue.")
    decay_per_h: float = quantity("decay", "1/h", "1/h", 0.5, 0, 1000, usual=(0.05, 5), source=(
        "binding and loss together"), status=ASSUMED, doc="Loss of the drug in tissue.")
    wall_um_per_h: float = quantity("wall", "um/s", "um/h", 1, 0, 1e5, usual=(0.01, 10), source=(
        "permeability of tumor vessels for small molecules, 1e-4 cm/s"), status=RECALLED,
        doc="Permeability of the wall of a perfused vessel.")
    resistance: float = number("resistance", 0.0, 0, 1, source="of the experiment", status=ASSUMED, doc=(
        "Resistance of the clone that the tumor starts with: 1 is not killed at all."))
    mutation: float = number("mutation", 1e-6, 0, 1, usual=(1e-9, 1e-3), source=(
        "resistance 1e-9 to 1e-5 per division (Luria and Delbrueck 1943; Bozic 2013)"), status=RECALLED, doc=(
            "Chance that a division has a daughter of another resistance."))
    mutation_step: float = number("mutation_step", 0.5, 0, 1, source="no measurement", status=ASSUMED, doc=(
        "Size of such a change, up or down; 0: none."))


SECTION = Chemotherapy


def plan(config):
    """A field, a trait, and a rate of death with its own cause."""
    c = config.chemotherapy
    kill = Rate("tissue.chemotherapy", value("chemotherapy.kill", c.kill_per_h), action=REMOVE, doc="by the drug")
    yield Diffusing(
        "drug", "uM", diffusion=value("chemotherapy.diffusion", c.diffusion_um2_per_h),
        decay=value("chemotherapy.decay", c.decay_per_h), vessel=value("chemotherapy.blood", c.blood_uM),
        wall=value("chemotherapy.wall", c.wall_um_per_h), start=value("0", 0.0), sweeps=3, coarse=4,
        doc="concentration of the drug; exchange is that of walls of permeability [chemotherapy.wall]")
    yield Trait("drug_resistance", founder=value("chemotherapy.resistance", c.resistance),
                mutation=value("chemotherapy.mutation", c.mutation),
                step=value("chemotherapy.mutation_step", c.mutation_step),
                doc="against chemotherapy: 1 is not killed at all")
    yield kill
    yield hill(kill, "drug", half=value("chemotherapy.half", c.half_uM), power=2)
    yield trait(kill, "drug_resistance", lambda r: 1.0 - r, "(1 - drug_resistance)")
    if c.cycling:
        yield hill(kill, "oxygen", half=value("growth.oxygen_half", config.growth.oxygen_half_mmHg))
        yield ramp(kill, "pressure", zero=value("crowding.pressure_max", config.crowding.pressure_max), full=0)
    yield mean_over_cells("drug_mean", "uM", "drug where the cells in tissue are, their mean", "drug")
