"""How many CTCs and lesions a run will have, on average: the laws of blood and organs without chance.

The mean of a linear process obeys linear equations, so no cell is followed: the blood is a matrix, solved for each
size of cell, and lesions grow by their mean. What the tumor sheds is guessed, for the size that it starts with.
"""
import math
from dataclasses import dataclass

import numpy as np

from metacascade._kernels._layout import CTC, LESION
from metacascade.mechanisms import plan_of
from metacascade.model.circuit import Circuit
from metacascade.model.lesions import Lesions
from metacascade.model.physiology import KIND_LYMPH, KIND_VESSEL, KINDS, TUMOR
from metacascade.run.shedding import drained_by_tumor_per_h, shed_by_tumor_per_h

SIZES = 9                         # classes of diameter, equally likely
STEPS = 600                       # of the run, unless they would be longer than LONGEST_H
LONGEST_H = 24.0
MOST = 1e15                       # more than any run could hold: no need to tell how many


@dataclass(frozen=True)
class Forecast:
    """Means over the run: `time_h`, and at each time what there is, or was since the start; arrays of one length."""

    time_h: np.ndarray
    ctcs: np.ndarray              # in the blood
    lesions: np.ndarray           # founded: their records are kept
    cells: np.ndarray             # in lesions
    ended: np.ndarray             # CTCs whose fate is decided: rows of /shed
    passed: np.ndarray            # CTCs that entered the blood

    @property
    def records(self):
        """CTCs and lesions at each time."""
        return self.ctcs + self.lesions

    def most_bytes(self):
        """Of the records at the moment with most of them."""
        return float((self.ctcs * CTC.itemsize + self.lesions * LESION.itemsize).max())


def forecast(config):
    """The Forecast of a config."""
    duration_h = config.run.duration_s / 3600
    steps = max(STEPS, math.ceil(duration_h / LONGEST_H))
    body = _Body(config, duration_h / steps)
    rows = [body.numbers()]
    for k in range(steps):
        body.advance(k * body.dt_h)
        rows.append(body.numbers())
        if max(rows[-1]) > MOST:
            rows += rows[-1:] * (steps - 1 - k)
            break
    columns = np.minimum(np.array(rows), MOST).T
    return Forecast(np.linspace(0.0, duration_h, steps + 1), *columns)


class _Body:
    """CTCs by where they are and how large, and lesions, as real numbers; one step after the other."""

    def __init__(self, config, dt_h):
        self.config, self.dt_h = config, dt_h
        plan = plan_of(config)
        self.circuit = Circuit(config, plan)
        self.circuit.set_tumor_flow(config.tumor.cells if config.tumor else 0)
        self.kinds = [_Kind(self, config.blood.diameter_um, config.blood.diameter_spread, config.traits.adhesion_mean)]
        self.kinds += [_Kind(self, plan.diameter_um, plan.diameter_spread, plan.adhesion) for plan in config.injection]
        self.establish = np.minimum(Lesions(plan, self.circuit, 0).rates.by_node("lesion.establish"), 1.0)
        self.dormant = self.active = self.cells = self.founded = self.ended = self.passed = 0.0
        self.tumor_per_h, self.lymph_per_h = shed_by_tumor_per_h(config, plan), drained_by_tumor_per_h(config, plan)
        self.arrived = np.zeros(len(self.circuit.names))      # in organs, in the present step

    def numbers(self):
        ctcs = sum(kind.ctcs for kind in self.kinds)
        return ctcs, self.founded, self.cells + self.dormant, self.ended, self.passed

    def advance(self, t_h):
        self.arrived[:] = 0.0
        before = sum(kind.ctcs for kind in self.kinds)
        entered = self._enter(t_h)
        for kind in self.kinds:
            kind.advance()
        self.ended += before + entered - sum(kind.ctcs for kind in self.kinds)
        self.passed += entered
        self._grow()

    def _enter(self, t_h):
        """What enters the blood in a step: from the tumor, from lesions in the places where they are, injected."""
        shed = self.cells * -math.expm1(-self.config.colonization.shed_per_h * self.dt_h)
        self.cells -= shed
        self.kinds[0].enter(TUMOR, self.tumor_per_h * self.dt_h)
        if self.lymph_per_h:
            self.kinds[0].enter(self.circuit.lymph_node, self.lymph_per_h * self.dt_h, starts=True)
        for node, share in enumerate(self._where()):
            self.kinds[0].enter(node, shed * share)
        injected = 0.0
        for plan, kind in zip(self.config.injection, self.kinds[1:]):
            number = plan.cells * _overlap(plan, t_h, t_h + self.dt_h)
            kind.enter(self.circuit.index(plan.node), number, starts=True)
            injected += number
        return shed + (self.tumor_per_h + self.lymph_per_h) * self.dt_h + injected

    def _where(self):
        """Share of the lesions in each node."""
        where = getattr(self, "founded_at", np.zeros(len(self.circuit.names)))
        return where / where.sum() if where.any() else where

    def _grow(self):
        """Lesions that were founded in this step, and all others, live to its end."""
        law, dt = self.config.colonization, self.dt_h
        new = self.arrived * self.establish
        self.founded_at = getattr(self, "founded_at", 0.0) + new
        self.founded += new.sum()
        woken = self.dormant * -math.expm1(-law.wake_per_h * dt)
        self.dormant = (self.dormant - woken) * math.exp(-law.dormant_death_per_h * dt) + new.sum() * law.dormant
        begun = new.sum() * (1.0 - law.dormant) + woken
        survive = max(1.0 - law.death_per_h / law.birth_per_h, 0.0) if law.birth_per_h else 0.0
        self.active += begun * survive
        self.cells = _grown(self.cells + begun, law, dt, self.active * law.capacity)


