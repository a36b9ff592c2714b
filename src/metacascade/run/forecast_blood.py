"""The blood of a forecast: how many CTCs flow in each node, and are trapped or bound there, on the mean.

All are single cells, with a coat of platelets that is whole while they flow, and fades once they are arrested, as NK
cells lose sight of them: these kill at the rate, the same all the time, by which as many leave the vessel.
"""
import math
from statistics import NormalDist

import numpy as np

from metacascade.model.physiology import KIND_LYMPH, KIND_VESSEL, KINDS, TUMOR

SIZES = 9                         # classes of diameter, equally likely
TIMES = np.linspace(0.0, 1.0, 1001) ** 2      # of the longest time in a vessel


class Kind:
    """CTCs of one law of diameters: how many flow, are trapped and are bound in each node, for each class of size.

    `chance` is that of each to be clonogenic, in each node.
    """

    def __init__(self, body, diameter_um, spread, emt):
        self.body, self.n, self.chance = body, len(body.circuit.names), 0.0
        self.sizes = classes(diameter_um, spread, SIZES)
        self.state = np.zeros((SIZES, 3 * self.n))
        self.entering = np.zeros((SIZES, 3 * self.n))
        beds = [Beds(body.circuit, size, round(255 * emt)) for size in self.sizes]
        self.passing = np.array([bed.passes for bed in beds])
        self.trapping = np.array([bed.trapped for bed in beds])
        rates = np.array([_rates(body.circuit, bed) for bed in beds])
        self.roads, self.moves = roads_of(body.circuit), np.linalg.inv(np.eye(3 * self.n) - body.dt_h * rates)
        self.out_per_h = np.tile(_exit(body.circuit.rates), (SIZES, 2))

    @property
    def ctcs(self):
        """How many there are."""
        return float(self.state.sum())

    def enter(self, node, number, starts=False):
        """CTCs that leave a node with its blood, or start by coming into it: they pass the gate of where they come."""
        share = np.zeros(self.n)
        share[node] = 1.0
        share = share if starts else self.roads[node]
        each = number / SIZES
        self.entering[:, :self.n] += each * share * self.passing
        self.entering[:, self.n:2 * self.n] += each * share * self.trapping

    def advance(self):
        """One step of the implicit Euler rule, which keeps numbers positive however long the step is."""
        if not (self.state.any() or self.entering.any()):
            return
        self.state = (self.moves @ (self.state + self.entering)[:, :, None])[:, :, 0]
        self.entering[:] = 0.0
        out = (self.state[:, self.n:] * self.out_per_h).sum(axis=0).reshape(2, self.n).sum(axis=0)
        self.body.arrive(out * self.body.dt_h * (np.arange(self.n) != TUMOR), self.chance)


def classes(diameter_um, spread, number):
    """So many diameters, equally likely, of the lognormal law: the middle of each class by its rank."""
    levels = (np.arange(number) + 0.5) / number
    return diameter_um * np.exp(spread * np.array([NormalDist().inv_cdf(level) for level in levels]))


def exits(circuit, node, diameters_um, emt):
    """The chance of a cell that leaves `node` with its blood to leave the blood alive in each node: float64 (nodes,).

    The mean over equally likely diameters. No step of time: the times in all states are the solution of one linear
    system, and what leaves is time x hazard.
    """
    n, found = len(circuit.names), np.zeros(len(circuit.names))
    roads, out_per_h = roads_of(circuit), np.tile(_exit(circuit.rates), 2)
    for diameter_um in diameters_um:
        bed = Beds(circuit, diameter_um, round(255 * emt))
        begin = np.concatenate((roads[node] * bed.passes, roads[node] * bed.trapped, np.zeros(n)))
        rates = _rates(circuit, bed)
        rates -= np.diag(1.0 * (np.diag(rates) == 0.0))         # of states in which nothing can be
        time_h = -np.linalg.solve(rates, begin)
        found += (time_h[n:] * out_per_h).reshape(2, n).sum(axis=0)
    return found / len(diameters_um)


