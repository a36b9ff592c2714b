"""Mutations that a user declares: [[trait]] marks clones, and acts on what a mechanism of the user lets it act on.

A daughter of a division is a mutant with the sum of the chances of all traits. She founds a clone, in which one trait,
chosen in proportion to its chance, is a step up or down. Traits that act are declared by the mechanisms in which they
do, in the same way; lesions do not mutate.
"""
import re
from typing import ClassVar

from metacascade.base.declare import ASSUMED, RECALLED, Section, choice, number, text
from metacascade.mechanisms.terms import DIRECTIONS, Trait

TABLE = None            # there are as many as there are tables [[trait]]
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class Mutation(Section):
    """A trait of clones that mutates: a daughter with a mutation founds a clone."""
    table: ClassVar[str] = "trait"

    name: str = text("name", "", longest=32, doc=(
        "Its name, a column of /clones: a small letter, then small letters, digits and _."))
    founder: float = number("founder", 0.0, 0, 1, doc="Value of the clone that a tumor starts with.")
    mutation: float = number("mutation", 1e-6, 0, 1, usual=(1e-9, 1e-3), source=(
        "resistance 1e-9 to 1e-5 per division (Luria and Delbrueck 1943; Bozic 2013)"), status=RECALLED, doc=(
            "Chance that a division has a daughter in which it is changed. Lesions do not mutate."))
    step: float = number("step", 0.1, 0, 1, source="no measurement", status=ASSUMED, doc=(
        "Size of a change, rounded to 1/255; 0: clones that differ in their ancestors alone."))
    direction: str = choice("direction", "both", DIRECTIONS, doc=(
        "Of a change; both: up or down with the same chance, a limit is not passed, and from it the other way."))
    low: float = number("low", 0.0, 0, 1, doc="Lower limit of its values.")
    high: float = number("high", 1.0, 0, 1, doc="Upper limit of its values.")


SECTION = None          # the config lists it


def plan(config):
    """A trait for each table."""
    for c in config.trait:
        yield Trait(c.name, founder=c.founder, low=c.low, high=c.high, mutation=c.mutation, step=c.step,
                    direction=c.direction, doc="declared by the user")
