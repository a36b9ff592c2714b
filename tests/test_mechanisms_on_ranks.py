"""With all mechanisms on, and three of a user: the same bits on any number of ranks, and after a stop."""
from pathlib import Path

import numpy as np
import pytest

import small
from metacascade._kernels._layout import Flag, Zone
from metacascade.io.results import open_results
from metacascade.mechanisms import user

pytestmark = pytest.mark.mpi
SETTINGS = small.settings(run__duration="10 h") + small.LIVING + small.MECHANISMS


@pytest.fixture(scope="module")
def alone(runs):
    return runs(1, dict(settings=SETTINGS))[0]


def job(balancing):
    return dict(settings=SETTINGS + small.balancing(balancing))


@pytest.fixture(scope="module")
def together(runs):
    """On two ranks and on three: a whole run, and one that is stopped on two and goes on on three."""
    two, stopped = runs(2, job(True), dict(settings=SETTINGS, stop_at=4))
    three, resumed = runs(3, job(True), dict(out=stopped["out"], resume=True))
    return {2: two, 3: three, "stopped": stopped, "resumed": resumed}


@pytest.mark.parametrize("ranks, balancing", [(2, True), (3, True), *(
    pytest.param(*case, marks=pytest.mark.slow) for case in [(2, False), (4, True), (4, False), (8, True), (8, False)])])
def test_the_same_bits_on_any_number_of_ranks(runs, alone, together, ranks, balancing):
    run = together[ranks] if ranks < 4 and balancing else runs(ranks, job(balancing))[0]
    assert (sum(run["cut"]) > 0) == balancing
    assert small.content(run["out"]) == small.content(alone["out"])
    assert min(run["crossed"]) > 40 / ranks, "too few cells changed rank in tissue"


def test_the_run_sees_all_of_it(alone):
    """Lest the comparison of nothing with nothing pass."""
    counts = small.last(alone["out"])
    assert counts["chemotherapy"] > 20 and counts["starvation"] > 20 and counts["mutated"] > 20
    assert counts["shed_lymph"] > 100 and counts["drained"] > 20 and counts["lymph"] > 0
    assert counts["transformed"] > 20 and counts["normal_lesions"] > 20 and counts["donor_lesions"] > 0
    with open_results(alone["out"]) as results:
        assert all(len(np.unique(results.clones[:][name])) > 1 for name in ("cxcl1", "ligand", "ptgs2", "hbegf", "st6galnac5"))
        nodes, rows = results.names("shed")["origin"], results.shed[:]
        assert [nodes[node] for node in np.unique(rows["origin"][rows["flags"] & Flag.LYMPH > 0])] == ["lymph_node"]
        assert (rows["n"][rows["flags"] & Flag.LYMPH > 0] > 1).any() and "lymph_node" in {
            results.names("lesions")["node"][node] for node in results.lesions[:]["node"]}
        assert {0, 1} <= set(results.shed[:]["bits"] & 1) and len(np.unique(results.shed[:]["emt"])) > 4
        assert {0, 1} == set(results.lesions[:]["bits"] & 1)
        assert all(results.series[f"{name}_mean"][-1] > 0.001 for name in ("vegf", "matrix", "macrophages", "mmp9"))
        assert results.series["matrix_mean"][-1] < 0.9 and len(np.unique(results.clones[:]["egfr"])) > 1
        assert {Zone.NOWHERE, Zone.CORE, Zone.BORDER, Zone.OUTSIDE} == set(results.shed[:]["zone"])
        assert results.series["sprouts"].max() > 1 and results.series["stage"].max() > 0
        shed, rows = results.shed.columns(), results.shed[:]
        assert (shed["bit_L1CAM"] == (rows["bits"] & 1 > 0)).all() and (shed["bit_L1CAM"] != shed["bit_L1CAM_shed"]).any()
        assert (shed["clone_resistance"] == results.clones[:]["resistance"][rows["clone"]] / 255).all()
        assert {"shed", "tissue"} == {results.names("distances")["of"][whom] for whom in results.distances[:]["of"]}
        assert results.series["maturity_core"][-1] != results.series["maturity_core"][0]
        assert results.provenance[0]["mechanisms"] == {path: user.digest(Path(path).read_bytes()) for path in small.OWN}


def test_stopped_and_resumed_on_other_ranks_it_is_the_run_that_never_stopped(alone, together):
    run = together["resumed"]
    assert (together["stopped"]["code"], run["code"]) == (75, 0)
    assert small.content(run["out"], ordered=True) == small.content(alone["out"], ordered=True)


FAILING = """
TABLE = SECTION = None
from metacascade.mechanisms.terms import python_factor
def late(oxygen):
    return oxygen.no_such_thing
def plan(config):
    yield python_factor("tissue.divide", late, ("oxygen",), "late(oxygen)")
"""


@pytest.mark.parametrize("source, place", [("\n\nraise ValueError('wrong today')\n", ":3"), (FAILING, ":5")])
def test_an_error_in_a_mechanism_ends_all_ranks_with_file_and_line(mpirun, tmp_path, source, place):
    (tmp_path / "own.py").write_text(source)
    (tmp_path / "run.toml").write_text('[mechanisms]\nmodules = ["own.py"]\n[tumor]\ncells = 20_000\n')
    done = mpirun(2, "metacascade", "run", tmp_path / "run.toml", "--out", tmp_path / "out", check=False)
    assert done.returncode and f"{tmp_path / 'own.py'}{place}" in done.stderr
