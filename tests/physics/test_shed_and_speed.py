"""Invasion and intravasation are two things: speed changes little of what is shed, competence does (V03 in the small)."""
import pytest

from metacascade.config.config import Config
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world

MANY = {"enabled": True, "mutation": 0.5, "step": 0.5}          # every other daughter is a mutant


def shed_per_cell_day(speed=15.0, **tables):
    """Cells that a tumor of 12,000, of which one in twenty is motile, sheds in two days, and their number per cell and
    day."""
    sim = Simulation(Config.from_dict({
        "run": {"seed": 3, "step_s": 3600, "duration_s": 86_400 * 2}, "tumor": {"cells": 12_000},
        "intravasation": {"hazard_per_h": 0.08}, "migration": {"speed_um_per_h": speed}} | tables), serial_world())
    cell_days = 0.0
    for _ in range(48):
        sim.step()
        cell_days += sim.tissue.cells / 24
    return sim.tissue.counted["shed"], sim.tissue.counted["shed"] / cell_days


@pytest.fixture(scope="module")
def walking():
    return shed_per_cell_day()


@pytest.mark.statistical
@pytest.mark.parametrize("change", [dict(speed=0.0), dict(speed=30.0), dict(invasiveness=MANY)],
                         ids=["still", "twice as fast", "clones of other invasiveness"])
def test_speed_changes_what_is_shed_by_less_than_a_fifth(walking, change):
    """Some 1,800 of each: sd of the ratio 3.3 %, so 20 % is six of them."""
    found = shed_per_cell_day(**change)
    assert min(walking[0], found[0]) > 1500 and abs(found[1] / walking[1] - 1) < 0.2


@pytest.mark.statistical
def test_competence_of_clones_raises_what_is_shed(walking):
    """The same mutants without and with an effect; sd of the ratio 3.3 %: more than 15 % by chance less than 1e-5. Of
    the fold, twice as large on its scale of ratios, the effect is less than twice: the most competent have left."""
    none, some, more = (shed_per_cell_day(competence=MANY | {"fold": fold})[1] for fold in (1.0, 100.0, 1e4))
    assert abs(none / walking[1] - 1) < 0.15 and 1.15 * none < some < more
