"""The angiogenic switch: a lesion that is fed by diffusion gets vessels of its own, and grows on.

    lesion.vascularize   x cells / lesion.avascular_limit

Two sources differ ten-fold, both of breast cancers: relapses with a peak at two years (Retsky 1997), and small lesions,
over 0.4 mm, that do not grow, with a half-life of 12 to 69 years (Willis 2010), itself inferred from late recurrences.
The first is as of cancers without estrogen receptors, the second as of those with; the presets say which they have.
"""
from math import log
from typing import ClassVar

from metacascade.base.declare import RECALLED, Section, quantity
from metacascade.mechanisms.terms import Rate, value

TABLE = None        # lesions that are there live on, also where no new ones are founded


class AngiogenicSwitch(Section):
    """Keys of [colonization]."""
    table: ClassVar[str] = "colonization"

    switch_h: float = quantity("switch_time", "year", "h", 2, 1e-5, 1000, usual=(0.1, 70), source=(
        "two sources, both breast: half of the small metastases in 2 years (Retsky 1997), or in 12 to 69 (Willis 2010: "
        "those over 0.4 mm that do not grow); mouse: 130 days (Naumov 2006)"), status=RECALLED,
        doc="Time in which half of the lesions at their limit get vessels.")


SECTION = AngiogenicSwitch


def plan(config):
    """One rate."""
    yield Rate("lesion.vascularize", value("ln(2) / colonization.switch_time", log(2.0) / config.colonization.switch_h),
               doc="a lesion at its limit without vessels gets some; smaller ones in proportion to their cells")
