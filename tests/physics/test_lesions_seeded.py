"""The laws of what has left a vessel and does not divide yet: early death, sleep, start, waking; fixed seeds."""
import math

import numpy as np
import pytest

from metacascade._kernels._layout import CTC, LESION, Flag, LesionState
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model.circuit import Circuit
from metacascade.model.lesions import Lesions

pytestmark = pytest.mark.statistical
SEED = 13
Z = 4.5  # false alarm of a two-sided test: 7e-6
DAY = 24.0
SEEDS = dict(clonogenic=1.0, early_death_per_h=0.5 / DAY, start_per_h=0.3 / DAY, sleep_per_h=0.2 / DAY, wake_per_h=0.0,
             dormant_death_per_h=0.0, shed_per_h=0.0)


def seeded(count, cells=1, organs=None, node="lung", **changes):
    """So many cells or clusters that left a vessel at time 0."""
    cfg = Config.from_dict(dict(colonization=SEEDS | changes, organs=organs or {}))
    lesions = Lesions(cfg, Circuit(cfg, plan_of(cfg)), SEED)
    ctcs = np.zeros(count, CTC)
    ctcs["id"] = np.random.default_rng(cells).integers(0, 2**64, count, dtype=np.uint64)
    ctcs["n"], ctcs["node"] = cells, lesions.circuit.index(node)
    lesions.found(ctcs)
    return lesions


def far(count, n, p):
    """In standard deviations of the binomial law."""
    return abs(count - n * p) / math.sqrt(n * p * (1 - p))


def test_shares_and_times_are_those_of_competing_hazards():
    """20,000 single cells after 2 days: each share, and the mean time of an event (n = 12,000, exponential, cut)."""
    lesions, n, t = seeded(20_000), 20_000, 2 * DAY
    total = sum(SEEDS[name] for name in ("early_death_per_h", "start_per_h", "sleep_per_h"))
    counts = lesions.advance(0, 0.0, t).counts
    gone = 1 - math.exp(-total * t)
    for name, hazard in (("early_loss", "early_death_per_h"), ("started", "start_per_h"), ("slept", "sleep_per_h")):
        assert far(counts[name], n, gone * SEEDS[hazard] / total) < Z, name
    asleep = lesions.records["t_state"][lesions.records["state"] == LesionState.DORMANT]
    mean = 1 / total - t * math.exp(-total * t) / gone
    assert abs(asleep.mean() - mean) < Z * asleep.std() / math.sqrt(asleep.size)


def test_bits_do_not_depend_on_how_time_is_cut():
    """One step of 30 days, and 720 of an hour, of what does not divide: seeded ones that sleep, wake not, and die."""
    whole, parts = (seeded(3_000, cells=3, start_per_h=0.0, dormant_death_per_h=0.05 / DAY) for _ in range(2))
    counts = whole.advance(0, 0.0, 720.0).counts
    summed = dict.fromkeys(counts, 0)
    for step in range(720):
        summed = {name: summed[name] + n for name, n in parts.advance(step, float(step), 1.0).counts.items()}
    assert whole.records.tobytes() == parts.records.tobytes() and counts == summed
    assert {LesionState.DORMANT, LesionState.CLEARED} == set(whole.records["state"])


def chain(rng, n, early, niche, start, sleep):
    """Does a group of n begin to divide? One after another, a death or an end for the group."""
    while n:
        die = n * early / (1 + niche * (n - 1))
        u = rng.random() * (die + start + sleep)
        if u >= die:
            return u < die + start
        n -= 1
    return False


@pytest.mark.parametrize("niche", [0.0, 1.0])
def test_a_cluster_begins_as_often_as_an_independent_chain(niche):
    """10,000 clusters of 5 in the model and as many in a chain of competing events: binomial difference."""
    lesions, rng = seeded(10_000, 5, niche=niche), np.random.default_rng(5)
    began = lesions.advance(0, 0.0, 400 * DAY).counts["started"]
    rates = [SEEDS[name] for name in ("early_death_per_h", "start_per_h", "sleep_per_h")]
    other = sum(chain(rng, 5, rates[0], niche, *rates[1:]) for _ in range(10_000))
    p = (began + other) / 20_000
    assert abs(began - other) < Z * math.sqrt(2 * 10_000 * p * (1 - p))


def test_a_cluster_is_worth_more_than_its_cells():
    """Clonogenic 1e-3, so that a cluster of 8 has 8 times the chance to have such a cell, and lives longer: 200,000 each."""
    chances = []
    for cells in (1, 8):
        lesions = seeded(200_000, cells, clonogenic=0.01, start_per_h=0.1 / DAY)
        chances.append(lesions.advance(0, 0.0, 400 * DAY).counts["started"] / 200_000)
    error = Z * math.sqrt(chances[0] / 200_000)
    assert chances[1] > 8 * (chances[0] + error)


@pytest.mark.parametrize("n", [1, 5, 40])
def test_of_a_cluster_one_clonogenic_cell_is_enough(n):
    lesions = seeded(20_000, n, clonogenic=0.02)
    count = (lesions.records["flags"] & Flag.CLONOGENIC > 0).sum()
    assert far(count, 20_000, 1 - 0.98**n) < Z and (lesions.records["n"] == n).all()


def test_what_is_not_clonogenic_never_divides():
    lesions = seeded(2_000, clonogenic=0.0, wake_per_h=0.1)
    assert not {"started", "woken"} & {name for name, n in lesions.advance(0, 0.0, 100 * DAY).counts.items() if n}


