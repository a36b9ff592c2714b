"""Competence for intravasation: a trait of clones that mutates, by which their cells enter vessels less or more often.

    tissue.intravasate   x fold^(competence - founder)

Variants of one line that were selected for spreading and for not spreading enter vessels to very different degrees
and invade alike or not (Deryugina and Kiosses 2017). So invasiveness and competence mutate apart from each other,
unless `correlation` says otherwise: of all mutations that change one of the two, the steps of both (in units of their
own steps; 0 for what does not change) have this correlation. A mutation that changes the one also changes the other
with the chance that this takes, which is r / (2 - r) if both mutate equally often: in the same direction, or the
opposite one if the correlation is negative.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, switch
from metacascade.mechanisms.terms import heritable, trait, value

TABLE = "competence"


class Competence(Section):
    """Clones differ in how often their cells enter vessels."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Clones differ in competence for intravasation.", default=False)
    fold: float = number("fold", 30.0, 1, 1e4, usual=(3, 100), source=(
        "variants of one line differ many-fold in intravasation (Deryugina and Kiosses 2017, direction)"),
        status=ASSUMED, doc=(
            "How many times as often as one of competence 0 cells of a clone of competence 1 enter vessels."))
    founder: float = number("founder", 0.4, 0, 1, source="between the ends", status=ASSUMED, doc=(
        "Of the clone that the tumor starts with, whose hazard is intravasation.hazard."))
    mutation: float = number("mutation", 1e-4, 0, 1, usual=(1e-7, 1e-2), source="as invasiveness", status=ASSUMED, doc=(
        "Chance that a division has a daughter in which it is changed."))
    step: float = number("step", 0.1, 0, 1, usual=(0.01, 0.5), source="no measurement", status=ASSUMED, doc=(
        "Size of a change, up or down."))
    correlation: float = number("correlation", 0.0, -1, 1, usual=(0, 0.5), source=(
        "the two look independent (Deryugina and Kiosses 2017)"), status=ASSUMED, doc=(
            "Of the steps of competence and invasiveness, over the mutations that change one of them."))


SECTION = Competence


def plan(config):
    """A trait, and what it does to entry."""
    c = config.competence
    yield heritable("competence", c, partner="invasiveness", correlation=value("competence.correlation", c.correlation),
                doc="hazard of entering vessels, on a scale of equal ratios")
    yield trait("tissue.intravasate", "competence", lambda x: c.fold ** (x - c.founder),
                "competence.fold^(competence - competence.founder)")
