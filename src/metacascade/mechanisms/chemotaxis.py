"""Chemotaxis: motile cells move up the gradient of a field that the config names.

    tissue.chemotaxis   bias g / (g + half)        share of the motion, g the gradient of the field [its unit/um]

Carcinoma cells follow EGF, which macrophages give off, and macrophages sit at vessels (Wyckoff 2004; Goswami 2005):
the field is by default that of macrophages. Bias up the gradient of oxygen is that of `migration`.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, RECALLED, Section, number, switch, text
from metacascade.mechanisms.terms import Rate, gradient, value

TABLE = "chemotaxis"


class Chemotaxis(Section):
    """Motile cells move up the gradient of a field."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Cells follow the gradient of a field.", default=False)
    field: str = text("field", "macrophages", longest=32, doc=(
        "The field that they follow, of a mechanism that is on or of the user: macrophages, vegf, drug."))
    bias: float = number("bias", 0.2, 0, 0.8, source="cells stream toward EGF (Wyckoff 2004)", status=RECALLED,
                         doc="Share of the motion that is up the gradient of the field, where it is steep.")
    half: float = number("half", 0.005, 1e-9, 1e9, usual=(1e-4, 1), source="no measurement", status=ASSUMED, doc=(
        "Gradient at which half of the bias is reached, in the unit of the field per um."))


SECTION = Chemotaxis


def plan(config):
    """A share of the motion, and what it is up."""
    c = config.chemotaxis
    bias = Rate("tissue.chemotaxis", value("chemotaxis.bias", c.bias), unit="",
                doc="share of its motion that is up the gradient of [chemotaxis.field]")
    yield bias
    yield gradient(bias, c.field, half=value("chemotaxis.half", c.half))
