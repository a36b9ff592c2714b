"""Exits into a vessel against hazard, true distance, maturity and adhesion.

Bounds are Z = 4.5 standard deviations of a binomial law: false alarm 7e-6 for each number compared.
"""
import math

import numpy as np
import pytest

from binomial import Z, assert_binomial
from metacascade._kernels._vessels import SEGMENT
from metacascade.config.config import Config
from metacascade.space.vessels import Network, voxelize
from tiles import Patch, distances, only

pytestmark = pytest.mark.statistical
N = 200_000
HAZARD, RADIUS, REACH = 0.05, 6.0, 10.0
HOURS = 12


def vessel(a=(-50.0, 100.0, 130.0), b=(200.0, 140.0, 90.0), maturity=0.0, radius=RADIUS):
    """A slanting vessel that ends inside the tile at the origin."""
    s = np.zeros(1, SEGMENT)
    for axis, start, end in zip("xyz", a, b):
        s["a" + axis], s["b" + axis] = start, end
    s["radius"], s["maturity"], s["perfused"] = radius, maturity, 1
    return s


def tile_of_cells(segments, adhesion=0, **intravasation):
    """N cells all over one tile of 240 um, with nothing but the way into vessels."""
    intravasation = dict(dict(hazard_per_h=HAZARD, reach_um=REACH, cluster_fraction=0.0), **intravasation)
    patch = Patch([(0, 0, 0)], segments, **only(run=dict(step_s=1800), intravasation=intravasation))
    patch.scatter(0, np.arange(N) % 512, np.random.default_rng(3), emt=0, adhesion=adhesion)
    return patch


def exits(patch, hours=HOURS):
    """All CTCs that leave in so many hours."""
    return np.concatenate([patch.step()[0].copy() for _ in range(round(hours / patch.parameters["dt_h"]))])



def test_cells_within_reach_leave_exponentially_and_no_others():
    """N (1 - exp(-h T)) of the cells whose distance from the center line is at most radius + reach."""
    segment = vessel()
    patch = tile_of_cells(segment)
    inside = distances(patch.places()[1], segment[0]) <= RADIUS + REACH
    shed = exits(patch)
    assert_binomial(len(shed), int(inside.sum()), -math.expm1(-HAZARD * HOURS))
    assert patch.cells == N - len(shed)
    left = distances(patch.places()[1], segment[0]) > RADIUS + REACH
    assert left.sum() == (~inside).sum(), "a cell beyond reach left"


def test_true_distance_and_place_are_recorded():
    segment = vessel()
    shed = exits(tile_of_cells(segment))
    at = np.stack([shed[axis] for axis in "xyz"], axis=1).astype(float)
    true = distances(at, segment[0])
    assert np.abs(true - shed["distance"]).max() < 1e-3 and true.max() <= RADIUS + REACH + 1e-3
    beyond = at[:, 0] > 200.0
    assert beyond.sum() > 20, "the test did not see the round end of the vessel"
    assert (shed["n"] == 1).all() and (shed["fate"] == 0).all() and len(np.unique(shed["id"])) == len(shed)


def test_exits_by_distance_follow_the_cells_not_the_distance():
    """Within reach the hazard does not depend on the distance: the same share of each of four shells."""
    segment = vessel()
    patch = tile_of_cells(segment)
    before = distances(patch.places()[1], segment[0])
    shed = exits(patch)
    for low in range(0, 16, 4):
        n = int(((before >= low) & (before < low + 4)).sum())
        found = int(((shed["distance"] >= low) & (shed["distance"] < low + 4)).sum())
        assert_binomial(found, n, -math.expm1(-HAZARD * HOURS))


def test_times_of_exit_lie_anywhere_in_the_step():
    """Kolmogorov distance of the time within a step from uniform, n about 4000: false alarm of 2.5 is 7e-6."""
    shed = exits(tile_of_cells(vessel()))
    u = np.sort(shed["t_shed"] / 0.5 % 1)
    n = len(u)
    distance = max((np.arange(1, n + 1) / n - u).max(), (u - np.arange(n) / n).max())
    assert distance * math.sqrt(n) < 2.5
    assert (shed["t_event"] == shed["t_shed"]).all() and 0 < shed["t_shed"].min() and shed["t_shed"].max() < HOURS


