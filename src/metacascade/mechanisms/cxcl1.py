"""CXCL1: a trait of clones by which cells grow faster and call more vessels, also after they have come back.

    tissue.divide       x (1 + (growth - 1) cxcl1)
    field.vegf.source   x (1 + (vessels - 1) cxcl1) / vessels

Of the genes that cells express which have seeded a tumor from the blood, CXCL1 acts after seeding: on growth, vessels
and stroma (Kim 2009). It does not help a cell to get in. The angiogenic factor has units of its own, in which cells of
full CXCL1 secrete as much as cells do where CXCL1 is off.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, switch
from metacascade.mechanisms.terms import heritable, trait

TABLE = "cxcl1"
KIM = "direction: Kim 2009 (Cell 139:1315); size not measured"


class Cxcl1(Section):
    """Clones differ in CXCL1, which raises their growth and their vessels."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Clones differ in CXCL1.", default=False)
    founder: float = number("founder", 0.0, 0, 1, source="the less aggressive parent of a line", status=ASSUMED, doc=(
        "Of the clone that the tumor starts with."))
    mutation: float = number("mutation", 1e-4, 0, 1, usual=(1e-7, 1e-2), source="as invasiveness", status=ASSUMED, doc=(
        "Chance that a division has a daughter in which it is changed."))
    step: float = number("step", 0.2, 0, 1, usual=(0.01, 0.5), source="no measurement", status=ASSUMED, doc=(
        "Size of a change, up or down."))
    growth: float = number("growth", 1.3, 1, 10, usual=(1, 2), source=KIM, status=ASSUMED, doc=(
        "Factor on the division of cells of full CXCL1."))
    vessels: float = number("vessels", 1.3, 1, 10, usual=(1, 2), source=KIM, status=ASSUMED, doc=(
        "How many times as much angiogenic factor cells of full CXCL1 secrete as cells without."))


SECTION = Cxcl1


def plan(config):
    """A trait, and what it does to growth and to the angiogenic factor."""
    c = config.cxcl1
    yield heritable("cxcl1", c, doc="CXCL1, which raises growth and vessels")
    yield trait("tissue.divide", "cxcl1", lambda x: 1.0 + (c.growth - 1.0) * x, "(1 + (cxcl1.growth - 1) * cxcl1)")
    yield trait("field.vegf.source", "cxcl1", lambda x: (1.0 + (c.vessels - 1.0) * x) / c.vessels,
                "((1 + (cxcl1.vessels - 1) * cxcl1) / cxcl1.vessels)")
