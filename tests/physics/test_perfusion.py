"""Vessels mature, open, close and are pressed shut, and the oxygen of their blood falls along them."""
from types import SimpleNamespace

import numpy as np
import pytest

from living import NOTHING, grown, jungle, line, live, tissue
from metacascade.config.config import default
from metacascade.mechanisms.compile import field_terms
from metacascade.mechanisms.fields import Diffusing
from metacascade.mechanisms.plan import collect
from metacascade.mechanisms.terms import ADMIT, Rate
from metacascade.model import vessels
from metacascade.space.fields import Field, Fields
from metacascade.space.network_imported import set_ends
from metacascade.space.pieces import CLOSED, COLLAPSED, CUT_OFF, JOINED, PIECE
from metacascade.space.relaxation import Mesh, NoHalo
from plans import made_up


@pytest.mark.parametrize("level, share", [(1.0, 1 / 17), (2.0, 1 / 2), (4.0, 16 / 17)])
def test_vessels_mature_and_are_loosened_exactly_and_hardly_where_there_is_half_as_much_factor(level, share):
    made = tissue("maturation.time=5 day", "maturation.loosening=0.4/day", "maturation.half=2", "vessels.maturity_mean=0.2",
                  "vessels.maturity_spread=0.1", tiles=1, factor=lambda x, y, z: level + 0 * x)
    before = made.vasculature.pieces.all["maturity"].copy()
    live(made, 9, NOTHING)
    up, down, t = 1 / 5, 0.4 * share, 9 * 0.25
    expected = up / (up + down) + (before - up / (up + down)) * np.exp(-(up + down) * t)
    np.testing.assert_allclose(made.vasculature.pieces.all["maturity"], expected, rtol=2e-6)
    mapped = made.vessels.segments["maturity"]
    assert np.isin(mapped, made.vasculature.pieces.all["maturity"]).mean() > 0.5, "the voxels know the maturity of today"


def test_vessels_open_and_close_as_wholes_and_as_often_as_they_should():
    """n: vessels that have grown; law: two states in equilibrium, binomial; a false alarm in 1e6."""
    made = jungle()
    share = made.config.perfusion.closed_h / (made.config.perfusion.closed_h + made.config.perfusion.open_h)
    pieces = grown(made)
    vessel, first = np.unique(pieces["vessel"], return_index=True)
    shut = pieces["flags"][first] & CLOSED > 0
    assert np.array_equal(shut[np.searchsorted(vessel, pieces["vessel"])], pieces["flags"] & CLOSED > 0)
    assert abs(shut.sum() - share * len(vessel)) <= 4.9 * np.sqrt(len(vessel) * share * (1 - share)) + 1
    flowing = (pieces["flags"] & (JOINED | CLOSED | CUT_OFF)) == JOINED
    assert np.array_equal(pieces["perfused"] > 0, flowing)


@pytest.mark.parametrize("pressure", [0.0, 0.05, 0.1, 0.4])
def test_pieces_are_pressed_shut_and_recover_as_their_rates_say(pressure):
    """n: pieces of the host, each for itself; law: two states from open, binomial after 6, 12 and 60 h; a false alarm in
    1e6 (4.9 standard deviations) each. Of those that are shut after a step the share of before is expected, too."""
    made = tissue("angiogenesis.enabled=false", "perfusion.collapse=3/day", "perfusion.collapse_half=0.1",
                  "perfusion.recovery=1 day")
    made.microenvironment["pressure"].value[:] = pressure
    shut, recover = 3 / 24 * pressure**4 / (pressure**4 + 0.1**4), 1 / 24
    pieces, n, former = made.vasculature.pieces.all, len(made.vasculature.pieces.all), 0.0
    for steps, hours in ((1, 6), (1, 12), (8, 60)):
        before = pieces["flags"] & COLLAPSED > 0
        live(made, steps, first=2 * hours)
        now = pieces["flags"] & COLLAPSED > 0
        relaxed, share = 1 - np.exp(-(shut + recover) * hours), shut / (shut + recover)
        expected = share * relaxed
        assert abs(now.sum() - n * expected) <= 4.9 * np.sqrt(n * expected * (1 - expected)) + 1e-9, hours
        still = share + (1 - share) * np.exp(-(shut + recover) * (hours - former))
        m = before.sum()
        assert abs((now & before).sum() - m * still) <= 4.9 * np.sqrt(m * still * (1 - still)) + 1e-9, hours
        former = hours
    assert n > 3000 and np.array_equal(pieces["perfused"] > 0, pieces["flags"] & (JOINED | COLLAPSED | CUT_OFF) == JOINED)


