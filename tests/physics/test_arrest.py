"""Capillaries, binding, and what becomes of arrested cells and of clusters: against theory and other computations."""
import math

import numpy as np
import pytest

from metacascade._kernels._layout import CTC, Event, Fate, Flag, Place
from metacascade.config.config import Config
from metacascade.mechanisms import plan_of
from metacascade.model.blood import Blood
from metacascade.model.circuit import Circuit
from metacascade.model.physiology import ARTERIAL, LUNG, NODES

pytestmark = pytest.mark.statistical
Z = 4.5  # false alarm of a two-sided test: 7e-6
QUIET = dict(anoikis_per_h=0.0, shear_slope_cm2_per_dyn_h=0.0, nk_per_h=0.0, binding_per_h=0.0, viscosity_Pa_s=0.0,
             arrested_death_per_h=0.0, breakup_per_h=0.0)
MUSCLE = NODES.index("muscle")


def blood(n, node=LUNG, edit=lambda circuit: None, emt=0, size=1, diameter=12.4, sections=(), **changes):
    """n CTCs of `size` cells that are to enter `node`, a bed, at time 0; whoever leaves it is stopped behind it."""
    cfg = Config.from_dict(dict(blood=QUIET | changes, vessel_growth=dict(enabled=False)) | dict(sections))
    circuit = Circuit(cfg, plan_of(cfg))
    circuit.nodes["transit_h"][np.arange(len(NODES)) != node] = 1e12
    edit(circuit)
    ctcs = np.zeros(n, CTC)
    ctcs["id"] = np.random.default_rng(2).permutation(np.arange(n, dtype=np.uint64) << np.uint64(32))
    ctcs["n"], ctcs["origin"], ctcs["flags"], ctcs["emt"] = size, node, Flag.INJECTED, emt
    ctcs["diameter"] = diameter
    made = Blood(cfg, circuit, 7)
    made.admit(ctcs)
    return made


def z_of(count, n, p):
    return (count - n * p) / math.sqrt(n * p * (1 - p))


def first_passage(made):
    """How many the bed traps, tears and lets through."""
    n, node = len(made.records), made.records["node"][0]
    ended = made.advance(1e6).ended
    trapped = int((made.records["place"] == Place.TRAPPED).sum())
    assert (ended["fate"] == Fate.SHEAR).all() and (made.records["node"][made.records["place"] == Place.TRAPPED] == node).all()
    return trapped, len(ended), n - trapped - len(ended)


def forever(circuit):
    """Arrested cells stay so."""
    circuit.rates.by_node("blood.extravasate")[:] = 0.0


def narrowest(diameter_um, softness, pressure_Pa):
    """The width that a pressure drives a cell into, surface and nucleus, by bisection in SI units."""
    low, high = 1e-12, diameter_um * 1e-6
    for _ in range(200):
        w = 0.5 * (low + high)
        needs = softness * max(4 * 0.2e-3 * (1 / w - 1 / (diameter_um * 1e-6)), 1e3 * (0.65e-6 * diameter_um / w - 1))
        low, high = (w, high) if needs > pressure_Pa else (low, w)
    return 1e6 * high


@pytest.mark.parametrize(("bed", "diameter", "emt"), [
    ("lung", 12.4, 0), ("lung", 12.4, 255), ("lung", 7.5, 0), ("lung", 16.8, 0), ("liver", 18.4, 128), ("muscle", 16.8, 255)])