class Beds:
    """What a cell of some diameter meets in each node, as in `_capillaries.pxd`: arrays of float64, shape (nodes,).

    Attributes
    ----------
    trapped, passes : chances of a passage; the rest is torn
    stay_h : mean of a stay
    """

    def __init__(self, circuit, diameter_um, emt):
        law, nodes = circuit.law, circuit.nodes
        tension, stiffness = (circuit.rates.by_node(name) * circuit.rates.states(name, "emt")[emt] for name in (
            "blood.tension", "blood.nuclear_stiffness"))
        nucleus_um, spread = law["nucleus"] * diameter_um, np.maximum(nodes["spread"], 0.001)
        bed = np.array([KINDS[name] != KIND_VESSEL for name in circuit.names])
        pressure = np.where(bed, nodes["pressure_Pa"], 1.0)
        width = np.where(bed, nodes["capillary_um"], diameter_um)
        entered = [max(1 / (p / (4000 * t) + 1 / diameter_um) if t > 0 else 0.0,
                       nucleus_um / (1 + p / (1000 * e)) if e > 0 else 0.0)
                   for p, t, e in zip(pressure, tension, stiffness)]
        self.trapped = bed * _narrower(entered, width, spread)
        torn = _narrower([diameter_um / law["stretch"]] * len(width), width, spread)
        self.passes = 1.0 - np.maximum(self.trapped, bed * torn)
        needed = np.maximum(4000 * tension * (1 / width - 1 / diameter_um),
                            1000 * stiffness * (nucleus_um / width - 1.0))
        slow = law["viscosity_Pa_s"] / pressure * np.maximum(diameter_um / width - 1.0, 0.0) / np.maximum(
            1.0 - needed / pressure, 0.05)
        self.stay_h = np.maximum(nodes["transit_h"], 1e-6) + bed * slow / 3600


def _narrower(limits, widths, spreads):
    """The share of capillaries of those median widths that are narrower than the limits."""
    return np.array([NormalDist().cdf(math.log(limit / width) / spread) if limit > 0 else 0.0
                     for limit, width, spread in zip(limits, widths, spreads)])


def _rates(circuit, bed):
    """d(state)/dt = rates @ state: flowing in each node, then trapped in each, then bound in each."""
    n, law = len(circuit.names), circuit.law
    of = {name: circuit.rates.by_node(f"blood.{name}") for name in (
        "anoikis", "shear", "nk", "release", "bind", "arrested_death")}
    leave, out = 1.0 / bed.stay_h, _exit(circuit.rates)
    coated = law["spared_nk"] * (circuit.nodes["kind"] != KIND_LYMPH)
    flowing = of["anoikis"] + of["shear"] * (1.0 - law["spared_shear"]) + of["nk"] * law["nk_flowing"] * (1.0 - coated)
    held = of["arrested_death"] + out
    loss = np.where(circuit.nodes["kind"] != KIND_LYMPH, law["nk_loss_h"], math.inf)
    held = held + np.array([_killed_per_h(*row, law["coat_fade_h"]) for row in zip(of["nk"], coated, loss, held)])
    bind = of["bind"] * _drawn(circuit.rates)
    rates = np.zeros((3 * n, 3 * n))
    to = roads_of(circuit).T                                                       # to[j, i]: from i to j
    for first, away in ((0, leave), (2 * n, of["release"])):
        rates[:n, first:first + n] = to * away * bed.passes[:, None]
        rates[n:2 * n, first:first + n] = to * away * bed.trapped[:, None]
    rates[:n, :n] -= np.diag(leave + flowing + bind)
    rates[n:2 * n, n:2 * n] -= np.diag(held)
    rates[2 * n:, :n] = np.diag(bind)
    rates[2 * n:, 2 * n:] -= np.diag(held + of["release"])
    return rates


def _killed_per_h(nk, spared, loss_h, other, fade_h):
    """The rate of NK killing, beside all `other` ends, that lets as many of these happen as a coat that fades, and NK
    cells that lose sight."""
    if nk <= 0.0 or other <= 0.0:
        return nk * (1.0 - spared)
    t = TIMES * 30.0 / other
    dose = _lived(t, 1.0 / loss_h) - spared * _lived(t, 1.0 / loss_h + 1.0 / fade_h)
    ends = other * np.exp(-other * t - nk * dose)
    share = float(((ends[1:] + ends[:-1]) / 2 * np.diff(t)).sum())
    return other / min(share, 1.0) - other


def _lived(t, rate):
    """The integral of exp(-rate t)."""
    return -np.expm1(-rate * t) / rate if rate else t


def roads_of(circuit):
    """Share of the blood of each node (row) that goes to each other (column)."""
    roads = np.zeros((len(circuit.names), len(circuit.names)))
    for node, row in enumerate(circuit.roads):
        for to, weight in row.items():
            roads[node, to] = weight
    return roads / roads.sum(axis=1, keepdims=True)


def _drawn(rates):
    """How many times as fast each node binds a cell of the founder, and lets it out."""
    return 1.0 + rates.by_node("blood.homing")


def _exit(rates):
    """Hazard of extravasation of a cell of the founder in each node [1/h]."""
    mmp1, fscn1 = (rates.by_node(name) * rates.clone[rates.names.index(name), 0] for name in (
        "blood.mmp1", "blood.fscn1"))
    return rates.by_node("blood.extravasate") * _drawn(rates) * (1.0 + mmp1) * (1.0 + fscn1)