@pytest.mark.parametrize("at_start", [True, False])
@pytest.mark.parametrize("cuts", [1, 280])
def test_blood_loses_oxygen_on_its_way_through_cells(at_start, cuts):
    """A vessel through a block of cells: `along` is the way from the nearer face, by density and width, at once, and
    however short the pieces of the vessel are: those that touch must not hold each other down."""
    way = np.linspace(-700, 700, cuts + 1)
    lines = [line((x, y, 20), (next_, y, 20), *wide) for y, wide in ((20, ()), (-100, (10.0,)))
             for x, next_ in zip(way, way[1:])]
    made = tissue("angiogenesis.enabled=false", tiles=3, segments=lines)
    inside = (np.abs(made.region.coords[:, 0] + 0.5) < 2).nonzero()[0]         # |x| < 480 um
    made.counts[inside] = 4
    vessels.begin(made) if at_start else live(made, 1)
    pieces = made.vasculature.pieces.all
    depth = np.maximum(480 - np.minimum(np.abs(pieces["ax"]), np.abs(pieces["bx"])), 0)      # of the farther end
    expected = depth * (4 / made.config.tissue.capacity) / np.where(pieces["radius"] > 9, 4, 1)
    np.testing.assert_allclose(pieces["along"], expected, rtol=1e-6, atol=1e-3)
    assert expected.max() > 150
    ratio = made.vessels.supply[:, 1].sum() / made.vessels.supply[:, 0].sum()
    assert 0.6 < ratio < 0.95, "less comes in than goes to and fro"


@pytest.mark.parametrize("edge_um", [30, 20, 15, 10])
def test_the_way_through_cells_does_not_depend_on_small_voxels(edge_um):
    """Cells at random in a block, 0.95 of what fills it: of voxels of 15 um, which one cell fills, 0.39 are empty and
    of those of 10 um 0.75, and it is not by these that blood keeps its oxygen. 480 um to the middle, in pieces of 20 um;
    E(min(n / capacity, 1)) is 0.85 of cubes of 30 um, 0.88 of 40 um, and the ways from both sides are at most that."""
    way = np.arange(-700, 701, 20)
    made = tissue("angiogenesis.enabled=false", f"tissue.voxel={edge_um} um", tiles=round(720 / 8 / edge_um), segments=[
        line((x, y, z), (x + 20, y, z)) for y in (-50, 70) for z in (-50, 70) for x in way[:-1]])
    low, high = made.region.coords * 8 * edge_um, (made.region.coords + 1) * 8 * edge_um
    block = np.flatnonzero(((low >= -480) & (high <= 480)).all(axis=1))
    made.counts[block] = np.random.default_rng(1).poisson(0.95 * made.config.tissue.capacity, (len(block), 512))
    vessels.begin(made)
    pieces = made.vasculature.pieces.all
    middle = np.minimum(np.abs(pieces["ax"]), np.abs(pieces["bx"])) == 0
    assert 0.7 < pieces["along"][middle].mean() / 480 < 0.92


def test_what_voxels_have_of_vessels_is_as_if_all_tiles_were_looked_at_again():
    made = tissue("angiogenesis.sprouting=20/mm/day", "maturation.half=0.01", tiles=2)
    made.counts[np.abs(made.region.coords[:, 0] + 0.5) < 1] = 4
    for k in range(4):
        before = made.vessels
        live(made, 1, first=12 + 12 * k)
        made.counts[np.arange(k, 64, 9)] += 1                       # blood loses more in some tiles
        anew = made.vasculature.map(np.arange(len(made.region.keys)), made.shares)
        for name in ("supply", "coarse", "first", "index", "segments", "near"):
            assert getattr(made.vessels, name).tobytes() == getattr(anew, name).tobytes(), name
    assert len(before.index) != len(anew.index) and before.supply[:, -1].tobytes() != anew.supply[:, -1].tobytes()


def test_no_blood_comes_through_a_vessel_that_is_pressed_shut():
    """What lies between two shut pieces has none; where one opens it comes from that side."""
    made = tissue("angiogenesis.enabled=false", "perfusion.recovery=3650 day", segments=[line((-700, 20, 20), (700, 20, 20))])
    made.counts[np.abs(made.region.coords[:, 0] + 0.5) < 2] = 4               # |x| < 480 um
    pieces, inner = made.vasculature.pieces.all, made.region.rows_at(np.array([[0, 0, 0], [-1, 0, 0]], np.int32))
    perfused = live(made, 1).reachable[inner]
    shut = [np.flatnonzero(np.minimum(pieces["ax"], pieces["bx"]) == x)[0] for x in (-480, 240)]
    pieces["flags"][shut] |= COLLAPSED
    live(made, 1)
    assert (perfused > 0).all() and not made.reachable[inner].any() and not made.vessels.supply[inner].any()
    assert sorted(pieces["perfused"]) == [0, 0, 0, 0, 1, 1] and (pieces["flags"] & CUT_OFF > 0).sum() == 2
    pieces["flags"][shut[1]] ^= COLLAPSED
    live(made, 1)
    assert np.array_equal(made.reachable[inner], perfused) and made.vessels.supply[inner].any(axis=(1, 2)).all()
    of_um = 4 / made.config.tissue.capacity
    np.testing.assert_allclose([_piece_at(made, x, 20)["along"] for x in (10, -10)], [480 * of_um, 720 * of_um], rtol=1e-5)