def test_a_bed_traps_and_tears_as_many_as_widths_that_are_drawn_do(bed, diameter, emt):
    """n = 30,000 passages; 4e6 widths from NumPy's generator, whose error is a tenth of that of the passages."""
    n, node = 30_000, NODES.index(bed)
    made = blood(n, node, forever, emt=emt, diameter=diameter)
    median, spread, pressure = (float(made.circuit.nodes[name][node]) for name in ("capillary_um", "spread", "pressure_Pa"))
    trapped, torn, _ = first_passage(made)
    widths = median * np.exp(spread * np.random.default_rng(1).standard_normal(4_000_000))
    limit = narrowest(diameter, 1 - 0.5 * emt / 255, pressure)
    held = float((widths < limit).mean())
    burst = float(((widths >= limit) & (widths < diameter / 4.66)).mean())
    for count, p in ((trapped, held), (torn, burst)):
        assert abs(count - n * p) < Z * math.sqrt(1.01 * n * p * (1 - p)) + 1


@pytest.mark.parametrize(("narrower", "longer", "area"), [(4.66, 68.0, 3.12), (3.46, 28.0, 2.33), (2.94, 17.3, 2.0)])
def test_a_cell_narrowed_as_seen_is_as_long_as_seen_and_has_that_much_more_membrane(narrower, longer, area):
    """A cylinder of width d / L with round ends and the volume of the sphere, in units of d."""
    width = 1 / narrower
    length = (math.pi / 6 - math.pi * width**3 / 6) / (math.pi * width**2 / 4)
    assert (length + width) / width == pytest.approx(longer, rel=0.01)
    assert (math.pi * width * length + math.pi * width**2) / math.pi == pytest.approx(area, rel=0.003)


def test_muscle_holds_fewer_cells_than_the_lung_though_its_capillaries_are_narrower():
    """n = 5,000 each. Chances from the limits above and the error function: 0.060 and 0.469."""
    chances = []
    for bed in (MUSCLE, LUNG):
        made = blood(5_000, bed, forever)
        node = made.circuit.nodes[bed]
        below = math.log(float(node["capillary_um"]) / narrowest(12.4, 1.0, float(node["pressure_Pa"])))
        chances.append(0.5 * math.erfc(below / (float(node["spread"]) * math.sqrt(2))))
        assert abs(z_of(first_passage(made)[0], 5_000, chances[-1])) < Z
    muscle, lung = (Config.from_dict({"tumor": {}}).organs[bed].capillary_um for bed in ("muscle", "lung"))
    assert chances[0] < chances[1] and muscle < lung


@pytest.mark.parametrize("size", [1, 2, 5, 20])
def test_what_counts_of_a_cluster_is_its_widest_cell(size):
    """n = 20,000 clusters, widths of cells drawn by the model; chances from diameters that NumPy draws, 4e5 clusters."""
    n = 20_000
    passed = first_passage(blood(n, LUNG, forever, size=size, diameter=0.0, stretch=1000.0))[2]
    widest = 16.8 * np.exp(0.25 * np.random.default_rng(3).standard_normal((400_000, size)).max(axis=1))
    limit = np.maximum(1 / (100 / (4000 * 0.2) + 1 / widest), 0.65 * widest / 1.1)
    chance = np.mean([0.5 * math.erfc(math.log(w / 7.5) / (0.3 * math.sqrt(2))) for w in limit[:40_000]])
    assert abs(z_of(passed, n, chance)) < Z * math.sqrt(1.5)


@pytest.mark.parametrize("width", [5.0, 7.0, 10.0])
@pytest.mark.parametrize("size", [2, 8, 20])
def test_a_chain_of_up_to_twenty_cells_of_one_width_passes_as_one_of_them_does(size, width):
    """Under the pressure of the channels of Au 2016, some 1,000 Pa and more: the gate does not know n."""
    def channel(circuit):
        forever(circuit)
        circuit.nodes["capillary_um"][LUNG], circuit.nodes["pressure_Pa"][LUNG] = width, 1000.0

    many, one = (first_passage(blood(4_000, LUNG, channel, size=k)) for k in (size, 1))
    assert many == one


@pytest.mark.parametrize("size, trapped", [(4, 0), (5, 1_000)])
def test_clusters_too_large_for_single_file_lodge_before_the_capillaries(size, trapped):
    """However wide these are."""
    def wide(circuit):
        forever(circuit)
        circuit.nodes["capillary_um"][LUNG] = 1_000.0

    assert first_passage(blood(1_000, LUNG, wide, size=size, single_file=4)) == (trapped, 0, 1_000 - trapped)