def asleep(count, node="lung", src=None, **changes):
    lesions = seeded(count, node=node, **changes)
    if src is not None:
        lesions.take_clones({"src": np.array([src], np.uint8)})
    lesions.records["state"], lesions.records["t_event"] = LesionState.DORMANT, math.inf
    lesions.redraw(0.0)
    return lesions


@pytest.mark.parametrize("node, src, times", [("lung", 255, 1), ("lung", 0, 1), ("bone", 255, 1), ("bone", 0, 5)])
def test_sleepers_die_by_their_half_life_and_in_the_marrow_five_times_as_fast_without_src(node, src, times):
    """5000 for a year: exp(-0.0006 x 365), of the fifth power in the marrow without SRC."""
    lesions = asleep(5_000, node, src, dormant_death_per_h=0.0006 / DAY)
    lesions.advance(0, 0.0, 365 * DAY)
    assert far((lesions.records["n"] > 0).sum(), 5_000, math.exp(-0.0006 * times * 365)) < Z


@pytest.mark.parametrize("soil", [1.0, 3.0])
def test_sleepers_wake_at_their_rate_times_the_soil(soil):
    """5000 for five years, 0.02 a year."""
    lesions = asleep(5_000, organs=dict(lung=dict(soil=soil)), wake_per_h=0.02 / (365.25 * DAY))
    woken = lesions.advance(0, 0.0, 5 * 365.25 * DAY).counts["woken"]
    assert far(woken, 5_000, 1 - math.exp(-0.1 * soil)) < Z


def test_normal_cells_do_not_divide_before_they_are_transformed_asleep():
    """5000 for 100 days at 0.01 a day: transformed 1 - exp(-1); of these those that woke, at 0.05 a day, two in a row."""
    cfg = Config.from_dict(dict(transformation=dict(enabled=True, rate_per_h=0.01 / DAY), colonization=SEEDS | dict(
        early_death_per_h=0.0, wake_per_h=0.05 / DAY)))
    lesions, ctcs, n = Lesions(cfg, Circuit(cfg, plan_of(cfg)), SEED), np.zeros(5_000, CTC), 5_000
    ctcs["id"] = np.random.default_rng(1).integers(0, 2**64, n, dtype=np.uint64)
    ctcs["n"], ctcs["node"], ctcs["bits"] = 1, lesions.circuit.index("lung"), dict(plan_of(cfg).bits)["NORMAL"]
    lesions.found(ctcs)
    assert not (lesions.records["flags"] & Flag.CLONOGENIC).any()
    lesions.records["state"], lesions.records["t_event"] = LesionState.DORMANT, math.inf
    lesions.redraw(0.0)
    counts = lesions.advance(0, 0.0, 100 * DAY).counts
    assert far(counts["transformed"], n, 1 - math.exp(-1)) < Z and counts["started"] == 0
    assert far(counts["woken"], n, 1 - (0.05 * math.exp(-1) - 0.01 * math.exp(-5)) / 0.04) < Z


@pytest.mark.parametrize("parts", [(0.0, 0.3), (0.25, 0.25), (0.9,)])
def test_a_change_within_a_step_acts_from_its_time(parts):
    """20,000 dormant cells, death 0.02 / h, and 3 times that from each change on (relative to the one before; at parts
    of one step of 40 h): alive are exp(-integral). At factor 1 the law is the same with the change and without."""
    n, h, t = 20_000, 0.02, 40.0
    for factor in (3.0, 1.0):
        lesions = asleep(n, dormant_death_per_h=h)
        hazard, integral, last = h, 0.0, 0.0
        for part in parts:
            integral, last, hazard = integral + hazard * t * (part - last), part, hazard * factor
            lesions.change_rates(t * part, {"lesion.dormant_death": hazard / h})
        lesions.advance(0, 0.0, t)
        assert far((lesions.records["n"] > 0).sum(), n, math.exp(-(integral + hazard * t * (1.0 - last)))) < Z


def founded(follow, clonogenic=0.03):
    """Colonies per organ that 200 large lesions found in a day: what they shed leaves a vessel in one of two organs."""
    cfg = Config.from_dict(dict(colonization=SEEDS | dict(
        clonogenic=clonogenic, shed_per_h=0.02 / DAY, early_death_per_h=0.0, sleep_per_h=0.0)))
    lesions = Lesions(cfg, Circuit(cfg, plan_of(cfg)), SEED)
    lesions.follow(200 * 5_000, follow / DAY)
    lesions.records = np.zeros(200, LESION)
    r = lesions.records
    r["id"], r["n"], r["state"] = np.arange(200) << 40, 5_000, LesionState.VASCULAR
    r["t_event"] = r["t_detected"] = math.inf
    shed = lesions.advance(0, 0.0, DAY).shed
    to_bone = np.random.default_rng(follow % 7).random(shed.size) < 0.3         # a walk that knows nothing of the flag
    shed["node"] = np.where(to_bone, lesions.circuit.index("bone"), lesions.circuit.index("lung"))
    shed["t_event"] = shed["t_shed"]
    lesions.records = lesions.records[:0]
    lesions.found(shed)
    began = lesions.records["flags"] & Flag.CLONOGENIC > 0
    return shed.size, [(began & (lesions.records["node"] == lesions.circuit.index(name))).sum() for name in ("lung", "bone")]


def test_following_the_clonogenic_cells_alone_founds_as_many_colonies_in_each_organ():
    """Some 20,000 cells shed, 3 % clonogenic, 420 and 180 colonies: Poisson numbers of the same mean."""
    (many, all_of_them), (few, chosen) = founded(10**14), founded(1)
    assert few < 0.05 * many
    for one, other in zip(all_of_them, chosen):
        assert one > 100 and abs(one - other) < Z * math.sqrt(one + other)
