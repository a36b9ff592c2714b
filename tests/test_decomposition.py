"""Promise 1: the same bits on any number of ranks, however the tumor is cut, and after any stop and restart."""
from pathlib import Path

import numpy as np
import pytest

import small
from metacascade._kernels._layout import Fate
from metacascade.io import checkpoint
from metacascade.io.results import open_results
from metacascade.state.observed import OTHERS, PLACES

pytestmark = pytest.mark.mpi
ONE_TILE = dict(tumor__center=["120 um", "120 um", "120 um"], tissue__capacity=255, run__duration="6 h")
VARIANTS = {
    "everything": small.settings(),
    "far away": small.settings(tumor__center=["-999000 um", "998000 um", "123456 um"], run__duration="6 h"),
    "one tile": small.settings(**ONE_TILE),
    "crowd": small.settings(**small.CROWD)}
STOPS = {"everything": (5, 8), "one tile": (2, 4), "crowd": (2, 4)}     # steps with and without output
# Colonization is on and no cell is normal; the table of clones is not full; that mechanism is off.
NEVER = ("died_at_exit", "transformed", "mutations_lost", "chemotherapy")
INJECTION = dict(config=str(small.EXAMPLE.parent / "injection_liver.toml"),
                 settings=["run.duration=1 day", "injection.0.cells=4000", "blood.tension=0.05 mN/m",
                           "blood.nuclear_stiffness=0.05 kPa", "organs.lung.capillary=12 um", "blood.stretch=10",
                           "colonization.clonogenic=0.5", "injection.0.label=donor", "injection.0.cluster=3",
                           "injection.1={cells = 600, cluster = 2, organ = 'lung', label = 'second', time = '3 h'}",
                           "therapy=[{drug = 'NK boost', start = '5 h'}]", "inflammation.enabled=true",
                           "cytokines.enabled=true", "cytokines.half_organ=200",
                           "surgery=[{time = '8 h', where = 'liver', lesions = 0.2, immunosuppression = 0.3}]"])


@pytest.fixture(scope="session")
def alone(runs):
    """Every variant on one rank."""
    jobs = [dict(settings=settings) for settings in VARIANTS.values()] + [dict(INJECTION)]
    return dict(zip([*VARIANTS, "injection"], runs(1, *jobs)))


@pytest.fixture(scope="session", params=[4, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3, 8))],
                ids=lambda n: f"{n}_ranks")
def together(request, runs):
    """Every variant on several ranks. On 2 and 3 other tests below have the largest of them, and most of the rest."""
    jobs = [dict(settings=settings) for settings in VARIANTS.values()] + [dict(INJECTION)]
    return dict(zip([*VARIANTS, "injection"], runs(request.param, *jobs)))


@pytest.fixture(scope="session")
def two(runs):
    """On two ranks: balanced at every step, written otherwise, and every variant that is stopped for the first time."""
    jobs = {"balanced": dict(settings=small.settings(balance__threshold=0.0, balance__interval=1)),
            "written": dict(settings=small.settings(
                output__interval="1 h", output__checkpoint="3 h", output__shed_cells=False, output__snapshots=True,
                output__snapshot_interval="6 h"))}
    jobs |= {variant: dict(settings=VARIANTS[variant], stop_at=steps[0]) for variant, steps in STOPS.items()}
    return done(runs, 2, jobs)


@pytest.fixture(scope="session")
def three(runs, two):
    """On three ranks: not balanced, and what was stopped, which is stopped again."""
    jobs = {"not balanced": dict(settings=small.settings(balance__enabled=False))}
    return done(runs, 3, jobs | {variant: dict(out=two[variant]["out"], resume=True, stop_at=steps[1])
                                 for variant, steps in STOPS.items()})


@pytest.fixture(scope="session")
def ended(runs, three):
    """On one rank: the same to its end."""
    return done(runs, 1, {variant: dict(out=three[variant]["out"], resume=True) for variant in STOPS})


def done(runs, ranks, jobs):
    """By name what so many ranks did, with the clones that the rows of a run name and those of its tree at that time."""
    found = dict(zip(jobs, runs(ranks, *jobs.values())))
    for run in found.values():
        with open_results(run["out"]) as results:
            run["clones"] = set(results.clone_cells["clone"]), set(results.clones["clone"])
    return found


