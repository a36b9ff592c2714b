"""Clusters of cells of different clones and states: the same bits on any ranks, and after a stop, wherever they go."""
from pathlib import Path

import numpy as np
import pytest

import small
from metacascade.io import checkpoint
from metacascade.io.results import open_results
from metacascade.ranks.parallel import serial_world

pytestmark = pytest.mark.mpi
SETTINGS = small.settings(
    run__duration="8 h", tumor__cells=12_000, surgery=[], radiation=[], therapy=[], growth__division_time="4 h",
    growth__death_rate="0/day", hypoxia__enabled=False, traits__adhesion_mean=0.5, intravasation__hazard="20/day",
    intravasation__cluster_fraction=1.0, blood__nk="0/h", blood__anoikis="0/h", blood__breakup="0.1/h",
    blood__stretch=1000, blood__binding="0.05/h", organs__liver__capillary="20 um", organs__spleen__capillary="20 um",
    organs__lung__capillary="20 um", organs__tumor__capillary="2 um", organs__tumor__extravasation_time="0.01 h",
    colonization__clonogenic=1.0,
    trait=[{"name": "resistance", "mutation": 0.9, "step": 0.2}]) + [
    "emt.enabled=true", "emt.up=6/day", "emt.down=2/day", "emt.threshold=30 mmHg", "emt.full=5 mmHg",
    "l1cam.enabled=true", "l1cam.on=6/day", "l1cam.off=6/day", 'l1cam.blood_time="50 min"']


@pytest.fixture(scope="module")
def alone(runs):
    return runs(1, dict(settings=SETTINGS))[0]


def saved(run):
    """The state in the checkpoint of a run."""
    return checkpoint.read(serial_world(), Path(run["out"]) / checkpoint.NAME)


@pytest.fixture(scope="module")
def together(runs):
    """On two ranks and on three: a whole run, and one that is stopped on two and goes on on three."""
    two, stopped = runs(2, dict(settings=SETTINGS), dict(settings=SETTINGS, stop_at=5))
    stopped["members"] = len(saved(stopped).members)
    three, resumed = runs(3, dict(settings=SETTINGS + small.balancing(True)),
                          dict(out=stopped["out"], resume=True))
    return {2: two, 3: three, "stopped": stopped, "resumed": resumed}


@pytest.mark.parametrize("ranks", [2, 3, pytest.param(4, marks=pytest.mark.slow)])
def test_the_same_bits_on_any_number_of_ranks(runs, alone, together, ranks):
    run = together.get(ranks) or runs(ranks, dict(settings=[*SETTINGS, "balance.enabled=false"]))[0]
    assert small.content(run["out"]) == small.content(alone["out"])
    assert saved(run).members.tobytes() == saved(alone).members.tobytes()


def test_the_run_sees_clusters_of_several_clones_everywhere(alone):
    """Lest the comparison of nothing with nothing pass."""
    state = saved(alone)
    clones = state.ctcs["clone"][np.searchsorted(state.ctcs["id"], state.members["id"])]
    assert len(state.members) > 200 and (clones != state.members["clone"]).sum() > 50
    assert len(np.unique(state.members["emt"])) > 4 and set(state.members["bits"] & 1) == {0, 1}
    with open_results(alone["out"]) as results:
        shed, lesions = results.shed[:], results.lesions[:]
        assert len(np.setdiff1d(lesions["id"], shed["id"])) > 10, "no lesion beside that of a leader"
        assert (shed["n"][shed["fate"] == 7] > 1).sum() > 5, "no cluster came home"
    assert small.last(alone["out"])["clones"] > 1000


def test_all_clones_add_up_to_the_ledger_at_every_output(alone):
    with open_results(alone["out"]) as results:
        rows, series = results.clone_cells[:], results.series
        for i, time_s in enumerate(series["time_s"]):
            alive = sum(int(series[name][i]) for name in ("tissue", "circulating", "arrested", "lesions"))
            assert rows["cells"][rows["time_s"] == time_s].sum() == alive


def test_stopped_and_resumed_on_other_ranks_it_is_the_run_that_never_stopped(alone, together):
    stopped, run = together["stopped"], together["resumed"]
    assert stopped["code"] == 75 and stopped["members"] > 50 and run["code"] == 0
    assert small.content(run["out"], ordered=True) == small.content(alone["out"], ordered=True)