@pytest.mark.parametrize(("maturity", "factor"), [(0.0, 1.0), (0.5, 0.55), (1.0, 0.1)])
def test_mature_vessels_let_fewer_cells_in(maturity, factor):
    """Hazard times m + (1 - m) (1 - maturity), m = 0.1."""
    segment = vessel(maturity=maturity)
    patch = tile_of_cells(segment, permeability_mature=0.1)
    inside = int((distances(patch.places()[1], segment[0]) <= RADIUS + REACH).sum())
    shed = exits(patch)
    assert_binomial(len(shed), inside, -math.expm1(-HAZARD * factor * HOURS))
    assert (shed["maturity"] == int(255 * maturity + 0.5)).all()


@pytest.mark.parametrize(("adhesion", "exponent", "factor"), [(128, 1.0, 127 / 255), (128, 2.0, (127 / 255) ** 2),
                                                              (255, 1.0, 0.0), (255, 0.0, 1.0)])
def test_bound_cells_leave_less(adhesion, exponent, factor):
    """Hazard times (1 - adhesion / 255)^n."""
    segment = vessel()
    patch = tile_of_cells(segment, adhesion=adhesion, detach_exponent=exponent)
    inside = int((distances(patch.places()[1], segment[0]) <= RADIUS + REACH).sum())
    shed = exits(patch)
    if factor == 0.0:
        assert len(shed) == 0
    else:
        assert_binomial(len(shed), inside, -math.expm1(-HAZARD * factor * HOURS))


def test_the_vessel_whose_wall_is_nearest_counts():
    """Two parallel vessels, a thin mature one and a thick one: the wall decides, not the center line."""
    two = np.concatenate([vessel((0, 112, 120), (240, 112, 120), 0.0, 12.0),
                          vessel((0, 132, 120), (240, 132, 120), 1.0, 3.0)])
    patch = tile_of_cells(two, permeability_mature=0.2)
    places = patch.places()[1]
    gap = np.stack([distances(places, s) - s["radius"] for s in two])
    shed = exits(patch)
    for which, factor in ((0, 1.0), (1, 0.2)):
        n = int(((gap.argmin(axis=0) == which) & (gap.min(axis=0) <= REACH)).sum())
        assert_binomial(int((shed["maturity"] == 255 * which).sum()), n, -math.expm1(-HAZARD * factor * HOURS))


def test_size_of_clusters():
    """Exits of cells with adhesion 1 are clusters with the configured chance, of 2 plus a geometric number of cells
    as long as the voxel has them: mean 4, variance q / (1 - q)^2 with q = 2/3. One step, so that no voxel runs out."""
    patch = tile_of_cells(vessel(radius=1000.0), adhesion=255, cluster_fraction=0.3, cluster_mean=4.0,
                          detach_exponent=0.0, hazard_per_h=0.02)
    shed, tally = patch.step()
    size = shed["n"][shed["n"] > 1].astype(float)
    assert_binomial(len(size), len(shed), 0.3)
    assert abs(size.mean() - 4.0) < Z * math.sqrt(6.0 / len(size)), f"mean {size.mean()} of {len(size)} clusters"
    assert tally["shed"] == shed["n"].sum() == N - patch.cells


def test_exits_with_generated_vessels_and_their_map():
    """Every cell within reach of any perfused vessel, found by brute force: a voxel's list leaves out none that
    matters, and no vessel hides another."""
    config = Config.from_dict(dict(vessels=dict(length_density_per_um2=300e-6)))
    network = Network.from_config(config.vessels, 5)
    tile = np.zeros((1, 3), np.int32)
    near = network.segments_near(tile, 30.0, 60.0)
    assert near["radius"].max() < 60.0 - REACH
    patch = tile_of_cells(None, permeability_mature=1.0)
    patch.vessels = voxelize(tile, 30.0, network, REACH, [(320.0, 6e6)])
    places, inside = patch.places()[1], np.zeros(N, bool)
    for segment in near[near["perfused"] == 1]:
        inside |= distances(places, segment) <= segment["radius"] + REACH
    assert 0.02 < inside.mean() < 0.9
    shed = exits(patch)
    assert_binomial(len(shed), int(inside.sum()), -math.expm1(-HAZARD * HOURS))
