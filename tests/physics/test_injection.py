"""Injected cells: all of them, once, at their time, the same on any number of ranks."""
import numpy as np
import pytest

from metacascade._kernels._layout import CTC, Flag
from metacascade.config.config import Config
from metacascade.model.injection import Injections, injections_due

SEED = 5
PLANS = [dict(node="portal", time_s=3600, cells=5_000, diameter_um=18.4, diameter_spread=0.1, adhesion=0.2),
         dict(node="venous", time_s=1800, duration_s=7200, cells=20_000)]


def config(plans):
    return Config.from_dict(dict(injection=plans))


def steps(injections, seconds=600, last=14_400):
    return [injections.due(t, t + seconds)[0] for t in range(0, last, seconds)]


def test_every_cell_enters_once_in_its_interval():
    parts = steps(Injections(config(PLANS), SEED))
    ctcs = np.concatenate(parts)
    assert np.unique(ctcs["id"]).size == ctcs.size == 25_000
    for i, part in enumerate(parts):
        assert ((part["t_shed"] > i / 6) & (part["t_shed"] <= (i + 1) / 6)).all()


def test_a_bolus_enters_at_one_time_with_the_traits_asked_for():
    ctcs = injections_due(config(PLANS[:1]), SEED, 3599, 3600)
    assert ctcs.size == 5_000 and (ctcs["t_shed"] == 1.0).all() and (ctcs["origin"] == 3).all()
    assert (ctcs["adhesion"] == 51).all() and (ctcs["flags"] == Flag.INJECTED).all() and (ctcs["n"] == 1).all()
    logs = np.log(ctcs["diameter"].astype(float) / 18.4)
    assert abs(logs.mean()) < 4.5 * 0.1 / 5_000**0.5 and logs.std() == pytest.approx(0.1, rel=0.05)
    assert injections_due(config(PLANS[:1]), SEED, 0, 3599).size == 0
    assert injections_due(config(PLANS[:1]), SEED, 3600, 7200).size == 0


def test_an_infusion_is_uniform_in_time():
    ctcs = injections_due(config(PLANS[1:]), SEED, 0, 100_000)
    u = np.sort((ctcs["t_shed"] - 0.5) / 2.0)
    distance = np.abs(u - (np.arange(u.size) + 0.5) / u.size).max()
    assert distance * u.size**0.5 < 2.5  # Kolmogorov: false alarm 7e-6


@pytest.mark.parametrize("size", [2, 3, 8])
def test_ranks_share_the_cells_out(size):
    whole = np.sort(np.concatenate(steps(Injections(config(PLANS), SEED))), order="id")
    parts = [np.concatenate(steps(Injections(config(PLANS), SEED, r, size))) for r in range(size)]
    for rank, part in enumerate(parts):
        assert ((part["id"] >> np.uint64(48)) * np.uint64(size) >> np.uint64(16) == rank).all()
        assert part.size > 20_000 / size
    assert np.sort(np.concatenate(parts), order="id").tobytes() == whole.tobytes()


def test_cells_do_not_depend_on_the_steps():
    fine, coarse = (np.concatenate(steps(Injections(config(PLANS), SEED), s)) for s in (60, 3600))
    assert np.sort(fine, order="id").tobytes() == np.sort(coarse, order="id").tobytes()


def test_no_injection_is_an_empty_array_of_cells():
    assert injections_due(config([]), SEED, 0, 10).dtype == CTC
