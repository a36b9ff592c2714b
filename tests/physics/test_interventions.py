"""Surgery and radiation: as many cells go as the laws say, at the right time, and nobody is hit who should not be."""
import math

import numpy as np
import pytest

from metacascade._kernels._layout import CTC, LESION, Fate, LesionState, Place
from metacascade.config.config import Config
from metacascade.model import interventions
from metacascade.model.physiology import NODES
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

OFF = {name: dict(enabled=False) for name in ("growth", "hypoxia", "migration", "crowding", "oxygen", "intravasation")}
LEVEL = dict(uptake_mmHg_per_h=0.0, wall_um_per_h=0.0)       # oxygen is that of the stroma everywhere
CELLS = 200_000
LUNG, LIVER, TUMOR = (NODES.index(name) for name in ("lung", "liver", "tumor"))


def model_of(cells=CELLS, **tables):
    """A tumor in which nothing happens but what the tables ask for."""
    sections = OFF | dict(tumor=dict(cells=cells), run=dict(step_s=3600, duration_s=86400)) | tables
    return Simulation(Config.from_dict(sections), serial_world())


def steps(model, n):
    for _ in range(n):
        model.step()
    return model.ledger.totals


def bodies(model, n=2000, size=1000):
    """Put arrested CTCs and active lesions into the model, in tumor, lung and liver."""
    nodes = np.resize([TUMOR, LUNG, LIVER], n)
    ctcs, lesions = np.zeros(n, CTC), np.zeros(n, LESION)
    ctcs["id"] = lesions["id"] = np.arange(n, dtype=np.uint64) * np.uint64(2**40 + 7)
    ctcs["node"], ctcs["n"], ctcs["place"], ctcs["t_event"] = nodes, np.resize([1, 4], n), np.resize([Place.BOUND, Place.TRAPPED], n), 1e9
    ctcs["diameter"] = 12.0
    lesions["node"], lesions["n"], lesions["state"] = np.where(nodes == TUMOR, LUNG, nodes), size, LesionState.VASCULAR
    model.blood.records, model.lesions.records = ctcs, lesions


def far_from(n, p, found):
    """Standard deviations of a binomial number from its mean."""
    return abs(found - n * p) / math.sqrt(n * p * (1 - p))


@pytest.mark.parametrize("dose, fractions", [(2.0, 1), (2.0, 3), (8.0, 1)])
def test_survivors_of_radiation_are_exp_of_minus_alpha_D_minus_beta_D_d(dose, fractions):
    """Binomial, n = 200,000; within 4.5 standard deviations: false alarm 7e-6 each."""
    model = model_of(radiation=[dict(time_s=3600, dose_Gy=dose, fractions=fractions, interval_s=7200)])
    totals = steps(model, 6)
    p = math.exp(-fractions * (0.3 * dose + 0.03 * dose**2))
    assert far_from(CELLS, p, totals["tissue"]) < 4.5
    assert totals["irradiated"] == CELLS - totals["tissue"] == CELLS - model.tissue.counts.sum()


def test_without_oxygen_a_dose_counts_as_a_part_of_it():
    """Binomial, n = 200,000; within 4.5 standard deviations: false alarm 7e-6 each."""
    for oxygen, part in ((LEVEL | dict(stroma_mmHg=0.0), 1 / 3), (LEVEL | dict(stroma_mmHg=3.0), 2 / 3),
                         (dict(enabled=False), 1)):
        model = model_of(oxygen=oxygen,
                         radiation=[dict(dose_Gy=3.0, oxygen_enhancement=3.0, oxygen_half_mmHg=3.0)])
        p = math.exp(-0.3 * 3 * part - 0.03 * (3 * part) ** 2)
        assert far_from(CELLS, p, steps(model, 1)["tissue"]) < 4.5


def test_surgery_takes_a_share_of_the_cells_of_each_part_of_the_tumor():
    """Binomial, two halves of 100,000; within 4.5 standard deviations: false alarm 7e-6 each."""
    model = model_of(surgery=[dict(share=0.9)])
    left, before = model.tissue.region.coords[:, 0] < 0, model.tissue.arena.n.copy()
    totals = steps(model, 1)
    for part in (left, ~left):
        assert far_from(before[part].sum(), 0.1, model.tissue.arena.n[part].sum()) < 4.5
    assert totals["resected"] == CELLS - totals["tissue"]


@pytest.mark.parametrize("margin_um", [60.0, 0.0, -100.0])
def test_a_margin_leaves_no_cell_within_and_takes_none_beyond(margin_um):
    model = model_of(tumor=dict(cells=CELLS, center_um=(100.0, -50.0, 33.0)), surgery=[dict(margin_um=margin_um)])
    center, edge = np.array([100.0, -50.0, 33.0]), 30.0
    whole = (3 * CELLS / 8 * edge**3 / (4 * math.pi)) ** (1 / 3)          # of a ball of full voxels
    radius = interventions.radius_um(model.tissue, center, edge)
    assert abs(radius - whole * 0.95 ** (1 / 3)) <= edge
    before = distances(model, center)
    steps(model, 1)
    after = distances(model, center)
    assert after.tolist() == before[before > radius + margin_um].tolist()
    assert (len(after) == 0) == (margin_um > 0)