def test_no_blood_comes_from_a_necrotic_core():
    """Vessels through a shell of cells: in the hollow, in tiles without cells too, blood has come through the shell."""
    made = tissue("angiogenesis.enabled=false", tiles=4, segments=[line((-900, 20, 20), (900, 20, 20)), line((
        -900, -100, 20), (-10, -100, 20)), line((-900, -300, 20), (900, -300, 20))])
    coords = made.region.coords
    shell = (coords >= -3).all(axis=1) & (coords <= 2).all(axis=1) & ~((coords >= -1).all(axis=1) & (coords <= 0).all(axis=1))
    made.counts[shell] = 4
    live(made, 1, NOTHING)
    of_um = 4 / made.config.tissue.capacity
    for x, y, way in ((10, 20, 480), (-50, -100, 480), (10, -300, 720), (800, 20, 0)):
        assert _piece_at(made, x, y)["along"] == pytest.approx(of_um * way, rel=1e-5), (x, y)


def test_blood_comes_also_from_the_vessel_that_a_sprout_has_met():
    """A vessel from a narrow one to a wide one, whose blood has lost a quarter: it meets that between its ends."""
    made = tissue("angiogenesis.enabled=false", "perfusion.open=8766 h", tiles=3, segments=[
        line((-700, 20, 20), (700, 20, 20)), line((-700, -100, 20), (700, -100, 20), 10.0)])
    made.counts[np.abs(made.region.coords[:, 0] + 0.5) < 2] = 4               # |x| < 480 um
    narrow, wide = (_piece_at(made, 10, y) for y in (20, -100))
    _add(made, [(10, 20, 20), (10, 0, 20)], index=0, parent=narrow["vessel"], parent_index=narrow["index"])
    _add(made, [(10, 0, 20), (10, -100, 20)], index=1, met=wide["vessel"], met_index=wide["index"])
    live(made, 1, NOTHING)
    of_um, new = 4 / made.config.tissue.capacity, grown(made)
    new = new[np.argsort(new["index"])]
    np.testing.assert_allclose(new["along"], of_um * (480 / 4 + np.array([120, 100])), rtol=1e-5)


def _piece_at(made, x, y):
    """The piece of a vessel along x."""
    pieces = made.vasculature.pieces.all
    return pieces[(pieces["ay"] == y) & (np.minimum(pieces["ax"], pieces["bx"]) <= x)
                  & (np.maximum(pieces["ax"], pieces["bx"]) > x)][0]


def _add(made, ends_, flags=JOINED, **members):
    """A piece of vessel 99."""
    piece = np.zeros(1, PIECE)
    set_ends(piece, *(np.array([end], float) for end in ends_))
    piece["vessel"] = piece["root"] = 99
    piece["radius"], piece["flags"] = 5.0, flags
    for name, value in members.items():
        piece[name] = value
    vessels_ = made.vasculature
    vessels_.pieces = vessels_.pieces.more(piece, made.region.rows_at(vessels_.place_of(piece)), len(made.region.keys))


@pytest.mark.parametrize("share", [1.0, 0.25])
@pytest.mark.parametrize("admitted", [1.0, 0.5])
def test_a_field_comes_to_the_level_of_the_blood_that_feeds_it(share, admitted):
    """Whatever walls admit: they let out as little as in."""
    field = Field(diffusion=1e5, capacity=8.0, step_h=1.0, edge_um=30.0, sweeps=8, vessel=40.0, wall=1.0, initial=10.0,
                  name="c")
    terms = field_terms(collect(default(), [made_up(
        Diffusing("c", "", diffusion=1e5, start=10.0, vessel=40.0, wall=1.0),
        Rate("field.c.inflow", admitted, unit="", action=ADMIT))]))
    fields = Fields([field], field.arrays)
    fields.let_fall("c")
    field.arrays.grow(0, 1)
    supply = np.random.default_rng(1).uniform(1, 9, (1, 2, 512)).astype(np.float32)
    supply[:, 1] = np.float32(share) * supply[:, 0]
    mesh = Mesh(np.zeros((1, 3), np.int32), np.full((1, 6), -1))
    for _ in range(60):
        fields._relax(fields.each, np.zeros((1, 512), np.uint16), SimpleNamespace(supply=supply), mesh, NoHalo(), {}, {},
                      terms)
    np.testing.assert_allclose(field.value, 40 * share, rtol=1e-3)
