"""The mean of all lesions: how many are seeded, sleep and divide, and their cells, without chance.

Those that divide are two pools, without vessels and with them; in each all are taken to be of the same size.
"""
import math

import numpy as np

from metacascade.config.injections import DIVIDING, DORMANT
from metacascade.model.lesions import Lesions


class LesionMeans:
    """Lesions as real numbers, by organ; single cells, with the traits of the founder."""

    def __init__(self, config, plan, circuit):
        rates = Lesions(config, circuit, 0).rates
        of = {name.partition(".")[2]: rates.by_node(name) * rates.clone[i, 0] for i, name in enumerate(rates.names)}
        self.rates, self.follow_per_h, self.on = of, config.colonization.follow_per_h, config.colonization.enabled
        self.chance = np.minimum(of["clonogenic"], 1.0) if self.on else np.zeros(len(circuit.names))
        zero = np.zeros(len(circuit.names))
        self.seeded, self.asleep = [zero, zero], [zero, zero]       # not clonogenic, clonogenic
        self.lesions, self.of_cells = [zero, zero], [zero, zero]    # without vessels, with them
        self.grew = 0.0

    def chance_of(self, times, cells):
        """The chance in each node that one of some cells together is clonogenic, each `times` as often as others."""
        return 1.0 - (1.0 - np.minimum(self.chance * times, 1.0)) ** cells

    def chances(self, within_h):
        """Of a cell that has left the blood, in each organ: to begin to divide at once; after sleep, within a time; and
        of what begins, the share that lives. float64 of shape (organs,) each."""
        r = self.rates
        ends = np.maximum(r["early_death"] + r["sleep"] + r["start"], 1e-300)
        asleep = np.maximum(r["wake"] + r["dormant_death"] + r["marrow_death"], 1e-300)
        woken = r["sleep"] / ends * r["wake"] / asleep * -np.expm1(-asleep * within_h)
        return self.chance * r["start"] / ends, self.chance * woken, self._live_on()

    def _live_on(self):
        """The share of lesions that begin with one cell and do not die out."""
        r = self.rates
        gain = r["gompertz"] * np.log(np.maximum(r["capacity"], 1.0))
        at_one = np.maximum(r["birth"] * (_turnover(r, 0) + gain), 1e-300)
        return np.clip(1.0 - _deaths(r, 0) / at_one, 0.0, 1.0)

    @property
    def records(self):
        """Lesions that do not divide, and all that ever did."""
        return float(sum(map(np.sum, (*self.seeded, *self.asleep)))) + self.grew

    @property
    def cells(self):
        """In all lesions."""
        return float(sum(map(np.sum, (*self.seeded, *self.asleep, *self.of_cells))))

    def shed_by_node(self, dt_h):
        """Cells that enter the blood in a step, by node; not those that nobody follows."""
        followed = np.zeros(len(self.chance))
        many = self.cells * float(self.rates["shed"].max(initial=0.0)) > self.follow_per_h
        for k, hazard in enumerate(_shedding(self.rates)):
            shed = self.of_cells[k] * -np.expm1(-hazard * dt_h)
            self.of_cells[k] = self.of_cells[k] - shed
            followed = followed + (shed * self.chance if many else shed)
        return followed

    def put(self, number, chance, state, arrived):
        """So many are put into each organ, clonogenic with a chance: what is seeded adds to `arrived`."""
        parts = [number * (1.0 - chance), number * chance]
        if state == DORMANT and self.on:
            self.asleep = [now + more for now, more in zip(self.asleep, parts)]
            return
        if state == DIVIDING and self.on:
            self._grow(parts[1], 0.0)
            parts[1] = np.zeros_like(parts[1])
        arrived += parts

    def advance(self, arrived, dt_h):
        """What has arrived in each organ in a step is seeded in its middle; all others live on.

        `arrived`: what is not clonogenic, and what is; shape (2, nodes).
        """
        r = self.rates
        begun = np.zeros_like(arrived[0])
        for k in (0, 1):
            new = arrived[k] * self.on
            left, gone = _competing((r["early_death"], r["sleep"], r["start"] * k), dt_h)
            half, gone_half = _competing((r["early_death"], r["sleep"], r["start"] * k), 0.5 * dt_h)
            slept = self.seeded[k] * gone[1] + new * gone_half[1]
            begun = begun + self.seeded[k] * gone[2] + new * gone_half[2]
            self.seeded[k] = self.seeded[k] * left + new * half
            left, gone = _competing((r["dormant_death"] + r["marrow_death"], r["wake"] * k), dt_h)
            begun = begun + self.asleep[k] * gone[1]
            self.asleep[k] = self.asleep[k] * left + slept
        self._grow(begun, dt_h)

    def _grow(self, begun, dt_h):
        """Of those that begin some die out early; the size of the others follows the mean law."""
        r = self.rates
        self.grew += float(begun.sum())
        self.lesions[0] = self.lesions[0] + begun * self._live_on()
        self.of_cells[0] = self.of_cells[0] + begun
        limit = np.maximum(r["avascular_limit"], 1.0)
        for k in (0, 1):
            size = np.maximum(self.of_cells[k] / np.maximum(self.lesions[k], 1e-300), 1.0)
            self.of_cells[k] = self.of_cells[k] * _factor(r, size, limit if k == 0 else math.inf, k, dt_h)
        size = np.minimum(self.of_cells[0] / np.maximum(self.lesions[0], 1e-300) / limit, 1.0)
        switched = -np.expm1(-r["vascularize"] * size * dt_h)
        for pools in (self.lesions, self.of_cells):
            pools[1] = pools[1] + pools[0] * switched
            pools[0] = pools[0] * (1.0 - switched)


def _competing(hazards, dt_h):
    """(share left after a time, shares gone by each)."""
    total = sum(hazards)
    left = np.exp(-total * dt_h)
    return left, [hazard * (1.0 - left) / np.maximum(total, 1e-300) for hazard in hazards]


def _shedding(r):
    """Of a cell of a lesion without vessels, and with them."""
    return r["shed"] * r["shed_avascular"], r["shed"]


def _deaths(r, k):
    """Of a cell: of what is lost, that which is not shed."""
    return np.maximum(r["death"] - _shedding(r)[k], 0.0)


def _turnover(r, k):
    """Births of a cell at its capacity: where cells turn over, at least what is shed."""
    return np.where(r["turnover"] > 0.0, np.maximum(r["turnover"], _shedding(r)[k]), 0.0)


def _factor(r, size, limit, k, dt_h, steps=8):
    """By how much lesions of a size grow in a time, before they shed; never beyond what their births allow."""
    n, death, turnover = size.copy(), _deaths(r, k), _turnover(r, k)
    for _ in range(steps):
        more = r["gompertz"] * np.log(np.maximum(r["capacity"], 1.0) / n) * (1.0 - n / limit)
        net = r["birth"] * (turnover + more) - death
        most = np.maximum(np.minimum(limit, r["capacity"]), n)
        n = np.minimum(n * np.exp(np.clip(net * dt_h / steps, -50.0, 50.0)), most)
    return n / size