def _grown(cells, law, dt_h, capacity):
    """Cells of active lesions after a time: logistic growth to the capacity of those that did not die out."""
    net = law.birth_per_h - law.death_per_h
    if net <= 0.0 or capacity <= 0.0:
        return cells * math.exp(net * dt_h)
    factor = math.exp(min(net * dt_h, 700.0))
    return cells * factor / (1.0 + cells / capacity * (factor - 1.0))


def _overlap(plan, t0_h, t1_h):
    """Share of an injection that enters in a span of time."""
    first, length = plan.time_s / 3600, plan.duration_s / 3600
    if length == 0.0:
        return float(t0_h <= first < t1_h)
    return max(min(first + length, t1_h) - max(first, t0_h), 0.0) / length


class _Kind:
    """CTCs of one law of diameters: how many flow in each node and are arrested there, for each class of size."""

    def __init__(self, body, diameter_um, spread, adhesion):
        self.body, self.n = body, len(body.circuit.names)
        levels = (np.arange(SIZES) + 0.5) / SIZES
        self.sizes = diameter_um * np.exp(spread * np.array([_quantile(level) for level in levels]))
        self.state = np.zeros((SIZES, 2 * self.n))
        self.entering = np.zeros((SIZES, 2 * self.n))
        roads = _roads(body.circuit)
        self.gates = np.array([_gate(body.circuit, size, 255 * adhesion) for size in self.sizes])
        rates = np.array([_rates(body.config, body.circuit, roads, gate) for gate in self.gates])
        self.roads, self.moves = roads, np.linalg.inv(np.eye(2 * self.n) - body.dt_h * rates)
        self.out_per_h = np.tile(_exit(body.circuit.rates), (SIZES, 1))

    @property
    def ctcs(self):
        return float(self.state.sum())

    def enter(self, node, number, starts=False):
        """CTCs that leave a node with its blood, or start by coming into it: they pass the gate of where they come."""
        share = np.zeros(self.n)
        share[node] = 1.0
        share = share if starts else self.roads[node]
        each = number / SIZES
        self.entering[:, :self.n] += each * share * self.gates
        self.entering[:, self.n:] += each * share * (1.0 - self.gates)

    def advance(self):
        """One step of the implicit Euler rule, which keeps numbers positive however long the step is."""
        if not (self.state.any() or self.entering.any()):
            return
        self.state = (self.moves @ (self.state + self.entering)[:, :, None])[:, :, 0]
        self.entering[:] = 0.0
        self.body.arrived += (self.state[:, self.n:] * self.out_per_h).sum(axis=0) * self.body.dt_h * (
            np.arange(self.n) != TUMOR)


def _rates(config, circuit, roads, gate):
    """d(state)/dt = rates @ state: flowing in each node, then arrested in each."""
    n, law = len(circuit.names), circuit.law
    coat = law["spared_shear"], law["spared_nk"]                    # as after some platelet times
    leave = 1.0 / np.maximum(circuit.nodes["transit_h"], 1e-6)
    anoikis, shear, nk, release = (circuit.rates.by_node(f"blood.{name}") for name in (
        "anoikis", "shear", "nk", "release"))
    out = _exit(circuit.rates)
    nk = nk * (1.0 - coat[1] * (circuit.nodes["kind"] != KIND_LYMPH))
    die = anoikis + shear * (1.0 - coat[0]) + nk
    rates = np.zeros((2 * n, 2 * n))
    to = roads.T                                                       # to[j, i]: from i to j
    rates[:n, :n] = to * leave * gate[:, None] - np.diag(leave + die)
    rates[n:, :n] = to * leave * (1.0 - gate)[:, None]
    rates[:n, n:] = to * release * gate[:, None]
    rates[n:, n:] = to * release * (1.0 - gate)[:, None] - np.diag(release + anoikis + nk + out)
    return rates


def _roads(circuit):
    """Share of the blood of each node (row) that goes to each other (column)."""
    roads = np.zeros((len(circuit.names), len(circuit.names)))
    for node, row in enumerate(circuit.roads):
        for to, weight in row.items():
            roads[node, to] = weight
    return roads / roads.sum(axis=1, keepdims=True)


def _gate(circuit, diameter_um, adhesion):
    """Chance to pass each node without arrest; that of `_blood.pyx`."""
    law, rates = circuit.law, circuit.rates
    bed = np.array([KINDS[name] != KIND_VESSEL for name in circuit.names])
    capillary = np.where(bed, circuit.nodes["capillary_um"], 1.0)
    wide = law["slope"] * (law["deformability"] * diameter_um / capillary - law["offset"])
    bound = rates.by_node("blood.bind") * rates.states("blood.bind", "adhesion")[round(adhesion)]
    gate = np.exp(-bound) / (1.0 + np.exp(np.clip(wide, -700.0, 700.0)))
    return np.where(bed, gate ** (rates.by_node("blood.passages") * _drawn(rates)), 1.0)


def _drawn(rates):
    """How many times as often each node holds a cell of the founder, and how many times as fast it lets it out."""
    return 1.0 + rates.by_node("blood.homing")


def _exit(rates):
    """Hazard of extravasation in each node [1/h]."""
    return rates.by_node("blood.extravasate") * _drawn(rates)


def _quantile(level):
    """Of the standard normal law."""
    from statistics import NormalDist
    return NormalDist().inv_cdf(level)