def distances(model, center):
    """Of all cells from a point, ascending."""
    t, found = model.tissue, []
    for row, at in enumerate(t.region.coords):
        cells, v = t.arena.block(row), np.repeat(np.arange(512), t.counts[row])
        inside = (np.stack([cells[axis] for axis in "xyz"], axis=1) + 0.5) / 65536
        place = (8 * at + np.stack([v & 7, v >> 3 & 7, v >> 6], axis=1) + inside) * 30.0
        found.append(np.sqrt(((place - center) ** 2).sum(axis=1)))
    return np.sort(np.concatenate(found))


def test_it_happens_at_the_end_of_the_step_before_its_time_and_once():
    model = model_of(surgery=[dict(time_s=0, share=0.5), dict(time_s=3600, share=0.5), dict(time_s=86400, share=0.5)])
    assert steps(model, 1)["tissue"] == pytest.approx(CELLS / 4, rel=0.02)     # of time 0 and of time 1 h
    assert steps(model, 22)["tissue"] == pytest.approx(CELLS / 4, rel=0.02)
    assert steps(model, 1)["tissue"] == pytest.approx(CELLS / 8, rel=0.03)     # that of the end of the run


def test_a_run_that_goes_on_repeats_nothing_and_leaves_nothing_out():
    plans = dict(surgery=[dict(time_s=7200, share=0.3)], radiation=[dict(time_s=0, fractions=5, interval_s=3600)])
    whole, first = model_of(20_000, **plans), model_of(20_000, **plans)
    steps(whole, 5)
    steps(first, 2)
    state = first.state()
    state.meta["parts"] = 0
    second = Simulation(first.config, serial_world(), state)
    steps(second, 3)
    assert second.digest() == whole.digest() and second.ledger.totals["irradiated"] > 0


def test_radiation_of_an_organ_hits_its_lesions_and_what_is_arrested_there_alone():
    """Binomial, n = 667,000 cells and 667 CTCs; within 4.5 standard deviations: false alarm 7e-6 each."""
    model = model_of(tumor=dict(cells=10), blood=dict(enabled=False), colonization=dict(enabled=False),
                     radiation=[dict(time_s=0, where="liver")])
    bodies(model)
    p = math.exp(-0.72)
    (event,) = interventions.due(model.config, -1, 0)
    taken, waiting = model.interventions.apply(event, np.empty(0, CTC))
    lesions, ctcs = model.lesions.records, model.blood.records
    liver = lesions["node"] == LIVER
    assert far_from(liver.sum() * 1000, p, lesions["n"][liver].sum()) < 4.5
    assert (lesions["n"] + lesions["died"] == 1000).all() and (lesions["n"][~liver] == 1000).all()
    lost = taken.ended
    assert set(lost["node"]) == {LIVER} and set(lost["fate"]) == {Fate.IRRADIATED} and len(waiting) == 0
    for n, all_die in ((1, 1 - p), (4, (1 - p) ** 4)):
        of_size = (lost["n"] == n).sum()
        assert far_from(of_size + ((ctcs["n"] == n) & (ctcs["node"] == LIVER)).sum(), all_die, of_size) < 4.5
    assert taken.cells == lesions["died"].sum() + lost["n"].sum() and model.tissue.cells == 10


def test_surgery_takes_whole_lesions_that_are_found_and_the_bed_of_the_tumor():
    """Binomial, n = 667 lesions; within 4.5 standard deviations: false alarm 7e-6."""
    model = model_of(1000, surgery=[dict(where="tumor, liver", lesions=0.4, smallest=500)])
    bodies(model)
    model.lesions.records["n"][::2] = 100
    (event,) = interventions.due(model.config, -1, 0)
    waiting = model.blood.records[:6].copy()
    taken, left = model.interventions.apply(event, waiting)
    lesions = model.lesions.records
    found = (lesions["node"] == LIVER) & (lesions["n"] + lesions["died"] == 1000)
    assert set(lesions["n"]) == {0, 100, 1000} and (lesions["died"][~found] == 0).all()
    assert far_from(found.sum(), 0.4, (lesions["state"] == LesionState.CLEARED).sum()) < 4.5
    assert (taken.ended["fate"] == Fate.RESECTED).all() and (taken.ended["node"] == TUMOR).all()
    assert TUMOR not in model.blood.records["node"] and LUNG in model.blood.records["node"]
    assert len(left) == 0 and model.tissue.cells == 0
    assert taken.cells == 1000 + lesions["died"].sum() + taken.ended["n"].sum() + waiting["n"].sum()
