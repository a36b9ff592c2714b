"""Traits of clones and states of cells, each with its control: off, on, and doubled, against the law that is stated.

Bounds are Z = 4.5 standard deviations: false alarm 7e-6 for each number that is compared.
"""
import math
from dataclasses import replace

import numpy as np
import pytest

from binomial import Z, assert_binomial
from metacascade._kernels._layout import Action
from metacascade._kernels._vessels import SEGMENT
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.mechanisms.compile import placed_rates, secretion, tissue_rates
from metacascade.model import clones as clone_table
from metacascade.model.motion import speed_factors
from tiles import Patch, only, rates_of, with_margin

ENDS = np.array([0, 102, 255], np.uint8)         # three clones: 0, the founder's 0.4, and 1


def plan(**tables):
    return plan_of(Config.from_dict({"tumor": {}} | {name: {"enabled": True} | held for name, held in tables.items()}))


def of_three(name):
    """Traits of three clones that differ in one."""
    return {"": np.zeros(3, np.uint8), name: ENDS}



# --- traits of clones ----------------------------------------------------------------------------------------------

def spread(made):
    """Mean square displacement of 20,000 cells of each of three clones in four hours [um^2]."""
    patch = Patch(with_margin(1, 1, 1), **dict(
        only(migration=dict(bias=0.0)), speed_factors=made, rates=rates_of([], clones=3)))
    clone = np.repeat([0, 1, 2], 20_000)
    patch.scatter(patch.row(0, 0, 0), np.sort(np.arange(len(clone)) % 512), np.random.default_rng(1), emt=255,
                  clone=clone, adhesion=np.arange(len(clone)) % 256)
    middle = 4 * patch.parameters["edge_um"]
    before = {k: patch.places()[1][patch.places()[0]["clone"] == k] for k in range(3)}
    for _ in range(8):
        patch.step()
    cells, at = patch.places()
    assert len(cells) == len(clone)
    return np.array([((at[cells["clone"] == k] - middle)**2).mean() - ((before[k] - middle)**2).mean()
                     for k in range(3)])


@pytest.mark.statistical
@pytest.mark.parametrize("fold", [2.0, 4.0])
def test_a_clone_spreads_with_the_square_of_the_speed_that_its_invasiveness_gives(fold):
    """Variance 2 D t of 60,000 coordinates of each clone: sd of its growth below 3 (w^2 / 12 + 2 D t) / sqrt(60,000), w
    the width of the tile; relative to the founder's for fold 2 and 4. Off: no table at all."""
    made = plan(invasiveness=dict(fold=fold))
    found = spread(speed_factors(made, of_three("invasiveness")))
    expected = 2 * 15.0**2 * 0.25 / 3 * 4.0 * fold ** (2 * (ENDS / 255 - 0.4))
    sd = 3 * ((8 * 30.0)**2 / 12 + expected) / math.sqrt(60_000)
    assert (np.abs(found - expected) < Z * sd + 0.02 * expected).all(), found / expected
    assert found[2] > 1.3 * found[1] > 1.3 * found[0] and speed_factors(plan()) == ()


@pytest.mark.parametrize("trait, rate, at_ends", [
    ("competence", "tissue.intravasate", (30**-0.4, 1.0, 30**0.6)), ("anoikis_resistance", "blood.anoikis", (1.0, 0.6, 0.0)),
    ("instability", "tissue.mutate", (1.0, 100**0.4, 100.0)),
    ("aggressiveness", "blood.homing", (0.0, 2.0, 5.0))])
def test_a_trait_acts_on_its_rate_alone(trait, rate, at_ends):
    made = plan(**{trait: {}})
    own = [one for one in made.factors if getattr(one, "by", "") == trait]
    assert [one.rate for one in own] == [rate]
    assert [own[0].values[byte] for byte in ENDS] == pytest.approx(at_ends)
    assert not [one for one in plan().factors if getattr(one, "by", "") == trait]