@pytest.mark.parametrize(("size", "surface"), [(1, True), (4, True), (1, False)])
def test_squeezed_cells_stay_longer_by_their_viscosity_and_in_single_file(size, surface):
    """The mean of n = 40,000 exponential stays; its standard error is 0.5 %."""
    def wide(circuit):
        circuit.nodes["transit_h"][LUNG], circuit.nodes["pressure_Pa"][LUNG] = 0.001, 400.0
        circuit.nodes["capillary_um"][LUNG] = 6.0
        circuit.rates.by_node("blood.tension")[:] = 0.05 if surface else 0.0
        circuit.rates.by_node("blood.nuclear_stiffness")[:] = 0.0 if surface else 0.5

    made = blood(40_000, LUNG, wide, size=size, viscosity_Pa_s=300.0, stretch=1000.0)
    made.records["pending"] = Event.STAY        # in the bed, which does not trap them
    made.circuit.nodes["transit_h"][ARTERIAL] = 1e12
    made.advance(1e-9)
    stay = made.records["t_event"].mean()
    drive = 1 - (4 * 0.05e-3 * (1 / 6e-6 - 1 / 12.4e-6) if surface else 500 * (0.65 * 12.4 / 6 - 1)) / 400
    assert stay == pytest.approx(0.001 + size * 300 / 400 * (12.4 / 6 - 1) / drive / 3600, rel=0.025)


@pytest.mark.parametrize(("match", "homing"), [(1.0, 0.0), (0.3, 0.0), (1.0, 4.0)])
def test_binding_in_the_time_of_a_stay_is_one_minus_exp(match, homing):
    """n = 30,000 cells that stay in the lung for as long as one looks; binding is the only thing that happens."""
    def stay(circuit):
        circuit.nodes["transit_h"][LUNG] = 1e12
        forever(circuit)
        circuit.rates.by_node("blood.homing")[:] = homing
        circuit.rates.by_node("blood.release")[:] = 0.0

    made = blood(30_000, LUNG, stay, binding_per_h=3.0, tension_mN_per_m=0.0, nuclear_stiffness_kPa=0.0, stretch=1000.0,
                 sections=dict(organs={"lung": dict(adhesion=match)}))
    for t in (0.05, 0.3):
        made.advance(t)
        bound = int((made.records["place"] == Place.BOUND).sum())
        assert abs(z_of(bound, 30_000, -math.expm1(-3.0 * match * (1 + homing) * t))) < Z


def test_a_bound_cell_lets_go_and_one_that_is_trapped_does_not():
    """n = 20,000 each: bound ones are gone with exp(-release t), by the first time that they let go."""
    for tension, kept in ((0.0, math.exp(-2.0 * 0.5)), (0.2, 1.0)):
        def hold(circuit, tension=tension):
            forever(circuit)
            circuit.nodes["transit_h"][LUNG] = 1e12 if tension == 0.0 else 1e-9
            circuit.nodes["capillary_um"][LUNG] = 0.01 if tension else 100.0
            circuit.rates.by_node("blood.bind")[:] = 1e9

        made = blood(20_000, LUNG, hold, release_per_h=2.0, tension_mN_per_m=tension, nuclear_stiffness_kPa=0.0,
                     stretch=1000.0, binding_per_h=1.0)
        made.advance(0.5)
        there = int((made.records["node"] == LUNG).sum())
        assert there == 20_000 if kept == 1.0 else abs(z_of(there, 20_000, kept)) < Z


