"""Therapies: what a rate with windows does in tissue, blood and lesions, against closed forms and against runs without."""
import math
from functools import cache

import numpy as np
import pytest

import small
from metacascade._kernels._layout import LESION, LesionState
from metacascade.config.config import Config, load
from metacascade.model.physiology import NODES
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

QUIET = {name: dict(enabled=False) for name in ("hypoxia", "migration", "crowding", "oxygen", "intravasation")}
WINDOW = dict(start_s=3 * 3600, duration_s=6 * 3600 + 1234)            # ends within a step
H = 3600


def model_of(hours=12, step_s=H, **tables):
    sections = QUIET | dict(run=dict(step_s=step_s, duration_s=86400)) | tables
    model = Simulation(Config.from_dict(sections), serial_world())
    for _ in range(hours * H // step_s):
        model.step()
    return model


def far_from(n, p, found):
    """Standard deviations of a binomial number from its mean."""
    return abs(found - n * p) / math.sqrt(n * p * (1 - p))


@pytest.mark.parametrize("more, scaled_h", [
    (dict(), 99 * WINDOW["duration_s"] / H), (dict(otherwise=0.0), 100 * WINDOW["duration_s"] / H - 12),
    (dict(half_life_s=1000, duration_s=2 * H), 99 * (2 + 1000 / H / math.log(2) * (1 - 2**-10)))])
def test_a_therapy_kills_cells_of_the_tissue_as_its_integral_says(more, scaled_h):
    """Binomial, n = 100,000; within 4.5 standard deviations: false alarm 7e-6 each."""
    plan = dict(rate="tissue.apoptosis", factor=100.0) | WINDOW | more
    model = model_of(tumor=dict(cells=100_000), growth=dict(division_time_h=8766.0, death_per_h=0.001), therapy=[plan])
    model_without = dict(model.ledger.totals)
    p = math.exp(-0.001 * (12 + scaled_h))
    n = 100_000 + model_without["divided_tissue"]        # a handful; those born die with a smaller chance
    assert model_without["divided_tissue"] < 150
    assert far_from(n, p, model.ledger.totals["tissue"]) < 4.5


def in_the_lung(step_s, hours=4, **therapy):
    """20,000 cells that are arrested in the lung at time 0, where NK cells alone act on them."""
    return model_of(
        hours, step_s, injection=[dict(node="lung", cells=20_000)], vessel_growth=dict(enabled=False),
        organs=dict(lung=dict(nk=1.0, extravasation_h=87660.0, capillary_um=1.0)),
        blood=dict(arrested_death_per_h=0.0, nk_per_h=0.2, nk_loss_h=87660.0, platelet_nk=0.0),
        therapy=[dict(rate="blood.nk", factor=5.0, start_s=4200, duration_s=4500) | therapy])


def test_a_therapy_kills_arrested_cells_as_its_integral_says_whatever_the_step():
    """Binomial, n = 20,000; within 4.5 standard deviations: false alarm 7e-6."""
    model, fine = in_the_lung(H), in_the_lung(900)
    assert far_from(20_000, math.exp(-0.2 * (4 + 4 * 4500 / H)), model.ledger.totals["arrested"]) < 4.5
    assert np.sort(model.blood.records, order="id").tobytes() == np.sort(fine.blood.records, order="id").tobytes()
    half_way = in_the_lung(H, hours=2)        # the window is open
    assert far_from(20_000, math.exp(-0.2 * (2 + 4 * (2 - 4200 / H))), half_way.ledger.totals["arrested"]) < 4.5


@pytest.mark.parametrize("change", ["blood.nk=1/h", 'therapy.1={rate="blood.nk", factor=5, start="1 h"}'])
def test_rates_that_a_branch_changes_hold_at_once_for_what_is_pending(change):
    """Binomial, n = 20,000; within 4.5 standard deviations: false alarm 7e-6 each."""
    parent = in_the_lung(H, hours=2, factor=1.0)
    config = parent.config.with_overrides([change])
    branch = Simulation(config, serial_world(), parent.state(parts=0))
    for _ in range(2):
        branch.step()
    assert far_from(20_000, math.exp(-0.2 * (2 + 5 * 2)), branch.ledger.totals["arrested"]) < 4.5


def test_branches_with_other_seeds_share_nothing_of_what_was_pending():
    """Of n cells alive at the checkpoint (some 13,000) those that live 2 h on in one branch, and in both, are binomial
    with p and p^2; within 4.5 standard deviations: false alarm 7e-6 each."""
    parent = in_the_lung(H, hours=2, factor=1.0)
    alive, p, left = parent.ledger.totals["arrested"], math.exp(-0.2 * 2), []
    for seed in (parent.config.run.seed, 8, 9):
        branch = Simulation(parent.config.with_overrides([], seed), serial_world(), parent.state(parts=0))
        for _ in range(2):
            branch.step()
        left.append(set(branch.blood.records["id"].tolist()))
        assert far_from(alive, p, len(left[-1])) < 4.5
    for _ in range(2):
        parent.step()
    assert left[0] == set(parent.blood.records["id"].tolist())
    for one, other in ((0, 1), (1, 2)):
        assert far_from(alive, p * p, len(left[one] & left[other])) < 4.5


def test_a_therapy_kills_cells_of_lesions_as_its_integral_says():
    """Binomial, n = 200,000 cells; within 4.5 standard deviations: false alarm 7e-6."""
    model = model_of(0, injection=[dict(cells=1, time_s=86000)],
                     colonization=dict(shed_per_h=0.0, cell_loss=0.5, capacity=10**9,
                                       gompertz_per_h=0.02 / math.log(1e9)),     # so that deaths are 0.02 an hour
                     therapy=[dict(rate="lesion.death", factor=20.0, start_s=4200, duration_s=4500),
                              dict(rate="lesion.birth", factor=0.0)])
    lesions = np.zeros(200, LESION)
    lesions["id"], lesions["n"] = np.arange(200, dtype=np.uint64) * np.uint64(2**50 + 3), 1000
    lesions["node"], lesions["state"] = NODES.index("lung"), LesionState.VASCULAR
    model.lesions.records = lesions
    model.ledger.add(injected=200_000)
    for _ in range(4):
        model.step()
    assert far_from(200_000, math.exp(-0.02 * (4 + 19 * 4500 / H)), model.ledger.totals["lesions"]) < 4.5


# --- whole runs in which everything happens -------------------------------------------------------------------

DOUBLED = {     # rate: parameter, its value, and half of that
    "tissue.divide": ("growth.division_time", "8 h", "16 h"), "tissue.apoptosis": ("growth.death_rate", "0.5/day", "0.25/day"),
    "tissue.necrosis": ("hypoxia.survival", "6 h", "12 h"), "tissue.intravasate": ("intravasation.hazard", "4/day", "2/day"),
    "tissue.speed": ("migration.speed", "16 um/h", "8 um/h"),
    "oxygen.vessel": ("oxygen.vessel", "40 mmHg", "20 mmHg"), "oxygen.uptake": ("oxygen.uptake", "16 mmHg/s", "8 mmHg/s"),
    "blood.nk": ("blood.nk", "0.5/h", "0.25/h"), "blood.shear": ("blood.shear_slope", "0.1 cm^2/dyn/h", "0.05 cm^2/dyn/h"),
    "blood.release": ("blood.release", "0.5/h", "0.25/h"), "blood.bind": ("blood.binding", "3/h", "1.5/h"),
    "lesion.clonogenic": ("colonization.clonogenic", 0.5, 0.25), "lesion.wake": ("colonization.wake", "5/day", "2.5/day"),
    "lesion.start": ("colonization.start", "8/day", "4/day"),
    "lesion.shed": ("colonization.shed", "2/day", "1/day")}
WHOLE = tuple(f"{key}={whole}" for key, whole, _ in DOUBLED.values())
SWITCHING = small.EVERYTHING["therapy"]


@cache
def outcome(*settings, stop=None, then=()):
    """(digest, ledger) after 12 h of the small tumor; `stop`: go on from the state at that step, with settings `then`."""
    model = Simulation(load(small.EXAMPLE, [*small.settings(), *settings]), serial_world())
    for _ in range(12 if stop is None else stop):
        model.step()
    if stop is not None:
        config = model.config.with_overrides(list(then)) if then else model.config
        model = Simulation(config, serial_world(), model.state(parts=0))
        for _ in range(12 - stop):
            model.step()
    return model.digest(), model.ledger.totals


def as_setting(plans):
    return f"therapy={small._toml(plans)}"


@pytest.mark.parametrize("rate", DOUBLED)
def test_a_rate_from_the_start_is_a_therapy_for_ever_from_time_0(rate):
    key, _, half = DOUBLED[rate]
    halved = (*WHOLE, f"{key}={half}")
    doubled = outcome(*halved, as_setting([{"rate": rate, "factor": 2}]))
    assert doubled == outcome(*WHOLE, as_setting([]))
    assert doubled[0] != outcome(*halved, as_setting([]))[0], "the rate has no effect here, so this proves nothing"


def test_therapies_of_factor_1_change_no_bit():
    plans = [{"rate": plan["rate"], "start": "70 min", "duration": "2 h", "every": "3 h", "ramp": "1 h", "half_life": "20 min"}
             for plan in SWITCHING]
    assert outcome(as_setting(plans)) == outcome(as_setting([]))
    assert outcome(as_setting(SWITCHING))[0] != outcome(as_setting([]))[0]


@pytest.mark.parametrize("stop", [3, 4, 6])
def test_stopped_within_windows_it_is_the_run_that_never_stopped(stop):
    assert outcome(as_setting(SWITCHING), stop=stop) == outcome(as_setting(SWITCHING))


@pytest.mark.parametrize("stop", [4, 6])
def test_a_branch_within_a_window_that_changes_no_therapy_is_the_run_that_never_stopped(stop):
    assert outcome(as_setting(SWITCHING), stop=stop, then=("title=other",)) == outcome(as_setting(SWITCHING))


@pytest.mark.parametrize("then", [["blood.nk=3/h"], ["l1cam.enabled=true", 'l1cam.blood_time="1 h"']], ids=["rate", "bit"])
def test_a_branch_that_is_saved_before_its_first_step_goes_on_as_itself(then):
    """Its checkpoint has the new config, but what is due in the blood was drawn with the old one."""
    parent = Simulation(load(small.EXAMPLE, small.settings()), serial_world())
    for _ in range(6):
        parent.step()
    config = parent.config.with_overrides(then)
    branch = Simulation(config, serial_world(), parent.state(parts=0))
    resumed = Simulation(config, serial_world(), branch.state(parts=0))
    for _ in range(4):
        branch.step()
        resumed.step()
    assert branch.digest() == resumed.digest() and branch.ledger.totals == resumed.ledger.totals


def test_a_branch_adds_and_drops_therapies():
    added = outcome(as_setting([]), stop=3, then=('therapy.0={rate="lesion.birth", factor=0, start="3 h"}',))
    dropped = outcome('therapy=[{rate="lesion.birth", factor=0, start="3 h"}]', stop=6, then=("therapy=[]",))
    none, whole = outcome(as_setting([])), outcome('therapy=[{rate="lesion.birth", factor=0, start="3 h"}]')
    assert added == whole
    born = [run[1]["divided_lesion"] for run in (whole, dropped, none)]
    assert born[0] < born[1] < born[2]