def assert_same(found, expected):
    """Two runs have the same results, byte by byte, and the checkpoint holds the state that they speak of."""
    one, other = small.content(expected["out"]), small.content(found["out"])
    differ = [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
    assert not differ, f"these differ: {', '.join(sorted(differ))}"
    assert checkpoint.digest_of(Path(found["out"]) / checkpoint.NAME) == other["digest"]


@pytest.mark.parametrize("variant", [*VARIANTS, "injection"])
def test_same_bits_on_any_number_of_ranks(alone, together, variant):
    assert_same(together[variant], alone[variant])


def test_the_runs_see_everything_happen(alone):
    """Lest the comparison of nothing with nothing pass."""
    counts = small.last(alone["everything"]["out"])
    assert not [name for name, n in counts.items() if n == 0 and name not in NEVER]
    assert counts["clones"] == counts["mutated"] + 1 > 100
    assert counts["self_seeded"] >= 10 and counts["shed_lesion"] >= 50
    with open_results(alone["everything"]["out"]) as results:
        shed, draws = results.shed[:], results.draws[:]
        assert (shed["n"] > 1).sum() >= 50 and set(shed["flags"] & 6) >= {0, 2, 4}     # clusters; injected; of lesions
        assert draws["time_s"].tolist() == [345 * 60, 36_000, 43_200] and (draws["cells"] > 0).all()
        assert set(shed["fate"]) == set(Fate) - {Fate.RESECTED, Fate.DIED_AT_EXIT}     # what its own bed holds is back in it within seconds


def test_cells_by_clone_and_place_add_up_to_the_ledger_at_every_output(alone):
    """With more clones than are told apart."""
    with open_results(alone["everything"]["out"]) as results:
        series, rows, tree = results.series, results.clone_cells[:], results.clones[:]
        names = results.names("clone_cells")["place"]
    in_lesions = ~np.isin(rows["place"], range(len(PLACES)))
    for row, time_s in enumerate(series["time_s"]):
        now = rows["time_s"] == time_s
        for place in range(len(PLACES)):
            assert rows["cells"][now & (rows["place"] == place)].sum() == series[names[place]][row]
        assert rows["cells"][now & in_lesions].sum() == series["lesions"][row]
        told = np.unique(rows["clone"][now & (rows["clone"] != OTHERS)])
        assert len(told) <= 40 and (tree["time_s"][told] <= time_s).all()
    assert OTHERS in rows["clone"] and tree["clone"].tolist() == list(range(series["clones"][-1]))


def test_cells_cross_the_borders_of_regions_and_regions_change(together):
    run = together["everything"]
    assert min(run["crossed"]) > 20, "too few cells changed rank in tissue"
    assert min(run["tiles"]) > 0 and min(run["cut"]) > 0


def test_ranks_without_any_tile_take_part(together):
    assert sum(together["injection"]["tiles"]) == 0
    counts = small.last(together["injection"]["out"])
    assert counts["initial"] == 0 and counts["seeded"] > 0 and counts["drawn"] > 0


def test_a_tumor_far_from_the_origin_is_where_it_should_be(alone):
    with open_results(alone["far away"]["out"]) as results:
        shed = results.shed[:]
    of_tumor = shed[(shed["flags"] & 7) == 0]         # who came back lodges anywhere in the tiles, and may leave again
    assert len(of_tumor) > 50
    for axis, center in zip("xyz", (-999000, 998000, 123456)):
        assert abs(of_tumor[axis] - center).max() < 500


def test_balanced_at_every_step_it_has_the_same_results(alone, two):
    assert sum(two["balanced"]["cut"]) > 0
    assert_same(two["balanced"], alone["everything"])


def test_without_balancing_it_has_the_same_results(alone, three):
    assert sum(three["not balanced"]["cut"]) == 0
    assert_same(three["not balanced"], alone["everything"])


def test_what_is_written_changes_no_result(alone, two):
    """Other times of output and checkpoints, snapshots, no rows of shed cells."""
    run = two["written"]
    with open_results(run["out"]) as results:
        assert len(results.shed) == 0
    assert small.content(run["out"])["digest"] == small.content(alone["everything"]["out"])["digest"]


@pytest.mark.parametrize("variant", STOPS)
def test_stopped_and_resumed_on_other_ranks_it_is_the_run_that_never_stopped(alone, two, three, ended, variant):
    """Stops at steps with and without output; the last session goes on alone."""
    sessions = [two[variant], three[variant], ended[variant]]
    assert [run["code"] for run in sessions] == [75, 75, 0]
    for run in sessions[:2]:                            # also while it has not ended every clone is in the tree
        used, tree = run["clones"]
        assert used - {OTHERS} <= tree
    assert small.content(sessions[2]["out"], ordered=True) == small.content(alone[variant]["out"], ordered=True)
