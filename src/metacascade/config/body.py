"""Sections of the config beyond the tumor: the blood, the organs, what starts there, injections and draws.

Of [blood] and [colonization] only what belongs to no mechanism; see `sections`.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, MEASURED, RECALLED, Section, choice, integer, number, quantity, switch
from metacascade.base.nodes import BEDS, NODES, WITH_LESIONS

# Where a tumor can grow: name in the config -> bed of the circuit whose drainage it shares.
HOSTS = {name: name for name in BEDS} | {
    "breast": "other", "prostate": "other", "ovary": "other", "bladder": "other", "thyroid": "other",
    "colon": "gut", "rectum": "gut"}
BYPASS = {"prostate": 0.1, "breast": 0.02}  # share of a host's venous blood that skips the lung


class Blood(Section):
    """What happens to a tumor cell in the blood: arrest in capillaries, death, protection."""
    table: ClassVar[str] = "blood"

    enabled: bool = switch("Circulating cells are arrested and die; off: they only circulate.")
    diameter_um: float = quantity("diameter", "um", "um", 12.4, 1, 50, usual=(5, 25), source=(
        "Mendelaar 2021 (PMC7782084), 71,612 CTCs: breast 12.4, prostate 10.3, colorectal 7.5"), status=MEASURED,
        doc="Median diameter of a circulating tumor cell (lognormal); cultured lines are larger, 18-21 um.")
    diameter_spread: float = number("diameter_spread", 0.25, 0, 1, source="no measurement of the law", status=ASSUMED,
                                    doc="Standard deviation of ln(diameter).")
    vertebral_bypass: float | None = number("vertebral_bypass", None, 0, 0.5, source=(
        "autopsy series support the route (Batson); sizes assumed"), status=ASSUMED, doc=(
        "Share of the blood of the tumor that takes the veins of the spine to the bone, past the lung; left out: "
        "0.1 for a tumor of the prostate, 0.02 of the breast, else 0."))


class Organ(Section):
    """One capillary bed, or the lymph node. Each has its own defaults, see ORGANS."""
    table: ClassVar[str] = "organs"

    capillary_um: float = quantity("capillary", "um", "um", 6, 1, 100, usual=(4, 60), source=(
        "by organ, recalled; brain computed from mouse networks (rat 5.0)"), status=RECALLED,
        doc="Diameter of the capillaries; of the lymph node the width of the way through its sinus.")
    adhesion: float = number("adhesion", 0.3, 0, 100, source="by organ", status=ASSUMED, doc=(
        "Match between the adhesion molecules of the bed and of the cells: factor on blood.binding."))
    extravasation_h: float = quantity("extravasation_time", "h", "h", 24, 0.01, 87660, usual=(6, 240), source=(
        "by organ"), status=RECALLED, doc="Time in which half of the arrested cells leave the vessel.")
    nk: float = number("nk", 0.1, 0, 100, source="NK killing is mostly in the lung", status=ASSUMED, doc=(
        "Factor on blood.nk in this bed; 1 in the lung."))
    soil: float = number("soil", 1.0, 0, 1000, source="1: no preference", status=ASSUMED, doc=(
        "Factor on colonization.establish in this organ."))


# Where a bed differs from the defaults of Organ (science: recalled diameters and times, assumed matches).
ORGANS = {
    "tumor": dict(capillary_um=10.0, adhesion=1.0),
    "lung": dict(adhesion=1.0, nk=1.0),
    "liver": dict(capillary_um=8.0, adhesion=1.0),
    "brain": dict(capillary_um=6.1, adhesion=0.5, extravasation_h=96.0),
    "bone": dict(capillary_um=25.0, adhesion=1.0, extravasation_h=12.0),
    "kidney": dict(capillary_um=7.0),
    "adrenal": dict(capillary_um=8.0, adhesion=0.8),
    "muscle": dict(capillary_um=5.0, adhesion=0.2, extravasation_h=48.0),
    # ASSUMED, so that of cells of 12 to 14 um 4 to 20 % pass: of a hepatoma 10 % came through within 3 h (Tohoku J Exp
    # Med 127:183, 1979), others pass too (Fisher and Fisher 1966)
    "lymph_node": dict(capillary_um=4.0, adhesion=1.0),
}


def complete_organs(given: dict) -> dict:
    """A table for every bed, the tumor and the lymph node: `given` over the bed's own defaults. Checks nothing."""
    def one(name):
        own = given.get(name, {})
        return ORGANS.get(name, {}) | own if isinstance(own, dict) else own

    return {name: one(name) for name in dict.fromkeys(["tumor", *WITH_LESIONS, *given])}


class Colonization(Section):
    """What becomes of a cell that has left the blood: death, sleep or a growing lesion."""
    table: ClassVar[str] = "colonization"

    enabled: bool = switch("Extravasated cells may found lesions; off: all of them die.")


class Injection(Section):
    """Cells put into the blood by hand: the classic experiments."""
    table: ClassVar[str] = "injection"

    node: str = choice("node", "venous", NODES, doc="Where they enter the circuit.")
    time_s: int = quantity("time", "h", "s", 0, 0, 876600, doc="When it starts, to the second, whatever the step.")
    duration_s: int = quantity("duration", "min", "s", 0, 0, 52596000, doc="How long it takes; 0 is a bolus.")
    cells: int = integer("cells", 100_000, 1, 4 * 10**9, doc="How many single cells.")
    diameter_um: float = quantity("diameter", "um", "um", 18.4, 1, 50, usual=(5, 25), source=(
        "Mendelaar 2021: cultured breast lines 18.4, prostate lines 20.7"), status=MEASURED,
        doc="Median diameter (lognormal).")
    diameter_spread: float = number("diameter_spread", 0.25, 0, 1, source="as blood.diameter_spread", status=ASSUMED,
                                    doc="Standard deviation of ln(diameter).")
    emt: float = number("emt", 1.0, 0, 1, source="of the experiment", status=ASSUMED, doc=(
        "0 epithelial, 1 mesenchymal and motile."))
    adhesion: float = number("adhesion", 0.7, 0, 1, source="as traits.adhesion_mean", status=ASSUMED, doc=(
        "Adhesion of the cells: 0 free, 1 bound."))


class Draw(Section):
    """A blood sample: the cells in it are removed and counted."""
    table: ClassVar[str] = "draw"

    node: str = choice("node", "venous", NODES, doc="Where it is taken.")
    time_s: int = quantity("time", "h", "s", 24, 0, 876600, doc=(
        "When, to the second, whatever the step; before what is injected at the same time."))
    volume_mL: float = quantity("volume", "mL", "mL", 0.1, 1e-6, 1000, doc="How much blood.")