def test_a_bound_cell_has_no_anoikis_and_no_shear():
    def hold(circuit):
        forever(circuit)
        circuit.nodes["transit_h"][LUNG] = 1e12
        circuit.rates.by_node("blood.bind")[:] = 1e9
        circuit.rates.by_node("blood.release")[:] = 0.0

    made = blood(5_000, LUNG, hold, anoikis_per_h=100.0, anoikis_resistance=0.0, shear_slope_cm2_per_dyn_h=10.0,
                 binding_per_h=1.0, tension_mN_per_m=0.0, nuclear_stiffness_kPa=0.0, stretch=1000.0)
    assert not made.advance(10.0).ended.size and (made.records["place"] == Place.BOUND).all()


# --- clusters -----------------------------------------------------------------------------------------------------

def trapped(circuit):
    forever(circuit)
    circuit.nodes["capillary_um"][LUNG] = 0.01


@pytest.mark.parametrize("size", [2, 8, 27])
def test_the_cells_of_a_trapped_cluster_die_as_an_independent_death_process(size):
    """4,000 clusters, death in the vessel and NK that reaches those at the surface; the same by a step of 1e-3 h in NumPy,
    20,000 clusters: the mean sizes agree within 4.5 standard errors of both and the step."""
    death, nk, t, n = 0.2, 0.6, 1.5, 4_000
    made = blood(n, LUNG, trapped, size=size, arrested_death_per_h=death / 3, nk_per_h=nk, nk_loss_h=87660.0,
                 platelet_nk=0.0, stretch=1000.0)
    walked = made.advance(t)
    alive = int(made.records["n"].sum())
    assert sum(walked.deaths.values()) == n * size - alive
    rng, cells = np.random.default_rng(4), np.full(20_000, size)
    for _ in range(1500):
        reached = np.where(cells > 8, 2.0 * cells**(2 / 3), cells)
        cells = cells - (rng.random(len(cells)) < 1e-3 * (death * cells + nk * reached))
    error = cells.std() * math.sqrt(1 / n + 1 / len(cells))
    assert abs(alive / n - cells.mean()) < Z * error + 0.005 * size


def stay(circuit):
    circuit.nodes["transit_h"][ARTERIAL] = 1e12


@pytest.mark.parametrize("adhesion", [0, 200, 255])
def test_neighbors_spare_the_cells_of_a_flowing_cluster_anoikis(adhesion):
    """Pairs, n = 20,000: both live on with exp(-2 k (1 - adhesion) t), and single cells with exp(-k t)."""
    for size in (1, 2):
        made = blood(20_000, ARTERIAL, stay, size=size, anoikis_per_h=1.0, anoikis_resistance=0.0)
        made.records["adhesion"] = adhesion
        made.advance(0.4)
        whole = int((made.records["n"] == size).sum())
        p = math.exp(-0.4 * (1.0 if size == 1 else 2 * (1 - adhesion / 255)))
        assert whole == 20_000 if p == 1.0 else abs(z_of(whole, 20_000, p)) < Z


def test_clusters_break_up_by_one_cell_after_the_other():
    """A pure death process of rate (n - 1) k, 5,000 clusters of 6 in the arteries: 1 + 5 exp(-k t) on the mean, and each
    cell that has left is a CTC of its own."""
    made = blood(5_000, ARTERIAL, stay, size=6, breakup_per_h=0.5)
    first = made.records["id"].copy()
    made.advance(1.2)
    stays = np.isin(made.records["id"], first)
    p = math.exp(-0.5 * 1.2)
    assert abs(z_of(int(made.records["n"][stays].sum()) - 5_000, 25_000, p)) < Z
    alone = made.records[~stays]
    assert made.records["n"].sum() == 30_000 and (alone["n"] == 1).all() and len(set(alone["id"].tolist())) == len(alone)
    assert np.isin(alone["id"] >> np.uint64(48), first >> np.uint64(48)).all(), "whoever owned the cluster owns them"


# --- growth, the brain, ligands -----------------------------------------------------------------------------------

