"""A lumped tumor: the primary as a number of cells without space, instead of tissue.

    births = turnover + gompertz ln(capacity / n)      of one cell; lost are as many as the turnover

The turnover is that of a tumor of one cell that loses `cell_loss` cells for each birth. What is lost dies or is shed,
and where cells turn over births are at least what is shed: the net rate is gompertz ln(capacity / n).

A birth and death process like that of a lesion. Its cells leave with `shed` into the blood of the bed of the tumor,
some of them with others: a cluster.
"""
import math
from typing import ClassVar

from metacascade.base.declare import ASSUMED, COMPUTED, RECALLED, Section, number, quantity
from metacascade.mechanisms.terms import Rate, value

TABLE = None            # its switch is elsewhere
SWITCH = "tumor.lumped"


class Lumped(Section):
    """The primary tumor as a number of cells without space, where tumor.lumped = true."""
    table: ClassVar[str] = "lumped"

    gompertz_per_h: float = quantity("gompertz", "1/month", "1/h", 0.025, 0, 1e4, usual=(0.002, 10), source=(
        "Weedon-Fekjaer 2008, mammography: nine in ten breast cancers grow from 10 to 20 mm in 1.2 months to 6.3 "
        "years; 0.055 in Norton 1988, from survival"), status=COMPUTED,
        doc="a of the law of Gompertz, by which growth slows down.")
    capacity: float = number("capacity", 3.1e12, 1, 1e15, usual=(1e8, 1e13), source="Norton 1988", status=RECALLED,
                             doc="Cells at which the tumor stops growing.")
    cell_loss: float = number("cell_loss", 0.75, 0, 0.99, usual=(0, 0.95), source=(
        "Steel 1977: loss factor of carcinomas above 0.7"), status=RECALLED, doc=(
            "Cells lost, by death or into the blood, over births of a tumor of one cell; the rate of loss stays that, "
            "or what is shed if that is more."))
    shed_per_h: float = quantity("shed", "1/day", "1/h", 0.011, 0, 24, usual=(3e-5, 0.03), source=(
        "as colonization.shed: what a tumor in tissue sheds at the defaults"), status=COMPUTED,
        doc="Hazard of a cell to enter the blood, alone or as the first of a cluster.")
    cluster_fraction: float = number("cluster_fraction", 0.03, 0, 1, usual=(0.005, 0.1), source=(
        "few per cent in mouse mammary tumors (Aceto 2014)"), status=RECALLED,
        doc="Share of what enters the blood that is clusters.")
    cluster_mean: float = number("cluster_mean", 4.0, 2, 20, source="no direct measurement", status=RECALLED, doc=(
        "Mean cells of a cluster: 2 plus a geometric number, at most 64."))
    emt: float = number("emt", 0.05, 0, 1, source="as traits.motile_fraction", status=ASSUMED, doc=(
        "EMT of the cells that leave: 0 epithelial, 1 mesenchymal and motile."))
    adhesion: float = number("adhesion", 0.6, 0, 1, source="the looser cells of traits.adhesion_mean leave",
                             status=ASSUMED, doc="Adhesion of the cells that leave: 0 free, 1 bound.")


SECTION = Lumped


def enabled(config) -> bool:
    """Is there a tumor without space?"""
    return config.tumor is not None and config.tumor.lumped


def plan(config):
    """Two rates, a law of growth, and who goes along."""
    c = config.lumped
    turnover = value("lumped.cell_loss / (1 - lumped.cell_loss) * lumped.gompertz * ln(lumped.capacity)",
                     c.cell_loss / (1.0 - c.cell_loss) * c.gompertz_per_h * math.log(c.capacity))
    yield Rate("lumped.gompertz", value("lumped.gompertz", c.gompertz_per_h),
               doc="times ln(lumped.capacity / cells): births of a cell of a lumped tumor beyond its turnover")
    yield Rate("lumped.capacity", value("lumped.capacity", c.capacity), unit="cells",
               doc="at which a lumped tumor stops growing")
    yield Rate("lumped.turnover", turnover, doc=(
        "births of a cell of a lumped tumor at its capacity, or as many as are shed"))
    yield Rate("lumped.death", turnover, doc="a cell of a lumped tumor is lost: it dies, or is shed")
    yield Rate("lumped.shed", value("lumped.shed", c.shed_per_h),
               doc="a cell of a lumped tumor enters the blood, alone or as the first of a cluster")
    yield Rate("lumped.cluster", value("lumped.cluster_fraction", c.cluster_fraction), unit="",
               doc="chance that it leaves with others")
    yield Rate("lumped.cluster_cells", value("lumped.cluster_mean", c.cluster_mean), unit="cells",
               doc="mean of a cluster, 2 plus a geometric number")