@pytest.mark.statistical
@pytest.mark.parametrize("fold", [3.0, 9.0])
def test_cells_enter_vessels_as_often_as_the_competence_of_their_clone_says(fold):
    """Everywhere in reach of a leaky vessel: shed in a step are 1 - exp(-hazard dt) of 20,000 cells of each clone."""
    made = plan(competence=dict(fold=fold), intravasation=dict(hazard_per_h=0.05, reach_um=60.0, cluster_fraction=0.0))
    segment = np.zeros(1, SEGMENT)
    segment["bx"], segment["radius"], segment["perfused"] = 240.0, 200.0, 1
    rates = tissue_rates(made, clones=of_three("competence"))
    i = rates.names.index("tissue.intravasate")
    patch = Patch([(0, 0, 0)], segment, rates=replace(rates, names=rates.names[i:i + 1], clone=rates.clone[i:i + 1],
                                                      state=rates.state[i:i + 1], rates=rates.rates[i:i + 1]), reach_um=60.0)
    patch.scatter(0, np.repeat(np.arange(64), 900) % 512, np.random.default_rng(2), clone=np.tile([0, 1, 2], 19_200))
    _, shed, _, _ = patch.advance(0, 0.0)
    for k, share in enumerate(ENDS / 255):
        hazard = 0.05 * fold ** (share - 0.4)
        assert_binomial((shed["clone"] == k).sum(), 19_200, -math.expm1(-hazard * 0.5))


@pytest.mark.statistical
@pytest.mark.parametrize("fold", [50.0, 100.0])
def test_unstable_clones_mutate_more_often(fold):
    """Mutants among the daughters of 15,000 divisions or so of each clone: binomial; never more than all of them."""
    made = plan(instability=dict(fold=fold, mutation=0.004))
    table = clone_table.thresholds(made, clones=of_three("instability"))
    assert table.tolist() == [clone_table.spectrum(made.traits).threshold(fold**x) for x in (0.0, 0.4, 1.0)]
    patch = Patch([(0, 0, 0)], rates=rates_of([(2.0, Action.DIVIDE, 0, [])], clones=3), capacity=1e9)
    patch.mutation = table
    patch.scatter(0, np.repeat(np.arange(512), 60), np.random.default_rng(3), clone=np.tile([0, 1, 2], 10_240))
    migrants = patch.advance(0, 0.0)[0]
    mutants = np.bincount(migrants["cell"]["clone"], minlength=3)
    cells = np.bincount(patch.everyone()[0]["clone"], minlength=3)
    for k, share in enumerate(ENDS / 255):
        born = cells[k] + mutants[k] - 10_240
        assert_binomial(mutants[k], born, min(1.0, 0.004 * fold**share))
    assert clone_table.thresholds(plan(chemotherapy={})).tolist() == [clone_table.spectrum(
        plan(chemotherapy={}).traits).threshold()]


def test_resistance_to_anoikis_lowers_the_hazard_of_its_clone_in_the_blood():
    rates = placed_rates(plan(anoikis_resistance={}), ("blood.anoikis",), ("lung",), clones=of_three("anoikis_resistance"))
    assert rates.clone[0] == pytest.approx(1.0 - ENDS / 255)


# --- states of cells -----------------------------------------------------------------------------------------------

def tile(name, oxygen=40.0, each=20, values=(), **columns):
    """A tile whose cells only change by one mechanism, at an oxygen that is held."""
    patch = Patch([(0, 0, 0)], oxygen=oxygen, **dict(only(**{name: dict(enabled=True, **dict(values))}), mobility=0.0))
    patch.scatter(0, np.repeat(np.arange(512), each), np.random.default_rng(1), **columns)
    return patch


def after(patch, steps=20):
    for _ in range(steps):
        patch.step()
    return patch.everyone()[0]


HYPOXIA = dict(hypoxia_per_h=0.04, emt_per_h=0.0, regain_per_h=0.0, step=5)
IN_EMT = dict(hypoxia_per_h=0.0, emt_per_h=0.04, regain_per_h=0.0, step=5)
REGAIN = dict(hypoxia_per_h=0.0, emt_per_h=0.0, regain_per_h=0.04, step=5)


@pytest.mark.statistical
@pytest.mark.parametrize("values, oxygen, emt, share, way", [
    (HYPOXIA, 1.0, 0, 1.0, -1), (HYPOXIA, 6.5, 0, 0.5, -1), (HYPOXIA, 40.0, 0, 0.0, -1), (IN_EMT, 40.0, 255, 1.0, -1),
    (IN_EMT, 40.0, 51, 0.2, -1), (IN_EMT, 40.0, 0, 0.0, -1), (REGAIN, 40.0, 0, 20 / (20 + 0.25 * 8.1), 1),
    (HYPOXIA | dict(hypoxia_per_h=0.08), 1.0, 0, 2.0, -1)])
