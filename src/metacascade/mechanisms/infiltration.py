"""MMP1 and fascin-1: two traits of clones by which cells that pass a tumor get out of its vessels (Kim 2009).

    blood.mmp1    (gain - 1) mmp1      in the tumor; the same of blood.fscn1
    exit from the vessels of the tumor   x (1 + blood.mmp1) (1 + blood.fscn1)

Each is a rate of its own, zero but in the tumor, because a factor by a trait would hold in all organs: Kim 2009 names
them for the way into the tumor. So a drug against them takes off what they bring, and no more. They do not make a bed
hold a cell, which is homing; CXCL1 acts after that, on growth ([cxcl1]).
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, switch
from metacascade.mechanisms.terms import Rate, at, heritable, trait, value

TABLE = "infiltration"
GENES = {"mmp1": "collagenase 1", "fscn1": "fascin-1, which bundles actin"}


class Infiltration(Section):
    """Clones differ in the genes that let them out of the vessels of a tumor."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Clones differ in MMP1 and FSCN1.", default=False)
    gain: float = number("gain", 3.0, 1, 100, usual=(1.5, 5), source="direction: Kim 2009", status=ASSUMED, doc=(
        "Of each gene: how many times as fast a cell leaves the vessels of a tumor that has all of it."))
    founder: float = number("founder", 0.0, 0, 1, source="the less aggressive parent of a line", status=ASSUMED, doc=(
        "Of each gene, of the clone that the tumor starts with."))
    mutation: float = number("mutation", 1e-4, 0, 1, usual=(1e-7, 1e-2), source="as invasiveness", status=ASSUMED, doc=(
        "Chance that a division has a daughter in which one of them is changed, for each."))
    step: float = number("step", 0.2, 0, 1, usual=(0.01, 0.5), source="no measurement", status=ASSUMED, doc=(
        "Size of a change, up or down."))


SECTION = Infiltration


def plan(config):
    """Two traits, and what each adds to the exit in the tumor."""
    c = config.infiltration
    for gene, what in GENES.items():
        yield heritable(gene, c, doc=f"expression of {gene.upper()}, {what}")
        adds = Rate(f"blood.{gene}", value("infiltration.gain - 1", c.gain - 1.0), unit="",
                    doc=f"the exit from a vessel, blood.extravasate, is times 1 + blood.{gene}")
        yield adds
        yield at(adds, {"tumor": 1.0}, "(1 in the tumor, 0 elsewhere)", other=0.0)
        yield trait(adds, gene, lambda x: x, gene)
