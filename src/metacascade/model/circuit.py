"""The circuit of the blood: its nodes, their mean transit times, and where each node's blood goes."""
import functools
import math
from itertools import accumulate
from statistics import NormalDist

import numpy as np

from metacascade._kernels._blood import NODE, RATES, SWITCH, WIDTHS
from metacascade.base.nodes import LYMPH_NODE
from metacascade.config.body import BYPASS
from metacascade.mechanisms.compile import placed_rates, switches
from metacascade.model import burden, physiology
from metacascade.model.physiology import ARTERIAL, CELLS_PER_G, DRAINS, KINDS, LUNG, NODES, TUMOR, VENOUS, body_of

WORDS = 1 << 32   # values of the random word that decides where a cell goes
QUANTILES = np.array([0.0, *(NormalDist().inv_cdf(k / (WIDTHS - 1)) for k in range(1, WIDTHS - 1)), 0.0])
MIN_PER_H = 60.0
SHORTEST_H = 1e-9  # of the times of the coat of platelets, which a therapy may scale to nothing


class Circuit:
    """The blood's way through the body, as arrays for the kernels.

    A node is a well mixed compartment of volume V and flow Q, left after an exponential time of mean
    V / Q; so the mean time round the circuit is blood volume / cardiac output. Volumes and flows are
    those of `physiology`, hazards and coefficients those of the plan.

    Attributes
    ----------
    names : tuple of str
        Node i is ``names[i]``; node 0 is the tumor, the last one the lymph node, if cells leave the tumor with lymph.
    lymph_node : int or None
        Its number; None: there is none.
    nodes : ndarray of NODE
        Transit [h], kind, and capillaries and the pressure in them, of each node.
    rates : PlacedRates
        What happens to a cell in each node: hazards [1/h] and coefficients. The kernel reads them at each
        call, so they may be replaced.
    law : dict
        Platelets, and the way through capillaries: the kernel's ``law_t``.
    switches : ndarray of SWITCH
        Bits of state that change in cells that have been in the blood for some time.
    since_h : float
        From when on they do: a branch does not act on the time before it.
    volume_mL : ndarray of float64
        Blood in each node.
    upper, target, guide : ndarray of uint32 (edges,), uint8 (edges,), uint8 (nodes, 256)
        The graph. From node i a random word r leads to ``target[j]``, j the first edge of i with
        ``upper[j] >= r``; the search starts at ``guide[i, r >> 24]``.
    """

    def __init__(self, config, plan):
        body = body_of(config)
        self.names = (*NODES, LYMPH_NODE) if plan.drains else NODES
        self.lymph_node = len(NODES) if plan.drains else None
        self.plan = plan
        self.nodes = _nodes(config, body, self.names)
        self.clones = None              # that of the founder
        self.shares = burden.shares(plan, [0] * len(self.names))
        self.switches, self.since_h = np.array(switches(self.plan, "blood"), SWITCH), 0.0
        self.set_rates()
        self.volume_mL = np.array([body.blood_mL * body.blood.get(name, 0.0) / 100 for name in self.names])
        self.output_mL_per_min = body.output_mL_per_min
        self._tumor = config.tumor
        self.roads = _roads(config, body, self.names)
        self.set_tumor_flow(0)

    @property
    def widths(self):
        """Of the lognormal capillaries of each node, ndarray of float64 (nodes, WIDTHS): 0, 1, ... WIDTHS - 1 equal
        shares of them are narrower [um]. The kernel takes them as a guide, with a margin: their last bits are free."""
        widths = self.nodes["capillary_um"][:, None] * np.exp(self.nodes["spread"][:, None] * QUANTILES)
        widths[:, 0], widths[:, -1] = 0.0, np.inf
        return widths

    def index(self, name: str) -> int:
        """The number of a node."""
        return self.names.index(name)

    def take_clones(self, traits):
        """Compute the rates with the traits of all clones: name -> ndarray of uint8."""
        self.clones = traits
        self.set_rates(self.scales)

    def set_rates(self, scales=()):
        """Take the rates of the plan times scale(t), a dict by name."""
        self.scales = scales
        self.rates = placed_rates(self.plan, RATES, self.names, scales, self.clones)
        self._draw(dict(scales))
        self.law = _law(self.plan, self.rates, scales)

    def rescale(self, scales):
        """The same, if the scales are others than so far."""
        if scales != self.scales:
            self.set_rates(scales)

    def set_burden(self, cells) -> bool:
        """Let beds draw cells as the cells of the tumor and of lesions in each node say: mechanisms.cytokines.

        `cells` are counted over all ranks. Do other rates hold from now on?
        """
        before, self.shares = self.shares, burden.shares(self.plan, cells)
        if changed := self.shares != before:
            self.set_rates(self.scales)
        return changed

    def _draw(self, scales):
        """What lives in a bed, and treatment of it, let it draw cells: mechanisms.cytokines and inflammation."""
        homing, scar = self.rates.by_node("blood.homing"), self.plan.number("blood.scar", scales)
        if not self.plan.rate("blood.homing"):
            return
        if self.shares:
            homing[TUMOR] *= self.shares[TUMOR]
            most = self.plan.number("blood.cytokines", scales)
            homing[TUMOR + 1:] += [most * scales.get(f"blood.cytokines@{name}", 1.0) * share
                                   for name, share in zip(self.names[TUMOR + 1:], self.shares[TUMOR + 1:])]
        if scar:
            homing += scar * np.array([scales.get(f"blood.scar@{name}", 0.0) for name in self.names])

    def set_tumor_flow(self, alive_cells: int, wound_g: float = 0.0):
        """Give the tumor bed the flow of a tumor of `alive_cells`, counted over all ranks, or of the bed that treatment
        has left, if that is more: the tumor lies in it.

        Flow q = perfusion x mass with 3e8 cells a gram. It comes on top of what the organs get, so its
        share of what leaves the arteries is q / (output + q). A pure function of the config and of an
        integer: the same bits on any number of ranks.
        """
        grams = max(alive_cells / CELLS_PER_G, wound_g) if self._tumor else 0.0
        flow = self._tumor.perfusion_mL_per_min_per_g * grams if self._tumor else 0.0
        self.volume_mL[TUMOR] = grams * physiology.TUMOR_BLOOD_mL_PER_G
        self.roads[ARTERIAL][TUMOR] = flow / self.output_mL_per_min
        self.upper, self.target, self.guide = _graph(self.roads)

    def acts_like(self, other) -> bool:
        """Do the same rates and coefficients hold in another circuit?"""
        tables = ("place", "clone", "state")
        return self.law == other.law and np.array_equal(self.nodes, other.nodes) and all(
            np.array_equal(getattr(self.rates, table), getattr(other.rates, table)) for table in tables)


