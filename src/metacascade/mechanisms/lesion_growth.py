"""Growth of lesions that divide: birth and death, of which births fall as the lesion grows (Gompertz).

    births   lesion.birth (d + a ln(N / n) f)   n cells; d lesion.turnover, a lesion.gompertz, N lesion.capacity
    deaths   lesion.death - lesion.shed: what is lost dies or is shed (Steel 1977)
    f        1 - n / lesion.avascular_limit without vessels of its own, 1 with them

Without vessels it comes into balance at its limit, where it turns over and does not grow.
Above it births are fewer than deaths: were they as many, nothing would bring back what chance has made larger. Lost are
as many as the turnover of births, until a drug or a trait makes them more. Where cells turn over and more than d is
shed, births make up for that: then d is what is shed.
"""
from math import log
from typing import ClassVar

from metacascade.base.declare import RECALLED, Section, integer, number, quantity
from metacascade.mechanisms.terms import Rate, value

TABLE = None        # lesions that are there live on, also where no new ones are founded


class LesionGrowth(Section):
    """Keys of [colonization]."""
    table: ClassVar[str] = "colonization"

    gompertz_per_h: float = quantity("gompertz", "1/day", "1/h", 0.0008, 0, 24, usual=(0.0001, 0.2), source=(
        "0.025/month as lumped.gompertz: metastases grow about as fast as their tumor (Friberg and Mattson 1997)"),
        status=RECALLED, doc=(
            "Rate a at which growth slows down: the net rate of a cell among n is a ln(capacity / n)."))
    capacity: int = integer("capacity", 3_100_000_000_000, 2, 10**14, usual=(10**8, 10**13), source=(
        "3.1e12 in man (Norton 1988)"), status=RECALLED, doc="Cells at which a lesion stops growing.")
    cell_loss: float = number("cell_loss", 0.75, 0, 0.99, usual=(0.1, 0.95), source=(
        "loss factors of carcinomas above 0.7 (Steel 1977)"), status=RECALLED, doc=(
            "Cells lost, by death or into the blood, per birth in a lesion of one cell; the rate of loss stays that, "
            "or what is shed if that is more."))
    avascular_limit: int = integer("avascular_limit", 100_000, 1, 10**9, usual=(10**4, 10**6), source=(
        "a ball of some 0.9 mm, which diffusion feeds (Folkman)"), status=RECALLED, doc=(
            "Cells at which a lesion without vessels of its own does not grow."))


SECTION = LesionGrowth


def plan(config):
    """Rates of birth and death, and what limits them."""
    c = config.colonization
    yield Rate("lesion.birth", value("1", 1.0), unit="", doc=(
        "of a lesion that divides, relative to lesion.turnover + lesion.gompertz * ln(lesion.capacity / cells) * "
        "(1 - cells / lesion.avascular_limit) a cell, the last factor without vessels of its own alone"))
    yield Rate("lesion.gompertz", value("colonization.gompertz", c.gompertz_per_h), doc="growth slows down")
    turnover = value(
        "colonization.cell_loss / (1 - colonization.cell_loss) * colonization.gompertz * ln(colonization.capacity)",
        c.cell_loss / (1.0 - c.cell_loss) * c.gompertz_per_h * log(c.capacity))
    yield Rate("lesion.turnover", turnover, doc="births of a cell of a lesion at its capacity, or as many as "
               "are shed, whatever else kills")
    yield Rate("lesion.death", turnover, doc="a cell of a lesion that divides is lost: it dies, or is shed")
    yield Rate("lesion.capacity", value("colonization.capacity", c.capacity), unit="cells",
               doc="at which a lesion stops growing")
    yield Rate("lesion.avascular_limit", value("colonization.avascular_limit", c.avascular_limit), unit="cells",
               doc="about which a lesion without vessels of its own stays")
