"""SRC: dormant cells in the marrow live by it; a trait of clones.

    lesion.marrow_death   dormant_death share / (1 - share) (1 - SRC)     in the bone, on top of lesion.dormant_death

So cells with SRC = 1 die there as they do elsewhere, at the rate that was found in patients, and those without it
1 / (1 - share) times as fast. SRC lets cells in the marrow survive, it does not bring them there (Zhang 2009).
The rate has a name of its own because a factor goes by the organ or by the clone: their product needs both on one rate,
and lesion.dormant_death, which holds in all organs, must not have it.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, switch
from metacascade.mechanisms.terms import Rate, at, heritable, trait, value

TABLE = "src_survival"


class SrcSurvival(Section):
    """Dormant cells in the marrow live by SRC."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Dormant cells in the marrow live by SRC.")
    founder: float = number("founder", 1.0, 0, 1, source="the patients in whom cells in the marrow were counted had it",
                            status=ASSUMED, doc="SRC of the clone that the tumor starts with: 1 active, 0 none.")
    mutation: float = number("mutation", 0.0, 0, 1, usual=(0, 1e-2), source="no measurement", status=ASSUMED, doc=(
        "Chance that a division has a daughter in which it is changed."))
    step: float = number("step", 0.2, 0, 1, usual=(0.01, 1), source="no measurement", status=ASSUMED, doc=(
        "Size of a change, up or down."))
    share: float = number("share", 0.8, 0, 0.99, source="Zhang 2009 (Cancer Cell 16:67), direction",
                          status=ASSUMED, doc=(
        "Share of the death of dormant cells in the marrow that SRC prevents."))


SECTION = SrcSurvival


def plan(config):
    """A trait, and what its absence does in the marrow."""
    c, death = config.src_survival, config.colonization.dormant_death_per_h
    yield heritable("src", c, doc="SRC activity")
    marrow = Rate("lesion.marrow_death", value(
        "colonization.dormant_death * src_survival.share / (1 - src_survival.share)",
        death * c.share / (1.0 - c.share)),
        doc="a dormant cell in the marrow dies for want of SRC, beside lesion.dormant_death")
    yield marrow
    yield at(marrow, {"bone": 1.0}, "(1 in the bone, 0 elsewhere)", other=0.0)
    yield trait(marrow, "src", lambda s: 1.0 - s, "(1 - src)")