def _law(plan, rates, scales):
    """The kernel's ``law_t``; where arrest is off no cell is slowed or torn, and none has a tension that is trapped."""
    def number(name, default):
        return plan.number(f"blood.{name}", scales, default)

    coat = min(number("coat", 1.0), 1.0)
    return dict(
        coat_time_h=max(number("coat_time", 1.0), SHORTEST_H), coat_fade_h=max(number("coat_fade", 1.0), SHORTEST_H),
        spared_nk=coat * float(rates.spared[rates.names.index("blood.nk")]),
        spared_shear=coat * float(rates.spared[rates.names.index("blood.shear")]),
        nk_flowing=number("nk_flowing", 0.0), nk_loss_h=max(number("nk_loss", math.inf), SHORTEST_H),
        nucleus=number("nucleus", 0.0), stretch=number("stretch", math.inf), viscosity_Pa_s=number("viscosity", 0.0),
        burst_cells=number("burst_cells", math.inf), single_file=number("single_file", math.inf))


def _nodes(config, body, names):
    """What the kernel needs to know about each node. Blood stays in the tumor as long as perfusion says."""
    nodes, flow = np.zeros(len(names), NODE), _flow(body)
    for node, name in zip(nodes, names):
        node["kind"] = KINDS[name]
        if name == LYMPH_NODE:
            node["transit_h"] = body.lymph_mL / body.lymph_mL_per_min / MIN_PER_H
        elif name != "tumor":
            node["transit_h"] = body.blood_mL * body.blood[name] / 100 / flow[name] / MIN_PER_H
        if organ := config.organs.get(name):
            node["capillary_um"], node["spread"] = organ.capillary_um, organ.capillary_spread
            node["pressure_Pa"] = organ.pressure_Pa
    perfusion = config.tumor.perfusion_mL_per_min_per_g if config.tumor else 0.0
    perfusion = perfusion or physiology.TUMOR_FLOW_mL_PER_MIN_PER_G
    nodes[TUMOR]["transit_h"] = physiology.TUMOR_BLOOD_mL_PER_G / perfusion / MIN_PER_H
    return nodes


