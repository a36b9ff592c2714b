"""With vessels that live: the same bits on any number of ranks, with and without balancing, and after a stop."""
import pytest

import small

pytestmark = pytest.mark.mpi
LIVING = [
    "angiogenesis.enabled=true", "maturation.enabled=true", "perfusion.enabled=true", "vegf.enabled=true",
    'vessels.interval="1 h"', 'vessels.length_density="80 mm/mm^3"', "angiogenesis.sprouting=20/mm/day", 'angiogenesis.speed="600 um/day"',
    "angiogenesis.branching=10/day", 'angiogenesis.pruning="6 h"', "angiogenesis.half=0.3", "maturation.half=0.3",
    'perfusion.open="5 h"', 'perfusion.closed="3 h"', "perfusion.collapse=2/day"]
SETTINGS = small.settings(run__duration="12 h") + LIVING


@pytest.fixture(scope="module")
def alone(runs):
    return runs(1, dict(settings=SETTINGS))[0]


@pytest.mark.parametrize("ranks, balancing", [(2, True), (3, False), *(
    pytest.param(*case, marks=pytest.mark.slow) for case in [(3, True), (4, True), (4, False)])])
def test_the_same_bits_on_any_number_of_ranks(runs, alone, ranks, balancing):
    balance = ["balance.threshold=0.0", "balance.interval=1"] if balancing else ["balance.enabled=false"]
    run, = runs(ranks, dict(settings=SETTINGS + balance))
    assert (sum(run["cut"]) > 0) == balancing
    assert small.content(run["out"]) == small.content(alone["out"])


def test_stopped_and_resumed_on_other_ranks_it_is_the_run_that_never_stopped(runs, alone):
    run, = runs(2, dict(settings=SETTINGS, stop_at=7))
    assert run["code"] == 75
    run, = runs(3, dict(out=run["out"], resume=True))
    assert run["code"] == 0
    assert small.content(run["out"], ordered=True) == small.content(alone["out"], ordered=True)
