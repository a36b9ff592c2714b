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
from metacascade.model.physiology import TUMOR
from metacascade.run.forecast_blood import Kind
from metacascade.run.lesionmeans import LesionMeans
from metacascade.run.shedding import drained_by_tumor_per_h, shed_by_tumor_per_h

STEPS = 600                       # of the run, unless they would be longer than LONGEST_H
LONGEST_H = 24.0
MOST = 1e15                       # more than any run could hold: no need to tell how many


@dataclass(frozen=True)
class Forecast:
    """Means over the run: `time_h`, and at each time what there is, or was since the start; arrays of one length."""

    time_h: np.ndarray
    ctcs: np.ndarray              # that flow, or are arrested in vessels
    lesions: np.ndarray           # with a record: alive, or of those that ever divided
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
        tumor = config.tumor.cells if config.tumor else 0
        self.circuit.set_tumor_flow(tumor)
        self.circuit.set_burden([tumor] + [0] * (len(self.circuit.names) - 1))
        self.kinds = [Kind(self, config.blood.diameter_um, config.blood.diameter_spread, emt=0.5)]
        self.kinds += [Kind(self, plan.diameter_um, plan.diameter_spread, plan.emt) for plan in config.injection]
        self.lesions = LesionMeans(config, plan, self.circuit)
        for kind, (times, cells) in zip(self.kinds, [(1.0, 1), *(
                (one.times_clonogenic(config.colonization.clonogenic), one.cluster) for one in config.injection)]):
            kind.chance = self.lesions.chance_of(times, cells)
        self.ended = self.passed = 0.0
        self.tumor_per_h, self.lymph_per_h = shed_by_tumor_per_h(config, plan), drained_by_tumor_per_h(config, plan)
        self.arrived = np.zeros((2, len(self.circuit.names)))     # in organs, in the step; the second are clonogenic

    def numbers(self):
        ctcs = sum(kind.ctcs for kind in self.kinds)
        return ctcs, self.lesions.records, self.lesions.cells, self.ended, self.passed

    def advance(self, t_h):
        self.arrived[:] = 0.0
        before = sum(kind.ctcs for kind in self.kinds)
        entered = self._enter(t_h)
        for kind in self.kinds:
            kind.advance()
        self.ended += before + entered - sum(kind.ctcs for kind in self.kinds)
        self.passed += entered
        self.lesions.advance(self.arrived, self.dt_h)

    def arrive(self, number, chance):
        """So many come to each organ, clonogenic with a chance."""
        self.arrived += [number * (1.0 - chance), number * chance]

    def _enter(self, t_h):
        """What enters the blood in a step: from the tumor, from lesions in the places where they are, injected."""
        shed = self.lesions.shed_by_node(self.dt_h)
        self.kinds[0].enter(TUMOR, self.tumor_per_h * self.dt_h)
        if self.lymph_per_h:
            self.kinds[0].enter(self.circuit.lymph_node, self.lymph_per_h * self.dt_h, starts=True)
        for node, number in enumerate(shed):
            self.kinds[0].enter(node, number)
        injected = 0.0
        for plan, kind in zip(self.config.injection, self.kinds[1:]):
            number = plan.records * _overlap(plan, t_h, t_h + self.dt_h)
            if plan.organ is not None:
                here = np.arange(len(self.circuit.names)) == self.circuit.index(plan.organ)
                self.lesions.put(number * here, kind.chance, plan.state, self.arrived)
                self.ended += number
                continue
            kind.enter(self.circuit.index(plan.node), number, starts=True)
            injected += number
        return shed.sum() + (self.tumor_per_h + self.lymph_per_h) * self.dt_h + injected


def _overlap(plan, t0_h, t1_h):
    """Share of an injection that enters in a span of time."""
    first, length = plan.time_s / 3600, plan.duration_s / 3600
    if length == 0.0:
        return float(t0_h <= first < t1_h)
    return max(min(first + length, t1_h) - max(first, t0_h), 0.0) / length
