"""Haptotaxis: motile cells move up the gradient of matrix, besides that of oxygen.

    tissue.haptotaxis   bias g / (g + half)        share of the motion, g the gradient of matrix [1/um]

What cells degrade lies behind them, so this leads out of the tumor; it adds to those of `migration` and
`chemotaxis`.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, Section, number, quantity, switch
from metacascade.mechanisms.terms import Rate, gradient, value

TABLE = "haptotaxis"


class Haptotaxis(Section):
    """Motile cells move up the gradient of matrix."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Cells follow the gradient of matrix.", default=False)
    bias: float = number("bias", 0.2, 0, 0.8, source="as migration.bias", status=ASSUMED, doc=(
        "Share of the motion that is up the gradient of matrix, where it is steep."))
    half_per_um: float = quantity("half", "1/um", "1/um", 0.005, 1e-6, 1, usual=(0.0005, 0.05), source=(
        "matrix rises from nothing to that of stroma over some 100 um at the rim"), status=ASSUMED, doc=(
            "Gradient of matrix, relative to normal stroma, at which half of the bias is reached."))


SECTION = Haptotaxis


def plan(config):
    """A share of the motion, and what it is up."""
    c = config.haptotaxis
    bias = Rate("tissue.haptotaxis", value("haptotaxis.bias", c.bias), unit="",
                doc="share of its motion that is up the gradient of matrix")
    yield bias
    yield gradient(bias, "matrix", half=value("haptotaxis.half", c.half_per_um))