def test_adhesion_goes_down_in_hypoxia_and_emt_and_up_among_neighbors(values, oxygen, emt, share, way):
    """Mean steps of 10,240 cells in 20 steps of time, binomial in each: within Z sigma."""
    patch = tile("adhesion", oxygen, values=values, emt=emt, adhesion=128)
    found = way * (after(patch)["adhesion"].astype(int) - 128)
    p = -math.expm1(-0.04 * share * patch.parameters["dt_h"])
    assert_binomial(found.sum() / 5, len(found) * 20, p)
    assert set(patch.everyone()[0]["emt"]) == {emt}


def test_adhesion_stays_within_its_byte_and_the_motile_and_the_still_lose_it_alike():
    for emt in (0, 200):
        lost = after(tile("adhesion", 0.0, values=HYPOXIA | dict(hypoxia_per_h=2.0, step=100), emt=emt, adhesion=180))
        assert set(lost["adhesion"]) == {0} and set(lost["emt"]) == {emt}


@pytest.mark.statistical
@pytest.mark.parametrize("rate, exponent, adhesion", [(0.05, 1.0, 51), (0.1, 1.0, 51), (0.05, 3.0, 51), (0.05, 1.0, 255),
                                                      (0.05, 1.0, 0)])
def test_cells_come_loose_with_a_hazard_of_their_adhesion(rate, exponent, adhesion):
    """Of 10,240 cells those that have come loose: 1 - exp(-k (1 - a)^n t), and they are of the state that is asked for."""
    patch = tile("detachment", values=dict(rate_per_h=rate, exponent=exponent, state=77), adhesion=adhesion)
    emt = after(patch)["emt"]
    hours = 20 * patch.parameters["dt_h"]
    assert_binomial((emt == 77).sum(), len(emt), -math.expm1(-rate * (1 - adhesion / 255)**exponent * hours))
    assert set(emt) <= {0, 77}


def test_what_has_not_come_loose_enters_no_vessel_unless_it_may():
    for attached, still in ((0.0, 0.0), (0.25, 0.25)):
        made = plan(detachment=dict(attached=attached))
        table = [one for one in made.factors_of("tissue.intravasate") if getattr(one, "by", "") == "emt"][0].values
        assert table[0] == still and set(table[1:]) == {1.0}


@pytest.mark.statistical
@pytest.mark.parametrize("growth", [1.3, 1.6])
def test_clones_of_more_cxcl1_divide_and_secrete_more(growth):
    """Divisions of 10,240 cells of each clone in half an hour: binomial, e^(rate dt) - 1. Off: no factor on either."""
    made = plan(cxcl1=dict(growth=growth, vessels=2.0), vegf={})
    of_clones = dict(of_three("cxcl1"), egfr=np.full(3, 255, np.uint8), id_level=np.full(3, 255, np.uint8))
    rates = tissue_rates(made, clones=of_clones)
    i = rates.names.index("tissue.divide")
    patch = Patch([(0, 0, 0)], rates=rates_of([(math.log(2) / 2, Action.DIVIDE, 0, [])], clones=3), capacity=1e9)
    patch.rates = replace(patch.rates, clone=rates.clone[i:i + 1])
    patch.rates.rates["most"] = growth
    patch.scatter(0, np.repeat(np.arange(512), 60), np.random.default_rng(3), clone=np.tile([0, 1, 2], 10_240))
    patch.advance(0, 0.0)
    born = np.bincount(patch.everyone()[0]["clone"], minlength=3) - 10_240
    for k, share in enumerate(ENDS / 255):
        assert_binomial(born[k], 10_240, math.expm1(math.log(2) / 2 * (1 + (growth - 1) * share) * 0.5))
    weights = secretion(made, "field.vegf.source", of_clones)[0]
    assert weights.tolist() == [128, 178, 255]
    assert not [one for one in plan(vegf={}).factors if getattr(one, "by", "") == "cxcl1"]
