"""Clonogenic cells: few cells of a tumor can found a lesion that grows at all.

    lesion.clonogenic   chance of a cell that leaves a vessel; of n together 1 - (1 - p)^n

It is drawn once, when they leave the vessel. What is not clonogenic may live for long, asleep, and never divides.
"""
from typing import ClassVar

from metacascade.base.declare import RECALLED, Section, number
from metacascade.mechanisms.terms import Rate, value

TABLE = "colonization"      # without it no cell lives outside of the vessels


class Clonogenic(Section):
    """Keys of [colonization]."""
    table: ClassVar[str] = TABLE

    clonogenic: float = number("clonogenic", 2e-5, 0, 1, usual=(1e-7, 1), source=(
        "about 1 in 5e4 bulk cells of breast cancers forms a tumor in limiting dilution (Al-Hajj 2003); lines 1e-3 to "
        "0.3"), status=RECALLED, doc="Chance that a shed or injected cell can found a lesion that grows at all.")


SECTION = Clonogenic


def plan(config):
    """One probability, of the cell alone: it is drawn also where a lesion sheds many."""
    yield Rate("lesion.clonogenic", value("colonization.clonogenic", config.colonization.clonogenic), unit="",
               doc="chance of a cell to be able to found a lesion that grows; one of a cluster is enough")
