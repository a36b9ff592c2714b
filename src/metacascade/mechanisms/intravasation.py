"""The way into the blood: detached cells within reach of a perfused vessel, single or with neighbors.

    tissue.intravasate   hazard (m + (1 - m) (1 - maturity)) (1 - adhesion)^n   within reach of the wall
"""
import math
from typing import ClassVar

from metacascade.base.declare import ASSUMED, COMPUTED, RECALLED, Section, number, quantity, switch
from metacascade.mechanisms.terms import SHED, Rate, at_wall, state, value

TABLE = "intravasation"


class Intravasation(Section):
    """The way into the blood: the hazard of a cell within reach of a perfused vessel."""
    table: ClassVar[str] = TABLE

    enabled: bool = switch("Cells enter vessels.")
    hazard_per_h: float = quantity("hazard", "1/day", "1/h", 0.4, 0, 1000, usual=(5e-4, 1.4), source=(
        "Butler and Gullino 1975: 3.2e6 cells/g/day, over 3e8 cells/g, 13 % of the cells within reach of a vessel, and "
        "the means of the factors by adhesion, 0.3, and by maturity, 0.7 (docs/model.md)"),
        status=COMPUTED, doc="Hazard of a detached cell in contact with an immature vessel.")
    reach_um: float = quantity("reach", "um", "um", 10, 0, 60, usual=(5, 25), source="no measurement", status=ASSUMED,
                               doc="Contact range beyond the wall of the vessel.")
    permeability_mature: float = number("permeability_mature", 0.02, 0, 1, usual=(0.02, 0.34), source=(
        "normal over tumor vessels: for macromolecules of some nm 0.1 (Gerlowski and Jain 1986, recalled), less for "
        "what is larger; gaps of 0.2-1.2 um in tumor vessels (Hobbs 1998), a cell is 12 um (docs/model.md)"),
        status=ASSUMED, doc="Crossing of a fully mature vessel relative to an immature one.")
    detach_exponent: float = number("detach_exponent", 1.0, 0, 10, source="no measurement", status=ASSUMED, doc=(
        "n of the factor (1 - adhesion)^n."))
    cluster_fraction: float = number("cluster_fraction", 0.03, 0, 1, usual=(0.005, 0.1), source=(
        "few per cent in mouse mammary tumors (Aceto 2014)"), status=RECALLED, doc=(
            "Chance that a cell of full adhesion leaves with neighbors; of others in proportion to their adhesion."))
    cluster_mean: float = number("cluster_mean", 4.0, 2, 50, source="no direct measurement", status=RECALLED, doc=(
        "Mean cells of a cluster: 2 plus a geometric number."))


SECTION = Intravasation


def plan(config):
    """One rate, and who goes along."""
    c = config.intravasation
    shed = Rate("tissue.intravasate", value("intravasation.hazard", c.hazard_per_h), action=SHED,
                doc="enters the perfused vessel whose wall is nearest")
    yield shed
    yield at_wall(shed, reach=value("intravasation.reach", c.reach_um),
                  mature=value("intravasation.permeability_mature", c.permeability_mature))
    yield state(shed, "adhesion", lambda a: math.pow(1.0 - a, c.detach_exponent),
                "(1 - adhesion)^intravasation.detach_exponent")
    cluster = Rate("tissue.cluster", value("intravasation.cluster_fraction", c.cluster_fraction), unit="",
                   doc="chance that it leaves with neighbors")
    yield cluster
    yield state(cluster, "adhesion", lambda a: a, "adhesion")
    yield Rate("tissue.cluster_cells", value("intravasation.cluster_mean", c.cluster_mean), unit="cells",
               doc="mean of a cluster, 2 plus a geometric number")
