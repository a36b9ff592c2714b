"""The blood-brain barrier: three genes let cells through it. Bos 2009: PTGS2 (COX2), HBEGF and ST6GALNAC5.

    blood.barrier   prod (1 + (gain - 1) trait)     in the brain

A factor by a trait holds for a rate wherever it is, and the genes are to act in the brain alone. So what they make of
the exit from a vessel is a rate of its own, which is zero but in the brain; where it is above zero it multiplies
blood.extravasate. That the brain lets out few is its organs.brain.extravasation_time, of all cells.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, switch
from metacascade.mechanisms.terms import Rate, at, heritable, trait, value

TABLE = "blood_brain_barrier"
GENES = {"ptgs2": "COX2", "hbegf": "ligand of EGFR", "st6galnac5": "sialyltransferase of the brain"}


class BloodBrainBarrier(Section):
    """Clones differ in the genes that let them into the brain."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Clones differ in PTGS2, HBEGF and ST6GALNAC5.", default=False)
    gain: float = number("gain", 3.0, 1, 100, usual=(1.5, 5), source="direction: Bos 2009", status=ASSUMED, doc=(
        "Of each gene: how many times as fast a cell leaves the vessels of the brain that has all of it."))
    founder: float = number("founder", 0.0, 0, 1, source="of the experiment", status=ASSUMED, doc=(
        "Of each gene, of the clone that the tumor starts with."))
    mutation: float = number("mutation", 1e-4, 0, 1, usual=(1e-7, 1e-2), source="as invasiveness", status=ASSUMED, doc=(
        "Chance that a division has a daughter in which one of them is changed, for each."))
    step: float = number("step", 0.2, 0, 1, usual=(0.01, 0.5), source="no measurement", status=ASSUMED, doc=(
        "Size of a change, up or down."))


SECTION = BloodBrainBarrier


def plan(config):
    """Three traits, and what they make of the exit in the brain."""
    c = config.blood_brain_barrier
    barrier = Rate("blood.barrier", value("1", 1.0), unit="", doc=(
        "where it is above 0, blood.extravasate times this"))
    yield barrier
    yield at(barrier, {"brain": 1.0}, "(1 in the brain, 0 elsewhere)", other=0.0)
    for gene, what in GENES.items():
        yield heritable(gene, c, doc=f"expression of {gene.upper()}, {what}")
        yield trait(barrier, gene, lambda x: 1.0 + (c.gain - 1.0) * x, f"(1 + (blood_brain_barrier.gain - 1) * {gene})")
