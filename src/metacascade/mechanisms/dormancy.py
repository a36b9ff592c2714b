"""Dormancy: cells outside of the vessel fall asleep, singly or in groups; they die one by one, or wake together.

Only clonogenic ones wake to divide. Balanced lesions, which divide and do not grow, are not asleep: see
lesion_growth, and angiogenic_switch for how long they stay so, which has been inferred in patients. How long single
cells sleep has not.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, RECALLED, Section, quantity
from metacascade.mechanisms.terms import Rate, at, value

TABLE = None        # lesions that are there live on, also where no new ones are founded


class Dormancy(Section):
    """Keys of [colonization]."""
    table: ClassVar[str] = "colonization"

    sleep_per_h: float = quantity("sleep", "1/day", "1/h", 0.1, 0, 24, usual=(0.01, 3), source=(
        "no measurement of the rate"), status=ASSUMED, doc="Hazard of what has left the vessel to fall asleep.")
    wake_per_h: float = quantity("wake", "1/year", "1/h", 0.02, 0, 8766, usual=(0.01, 5), source=(
        "no measurement of single cells in patients; as small lesions of the breast, which stay small with a "
        "half-life of 12 to 69 years, 0.010-0.058 (Willis 2010)"), status=ASSUMED,
        doc="Hazard of a clonogenic dormant lesion to wake and divide, before the factor soil.")
    dormant_death_per_h: float = quantity("dormant_death", "1/day", "1/h", 0.0006, 0, 24, usual=(0.0001, 0.05), source=(
        "cells in the marrow of breast cancer patients are found in some 30 % at first and in some 15 % three years "
        "later (Janni 2005)"), status=RECALLED, doc="Death hazard of a dormant cell.")


SECTION = Dormancy


def plan(config):
    """Three rates; how soon they wake is a matter of the soil."""
    c = config.colonization
    yield Rate("lesion.sleep", value("colonization.sleep", c.sleep_per_h), doc="what has left the vessel falls asleep")
    yield Rate("lesion.dormant_death", value("colonization.dormant_death", c.dormant_death_per_h),
               doc="a cell of a dormant lesion dies")
    wake = Rate("lesion.wake", value("colonization.wake", c.wake_per_h), doc="a clonogenic dormant lesion wakes")
    yield wake
    yield at(wake, {bed: organ.soil for bed, organ in config.organs.items()}, "organs.BED.soil")
