"""A body of one's own in the config: numbers of the circulation that replace those of the species.

The numbers of man and mouse are in `model.physiology`, and there the two come together.
"""
import math
from collections.abc import Iterator
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Percent, Section, number, numbers, quantity
from metacascade.base.names import nearest
from metacascade.base.nodes import BEDS, VESSELS

FED = tuple(bed for bed in BEDS if bed != "lung")       # by the arteries, which share the output out
FILLED = (*VESSELS, *BEDS)
OWN = "of the animal or patient"
WHOLE, NEAR = 100.0, 0.5                                # per cent, and how near to it all shares together must be


class OwnBody(Section):
    """Circulation of an animal or patient of one's own: what is left out is that of run.species."""
    table: ClassVar[str] = "body"

    output_mL_per_min: float | None = quantity(
        "output", "mL/min", "mL/min", None, 0.1, 1e6, usual=(5, 1e4), source=OWN, status=ASSUMED,
        doc="Cardiac output, of the right heart.")
    blood_mL: float | None = quantity("blood_volume", "mL", "mL", None, 0.01, 1e6, usual=(0.5, 8000), source=OWN,
                                      status=ASSUMED, doc="Volume of all blood.")
    lymph_mL_per_min: float | None = quantity("lymph_flow", "mL/day", "mL/min", None, 1e-3, 1e6, usual=(1, 6000),
                                              source=OWN, status=ASSUMED, doc="Flow of lymph into the veins.")
    lymph_mL: float | None = quantity("lymph_volume", "mL", "mL", None, 1e-4, 1e4, usual=(0.02, 1000), source=OWN,
                                      status=ASSUMED, doc="Volume of all lymph nodes.")
    bronchial: float | None = number("bronchial", None, 0, 20, usual=(0.1, 5), source=OWN, status=ASSUMED, doc=(
        "Flow of the bronchial arteries, from the arteries to the lung on top of the output, in per cent of it."))
    flow: dict[str, Percent] = numbers("flow", 0, 100, doc=(
        "Per cent of the output that beds get from the arteries, by name; the liver without the portal vein. What is "
        "given stays so, the beds that are left out share the rest as those of the species do."))
    blood: dict[str, Percent] = numbers("blood", 0, 100, doc=(
        "Per cent of the blood in nodes of the circuit, by name: beds, venous, arterial, portal; in the same way."))

    @property
    def is_given(self) -> bool:
        """Is it another body than that of the species?"""
        return self != OwnBody()


def wrong(config) -> Iterator[tuple[tuple, str]]:
    """Path and text of what contradicts itself."""
    for key, known in (("flow", FED), ("blood", FILLED)):
        given = getattr(config.body, key)
        for name, share in given.items():
            if name not in known:
                yield ("body", key, name), f"unknown name{nearest(name, known)}; known are {', '.join(known)}"
            elif share == 0.0:
                yield ("body", key, name), "must be above 0: blood would never leave it"
        yield from ((("body", key), why) for why in _wrong_sum(math.fsum(given.values()), len(given) == len(known)))


def _wrong_sum(total, is_all):
    if is_all and abs(total - WHOLE) > NEAR:
        yield f"adds up to {total:g} %, and with a number for each it must be 100"
    elif not is_all and total >= WHOLE:
        yield f"adds up to {total:g} %, and nothing is left for those that it does not name"


def completed(given: dict[str, float], of_species: dict[str, float]) -> dict[str, float]:
    """Shares that add up to 100: those given, and the others in the proportions of the species in what is left."""
    if not given:
        return of_species
    rest = {name: share for name, share in of_species.items() if name not in given}
    left = (WHOLE - math.fsum(given.values())) / math.fsum(rest.values()) if rest else 1.0
    return {name: given.get(name, share * left) for name, share in of_species.items()}
