"""Angiogenesis: perfused vessels sprout where there is angiogenic factor, tips grow toward more of it and meet.

A tip lays its vessel behind it, and branches; where it meets another vessel, both are joined and perfused. What is not
joined in time is pruned. The direction of a tip follows, with the time vessel.persistence, g + noise, with

    g = grad c / (|grad c| + c / vessel.sense)
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, COMPUTED, RECALLED, Section, number, quantity, switch
from metacascade.mechanisms.terms import Rate, hill, value

TABLE = "angiogenesis"
CUT = 2.0                     # standard deviations of ln(radius)
SIGNAL = "vegf"               # the field that vessels sprout by and tips follow


class Angiogenesis(Section):
    """New vessels sprout from perfused ones."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Vessels sprout.", default=False)
    sprouting_per_um_h: float = quantity("sprouting", "1/mm/day", "1/um/h", 1, 0, 1000, usual=(0.1, 10), source=(
        "no measurement"), status=ASSUMED, doc="Sprouts of a length of perfused vessel, where the factor is plenty.")
    half: float = number("half", 0.2, 1e-6, 1e6, source=(
        "no measurement; the level where a third of a tissue lacks oxygen"), status=ASSUMED, doc=(
        "Angiogenic factor at which vessels sprout, and tips advance, half as fast; in the unit of the field vegf."))
    speed_um_per_h: float = quantity("speed", "um/day", "um/h", 100, 0, 10_000, usual=(20, 500), source=(
        "growth of capillary sprouts, 0.1 mm a day and more"), status=RECALLED, doc="Advance of a tip.")
    persistence_h: float = quantity("persistence", "h", "h", 12, 0.01, 1000, source="no measurement", status=ASSUMED,
                                    doc="Time over which a tip keeps its direction.")
    sense_um: float = quantity("sense", "um", "um", 50, 1, 10_000, source="reach of filopodia", status=ASSUMED, doc=(
        "A tip feels half of what it can of a gradient where the factor changes e-fold over this length."))
    noise: float = number("noise", 0.5, 0, 10, source="no measurement", status=ASSUMED, doc=(
        "Standard deviation of the random part of a tip's direction, relative to the largest pull of the gradient."))
    branching_per_h: float = quantity("branching", "1/day", "1/h", 0.3, 0, 100, usual=(0.1, 2), source=(
        "no measurement"), status=ASSUMED, doc="Hazard that a tip splits in two, where the factor is plenty.")
    reach_um: float = quantity("reach", "um", "um", 10, 0, 100, usual=(5, 30), source="filopodia", status=ASSUMED, doc=(
        "A tip meets a vessel whose wall comes within this distance."))
    shortest_um: float = quantity("shortest", "um", "um", 50, 0, 1000, source="no measurement", status=ASSUMED, doc=(
        "A sprout or branch shorter than this meets nothing."))
    pruning_h: float = quantity("pruning", "day", "h", 4, 0.01, 3650, usual=(1, 14), source="no measurement",
                                status=ASSUMED, doc="A sprout that is not perfused this long after it began is gone.")
    radius_um: float = quantity("radius", "um", "um", 5, 1, 100, usual=(2.2, 30), source=(
        "as of tumor networks, section vessels"), status=COMPUTED, doc="Median radius of new vessels (lognormal).")
    radius_spread: float = number("radius_spread", 0.5, 0, 2, source=(
        "less than that of tumor networks, 0.72, which has vessels of all ages"), status=ASSUMED, doc=(
            "Standard deviation of ln(radius); cut at two of them."))


SECTION = Angiogenesis


def plan(config):
    """Rates of sprouts and tips, and the numbers of their ways."""
    c = config.angiogenesis
    half = value("angiogenesis.half", c.half)
    sprout = Rate("vessel.sprout", value("angiogenesis.sprouting", c.sprouting_per_um_h), unit="1/um/h",
                  doc="a perfused vessel sprouts, per length")
    advance = Rate("vessel.advance", value("angiogenesis.speed", c.speed_um_per_h), unit="um/h", doc="of a tip")
    branch = Rate("vessel.branch", value("angiogenesis.branching", c.branching_per_h), doc="a tip splits")
    for rate in (sprout, advance, branch):
        yield rate
        yield hill(rate, SIGNAL, half=half, power=2)
    for name, number_, unit, doc in (
            ("persistence", c.persistence_h, "h", "time over which a tip keeps its direction"),
            ("sense", c.sense_um, "um", "length over which a tip feels a gradient"),
            ("noise", c.noise, "", "random part of its direction"),
            ("reach", c.reach_um, "um", "a tip meets a vessel whose wall is within this distance"),
            ("shortest", c.shortest_um, "um", "of a sprout that meets anything"),
            ("pruning", c.pruning_h, "h", "age at which a sprout that is not perfused is gone"),
            ("radius", c.radius_um, "um", "median of new vessels"),
            ("radius_spread", c.radius_spread, "", "standard deviation of its logarithm")):
        yield Rate(f"vessel.{name}", value(f"angiogenesis.{name}", number_), unit=unit, doc=doc)
