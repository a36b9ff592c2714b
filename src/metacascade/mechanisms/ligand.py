"""Ligands: a trait of clones that mutates, by which their cells bind to the endothelium of beds.

    blood.bind   x ligand / founder

It is not the adhesion of cells to each other, which keeps them in tissue and in clusters.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, switch
from metacascade.mechanisms.terms import heritable, trait

TABLE = "ligand"


class Ligand(Section):
    """Clones differ in what they bind to the endothelium with."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Clones differ in their ligands for the endothelium of beds.", default=False)
    founder: float = number("founder", 1.0, 0.01, 1, source="1: no clone binds better", status=ASSUMED, doc=(
        "Of the clone that the tumor starts with, which binds with blood.binding."))
    mutation: float = number("mutation", 1e-4, 0, 1, usual=(1e-7, 1e-2), source="as invasiveness", status=ASSUMED, doc=(
        "Chance that a division has a daughter in which it is changed."))
    step: float = number("step", 0.1, 0, 1, usual=(0.01, 0.5), source="no measurement", status=ASSUMED, doc=(
        "Size of a change, up or down."))


SECTION = Ligand


def plan(config):
    """A trait, and what it does in beds."""
    made = heritable("ligand", config.ligand, doc="ligands for the endothelium of beds")
    yield made
    founder = made.founder_byte / 255           # of cells, which are to bind with blood.binding
    yield trait("blood.bind", "ligand", lambda x: x / founder, f"(ligand / {founder:.9g})")
