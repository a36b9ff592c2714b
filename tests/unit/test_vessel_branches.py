"""Vessels that live in a branch: what may be changed and acts as it should, and what is refused."""
import numpy as np
import pytest

import small
from metacascade.base.errors import InputError
from metacascade.config.config import load
from metacascade.model.simulation import Simulation
from metacascade.ranks.parallel import serial_world
from metacascade.run import commands
from metacascade.run.api import Simulation as Api
from metacascade.space.pieces import CLOSED, HOST, JOINED

FAST = ["angiogenesis.shortest=10 um", "perfusion.collapse=0/day", "neutrophils.enabled=false",
        "vegf.threshold=40 mmHg", "vegf.full=10 mmHg"]
EARLY = small.settings(tumor__cells=3000, run__duration="6 h", injection=[], draw=[], therapy=[], surgery=[],
                       radiation=[]) + small.LIVING + FAST
OFF = [f"{name}.enabled=false" for name in ("angiogenesis", "maturation", "perfusion")]


def lived(*settings, steps=7):
    model = Simulation(load(small.EXAMPLE, [*EARLY, *settings]), serial_world())
    for _ in range(steps):
        model.step()
    return model


def branched(model, *settings, steps=0):
    other = Simulation(model.config.with_overrides(["run.duration=2 day", *settings]), serial_world(),
                       saved=model.state(parts=0, parent=None))
    for _ in range(steps):
        other.step()
    return other


def records(model):
    """Pieces and tips by tile, vessel and index."""
    state = model.state(parts=0, parent=None)
    return state.vessels["pieces"].records, state.vessels["tips"].records


@pytest.fixture(scope="module")
def living():
    return lived()


def test_there_is_something_to_go_on_with(living):
    pieces, tips = records(living)
    grown = pieces[pieces["flags"] & HOST == 0]
    assert (grown["flags"] & CLOSED > 0).sum() > 10 < (grown["flags"] & JOINED > 0).sum() and len(tips) > 10


@pytest.mark.parametrize("setting", ['vessels.length_density="50 mm/mm^3"', "vessels.seed=9", 'vessels.interval="2 h"'])
def test_other_vessels_are_refused_where_they_live(setting, tmp_path):
    run = Api(small.EXAMPLE, [*EARLY, "run.duration=1 h", "output.interval=1 h", "output.checkpoint=1 h"])
    run.run(tmp_path / "out")
    with pytest.raises(InputError, match=f"{setting.partition('=')[0]}: the vessels in the checkpoint live"):
        commands.branch(tmp_path / "out", tmp_path / "b", overrides=["run.duration=4 h", setting])
    assert not (tmp_path / "b").exists()


def test_with_all_mechanisms_off_vessels_stay_as_they_are_and_none_is_shut(living):
    one = branched(living, *OFF, steps=3)
    for before, after in zip(records(living), records(one)):
        grown = [part[part["flags"] & HOST == 0] for part in (before, after)]
        grown[0]["flags"] &= JOINED
        if "perfused" in grown[0].dtype.names:
            grown[0]["perfused"] = grown[0]["flags"] == JOINED
        assert len(grown[0]) > 10 and np.array_equal(*grown)
    again = branched(one, "angiogenesis.enabled=true", steps=2)
    assert (records(again)[1]["born"] >= one.time_s).sum() > 10, "they live again"


def test_without_perfusion_nothing_is_shut(living):
    pieces, _ = records(branched(living, "perfusion.enabled=false", steps=2))
    assert np.array_equal(pieces["perfused"] > 0, pieces["flags"] & JOINED > 0)
    assert not (pieces["flags"] & CLOSED).any()


@pytest.mark.parametrize("before", [["perfusion.enabled=false"], OFF])
def test_with_perfusion_newly_on_the_blood_loses_oxygen_at_once(before):
    """Where vessels lived before, and where they were those of a network for ever."""
    model = lived(*before, steps=4)
    one = branched(model, "perfusion.enabled=true")
    pieces, _ = records(one)
    assert (pieces["along"] > 0).sum() > 5
    supply = one.tissue.vessels.supply
    assert 0.3 < supply[:, -1].sum() / supply[:, one.tissue.microenvironment.supplied.index("oxygen")].sum() < 0.999


@pytest.mark.parametrize("step", ["30 min", "1 h"])
def test_ages_of_vessels_do_not_depend_on_the_step_of_a_branch(step):
    model = lived("angiogenesis.pruning=3 h", "angiogenesis.shortest=1 mm", steps=4)
    one = branched(model, f'run.step="{step}"', steps={"30 min": 5, "1 h": 3}[step])
    born_h = np.unique(records(one)[1]["born"] / 3600)      # after the step of the vessels at 6 h
    assert born_h.tolist() == [4.0, 5.0, 6.0], "sprouts of 1, 2 and 3 h are gone"
