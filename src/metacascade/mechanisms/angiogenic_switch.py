"""The angiogenic switch: a lesion that is fed by diffusion gets vessels of its own, and grows on.

    lesion.vascularize   x cells / lesion.avascular_limit
"""
from math import log
from typing import ClassVar

from metacascade.base.declare import RECALLED, Section, quantity
from metacascade.mechanisms.terms import Rate, value

TABLE = None        # lesions that are there live on, also where no new ones are founded


class AngiogenicSwitch(Section):
    """Keys of [colonization]."""
    table: ClassVar[str] = "colonization"

    switch_h: float = quantity("switch_time", "year", "h", 2, 1e-5, 1000, usual=(0.1, 20), source=(
        "man: half of the small metastases in two years (Retsky 1997); mouse: 130 days (Naumov 2006)"), status=RECALLED,
        doc="Time in which half of the lesions at their limit get vessels.")


SECTION = AngiogenicSwitch


def plan(config):
    """One rate."""
    yield Rate("lesion.vascularize", value("ln(2) / colonization.switch_time", log(2.0) / config.colonization.switch_h),
               doc="a lesion at its limit without vessels gets some; smaller ones in proportion to their cells")
