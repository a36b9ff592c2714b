"""Genetic instability: a trait of clones that mutates, by which all their traits mutate more often.

    tissue.mutate   fold^instability

The chance that a division has a mutant daughter is the sum of the chances of all traits, this one included, times
tissue.mutate of the clone of the mother, and at most 1.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, RECALLED, Section, number, switch
from metacascade.mechanisms.terms import Rate, heritable, trait, value

TABLE = "instability"


class Instability(Section):
    """Clones differ in how often they mutate."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Clones differ in how often they mutate.", default=False)
    fold: float = number("fold", 100.0, 1, 1e6, usual=(10, 1000), source=(
        "mutator lines over normal ones, some 100-fold; chromosomal instability drives resistance (Sotillo 2010)"),
        status=RECALLED, doc="How many times as often as one of instability 0 a clone of instability 1 mutates.")
    founder: float = number("founder", 0.0, 0, 1, source="a stable start", status=ASSUMED, doc=(
        "Of the clone that the tumor starts with."))
    mutation: float = number("mutation", 1e-5, 0, 1, usual=(1e-8, 1e-3), source="as resistance", status=ASSUMED, doc=(
        "Chance, at instability 0, that a division has a daughter in which it is changed."))
    step: float = number("step", 0.25, 0, 1, usual=(0.01, 1), source="no measurement", status=ASSUMED, doc=(
        "Size of a change, up or down."))


SECTION = Instability


def plan(config):
    """A trait, and the coefficient of all chances of mutation that it acts on."""
    c = config.instability
    yield heritable("instability", c, doc="chances of mutation of all traits, on a scale of equal ratios")
    mutate = Rate("tissue.mutate", value("1", 1.0), unit="", doc="factor on all chances of mutation at division")
    yield mutate
    yield trait(mutate, "instability", lambda x: c.fold ** x, "instability.fold^instability")
