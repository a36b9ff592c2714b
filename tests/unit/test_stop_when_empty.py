"""A run in which nothing is left can end before its duration, and only then."""
import pytest

import small
from metacascade.base.errors import InputError
from metacascade.io.results import open_results
from metacascade.run import commands

DEAD = ["colonization.enabled=false", "blood.anoikis=\"100/h\"", "blood.anoikis_resistance=0.0",
        "blood.arrested_death=\"100/h\"", 'run.step="1 h"', 'run.duration="30 days"', "run.stop_when_empty=true", 'output.interval="6 h"', 'run.long_step="1 h"']


@pytest.fixture
def run(tmp_path, capsys):
    def start(*settings):
        config = small.EXAMPLE.parent / "injection_liver.toml"
        assert commands.run(config, tmp_path / "run", [*DEAD, *settings]) == 0
        return capsys.readouterr().out, open_results(tmp_path / "run")
    return start


def test_it_ends_complete_with_a_row_for_its_end_and_says_so(run, tmp_path):
    said, results = run()
    alive = sum(results.series[name] for name in ("tissue", "circulating", "arrested", "lesions"))
    assert results.complete and "run.stop_when_empty" in said and results.series["time_s"][-1] < 86400
    assert alive[-1] == 0 and results.series["injected"][-1] == 100_000
    assert commands.resume(tmp_path / "run", ["run.stop_when_empty=false", 'run.duration="3 days"']) == 0
    assert open_results(tmp_path / "run").series["time_s"][-1] == 3 * 86400


def test_a_branch_of_it_with_nothing_to_come_is_refused(run, tmp_path):
    """It would make no step and be done."""
    run()
    with pytest.raises(InputError, match="nothing is alive in the checkpoint and nothing is to come"):
        commands.branch(tmp_path / "run", tmp_path / "b")
    assert not (tmp_path / "b").exists()
    assert commands.branch(tmp_path / "run", tmp_path / "b", overrides=['injection=[{time="2 days", cells=10}]']) == 0
    assert open_results(tmp_path / "b").series["injected"][-1] > 100_000


@pytest.mark.parametrize("setting, hours", [
    ('draw=[{time="50 h"}]', 51), ('injection=[{time="0 h"}, {time="2 days", duration="1 h", cells=10}]', 49)])
def test_it_waits_for_draws_and_injections_to_come(run, setting, hours):
    _, results = run(setting)
    assert results.complete and hours * 3600 <= results.series["time_s"][-1] < 30 * 86400
    if "draw" in setting:
        assert results.draws["cells"].tolist() == [0] and results.draws["time_s"].tolist() == [50 * 3600]
    else:
        assert results.series["injected"][-1] == 100_010


def test_it_goes_on_by_default(run):
    _, results = run("run.stop_when_empty=false", 'run.duration="2 days"')
    assert results.series["time_s"][-1] == 2 * 86400


def test_a_stopped_run_that_is_told_so_later_ends_with_a_row_for_its_end(tmp_path):
    out, settings = tmp_path / "run", [*DEAD, "run.stop_when_empty=false", 'output.interval="20 days"']
    commands.run(small.EXAMPLE.parent / "injection_liver.toml", out, settings, wall_limit_s=1.0)
    for _ in range(2):                   # each session makes one step; after the second all are dead
        assert commands.resume(out, wall_limit_s=1.0) == 75
    assert commands.resume(out, ["run.stop_when_empty=true"]) == 0
    with open_results(out) as results:
        assert results.complete and results.series["time_s"].tolist() == [0, 3 * 3600]
