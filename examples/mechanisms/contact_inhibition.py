"""Contact inhibition: division is slowed by neighbors, and the more so the less oxygen there is.

    tissue.divide   x 1 / (1 + strength density^2 half / (P + half))

An example of the slow road: this factor depends on two fields at once, so it is no product of the shapes that the plan
knows, and a function in Python computes it, tile by tile. Its operations are + - * / alone, which all processors do
alike; NumPy's exp, log and power may differ between them in the last bit.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, quantity, switch
from metacascade.mechanisms.terms import python_factor

TABLE = "contact_inhibition"


class ContactInhibition(Section):
    """Neighbors slow division, the more so in hypoxia."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Neighbors slow division.", default=False)
    strength: float = number("strength", 2.0, 0, 1000, usual=(0, 20), source="no measurement", status=ASSUMED, doc=(
        "By how much cells at capacity slow the division without oxygen."))
    half_mmHg: float = quantity("half", "mmHg", "mmHg", 5, 0.01, 100, usual=(1, 20), source="no measurement",
                                status=ASSUMED, doc="Oxygen at which it is half as strong.")


SECTION = ContactInhibition


def plan(config):
    """One factor on the rate of another mechanism."""
    c = config.contact_inhibition

    def slowed(oxygen, density):
        """1 in an empty voxel; arrays of the 512 voxels of a tile."""
        return 1 / (1 + c.strength * density * density * (c.half_mmHg / (oxygen + c.half_mmHg)))

    yield python_factor(
        "tissue.divide", slowed, ("oxygen", "density"),
        "1 / (1 + contact_inhibition.strength * density^2"
        " * contact_inhibition.half / (oxygen + contact_inhibition.half))")
