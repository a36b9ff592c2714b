"""Extravasation: an arrested cell leaves the vessel, with the half-life of the organ; faster where it is drawn.

So it does if it is trapped and if it is bound.
"""
import math

from metacascade.mechanisms.terms import Rate, at, value

TABLE = "blood"
SECTION = None      # [organs.BED] holds its times


def plan(config):
    """One rate, by organ."""
    extravasate = Rate("blood.extravasate", value("ln(2)", math.log(2.0)), doc="an arrested cell leaves the vessel")
    yield extravasate
    yield at(extravasate, {bed: 1.0 / organ.extravasation_h for bed, organ in config.organs.items()},
             "1 / organs.BED.extravasation_time", other=0.0)
