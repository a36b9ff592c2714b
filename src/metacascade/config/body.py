"""Sections of the config beyond the tumor: the blood, the organs, what becomes of cells there, and draws.

Of [blood] and [colonization] only what belongs to no mechanism; see `sections`.
"""
from typing import ClassVar

from metacascade.base.declare import (
    ASSUMED,
    CONVENTION,
    RECALLED,
    Section,
    choice,
    integer,
    number,
    quantity,
    switch,
)
from metacascade.base.nodes import BEDS, NODES

# Where a tumor can grow: name in the config -> bed of the circuit whose drainage it shares.
HOSTS = {name: name for name in BEDS} | {
    "breast": "other", "prostate": "other", "ovary": "other", "bladder": "other", "thyroid": "other",
    "colon": "gut", "rectum": "gut"}
BYPASS = {"prostate": 0.1, "breast": 0.02}  # share of a host's venous blood that skips the lung


class Blood(Section):
    """What happens to a tumor cell in the blood: arrest in capillaries, death, protection."""
    table: ClassVar[str] = "blood"

    enabled: bool = switch("Circulating cells are arrested and die; off: they only circulate.")
    diameter_um: float = quantity("diameter", "um", "um", 16.8, 1, 50, usual=(10, 25), source=(
        "2494 um^3, a convention for tumor cells; cultured lines are larger, 18-21 um"), status=CONVENTION,
        doc="Median diameter of a tumor cell when it enters the blood (lognormal), for all cancers.")
    diameter_spread: float = number("diameter_spread", 0.25, 0, 1, source="no measurement of the law", status=ASSUMED,
                                    doc="Standard deviation of ln(diameter).")
    vertebral_bypass: float | None = number("vertebral_bypass", None, 0, 0.5, source=(
        "autopsy series support the route (Batson); sizes assumed"), status=ASSUMED, doc=(
        "Share of the blood of the tumor that takes the veins of the spine to the bone, past the lung; left out: "
        "0.1 for a tumor of the prostate, 0.02 of the breast, else 0."))
    rectal_portal: float = number("rectal_portal", 0.5, 0, 1, source=(
        "upper rectum to the portal vein, middle and lower to the caval veins; by the site of the tumor"),
        status=ASSUMED, doc=(
            "Share of the blood of a tumor of the rectum that goes to the portal vein; the rest goes to the veins."))


class Organ(Section):
    """One capillary bed, or the lymph node. Each has its own defaults, see `config.organs`."""
    table: ClassVar[str] = "organs"

    capillary_um: float = quantity("capillary", "um", "um", 6, 1, 100, usual=(4, 60), source=(
        "by organ, recalled; brain computed from mouse networks (rat 5.0)"), status=RECALLED,
        doc="Median width of the capillaries; of the lymph node of the way through its sinus.")
    capillary_spread: float = number("capillary_spread", 0.2, 0.001, 2, usual=(0.1, 0.4), source=(
        "the lung 7.5 +- 2.3 um (Doerschuk 1993); no measurement of the others"), status=ASSUMED,
        doc="Standard deviation of ln(width) of the capillaries; 0.3 in the lung.")
    pressure_Pa: float = quantity("pressure", "Pa", "Pa", 780, 0.001, 1e6, usual=(10, 3000), source=(
        "by organ, see config/organs.py"), status=ASSUMED,
        doc="Pressure difference across the stretch of a capillary that a cell plugs.")
    adhesion: float = number("adhesion", 0.3, 0, 100, source="by organ", status=ASSUMED, doc=(
        "Match between the adhesion molecules of the bed and of the cells: factor on blood.binding."))
    extravasation_h: float = quantity("extravasation_time", "h", "h", 24, 0.01, 87660, usual=(6, 240), source=(
        "by organ"), status=RECALLED, doc="Time in which half of the arrested cells leave the vessel.")
    nk: float = number("nk", 0.1, 0, 100, source="NK killing is mostly in the lung", status=ASSUMED, doc=(
        "Factor on blood.nk in this bed; 1 in the lung."))
    soil: float = number("soil", 1.0, 0, 1000, source="1: no preference", status=ASSUMED, doc=(
        "Factor on colonization.start and colonization.wake in this organ."))
    early_death: float = number("early_death", 1.0, 0, 1000, usual=(0.1, 10), source="1: no difference",
                                status=ASSUMED, doc=(
        "Factor on colonization.early_death in this organ."))
    arrested_death: float = number("arrested_death", 1.0, 0, 100, source=(
        "the lung kills most in its vessels in 24 to 48 h (Wong 2001), the liver fewer (Wang 2000)"), status=ASSUMED,
        doc="Factor on blood.arrested_death in this bed; 3 in the lung.")
    divide: float = number("divide", 0.1, 0, 100, source="in the lung growth begins in vessels (Al-Mehdi 2000)",
                           status=ASSUMED, doc="Factor on vessel_growth.divide in this bed; 1 in the lung.")


class Colonization(Section):
    """What becomes of a cell that has left the blood: death, sleep, or a lesion that divides."""
    table: ClassVar[str] = "colonization"

    enabled: bool = switch("Extravasated cells live on, and may found lesions; off: all of them die at once.")
    detect: int = integer("detect", 10**9, 1, 10**14, usual=(10**5, 10**10), doc=(
        "Cells from which on a lesion is noted as detected: a ball of 1.9 cm. A read-out, on which nothing "
        "depends."))
    follow_per_h: float = quantity("follow", "1/day", "1/h", 100_000, 0, 1e14, doc=(
        "Cells that all lesions together shed, by lesion.shed, or a lumped tumor, up to which each is followed in the "
        "blood; of more only those that can found a lesion that grows."))


class Draw(Section):
    """A blood sample: the cells in it are removed and counted."""
    table: ClassVar[str] = "draw"

    node: str = choice("node", "venous", NODES, doc="Where it is taken.")
    time_s: int = quantity("time", "h", "s", 24, 0, 876600, doc=(
        "When, to the second, whatever the step; before what is injected at the same time."))
    volume_mL: float = quantity("volume", "mL", "mL", 0.1, 1e-6, 1000, doc="How much blood.")