def growing(t, **growth):
    made = blood(4_000, LUNG, lambda c: c.nodes["capillary_um"].__setitem__(LUNG, 0.01), stretch=1000.0,
                 sections=dict(vessel_growth=growth, organs={"lung": dict(extravasation_h=87660.0)}))
    return made, made.advance(t)


def test_trapped_cells_divide_as_a_yule_process():
    """Mean exp(k t), variance exp(2 k t) - exp(k t), of 4,000 lines of cells."""
    k, t = 1.0, 1.1
    made, walked = growing(t, divide_per_h=k, burst_cells=10_000)
    mean, sd = math.exp(k * t), math.sqrt(math.exp(2 * k * t) - math.exp(k * t))
    assert abs(made.records["n"].mean() - mean) < Z * sd / math.sqrt(4_000)
    assert walked.born == made.records["n"].sum() - 4_000


def test_a_wall_bursts_when_so_many_cells_are_in_it():
    """A line of a Yule process has 5 cells or more with (1 - exp(-k t))^4; those have left with 5."""
    _, walked = growing(1.5, divide_per_h=1.0, burst_cells=5)
    out = walked.extravasated
    assert (out["n"] == 5).sum() >= len(out) - 3      # an exit in a year or ten, of 4,000, may come first
    assert abs(z_of(len(out), 4_000, (1 - math.exp(-1.5)) ** 4)) < Z


def test_arrested_cells_that_do_not_divide_are_as_many_as_before():
    made, walked = growing(100.0, enabled=False)
    assert walked.born == 0 and (made.records["n"] == 1).all()


@pytest.mark.parametrize(("node", "exponent"), [("brain", 3), ("lung", 0)])
def test_three_genes_open_the_brain_and_no_other_organ(node, exponent):
    """n = 10,000 trapped cells: exit with ln 2 / (10 h), times 2.5 for each gene in the brain."""
    at = NODES.index(node)
    made = blood(10_000, at, lambda c: c.nodes["capillary_um"].__setitem__(at, 0.01), stretch=1000.0, sections=dict(
        blood_brain_barrier=dict(enabled=True, gain=2.5, founder=1.0), organs={node: dict(extravasation_h=10.0)}))
    out = len(made.advance(1.0).extravasated)
    assert abs(z_of(out, 10_000, 1 - 2.0 ** (-0.1 * 2.5**exponent))) < Z


def test_without_its_barrier_the_brain_lets_cells_out_as_ever():
    at = NODES.index("brain")
    made = blood(10_000, at, lambda c: c.nodes["capillary_um"].__setitem__(at, 0.01), stretch=1000.0)
    assert abs(z_of(len(made.advance(100.0).extravasated), 10_000, 1 - 2.0 ** (-100 / 240))) < Z


def test_a_clone_binds_by_its_ligands():
    """n = 20,000 of each: 1 - exp(-k t ligand / founder)."""
    def stay(circuit):
        circuit.nodes["transit_h"][LUNG] = 1e12
        forever(circuit)
        circuit.rates.by_node("blood.release")[:] = 0.0
        circuit.take_clones(dict(ligand=np.array([127, 0, 254], np.uint8)))
        forever(circuit)
        circuit.rates.by_node("blood.release")[:] = 0.0

    made = blood(60_000, LUNG, stay, binding_per_h=3.0, tension_mN_per_m=0.0, nuclear_stiffness_kPa=0.0, stretch=1000.0,
                 sections=dict(ligand=dict(enabled=True, founder=0.5)))
    made.records["clone"] = np.arange(60_000) % 3
    made.advance(0.2)
    bound = np.bincount(made.records["clone"][made.records["place"] == Place.BOUND], minlength=3)
    founder = round(255 * 0.5) / 255
    for clone, ligand in enumerate((127 / 255, 0.0, 254 / 255)):
        p = -math.expm1(-3.0 * 0.2 * ligand / founder)
        assert bound[clone] == 0 if p == 0.0 else abs(z_of(bound[clone], 20_000, p)) < Z
