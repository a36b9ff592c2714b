"""With vessels that live: the same bits on any number of ranks, with and without balancing, and after a stop."""
from pathlib import Path

import numpy as np
import pytest

import small
from metacascade.io import checkpoint
from metacascade.ranks.parallel import serial_world
from metacascade.space.pieces import CLOSED, HOST, JOINED, tiles_of

pytestmark = pytest.mark.mpi
SETTINGS = small.settings(run__duration="12 h") + small.LIVING
FEW = small.settings(tumor__cells=1, run__duration="6 h", injection=[], draw=[]) + small.LIVING    # ranks without tiles
NO_TUMOR = dict(config=str(small.EXAMPLE.parent / "injection_liver.toml"), settings=[
    "run.duration=12 h", "injection.0.cells=500", *small.LIVING])


IMPORTED = dict(settings=[one for one in SETTINGS if "length_density" not in one] + [
    f"vessels.file={small.EXAMPLE.parent / 'network_small.csv'}", "vessels.center=true", "run.duration=8 h",
    "output.interval=4 h", "output.checkpoint=4 h"])
OTHERS = {"few": dict(settings=FEW), "no tumor": NO_TUMOR, "imported": IMPORTED}


def job(balancing):
    return dict(settings=SETTINGS + small.balancing(balancing))


@pytest.fixture(scope="module")
def alone(runs):
    return dict(zip(["whole", *OTHERS], runs(1, dict(settings=SETTINGS), *map(dict, OTHERS.values()))))


@pytest.fixture(scope="module")
def two(runs):
    """On two ranks: a whole run, and one that is stopped."""
    return dict(zip(["whole", "stopped"], runs(2, job(True), dict(settings=SETTINGS, stop_at=7))))


@pytest.fixture(scope="module")
def three(runs, two):
    """On three ranks: all of `alone`, and the run that was stopped to its end."""
    jobs = [job(False), *map(dict, OTHERS.values()), dict(out=two["stopped"]["out"], resume=True)]
    return dict(zip(["whole", *OTHERS, "resumed"], runs(3, *jobs)))


def test_the_run_sees_all_of_it(alone):
    """Lest the comparison of nothing with nothing pass."""
    state = checkpoint.read(serial_world(), Path(alone["whole"]["out"]) / checkpoint.NAME)
    pieces, tips = (state.vessels[name].records for name in ("pieces", "tips"))
    grown = pieces[pieces["flags"] & HOST == 0]
    assert len(tips) > 100 and (grown["flags"] & JOINED > 0).sum() > 100 < (grown["flags"] & JOINED == 0).sum()
    assert (grown["flags"] & CLOSED > 0).sum() > 20 and len(np.unique(pieces["born"])) > 6
    assert (tips["parent_index"] > 0).any() and (pieces["along"] > 0).sum() > 100
    first = state.vessels["pieces"].first
    assert first[-1] == len(pieces) and np.array_equal(
        tiles_of(pieces, 30.0), np.repeat(state.tile_coords, np.diff(first), axis=0))


def test_ranks_without_tiles_and_runs_without_a_tumor_take_part(alone, three):
    for name in ("few", "no tumor"):
        assert small.content(alone[name]["out"]) == small.content(three[name]["out"])
    assert min(three["no tumor"]["tiles"]) == 0


@pytest.mark.parametrize("ranks, balancing", [(2, True), (3, False), *(
    pytest.param(*case, marks=pytest.mark.slow) for case in [(3, True), (4, True), (4, False)])])
def test_the_same_bits_on_any_number_of_ranks(runs, alone, two, three, ranks, balancing):
    made = {(2, True): two["whole"], (3, False): three["whole"]}
    run = made.get((ranks, balancing)) or runs(ranks, job(balancing))[0]
    assert (sum(run["cut"]) > 0) == balancing
    assert small.content(run["out"]) == small.content(alone["whole"]["out"])


def test_stopped_and_resumed_on_other_ranks_it_is_the_run_that_never_stopped(alone, two, three):
    assert (two["stopped"]["code"], three["resumed"]["code"]) == (75, 0)
    assert small.content(three["resumed"]["out"], ordered=True) == small.content(alone["whole"]["out"], ordered=True)


def test_an_imported_network_is_the_bed_of_the_host(alone, three):
    assert small.content(alone["imported"]["out"]) == small.content(three["imported"]["out"])
    pieces = checkpoint.read(serial_world(), Path(alone["imported"]["out"]) / checkpoint.NAME).vessels["pieces"].records
    host = pieces["flags"] & HOST > 0
    assert host.sum() > 10 and (~host).sum() > 10
