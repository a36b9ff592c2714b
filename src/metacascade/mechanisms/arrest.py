"""Capillaries: a cell is trapped in one that is too narrow, torn in one that is much too narrow, or slowed.

The widths of the capillaries of a bed are lognormal. A cell of diameter d and tension T, with a nucleus of stiffness E
and diameter nu d, needs the pressure

    p(w) = max(4 T (1 / w - 1 / d), E (nu d / w - 1))

to enter one of width w < d (the surface by Laplace's law, Hochmuth 2000; the nucleus limits passage, Wolf 2013,
Davidson 2014), and has the pressure P of the bed, across the stretch that it plugs. So those narrower than

    max(1 / (P / (4 T) + 1 / d), nu d / (1 + P / E))

trap it, and of the wider ones those narrower than d / stretch tear it. A sphere drawn to a cylinder with round ends, L
times as narrow and of its volume, is (2 L^3 + 1) / 3 times as long as wide. In muscle of mice cells of two lines were
seen up to 68 and 28 times as long as wide, so 4.66- and 3.46-fold narrowed, and over 97 % of all kept their membrane
for more than two hours (Morris 1993): lower bounds, of which `stretch` is the larger (COMPUTED). It needs 3.1 times
the area of the sphere, more than leukocytes bear (twice, L = 2.94: Needham and Hochmuth, recalled); Weiss (1990, 1992)
holds that such cells soon burst, for want of membrane. Who passes, but is wider than the median width m, is slowed by

    viscosity / P (d / m - 1) / max(1 - p(m) / P, 0.05)

on the mean, that many times for each cell of a cluster. Clusters pass in single file (Au 2016: up to 20 cells), so that
d is the diameter of their widest cell. Those of more than `single_file` cells lodge before the capillaries, as a whole,
in an arteriole of the first bed that they come to: they are trapped there.
"""
from typing import ClassVar

from metacascade.base.declare import ASSUMED, COMPUTED, RECALLED, Section, number, quantity
from metacascade.mechanisms.terms import Rate, state, value

TABLE = "blood"


class Arrest(Section):
    """Keys of [blood]."""
    table: ClassVar[str] = TABLE

    tension_mN_per_m: float = quantity("tension", "mN/m", "mN/m", 0.2, 0, 100, usual=(0.02, 2), source=(
        "suspended interphase cells, HeLa and MCF-7: Fischer-Friedrich 2014, Hosseini 2020"), status=RECALLED,
        doc="Apparent tension of the surface of an epithelial cell.")
    nucleus: float = number("nucleus", 0.65, 0, 1, usual=(0.5, 0.8), source="carcinoma cells", status=RECALLED,
                            doc="Diameter of the nucleus, of that of the cell.")
    nuclear_stiffness_kPa: float = quantity("nuclear_stiffness", "kPa", "kPa", 1, 0, 1000, usual=(0.3, 8), source=(
        "nuclei of carcinoma lines by atomic force microscopy and aspiration"), status=RECALLED,
        doc="Stiffness of the nucleus of an epithelial cell.")
    softening: float = number("softening", 0.5, 0, 1, usual=(0, 0.8), source=(
        "mesenchymal lines are about half as stiff as epithelial ones"), status=RECALLED,
        doc="Share of the tension, and of the stiffness of the nucleus, that a mesenchymal cell has lost.")
    stretch: float = number("stretch", 4.66, 1, 1000, usual=(2.94, 10), source=(
        "cells in muscle of mice, up to 68 times as long as wide, their membrane whole (Morris 1993): a lower bound; "
        "against it Weiss 1992"), status=COMPUTED,
        doc="A cell is torn in capillaries that are more than so many times narrower than it.")
    single_file: float = number("single_file", 20, 1, 1000, usual=(10, 100), source=(
        "clusters of up to 20 cells passed channels of 5 to 10 um (Au 2016); larger ones were not tried"),
        status=ASSUMED, doc="Cells of the largest cluster that gets into capillaries: larger ones lodge before them.")
    viscosity_Pa_s: float = quantity("viscosity", "Pa s", "Pa s", 300, 0, 1e6, usual=(50, 1000), source=(
        "neutrophils 135 (Evans and Yeung 1989, recalled); tumor cells are stiffer"), status=ASSUMED,
        doc="Apparent viscosity of a cell that is squeezed, which slows it in capillaries.")


SECTION = Arrest


def plan(config):
    """The coefficients of a passage of a bed."""
    c = config.blood
    tension = Rate("blood.tension", value("blood.tension", c.tension_mN_per_m), unit="mN/m", doc=(
        "trapped in capillaries narrower than 1 / ([organs.BED.pressure] / (4 * blood.tension) + 1 / diameter), their "
        "widths lognormal with the median [organs.BED.capillary] and the spread [organs.BED.capillary_spread]"))
    stiffness = Rate("blood.nuclear_stiffness", value("blood.nuclear_stiffness", c.nuclear_stiffness_kPa), unit="kPa",
                     doc="or than blood.nucleus * diameter / (1 + [organs.BED.pressure] / blood.nuclear_stiffness)")
    for rate in (tension, stiffness):
        yield rate
        yield state(rate, "emt", lambda e: 1.0 - c.softening * e, "(1 - blood.softening * emt)")
    yield Rate("blood.nucleus", value("blood.nucleus", c.nucleus), unit="", doc="of the diameter of the cell")
    yield Rate("blood.stretch", value("blood.stretch", c.stretch), unit="",
               doc="torn, which is a death by shear, in those narrower than diameter / blood.stretch")
    yield Rate("blood.single_file", value("blood.single_file", c.single_file), unit="cells", doc=(
        "a cluster of more cells is trapped before the capillaries of the first bed that it comes to"))
    yield Rate("blood.viscosity", value("blood.viscosity", c.viscosity_Pa_s), unit="Pa*s",
               doc="of a cell that is squeezed: slower by blood.viscosity / [organs.BED.pressure] times its narrowing")
