"""Metastatic efficiency: growing metastases for each cell that a tumor sheds, and how each assumed number moves it.

    efficiency = sum over organs of  exits x (start at once + sleep and wake) x live on

`exits`: the chance of a shed cell to leave the blood alive in the organ; the other chances are those of a lesion of one
cell. All are means of the laws, without chance (`run.forecast_blood`, `run.lesionmeans`). Left out: clusters, division
in vessels, traits and bits other than those of the first clone, and metastases of metastases.
"""
from dataclasses import dataclass

import numpy as np

from metacascade.base.declare import ASSUMED, RECALLED
from metacascade.base.nodes import BEDS
from metacascade.base.units import YEAR_S
from metacascade.config import catalog
from metacascade.mechanisms import plan_of
from metacascade.model.circuit import Circuit
from metacascade.model.physiology import TUMOR
from metacascade.run.forecast_blood import classes, exits
from metacascade.run.lesionmeans import LesionMeans

SIZES = 33                      # classes of diameter
WITHIN_H = 20 * YEAR_S / 3600     # that a cell which sleeps has to wake
FOLD = 2.0                      # down and up, of what has no usual range
OF_BEDS = {"capillary": 1.25}   # the same of numbers of beds, in all of them together; others: FOLD
UNSURE = ASSUMED, RECALLED
SECTIONS = ("traits", "lumped", "blood", "colonization", "src_survival", "l1cam", "blood_brain_barrier", "ligand")
SOIL = "soil"                   # solved, but in units of the best organ, which is assumed
LEAST = 0.01                    # a smaller change, as a share, is none


@dataclass(frozen=True)
class Efficiency:
    """Of a shed cell, by bed: float64 of shape (beds,) each."""

    exits: np.ndarray
    growing: np.ndarray         # the chance to found a metastasis that grows, at once or within WITHIN_H
    woken: np.ndarray           # the part of it that has slept first

    @property
    def whole(self) -> float:
        """Growing metastases for each shed cell."""
        return float(self.growing.sum())


@dataclass(frozen=True)
class Bar:
    """A parameter at two ends, as text, and the efficiency there."""

    parameter: str
    status: str
    ends: tuple[str, str]
    found: tuple[float, float]
    is_usual: bool              # the ends of its usual range; else FOLD down and up

    @property
    def fold(self) -> float:
        """The larger efficiency over the smaller one."""
        low, high = sorted(self.found)
        return high / low if low > 0.0 else float("inf")


def of(config, within_h=WITHIN_H) -> Efficiency:
    """The Efficiency of a config with a tumor."""
    plan = plan_of(config)
    circuit = Circuit(config, plan)
    circuit.set_tumor_flow(config.tumor.cells)
    means = LesionMeans(config, plan, circuit)
    diameters = classes(config.blood.diameter_um, config.blood.diameter_spread, SIZES)
    left = sum(share * exits(circuit, TUMOR, diameters, emt) for share, emt in _emt(config))
    at_once, woken, live = means.chances(within_h)
    beds = [circuit.index(bed) for bed in BEDS]
    return Efficiency(left[beds], (left * (at_once + woken) * live)[beds], (left * woken * live)[beds])


def _emt(config):
    """Shares of the cells that leave the tumor, and their EMT: of one in tissue as in `studies.soil`."""
    if config.tumor.lumped:
        return [(1.0, config.lumped.emt)]
    motile = config.traits.motile_fraction
    return [(motile, 1.0), (1.0 - motile, 0.0)]


def tornado(config) -> tuple[Efficiency, list[Bar]]:
    """The efficiency, and a Bar for each assumed or recalled number that moves it: the largest first."""
    base = of(config)
    bars = []
    for name, status, is_usual, ends in _varied(config):
        found = tuple(of(config.with_overrides(end)).whole for _, end in ends)
        if max(abs(one - base.whole) for one in found) > LEAST * base.whole:
            bars.append(Bar(name, status, tuple(text for text, _ in ends), found, is_usual))
    return base, sorted(bars, key=lambda bar: (-bar.fold, bar.parameter))


def _varied(config):
    """(name, status, are the ends those of a usual range, [(text, settings)] of both ends) of each parameter."""
    for p in catalog.parameters():
        if p.kind not in ("quantity", "number", "integer"):
            continue
        if p.section == "organs" and (p.status in UNSURE or p.key == SOIL):
            yield f"organs.*.{p.key}", p.status, False, _ends_of_beds(config, p)
        elif p.section in SECTIONS and p.status in UNSURE:
            value = getattr(getattr(config, p.section), p.attribute)
            ends = p.usual or (None if value is None else (value / FOLD, value * FOLD))
            if ends:
                yield f"{p.section}.{p.key}", p.status, bool(p.usual), [
                    (p.text(end), {f"{p.section}.{p.key}": _written(p, end)}) for end in
                    (min(max(one, p.low), p.high) for one in ends)]


def _ends_of_beds(config, p):
    fold = OF_BEDS.get(p.key, FOLD)
    return [(f"x {times:.3g}", {
        f"organs.{bed}.{p.key}": _written(p, times * getattr(config.organs[bed], p.attribute)) for bed in BEDS})
        for times in (1 / fold, fold)]


def _written(p, value):
    """An internal value as a setting has it, within what is allowed."""
    value = min(max(value, p.low), p.high)
    return p.text(value) if p.kind == "quantity" else round(value) if p.kind == "integer" else value
