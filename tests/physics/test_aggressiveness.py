"""Aggressive clones are held by the bed of the tumor, and leave its vessels, as often as their trait says."""
import math

import numpy as np
import pytest

from binomial import assert_binomial
from metacascade._kernels._layout import CTC, Flag, Place
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.mechanisms.compile import founder as founder_traits
from metacascade.model.blood import Blood
from metacascade.model.circuit import Circuit

N = 30_000          # cells of each clone
ALONE = dict(anoikis_per_h=0.0, shear_slope_cm2_per_dyn_h=0.0, nk_per_h=0.0, release_per_h=0.0, binding_per_h=0.1,
             tension_mN_per_m=0.0, nuclear_stiffness_kPa=0.0, stretch=1000.0, arrested_death_per_h=0.0)
FOUNDER = 0.2
CLONES = np.array([0, 51, 255], np.uint8)       # aggressiveness 0, the founder's 0.2, and 1
BIND = 0.1                                      # in the hour that all are in the bed of the tumor


def at_the_tumor(attraction, enabled=True, scales=()):
    """Cells of three clones that come into the bed of the tumor at time 0; and the half-life of leaving it [h]."""
    config = Config.from_dict(dict(
        run=dict(species="mouse"), tumor=dict(cells=10**6), blood=ALONE, colonization=dict(attraction=attraction),
        vessel_growth=dict(enabled=False),
        aggressiveness=dict(enabled=enabled, founder=FOUNDER), organs=dict(tumor=dict(adhesion=1.0))))
    circuit = Circuit(config, plan_of(config))
    circuit.set_rates(scales)
    circuit.take_clones({"": np.zeros(3, np.uint8), "aggressiveness": CLONES})
    circuit.nodes["transit_h"][0] = 1e12
    blood = Blood(config, circuit, 5)
    ctcs = np.zeros(3 * N, CTC)
    ctcs["id"] = np.arange(len(ctcs), dtype=np.uint64) << np.uint64(20)
    ctcs["n"], ctcs["flags"], ctcs["diameter"], ctcs["adhesion"] = 1, Flag.INJECTED, 12.0, 255
    ctcs["clone"] = np.arange(len(ctcs)) % 3
    blood.admit(ctcs)
    return blood, config.organs["tumor"].extravasation_h


def held(blood):
    """How many of each clone have bound to the bed in an hour; none of them leaves its vessels."""
    exits = blood.circuit.rates.by_node("blood.extravasate")
    before, exits[:] = exits.copy(), 0.0
    blood.advance(1.0)
    exits[:] = before
    blood.redraw(1.0)
    return np.bincount(blood.records["clone"][blood.records["place"] == Place.BOUND], minlength=3)


@pytest.mark.statistical
@pytest.mark.parametrize("attraction", [1.0, 5.0])
def test_a_bed_holds_a_cell_as_often_as_its_clone_responds(attraction):
    """Binomial, n = 30,000 of each clone: 1 - exp(-bind (1 + (attraction - 1) aggressiveness / founder))."""
    counts = held(at_the_tumor(attraction)[0])
    for clone, response in enumerate((0.0, 1.0, 5.0)):
        assert_binomial(counts[clone], N, -math.expm1(-BIND * (1 + (attraction - 1) * response)))
    assert (counts.max() > 5 * counts.min()) == (attraction > 1)


@pytest.mark.statistical
def test_held_cells_leave_the_vessels_as_often_as_their_clone_responds():
    """Of those that are held, the share that has left after t: 1 - 2^(-t gain / half-life)."""
    blood, half_life = at_the_tumor(5.0)
    counts = held(blood)
    t = 0.1 * half_life
    still = blood.records["id"][blood.records["place"] == Place.BOUND]
    back = blood.advance(1.0 + t).returning
    for clone, gain in enumerate((1.0, 5.0, 21.0)):
        left, share = np.isin(back["id"][back["clone"] == clone], still).sum(), 1 - 2.0 ** (-0.1 * gain)
        assert_binomial(left, counts[clone], share)


@pytest.mark.statistical
def test_what_blocks_the_signals_makes_all_clones_alike():
    """A therapy with factor 0 on blood.homing: each clone is held as by a bed that attracts nobody."""
    for count in held(at_the_tumor(5.0, scales={"blood.homing": 0.0})[0]):
        assert_binomial(count, N, -math.expm1(-BIND))


@pytest.mark.parametrize("founder", [0.01, 0.0137, 0.2, 1.0])
def test_cells_of_the_founder_feel_all_of_the_attraction_however_their_byte_is_rounded(founder):
    made = plan_of(Config.from_dict(dict(tumor={}, aggressiveness=dict(enabled=True, founder=founder))))
    factor, = (one for one in made.factors if getattr(one, "by", "") == "aggressiveness")
    assert factor.values[founder_traits(made)["aggressiveness"][0]] == 1.0


def test_switched_off_the_trait_of_a_clone_does_nothing():
    off = at_the_tumor(5.0, enabled=False)[0]
    assert (off.circuit.rates.clone == 1.0).all()
