"""While the tumor has no cells a step goes on to where something is due, and what happens keeps its law."""
import pytest

import small
from metacascade.io.results import open_results

BASE = ['run.step="1 h"', 'run.duration="40 days"', 'output.interval="20 days"', 'output.checkpoint="40 days"',
        'colonization.shed="0/day"']


@pytest.fixture
def run(metacascade, tmp_path):
    def start(name, *settings):
        words = [word for setting in [*BASE, *settings] for word in ("--set", setting)]
        metacascade("run", small.EXAMPLE.parent / "injection_liver.toml", "--out", tmp_path / name, *words, check=True)
        return open_results(tmp_path / name)
    return start


def test_a_step_ends_where_something_is_due_to_be_written_or_to_happen(run):
    results = run("long", 'run.long_step="15 days"', 'surgery=[{time="17 days", where="liver"}]')
    assert results.series["time_s"].tolist() == [0, 20 * 86400, 40 * 86400]
    assert results.series["step"].tolist() == [0, 3, 5]         # 15, 17, 20; 35, 40 days
    assert results.series["resected"][-1] > 0


def test_a_tumor_with_cells_takes_short_steps(metacascade, tmp_path):
    words = [word for setting in ("tumor.cells=1000", 'run.step="1 h"', 'run.duration="4 h"', 'output.interval="4 h"')
             for word in ("--set", setting)]
    metacascade("run", small.EXAMPLE, "--out", tmp_path / "run", *words, check=True)
    assert open_results(tmp_path / "run").series["step"][-1] == 4