def _flow(body):
    """Flow through each node but the tumor [mL/min]; the parts of the output are scaled to sum to it."""
    total = math.fsum(body.flow.values())
    flow = {name: body.output_mL_per_min * part / total for name, part in body.flow.items()}
    portal = math.fsum(flow[name] for name, drain in DRAINS.items() if drain == "portal")
    left = body.output_mL_per_min * (1.0 + body.bronchial / 100)        # heart: what the bronchial arteries bring, too
    return flow | dict(venous=body.output_mL_per_min, lung=left, arterial=left, portal=portal,
                       liver=flow["liver"] + portal)


def _roads(config, body, names):
    """For each node, in order, a dict: the node that its blood, or lymph, goes to -> weight."""
    roads = [{NODES.index(DRAINS[name]): 1.0} if name in DRAINS else {} for name in names]
    total = math.fsum(body.flow.values())
    roads[ARTERIAL] = {NODES.index(name): part / total for name, part in body.flow.items()}
    if body.bronchial:
        roads[ARTERIAL][LUNG] = body.bronchial / 100
    host = config.tumor.node if config.tumor else "other"
    bypass = config.blood.vertebral_bypass
    if bypass is None:
        bypass = BYPASS.get(config.tumor.organ, 0.0) if config.tumor else 0.0
    drain = NODES.index(DRAINS[host])
    drains = {drain: 1.0}
    if config.tumor and config.tumor.organ == "rectum":
        drains = {drain: config.blood.rectal_portal, VENOUS: 1.0 - config.blood.rectal_portal}
    roads[TUMOR] = {node: (1.0 - bypass) * share for node, share in drains.items()} | {NODES.index("bone"): bypass}
    return roads


def _graph(roads):
    """(upper, target, guide) of `Circuit`. A road of less than 2^-32 of the blood is left out."""
    upper, target, guide = zip(*(_ways(tuple(row), tuple(row.values())) for row in roads))
    first = np.cumsum([0, *map(len, upper[:-1])])
    return (np.concatenate(upper).astype(np.uint32), np.concatenate(target).astype(np.uint8),
            (np.stack(guide) + first[:, None]).astype(np.uint8))


@functools.lru_cache(maxsize=64)        # each step asks anew, and the ways of the tumor alone are others then
def _ways(nodes, weights):
    """The same of one node, which lead to `nodes`; the guide from 0 on."""
    total = math.fsum(weights)
    ends = np.array([int(end / total * WORDS) for end in accumulate(weights)])
    ends[np.flatnonzero(weights)[-1]:] = WORDS      # what sums have lost; a road of nothing gets none
    kept = np.flatnonzero(np.diff(ends, prepend=0))
    return ends[kept] - 1, np.array(nodes)[kept], np.searchsorted(ends[kept] - 1, np.arange(256) << 24)
