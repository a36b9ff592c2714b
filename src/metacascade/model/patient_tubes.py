"""Tubes of blood of a patient of a cohort, in whom only cells that can found a lesion are followed.

All others walk the same circuit by the same law, so what a tube holds follows from some that are walked for it. Cells
that are shed as a Poisson process and walk alone are Poisson in each node, with the mean

    integral of rate(t - a) P(a) da      rate: cells shed at the time t - a; P(a): one flows in the node at age a

It is estimated by cells of ages a that are even in log(a), each with the weight of its age. The rate of the tumor is
that of each step of the past month, so that what is left after surgery counts; lesions shed as at present. A cluster
counts as one cell. What a tube finds has the law of detection of `metacascade.io.bloodcount`.
"""
import math
from dataclasses import dataclass, field

import numpy as np

from metacascade._kernels._layout import CTC, TRAITS, Draw, Flag, LesionState, Place, draws
from metacascade.model.blood import Blood

WALKERS = 2000              # of the tumor, and as many of the lesions
YOUNGEST_H, OLDEST_H = 0.1 / 3600, 24.0 * 30
WALKS = 1 << 31             # index from which on random words are those of walks
VENOUS = "venous"


@dataclass(frozen=True)
class Tube:
    """When blood is drawn: so long after "diagnosis", or after "recurrence", the first lesion that is seen."""
    after: str
    time_s: int
    volume_mL: float


@dataclass
class Tubes:
    """Those of a patient: what is expected in each, once it has been drawn.

    Attributes
    ----------
    found : dict
        Index of a tube -> (time [s], CTCs in a liter, the same of those with EpCAM).
    """
    tubes: tuple
    found: dict = field(default_factory=dict)
    _times_s: list = field(default_factory=lambda: [-math.inf])
    _per_h: list = field(default_factory=lambda: [0.0])

    def note(self, time_s, per_h):
        """From then on the tumor sheds so much an hour."""
        if self.tubes:
            self._times_s.append(time_s)
            self._per_h.append(per_h)

    def next_s(self, course):
        """Times of tubes that are still to be drawn, as far as known."""
        since = {"diagnosis": course.diagnosed_s, "recurrence": course.recurred_s}
        return [(since[tube.after] + tube.time_s, k) for k, tube in enumerate(self.tubes)
                if k not in self.found and since[tube.after] >= 0]

    def take(self, patient):
        """Draw what is due at the present time of a patient."""
        for due_s, k in self.next_s(patient.course):
            if due_s <= patient.time_s:
                self.found[k] = patient.time_s, *_per_liter(patient, self, k)

    def shed_per_h(self, times_s):
        """What the tumor shed at some times: float64."""
        return np.array(self._per_h)[np.searchsorted(self._times_s, times_s, side="right") - 1]


def _per_liter(patient, tubes, index):
    """(CTCs in a liter of venous blood, the same by how epithelial each is) at the present time."""
    patient.perfuse(patient.tumor.cells, patient.time_s)
    venous = patient.circuit.index(VENOUS)
    lesions, per_h = patient.lesions.records, _shed_per_h(patient.lesions)
    ages_h = _ages()
    times_s = patient.time_s - 3600.0 * ages_h
    parts = [(_walkers(patient.tumor.records, np.ones(len(patient.tumor.records))), tubes.shed_per_h(times_s)),
             (_walkers(lesions, per_h), np.full(WALKERS, math.fsum(per_h.tolist())))]
    found = np.zeros(2)
    for number, (walkers, rate) in enumerate(parts):
        if len(walkers) and rate.any():
            there = _walked(patient, walkers, ages_h, 2 * index + number, venous)
            weight = np.where(there, rate * ages_h, 0.0) * math.log(OLDEST_H / YOUNGEST_H) / WALKERS
            found += [math.fsum(one.tolist()) for one in (weight, weight * (1.0 - walkers["emt"] / 255.0))]
    return 1000.0 * found / patient.circuit.volume_mL[venous]


def _shed_per_h(lesions):
    """Cells that each lesion sheds in an hour: those that divide."""
    records, rates = lesions.records, lesions.rates
    relative = np.zeros(len(records))
    relative[records["state"] == LesionState.VASCULAR] = 1.0
    micro = records["state"] == LesionState.MICRO
    relative[micro] = rates.values("lesion.shed_avascular", records[micro])
    return records["n"] * rates.values("lesion.shed", records) * relative


def _ages():
    """Even in their logarithms, one in the middle of each of WALKERS equal parts [h]."""
    low, high = math.log(YOUNGEST_H), math.log(OLDEST_H)
    return np.array([math.exp(low + (high - low) * (k + 0.5) / WALKERS) for k in range(WALKERS)])


def _walkers(records, per_h):
    """CTCs of tumors or lesions, in proportion to what each sheds and in a fixed disorder; none if nothing is shed."""
    total = math.fsum(per_h.tolist())
    if not total:
        return np.zeros(0, CTC)
    place = ((np.arange(WALKERS) * 617 % WALKERS) + 0.5) / WALKERS      # 617 has no divisor in common with WALKERS
    of = records[np.minimum(np.searchsorted(np.cumsum(per_h) / total, place), len(records) - 1)]
    found = np.zeros(WALKERS, CTC)
    for name in TRAITS:
        found[name] = of[name]
    found["bits_shed"], found["n"], found["origin"] = of["bits"], 1, of["node"]
    found["flags"] &= ~np.uint8(Flag.CLONOGENIC | Flag.LYMPH | Flag.INJECTED)
    return found


def _walked(patient, walkers, ages_h, index, venous):
    """Which of the walkers flow in the veins at the present time."""
    t_h = patient.time_s / 3600
    words = draws(patient.seed, Draw.CELLSEARCH, np.arange(WALKERS, dtype=np.uint64),
                  np.full(WALKERS, WALKS + index, np.uint32)).astype(np.uint64)
    walkers["id"] = words[:, 1] << np.uint64(32) | words[:, 0]
    walkers["t_shed"] = t_h - ages_h
    order = np.argsort(walkers["id"])
    blood = Blood(patient.config, patient.circuit, patient.seed)
    blood.admit(walkers)
    blood.advance(t_h)
    left = blood.records
    flowing = left["id"][(left["place"] == Place.CIRCULATING) & (left["node"] == venous)]
    there = np.zeros(WALKERS, bool)
    there[order[np.searchsorted(walkers["id"][order], flowing)]] = True
    return there
